// Package config reads the one configuration file: strict YAML in which an unknown key is an error,
// every key has a usable zero value, and secrets are paths to files, never values.
//
// deploy/equitylens.yaml documents every key and is loaded by a test.
package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/equitylens/equitylens/internal/incident"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure/release"
)

// Config is the whole file.
type Config struct {
	// Data is the data directory.
	Data string `yaml:"data"`
	// Timezone converts instants before their calendar date is taken; "" keeps the date that each
	// dateTime carries.
	Timezone string `yaml:"timezone"`
	// ConceptMaps is a folder of FHIR ConceptMaps for the site's own codes.
	ConceptMaps string `yaml:"concept_maps"`
	// RaceTable replaces the built-in table of CDC Race and Ethnicity.
	RaceTable string `yaml:"race_table"`
	// TelehealthTypes are codes of Encounter.type that mean telehealth.
	TelehealthTypes []TelehealthType `yaml:"telehealth_types"`
	// Measures is a folder of the site's own definitions.
	Measures string `yaml:"measures"`
	// ClientKeys holds the private keys by which EHRs know us; "" means <data>/keys/client.json.
	ClientKeys string   `yaml:"client_keys_file"`
	Sources    []Source `yaml:"sources"`
	Sync       Sync     `yaml:"sync"`
	// Groups is a folder of FHIR Groups of patients for whom reports may be asked.
	Groups     string     `yaml:"groups"`
	Disclosure Disclosure `yaml:"disclosure"`
	// EHRs are those in whose charts the page opens, and at which people sign in.
	EHRs   []EHR  `yaml:"ehrs"`
	People People `yaml:"people"`
	// Incidents are systems outside of the EHR whose tables of harm events are imported.
	Incidents []incident.Mapping `yaml:"incidents"`
	// Decisions, Reviews and Network are about what people decide.
	Decisions Decisions `yaml:"decisions"`
	Reviews   Reviews   `yaml:"reviews"`
	Network   Network   `yaml:"network"`
	Cache     Cache     `yaml:"cache"`
	Server    Server    `yaml:"server"`
	Log       Log       `yaml:"log"`
}

// TelehealthType is a coding of Encounter.type that means telehealth.
type TelehealthType struct {
	System   string `yaml:"system"`
	Code     string `yaml:"code"`
	Modality string `yaml:"modality"`
}

// Source is an EHR or a folder.
type Source struct {
	Name string `yaml:"name"`
	// Folder makes the source a folder of NDJSON files; the keys below are then of no use.
	Folder string `yaml:"folder"`

	BaseURL   string   `yaml:"base_url"`
	TokenURL  string   `yaml:"token_url"`
	ClientID  string   `yaml:"client_id"`
	Algorithm string   `yaml:"algorithm"`
	Scopes    []string `yaml:"scopes"`
	// Types says how each resource type that the source gives is had: auto, bulk or search.
	Types map[string]ingest.Way `yaml:"types"`
	Level string                `yaml:"level"`
	Group string                `yaml:"group"`
	// KickOff is get or post.
	KickOff         string   `yaml:"kick_off"`
	RepeatTypes     bool     `yaml:"repeat_types"`
	Lenient         bool     `yaml:"lenient"`
	PageSize        int      `yaml:"page_size"`
	TrustedOrigins  []string `yaml:"trusted_origins"`
	PrivateNetworks bool     `yaml:"private_networks"`
	Loopback        bool     `yaml:"loopback"`
	CAFile          string   `yaml:"ca_file"`
}

// Sync is how the nightly run is done.
type Sync struct {
	// Schedule is a cron line; "" means that serve does not sync by itself.
	Schedule   string   `yaml:"schedule"`
	MaxShrink  float64  `yaml:"max_shrink"`
	MaxRefused float64  `yaml:"max_refused"`
	Overlap    Duration `yaml:"overlap"`
	Strict     bool     `yaml:"strict"`
	// Keep is how many snapshots `snapshot prune` leaves.
	Keep int `yaml:"keep_snapshots"`
}

// Disclosure fixes what may become public.
type Disclosure struct {
	// Periods is the length of the periods that are released: year, quarter or month.
	Periods release.Granularity `yaml:"public_periods"`
	// Cross is the one cross that is released, such as race*language; "" for none.
	Cross string `yaml:"public_cross"`
	// Measures are preferred where two cannot both be released.
	Measures []string `yaml:"public_measures"`
	// Policies are the overlapping race policies that are released besides.
	Policies []mapping.Policy `yaml:"public_race_policies"`
}

// Cache is the home of what may expire: memory, unless Redis has addresses.
type Cache struct {
	// KeyFile seals values; "" means <data>/keys/cache.key.
	KeyFile string `yaml:"key_file"`
	Redis   Redis  `yaml:"redis"`
}

// Redis is a single server, a Sentinel or a Cluster.
type Redis struct {
	Addresses    []string `yaml:"addresses"`
	Master       string   `yaml:"sentinel_master"`
	Cluster      bool     `yaml:"cluster"`
	Username     string   `yaml:"username"`
	PasswordFile string   `yaml:"password_file"`
	TLS          bool     `yaml:"tls"`
	Database     int      `yaml:"database"`
}

// Server is the HTTP door.
type Server struct {
	Listen string `yaml:"listen"`
	// PublicURL is how clients see us, without a path; "" means the listen address.
	PublicURL string `yaml:"public_url"`
	TLS       TLS    `yaml:"tls"`
	// BehindProxy allows plain HTTP on an address that is not loopback.
	BehindProxy  bool     `yaml:"behind_proxy"`
	Organization string   `yaml:"organization"`
	StaleAfter   Duration `yaml:"stale_after"`
	// TokenKeys signs our access tokens; "" means <data>/keys/token.json.
	TokenKeys string   `yaml:"token_keys_file"`
	Clients   []Client `yaml:"clients"`
	// Audit is the folder of the audit trail; "" means <data>/audit.
	Audit string `yaml:"audit_folder"`
	// AuditKey makes the digests that chain it; "" means <data>/keys/audit.key.
	AuditKey string `yaml:"audit_key_file"`
	// PrivateNetworks lets the keys of clients be fetched from private addresses.
	PrivateNetworks bool `yaml:"private_networks"`
	// IDKeys signs our id_tokens; "" means <data>/keys/identity.json.
	IDKeys string `yaml:"identity_keys_file"`
	// Origins are those of web applications in browsers that may call the API.
	Origins    []string   `yaml:"browser_origins"`
	RateLimits RateLimits `yaml:"rate_limits"`
}

// TLS names PEM files.
type TLS struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// Client is a program that may ask for tokens.
type Client struct {
	ID string `yaml:"id"`
	// Name is what people are shown when they are asked for consent; "" means ID.
	Name     string `yaml:"name"`
	JWKSFile string `yaml:"jwks_file"`
	JWKSURI  string `yaml:"jwks_uri"`
	// Public is a program that cannot keep a key: one in a browser or on a phone.
	Public bool `yaml:"public"`
	// RedirectURIs make it a program through which people ask, by the authorization code flow.
	RedirectURIs []string `yaml:"redirect_uris"`
	// Trusted passes over the question for consent: a program of the hospital's own.
	Trusted bool     `yaml:"trusted"`
	Scopes  []string `yaml:"scopes"`
}

// Log is how the program logs.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level"`
	// Format is json or text.
	Format string `yaml:"format"`
}

// Duration is a time.Duration written as "15m".
type Duration struct {
	time.Duration
	// bad is what was written where that is no duration; Validate knows its key.
	bad string
}

// UnmarshalYAML reads "15m".
func (d *Duration) UnmarshalYAML(text []byte) error {
	plain := strings.Trim(strings.TrimSpace(string(text)), `"'`)
	var err error
	if d.Duration, err = time.ParseDuration(plain); err != nil {
		d.bad = plain
	}
	return nil
}

// Default is what runs without a file.
func Default() Config {
	return Config{
		Data: "./equitylens-data",
		Sync: Sync{
			// A type that loses a fifth overnight has more likely been cut off than discharged.
			MaxShrink: 0.2,
			// One line in twenty is beyond what a faulty interface loses quietly.
			MaxRefused: 0.05,
			// HAPI gave the end of the job for the moment of its data; a quarter of an hour covers it.
			Overlap: Duration{Duration: 15 * time.Minute},
			Keep:    30,
		},
		Disclosure: Disclosure{Periods: release.Year},
		// A month, by which time people still remember what happened.
		Reviews: Reviews{TwoPerson: NoTwoPerson, DueAfter: Duration{Duration: 30 * 24 * time.Hour}},
		People: People{
			// A shift; and what a hospital lets a screen stand open.
			SessionLife: Duration{Duration: 8 * time.Hour},
			Idle:        Duration{Duration: 30 * time.Minute},
		},
		Server: Server{
			Listen: "127.0.0.1:8080",
			// A hospital behind one address signs in at a change of shift; a dashboard asks for dozens
			// of reports at once.
			RateLimits: RateLimits{Address: 20, Client: 1000},
			// One nightly run may fail before anybody is told.
			StaleAfter: Duration{Duration: 36 * time.Hour},
		},
		Log: Log{Level: "info", Format: "json"},
	}
}

// Load reads and checks a file. All faults are reported at once, each with its key. Relative paths in
// it are relative to its folder; the default of data is relative to the working directory, as it is
// without a file.
func Load(path string) (Config, error) {
	text, err := os.ReadFile(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	c, err := decode(text)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	c.resolve(filepath.Dir(path))
	return c.complete(), nil
}

// Parse reads and checks the text of a file.
func Parse(text []byte) (Config, error) {
	c, err := decode(text)
	return c.complete(), err
}

// complete names the data directory where the file does not.
func (c Config) complete() Config {
	if c.Data == "" {
		c.Data = Default().Data
	}
	return c
}

// resolve makes relative paths relative to the folder of the file.
func (c *Config) resolve(folder string) {
	paths := []*string{
		&c.Data, &c.ConceptMaps, &c.RaceTable, &c.Measures, &c.ClientKeys, &c.Cache.KeyFile,
		&c.Decisions.PostgresURLFile, &c.Network.Coordinator.CAFile,
		&c.Cache.Redis.PasswordFile, &c.Server.TLS.CertFile, &c.Server.TLS.KeyFile, &c.Server.TokenKeys,
		&c.Server.Audit, &c.Server.AuditKey, &c.Server.IDKeys, &c.Groups,
	}
	for i := range c.EHRs {
		paths = append(paths, &c.EHRs[i].SecretFile, &c.EHRs[i].CAFile)
	}
	for i := range c.People.Providers {
		paths = append(paths, &c.People.Providers[i].SecretFile, &c.People.Providers[i].CAFile)
	}
	for i := range c.Sources {
		paths = append(paths, &c.Sources[i].Folder, &c.Sources[i].CAFile)
	}
	for i := range c.Server.Clients {
		paths = append(paths, &c.Server.Clients[i].JWKSFile)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
}
