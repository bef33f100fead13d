package config

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Decisions is the home of what people decide: an SQLite file in the data directory, unless there is a
// PostgreSQL.
type Decisions struct {
	// PostgresURLFile holds the URL of the database, which may hold a password; "" means
	// <data>/decisions.db.
	PostgresURLFile string `yaml:"postgres_url_file"`
}

// TwoPerson says which harm events two people review.
type TwoPerson string

// The rules.
const (
	// NoTwoPerson: one reviewer is enough.
	NoTwoPerson TwoPerson = "none"
	// SevereTwoPerson: two for events that were severe or fatal.
	SevereTwoPerson TwoPerson = "severe"
	// AllTwoPerson: two for all.
	AllTwoPerson TwoPerson = "all"
)

// Reviews is how harm events are reviewed.
type Reviews struct {
	TwoPerson TwoPerson `yaml:"two_person"`
	// Since is the first day whose events are in the worklist, as 2026-01-01; "" is all there are.
	Since string `yaml:"since"`
	// DueAfter is how long after an event its review is due.
	DueAfter Duration `yaml:"due_after"`
}

// Network is our part in a network of institutions: a member, the coordinator, both or neither.
type Network struct {
	// Coordinator is where we hand in as a member; no URL means that we are none.
	Coordinator Coordinator `yaml:"coordinator"`
	// Members are those who hand in to us; without any we are no coordinator.
	Members []Member `yaml:"members"`
}

// Coordinator is the program of the coordinator of a network, as a member knows it.
type Coordinator struct {
	// URL is its public address, without a path.
	URL string `yaml:"url"`
	// Member is our id in the network, and ClientID that of this program at the coordinator.
	Member   string `yaml:"member"`
	ClientID string `yaml:"client_id"`
	// Algorithm signs assertions and submissions: RS384 or ES384; "" means RS384.
	Algorithm       string `yaml:"algorithm"`
	PrivateNetworks bool   `yaml:"private_networks"`
	Loopback        bool   `yaml:"loopback"`
	CAFile          string `yaml:"ca_file"`
}

// Member is one institution of a network that we coordinate.
type Member struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	// Client is the id of its program among server.clients, whose keys sign its submissions.
	Client string `yaml:"client"`
}

func (r *Reviews) validate(v *faults) {
	v.oneOf("reviews.two_person", string(r.TwoPerson), "", string(NoTwoPerson), string(SevereTwoPerson),
		string(AllTwoPerson))
	if _, err := time.Parse(time.DateOnly, r.Since); r.Since != "" && err != nil {
		v.add("reviews.since", "%q is no day such as 2026-01-01", r.Since)
	}
	v.duration("reviews.due_after", r.DueAfter)
}

// memberID keeps the id of a member fit for a FHIR id.
var memberID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

func (n *Network) validate(v *faults, clients []Client) {
	if c := &n.Coordinator; c.URL != "" {
		v.url("network.coordinator.url", c.URL, "https://network.example.org")
		v.require("network.coordinator.client_id", c.ClientID)
		v.oneOf("network.coordinator.algorithm", c.Algorithm, "", "RS384", "ES384")
		if !memberID.MatchString(c.Member) {
			v.add("network.coordinator.member", "%q is not 1 to 32 small letters, digits and hyphens",
				c.Member)
		}
	}
	ids, programs := map[string]bool{}, map[string]bool{}
	for i, m := range n.Members {
		key := fmt.Sprintf("network.members[%d]", i)
		if !memberID.MatchString(m.ID) {
			v.add(key+".id", "%q is not 1 to 32 small letters, digits and hyphens", m.ID)
		}
		if ids[m.ID] {
			v.add(key+".id", "%q is the id of another member", m.ID)
		}
		if programs[m.Client] {
			v.add(key+".client", "%q is the program of another member", m.Client)
		}
		ids[m.ID], programs[m.Client] = true, true
		v.require(key+".name", m.Name)
		if !slices.ContainsFunc(clients, func(c Client) bool { return c.ID == m.Client }) {
			v.add(key+".client", "%q is not the id of one of server.clients", m.Client)
		}
	}
}
