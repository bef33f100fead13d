package config_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/config"
)

func TestGoodFiles(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*config.Config){
		"minimal":              func(c *config.Config) { c.Data = "testdata/facts" },
		"comments":             func(*config.Config) {},
		"empty":                func(*config.Config) {},
		"section-without-keys": func(*config.Config) {},
		"proxy": func(c *config.Config) {
			c.Server.Listen, c.Server.BehindProxy = ":8080", true
			c.Server.StaleAfter.Duration = 90 * time.Minute
			c.Cache.Redis.Addresses, c.Cache.Redis.Master = []string{"a:26379", "b:26379"}, "main"
		},
		"trial": func(c *config.Config) {
			c.ConceptMaps = "testdata/maps"
			c.Sources = []config.Source{
				{
					Name: "trial", BaseURL: "http://127.0.0.1:9090/fhir", Loopback: true,
					CAFile: "testdata/ca.pem",
				},
				{Name: "export", Folder: "/srv/export"},
			}
			c.Server.Clients = []config.Client{{
				ID: "dashboard", JWKSFile: "testdata/keys/dashboard.json", Scopes: []string{"system/*.rs"},
			}}
		},
		"people": func(c *config.Config) {
			c.EHRs = []config.EHR{
				{
					Registration: config.Registration{Name: "north", ClientID: "equitylens"},
					BaseURL:      "https://north.example.org/fhir", Chart: true,
				},
				{
					Registration: config.Registration{
						Name: "trial", ClientID: "chart", Identify: config.Secret, SecretFile: "testdata/secret",
						Loopback: true,
					},
					BaseURL: "http://127.0.0.1:9090/fhir", SignIn: true,
				},
			}
			c.People.RoleClaim = "groups"
			c.People.Roles = map[string][]string{"quality-analyst": {"quality"}}
			c.People.Named = []config.Named{{ID: "trial|Practitioner/1", Roles: []string{"equity-reviewer"}}}
			c.People.Idle.Duration = 10 * time.Minute
			c.Server.Clients = []config.Client{{
				ID: "spa", Public: true, RedirectURIs: []string{"https://spa.example.org/cb"},
				Scopes: []string{"openid", "user/MeasureReport.rs"},
			}}
		},
	}
	tests["improvement"] = func(c *config.Config) {
		c.Decisions.PostgresURLFile = "testdata/decisions-url"
		c.Reviews.TwoPerson, c.Reviews.Since = config.AllTwoPerson, "2026-01-01"
		c.Reviews.DueAfter.Duration = 240 * time.Hour
		c.Network.Members = []config.Member{{ID: "a", Name: "A", Client: "a-program"}}
		c.Server.Clients = []config.Client{{
			ID: "a-program", JWKSFile: "testdata/a.json", Scopes: []string{"equitylens/submit"},
		}}
	}
	all, err := filepath.Glob("testdata/*.good.yaml")
	if err != nil || len(all) != len(tests) {
		t.Fatalf("testdata holds %d good files, want %d (%v)", len(all), len(tests), err)
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := config.Default()
			change(&want)
			got, err := config.Load(filepath.Join("testdata", name+".good.yaml"))
			if err != nil {
				t.Fatalf("Load: %v", err)
			}
			if d := cmp.Diff(want, got, cmp.AllowUnexported(config.Duration{})); d != "" {
				t.Errorf("Load (-want +got):\n%s", d)
			}
		})
	}
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		want []string
	}{
		{"tag-before-a-list", []string{
			"no configuration: is a tag, a word that begins with !, before a value?",
		}},
		{"unknown-keys", []string{
			`line 2: unknown key "timezne"`,
			`line 6: unknown key "client_secret"`,
			`line 8: unknown key "colour"`,
		}},
		{"kinds", []string{
			`line 2: "lots" is not a number`,
			`line 3: "perhaps" is not true or false`,
			`line 4: "few" is not a whole number`,
			`line 5: this is not text`,
			`line 6: string was used where mapping is expected`,
			`line 8: mapping was used where sequence is expected`,
		}},
		{"structure", []string{`[2:6] mapping value is not allowed in this context`}},
		{"twice", []string{`[2:1] mapping key "data" already defined at [1:1]`}},
		{"two-documents", []string{`the file holds 2 documents, want one`}},
		{"improvement", []string{
			`incidents[0].name: "bad name" is not a name of letters, digits, hyphens and underscores`,
			"incidents[0].columns.colour: is none of id, patient, encounter, date, detected, recorded, " +
				"actuality, category, severity, seriousness, outcome, harm, detection, site, status",
			`incidents[0].date_format: "DD.MM" is none of YYYY-MM-DD, MM/DD/YYYY, DD/MM/YYYY, DD.MM.YYYY, ` +
				`YYYY/MM/DD, YYYYMMDD`,
			`sources: "reviews" is the name of the run that takes over the answers of reviews`,
			`reviews.two_person: "sometimes" is none of none, severe, all`,
			`reviews.since: "1 January" is no day such as 2026-01-01`,
			`reviews.due_after: "a month" is not a duration such as 15m or 36h`,
			`network.coordinator.url: "network.example.org" is not a URL such as https://network.example.org`,
			`network.coordinator.client_id: missing`,
			`network.coordinator.algorithm: "HS256" is none of RS384, ES384`,
			`network.coordinator.member: "Example Health" is not 1 to 32 small letters, digits and hyphens`,
			`network.members[0].name: missing`,
			`network.members[0].client: "a-program" is not the id of one of server.clients`,
			`network.members[1].id: "a" is the id of another member`,
			`network.members[1].client: "a-program" is the program of another member`,
			`network.members[1].client: "a-program" is not the id of one of server.clients`,
		}},
		{"everything", []string{
			`timezone: "Mars/Olympus" is not a time zone such as America/New_York`,
			`telehealth_types[0].code: missing`,
			`telehealth_types[0].modality: "telepathy" is none of video, audio`,
			`sources[0].name: "bad name" is not a name of letters, digits, hyphens and underscores`,
			`sources[0].types: "Observation" is none of Patient, Encounter, AdverseEvent`,
			`sources[0].types.Patient: "sometimes" is none of auto, bulk, search`,
			`sources[0].base_url: "ehr.example.org" is not a URL such as https://ehr.example.org/fhir`,
			`sources[0].algorithm: "HS256" is none of RS384, ES384`,
			`sources[0].level: "ward" is none of system, group, patient`,
			`sources[0].kick_off: "put" is none of get, post`,
			`sources[0].page_size: -1 is negative`,
			`sources[1].base_url: http://ehr.example.org/fhir is plain http, which is for an EHR on this ` +
				`machine alone, with loopback: true`,
			`sources[1].token_url: "nowhere" is not a URL such as https://ehr.example.org/fhir`,
			`sources[1].group: missing; a group export needs the id of its Group`,
			`sources[2]: has neither folder nor base_url`,
			`sources[2].name: "plain" is the name of another source`,
			`sources[3]: has both folder and base_url; a source is one or the other`,
			`sync.schedule: "nightly" is not a cron line such as "15 2 * * *"`,
			`sync.max_shrink: 20 is not a share from 0 to 1`,
			`sync.max_refused: -1 is not a share from 0 to 1`,
			`sync.overlap: "a while" is not a duration such as 15m or 36h`,
			`sync.keep_snapshots: 0 would leave none`,
			`cache.redis.addresses[0]: "redis" is not host:port`,
			`cache.redis.cluster: a cluster has no sentinel_master`,
			`cache.redis.database: -1 is negative`,
			`server.listen: "everywhere" is not host:port`,
			`server.tls: needs both cert_file and key_file`,
			`server.public_url: "quality.example.org" is not a URL such as https://quality.example.org`,
			`server.stale_after: -1h0m0s is negative`,
			`server.clients[0].id: missing`,
			`server.clients[0]: needs one of jwks_file, jwks_uri and public: true`,
			`server.clients[0].scopes: "system/Measure.everything" is not a scope`,
			`server.clients[1]: needs one of jwks_file, jwks_uri and public: true`,
			`server.clients[1].scopes: missing; such as system/MeasureReport.rs`,
			`server.clients[2].id: "a" is the id of another client`,
			`log.level: "loud" is none of debug, info, warn, error`,
			`log.format: "xml" is none of json, text`,
		}},
		{"outside-without-tls", []string{
			`server.listen: 0.0.0.0:8080 can be reached from outside without TLS; give server.tls, or say ` +
				`server.behind_proxy: true if a proxy on this machine ends TLS`,
		}},
		{"redis", []string{
			`cache.redis.addresses: several addresses need sentinel_master, or cluster: true`,
		}},
		{"people", []string{
			`server.clients[0]: needs one of jwks_file, jwks_uri and public: true`,
			`server.clients[0].redirect_uris: missing; a public client gets tokens by the code flow alone`,
			`server.browser_origins[0]: "*" is not an origin such as https://ehr.example.org`,
			`server.rate_limits: a rate is negative`,
			`ehrs[0].identify: "password" is none of public, secret, key`,
			`ehrs[0].algorithm: "HS256" is none of RS384, ES384`,
			`ehrs[0].secret_file: goes together with identify: secret, and only with it`,
			`ehrs[0].scopes: "patient/Patient.sr" is not a scope`,
			`ehrs[0].base_url: http://north.example.org/fhir is plain http, which is for a server on this ` +
				`machine alone, with loopback: true`,
			`ehrs[0]: is for nothing: neither chart nor sign_in is true`,
			`ehrs[0].frame_ancestors[0]: "https://north.example.org/ehr" is not an origin such as ` +
				`https://ehr.example.org`,
			`ehrs[0].cds_hooks: needs both issuer and jwks_uri`,
			`people.providers[0].client_id: missing`,
			`people.providers[0].issuer: "nowhere" is not a URL such as https://ehr.example.org/fhir`,
			`people.providers[0].name: "north" is the name of another EHR or provider`,
			`people.roles: "king" is none of quality-analyst, equity-reviewer, clinician, ` +
				`integration-engineer, administrator`,
			`people.role_claim: missing; roles are given by its values`,
			`people.named[0].id: "south|1" is not <name of an EHR or provider>|<sub or fhirUser>`,
			`people.named[0].roles: "queen" is none of quality-analyst, equity-reviewer, clinician, ` +
				`integration-engineer, administrator`,
			`people.idle: "soon" is not a duration such as 15m or 36h`,
		}},
		{"nobody-signs-in", []string{
			`server.clients[0].redirect_uris: nobody can sign in here; give an entry of ehrs with sign_in: true, or ` +
				`of people.providers`,
		}},
		{"redis-cluster", []string{`cache.redis.database: a cluster has no other database than 0`}},
	}
	all, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(all) != len(tests) {
		t.Fatalf("testdata holds %d bad files, want %d (%v)", len(all), len(tests), err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", test.name+".bad.yaml")
			_, err := config.Load(path)
			if err == nil {
				t.Fatalf("Load(%s) = nil, want an error", path)
			}
			text, ok := strings.CutPrefix(err.Error(), path+": ")
			if !ok {
				t.Fatalf("Load(%s) = %q, want the name of the file first", path, err)
			}
			got := strings.Split(text, "\n")
			// A fault of the structure is followed by the lines around it.
			if strings.HasPrefix(got[0], "[") {
				got = got[:1]
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("Load(%s) (-want +got):\n%s", path, d)
			}
		})
	}
}

func TestFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	if _, err := config.Load("testdata/absent.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load = %v, want fs.ErrNotExist", err)
	}
}

func TestDefaultIsGood(t *testing.T) {
	t.Parallel()
	c := config.Default()
	if err := c.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
}

// The example names every key, loads, and leaves nothing at its zero value that has to be seen.
func TestExampleNamesEveryKey(t *testing.T) {
	t.Parallel()
	const example = "../../deploy/equitylens.yaml"
	if _, err := config.Load(example); err != nil {
		t.Fatalf("Load: %v", err)
	}
	named := keysOf(t, example)
	for _, key := range keys(reflect.TypeFor[config.Config](), "") {
		if !slices.Contains(named, key) {
			t.Errorf("%s does not name the key %s", example, key)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "data: x", "a: [", "sources:\n- {name: a, folder: b}\n- x: {y: [z]}", "---\n---\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := config.Parse(text)
		if err == nil && c.Validate() != nil {
			t.Errorf("Parse(%q) accepts what Validate refuses", text)
		}
	})
}
