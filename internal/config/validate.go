package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	_ "time/tzdata" // A container may hold no time zones.

	"github.com/robfig/cron/v3"

	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/store/facts"
)

// Validate returns every fault of the configuration, each with its key.
func (c *Config) Validate() error {
	v := &faults{}
	if _, err := c.Location(); err != nil {
		v.add("timezone", "%q is not a time zone such as America/New_York", c.Timezone)
	}
	for i, t := range c.TelehealthTypes {
		key := fmt.Sprintf("telehealth_types[%d]", i)
		v.require(key+".code", t.Code)
		v.oneOf(key+".modality", t.Modality, "", "video", "audio")
	}
	names := map[string]bool{}
	for i := range c.Sources {
		key := fmt.Sprintf("sources[%d]", i)
		c.Sources[i].validate(v, key)
		if names[c.Sources[i].Name] {
			v.add(key+".name", "%q is the name of another source", c.Sources[i].Name)
		}
		names[c.Sources[i].Name] = true
	}
	for i := range c.Incidents {
		key := fmt.Sprintf("incidents[%d]", i)
		for _, f := range c.Incidents[i].Faults() {
			v.add(key+"."+f.Key, "%s", f.Reason)
		}
		if names[c.Incidents[i].Name] {
			v.add(key+".name", "%q is the name of another source", c.Incidents[i].Name)
		}
		names[c.Incidents[i].Name] = true
	}
	if names[ingest.RefreshName] {
		v.add("sources", "%q is the name of the run that takes over the answers of reviews", ingest.RefreshName)
	}
	c.Sync.validate(v)
	c.Disclosure.validate(v)
	c.Reviews.validate(v)
	c.Network.validate(v, c.Server.Clients)
	c.Cache.Redis.validate(v)
	c.Server.validate(v)
	c.validatePeople(v)
	if err := new(slog.Level).UnmarshalText([]byte(c.Log.Level)); err != nil {
		v.add("log.level", "%q is none of debug, info, warn, error", c.Log.Level)
	}
	v.oneOf("log.format", c.Log.Format, "json", "text")
	return errors.Join(v.list...)
}

func (d *Disclosure) validate(v *faults) {
	v.oneOf("disclosure.public_periods", string(d.Periods), "", string(release.Year),
		string(release.Quarter), string(release.Month))
	if d.Cross != "" {
		s, err := measure.ParseStratifier(d.Cross)
		switch {
		case err != nil:
			v.add("disclosure.public_cross", "%v", err)
		case len(s) < 2:
			v.add("disclosure.public_cross", "%q crosses nothing; write race*language", d.Cross)
		}
	}
	for i, p := range d.Policies {
		v.oneOf(fmt.Sprintf("disclosure.public_race_policies[%d]", i), string(p),
			string(mapping.PolicyAlone), string(mapping.PolicySPD15))
	}
}

// Location is the time zone, or nil where each dateTime keeps its own.
func (c *Config) Location() (*time.Location, error) {
	if c.Timezone == "" {
		return nil, nil
	}
	return time.LoadLocation(c.Timezone)
}

type faults struct{ list []error }

func (v *faults) add(key, format string, args ...any) {
	v.list = append(v.list, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
}

func (v *faults) require(key, value string) {
	if value == "" {
		v.add(key, "missing")
	}
}

func (v *faults) duration(key string, d Duration) {
	if d.bad != "" {
		v.add(key, "%q is not a duration such as 15m or 36h", d.bad)
	}
	if d.Duration < 0 {
		v.add(key, "%s is negative", d.Duration)
	}
}

func (v *faults) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		v.add(key, "%q is none of %s", value, strings.TrimPrefix(strings.Join(allowed, ", "), ", "))
	}
}

const exampleEHR = "https://ehr.example.org/fhir"

func (v *faults) url(key, value, example string) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		v.add(key, "%q is not a URL such as %s", value, example)
	}
}

// sourceName keeps a name fit for a folder and for a log.
var sourceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

func (s *Source) validate(v *faults, key string) {
	if !sourceName.MatchString(s.Name) {
		v.add(key+".name", "%q is not a name of letters, digits, hyphens and underscores", s.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		way := s.Types[name]
		if !slices.Contains(facts.Types(), name) {
			v.add(key+".types", "%q is none of %s", name, strings.Join(facts.Types(), ", "))
		}
		if !slices.Contains(ingest.Ways(), way) {
			v.add(key+".types."+name, "%q is none of auto, bulk, search", way)
		}
	}
	if s.Folder != "" {
		if s.BaseURL != "" {
			v.add(key, "has both folder and base_url; a source is one or the other")
		}
		return
	}
	if s.BaseURL == "" {
		v.add(key, "has neither folder nor base_url")
		return
	}
	v.url(key+".base_url", s.BaseURL, exampleEHR)
	if strings.HasPrefix(strings.ToLower(s.BaseURL), "http://") && !s.Loopback {
		v.add(key+".base_url", "%s is plain http, which is for an EHR on this machine alone, with loopback: true",
			s.BaseURL)
	}
	if s.TokenURL != "" {
		v.url(key+".token_url", s.TokenURL, exampleEHR)
	}
	v.oneOf(key+".algorithm", s.Algorithm, "", "RS384", "ES384")
	v.oneOf(key+".level", s.Level, "", "system", "group", "patient")
	v.oneOf(key+".kick_off", s.KickOff, "", "get", "post")
	if s.Level == "group" && s.Group == "" {
		v.add(key+".group", "missing; a group export needs the id of its Group")
	}
	if s.PageSize < 0 {
		v.add(key+".page_size", "%d is negative", s.PageSize)
	}
}

func (s *Sync) validate(v *faults) {
	if s.Schedule != "" {
		if _, err := cron.ParseStandard(s.Schedule); err != nil {
			v.add("sync.schedule", `%q is not a cron line such as "15 2 * * *"`, s.Schedule)
		}
	}
	if s.MaxShrink < 0 || s.MaxShrink > 1 {
		v.add("sync.max_shrink", "%g is not a share from 0 to 1", s.MaxShrink)
	}
	if s.MaxRefused < 0 || s.MaxRefused > 1 {
		v.add("sync.max_refused", "%g is not a share from 0 to 1", s.MaxRefused)
	}
	v.duration("sync.overlap", s.Overlap)
	if s.Keep < 1 {
		v.add("sync.keep_snapshots", "%d would leave none", s.Keep)
	}
}

func (r *Redis) validate(v *faults) {
	for i, address := range r.Addresses {
		if _, _, err := net.SplitHostPort(address); err != nil {
			v.add(fmt.Sprintf("cache.redis.addresses[%d]", i), "%q is not host:port", address)
		}
	}
	switch {
	case r.Cluster && r.Database > 0:
		v.add("cache.redis.database", "a cluster has no other database than 0")
	case r.Cluster && r.Master != "":
		v.add("cache.redis.cluster", "a cluster has no sentinel_master")
	case len(r.Addresses) > 1 && !r.Cluster && r.Master == "":
		v.add("cache.redis.addresses", "several addresses need sentinel_master, or cluster: true")
	}
	if r.Database < 0 {
		v.add("cache.redis.database", "%d is negative", r.Database)
	}
}

func (s *Server) validate(v *faults) {
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		v.add("server.listen", "%q is not host:port", s.Listen)
	}
	if (s.TLS.CertFile == "") != (s.TLS.KeyFile == "") {
		v.add("server.tls", "needs both cert_file and key_file")
	}
	if s.PublicURL != "" {
		v.url("server.public_url", s.PublicURL, "https://quality.example.org")
	}
	ip := net.ParseIP(host)
	loopback := host == "localhost" || (ip != nil && ip.IsLoopback())
	if err == nil && !loopback && s.TLS.CertFile == "" && !s.BehindProxy {
		v.add("server.listen", "%s can be reached from outside without TLS; give server.tls, or say "+
			"server.behind_proxy: true if a proxy on this machine ends TLS", s.Listen)
	}
	v.duration("server.stale_after", s.StaleAfter)
	ids := map[string]bool{}
	for i, c := range s.Clients {
		key := fmt.Sprintf("server.clients[%d]", i)
		c.validate(v, key)
		if ids[c.ID] {
			v.add(key+".id", "%q is the id of another client", c.ID)
		}
		ids[c.ID] = true
	}
	for i, origin := range s.Origins {
		v.origin(fmt.Sprintf("server.browser_origins[%d]", i), origin)
	}
	if s.RateLimits.Address < 0 || s.RateLimits.Client < 0 {
		v.add("server.rate_limits", "a rate is negative")
	}
}
