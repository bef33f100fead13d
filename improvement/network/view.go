package network

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/decisions"
)

// Viewer is who looks: a member, by its id, or the coordinator.
type Viewer struct {
	Member      string
	Coordinator bool
}

// handed is a submission that was accepted, the last of its member for the period.
type handed struct {
	submission Submission
	version    int
	at         time.Time
}

// Overview is what a viewer sees of a period.
type Overview struct {
	Period string `json:"period"`
	// Members is how many there are in the network, HandedIn how many handed in for the period.
	Members  int `json:"members"`
	HandedIn int `json:"handed_in"`
	// Assessed is how many of them answered the readiness questionnaire to its end, Adopted how many
	// have adopted by the definition that AdoptedMeans gives.
	Assessed     int    `json:"assessed"`
	Adopted      int    `json:"adopted"`
	AdoptedMeans string `json:"adopted_means"`
	// Acting is how many have an action that has begun, Demonstrated how many have shown at least one
	// gap to be smaller, and Actions how many actions that are.
	Acting            int    `json:"acting"`
	Demonstrated      int    `json:"demonstrated"`
	Actions           int    `json:"actions_demonstrated"`
	DemonstratedMeans string `json:"demonstrated_means"`
	// Standings are the members that the viewer may name, in the order of the configuration.
	Standings []MemberState `json:"members_named"`
	Figures   []Pooled      `json:"figures"`
}

// MemberState is what a member did for a period.
type MemberState struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	HandedIn bool   `json:"handed_in"`
	// Version counts its submissions for the period.
	Version      int        `json:"version,omitempty"`
	At           *time.Time `json:"received,omitempty"`
	Adopted      bool       `json:"adopted"`
	Actions      int        `json:"actions"`
	Demonstrated int        `json:"demonstrated"`
}

// What the counts of an Overview mean, in English; the pages say it in their languages.
const (
	adoptedMeans = "a final self-assessment of the period in which, in every domain, more than half of the " +
		"items are answered and the median level is begun or higher, and established or routine in at " +
		"least half of the domains"
	demonstratedMeans = "at least one action after whose start the gap of its groups became smaller by more " +
		"than chance, by the strict rule of docs/actions.md; it does not show that the action is why"
)

// UsualDimensions are those by which a report is given where nothing else is asked.
func UsualDimensions() []string {
	return []string{
		mapping.DimensionRaceEthnicity, mapping.DimensionLanguageGroup, mapping.DimensionInterpreter,
	}
}

// Overview gives a period as a viewer may see it: every figure of everybody, and by some dimensions. It
// fails with ErrNoMember where the viewer is none, and with ErrUnknown.
func (d *Desk) Overview(
	ctx context.Context, period measure.Period, as Viewer, by ...string,
) (Overview, error) {
	name, _, err := readiness.Name(period)
	if err != nil {
		return Overview{}, fmt.Errorf("report of the network: %w: %w", ErrUnknown, err)
	}
	all, err := d.handed(ctx, period)
	if err != nil {
		return Overview{}, err
	}
	names, err := d.naming(period, all, as)
	if err != nil {
		return Overview{}, err
	}
	out := Overview{
		Period: name, Members: len(d.cfg.Members), HandedIn: len(all),
		AdoptedMeans: adoptedMeans, DemonstratedMeans: demonstratedMeans,
		Standings: []MemberState{}, Figures: []Pooled{},
	}
	for _, m := range d.cfg.Members {
		state := d.state(m, all)
		out.count(state, all)
		if as.Coordinator || as.Member == m.ID {
			out.Standings = append(out.Standings, state)
		}
	}
	for _, dimension := range by {
		if !slices.Contains(Dimensions(), dimension) {
			return Overview{}, fmt.Errorf("report of the network: %w: by %q", ErrUnknown, dimension)
		}
	}
	out.Figures, err = d.figures(all, period, names, by)
	return out, err
}

func (out *Overview) count(state MemberState, all []handed) {
	if state.Adopted {
		out.Adopted++
	}
	if state.Actions > 0 {
		out.Acting++
	}
	if state.Demonstrated > 0 {
		out.Demonstrated++
	}
	out.Actions += state.Demonstrated
	for i := range all {
		a := all[i].submission.Adoption
		if all[i].submission.Member == state.ID && a != nil && a.Final {
			out.Assessed++
		}
	}
}

// state says what a member did.
func (d *Desk) state(m Member, all []handed) MemberState {
	s := MemberState{ID: m.ID, Name: m.Name}
	for i := range all {
		one := &all[i].submission
		if one.Member != m.ID {
			continue
		}
		at := all[i].at
		s.HandedIn, s.Version, s.At = true, all[i].version, &at
		s.Adopted = adopted(d.cfg.Questionnaire, one.Adoption)
		for _, a := range one.Actions {
			if a.State != GivenUp {
				s.Actions++
			}
			if a.Demonstrated {
				s.Demonstrated++
			}
		}
	}
	return s
}

// adopted applies the definition that adoptedMeans gives.
func adopted(q *readiness.Questionnaire, a *Adoption) bool {
	if a == nil || !a.Final {
		return false
	}
	answered := readiness.Assessment{Answers: map[string]readiness.Answer{}}
	for item, level := range a.Levels {
		l := readiness.Level(level)
		answered.Answers[item] = readiness.Answer{Item: item, Level: &l}
	}
	established := 0
	for _, s := range q.Score(answered) {
		if 2*s.Answered <= s.Items || *s.Median < readiness.Begun {
			return false
		}
		if *s.Median >= readiness.Established {
			established++
		}
	}
	return 2*established >= len(q.Domains)
}

// figures answers for every rate of every measure that a member reports: of everybody, and by each
// group of the dimensions.
func (d *Desk) figures(
	all []handed, period measure.Period, names naming, by []string,
) ([]Pooled, error) {
	out := []Pooled{}
	for i := range d.cfg.Definitions {
		definition := &d.cfg.Definitions[i]
		reported := slices.ContainsFunc(all, func(h handed) bool {
			r, _ := h.submission.rate(definition.ID, "")
			return r != nil
		})
		if !reported {
			continue
		}
		for _, rate := range definition.Rates() {
			q := Question{Period: period, Measure: definition.ID, Rate: rate.ID}
			whole, err := d.pooled(all, q, names)
			if err != nil {
				return nil, err
			}
			out = append(out, whole)
			for _, q.Dimension = range by {
				for _, q.Group = range keysOf(all, q) {
					one, err := d.pooled(all, q, names)
					if err != nil {
						return nil, err
					}
					out = append(out, one)
				}
			}
		}
	}
	return out, nil
}

// keysOf lists the groups that any submission has of a figure.
func keysOf(all []handed, q Question) []string {
	var keys []string
	for i := range all {
		if _, rate := all[i].submission.rate(q.Measure, q.Rate); rate != nil {
			t, _ := rate.table(q.Dimension)
			for _, row := range t.Rows {
				keys = append(keys, row.Key)
			}
		}
	}
	slices.SortFunc(keys, compareKeys)
	return slices.Compact(keys)
}

// handed lists the accepted submissions for a period of those who are members now.
func (d *Desk) handed(ctx context.Context, period measure.Period) ([]handed, error) {
	var out []handed
	for _, m := range d.cfg.Members {
		document, err := d.cfg.Records.Get(ctx, decisions.Submission, IDOf(m.ID, period))
		if errors.Is(err, decisions.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read submissions: %w", err)
		}
		s, _, err := d.read(document)
		if err != nil {
			return nil, err
		}
		out = append(out, handed{submission: s, version: document.Version, at: document.At})
	}
	return out, nil
}

// naming says what a viewer calls each member.
type naming struct {
	// all says that every member is named.
	all bool
	own string
	// labels are by the ids of members.
	labels map[string]label
}

// label is a name, or a number where there is none; rank is its place in every list.
type label struct {
	name         string
	number, rank int
}

// naming numbers the members that a viewer may not know by a digest that is keyed and differs from
// viewer to viewer and from period to period: two members who compare what they see, or one who
// compares two periods, find no order in common. It is the same in every figure of a period, so that a
// reader can follow one of them. Sizes may tell a member all the same.
func (d *Desk) naming(period measure.Period, all []handed, as Viewer) (naming, error) {
	n := naming{all: as.Coordinator, own: as.Member, labels: map[string]label{}}
	known := slices.ContainsFunc(d.cfg.Members, func(m Member) bool { return m.ID == as.Member })
	if !as.Coordinator && !known {
		return n, ErrNoMember
	}
	var others []string
	for _, m := range d.cfg.Members {
		switch {
		case as.Coordinator || m.ID == as.Member:
			n.labels[m.ID] = label{name: m.Name, rank: len(n.labels)}
		case slices.ContainsFunc(all, func(h handed) bool { return h.submission.Member == m.ID }):
			others = append(others, m.ID)
		}
	}
	digest := func(id string) string {
		mac := hmac.New(sha256.New, d.cfg.Secret)
		_, _ = mac.Write([]byte(strings.Join([]string{as.Member, period.String(), id}, "\n")))
		return string(mac.Sum(nil))
	}
	slices.SortFunc(others, func(a, b string) int { return strings.Compare(digest(a), digest(b)) })
	for i, id := range others {
		n.labels[id] = label{number: i + 1, rank: len(n.labels)}
	}
	return n, nil
}
