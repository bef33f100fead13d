// Package deploy_test checks what stands in this folder as far as it can be checked without a container
// engine, a cluster or a running systemd: that each file is well formed, that the files agree with each
// other and with the program, and that nothing runs with more rights than it needs.
package deploy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/mapping"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return string(text)
}

// tree parses YAML; a key that stands twice is an error.
func tree(t *testing.T, path, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := yaml.UnmarshalWithOptions([]byte(text), &out, yaml.Strict()); err != nil {
		t.Fatalf("parse %s: %v", path, err)
	}
	return out
}

// at follows a path of keys, and of indexes of lists such as "0"; nil where there is nothing.
func at(node any, path ...string) any {
	for _, key := range path {
		switch n := node.(type) {
		case map[string]any:
			node = n[key]
		case []any:
			if key != "0" || len(n) == 0 {
				return nil
			}
			node = n[0]
		default:
			return nil
		}
	}
	return node
}

func list(node any) []any {
	l, _ := node.([]any)
	return l
}

func texts(node any) []string {
	var out []string
	for _, item := range list(node) {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func TestConfigurationsLoad(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"equitylens.yaml", "compose/equitylens.yaml"} {
		if _, err := config.Load(path); err != nil {
			t.Errorf("Load(%s): %v", path, err)
		}
	}
	const inCluster = "kubernetes/config.yaml"
	text, ok := at(tree(t, inCluster, read(t, inCluster)), "data", "equitylens.yaml").(string)
	if !ok {
		t.Fatalf("%s holds no equitylens.yaml", inCluster)
	}
	if _, err := config.Parse([]byte(text)); err != nil {
		t.Errorf("Parse(%s): %v", inCluster, err)
	}
}

// The codes of the fake EHR are translated by the map that lies beside the configuration.
func TestConceptMapIsThatOfTheFakeEHR(t *testing.T) {
	t.Parallel()
	want, err := population.ConceptMap()
	if err != nil {
		t.Fatalf("ConceptMap: %v", err)
	}
	var a, b any
	got := read(t, "compose/concept-maps/fake-ehr.json")
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Fatalf("parse: %v", err)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatalf("parse: %v", err)
	}
	if d := cmp.Diff(b, a); d != "" {
		t.Errorf("concept-maps/fake-ehr.json (-want +got):\n%s", d)
	}
	maps, err := mapping.LoadConceptMaps(os.DirFS("compose/concept-maps"))
	if err != nil || len(maps) != 1 {
		t.Errorf("LoadConceptMaps = %d maps, %v; want 1", len(maps), err)
	}
}

// instruction is one of a Dockerfile, its continued lines joined.
type instruction struct{ name, rest string }

func instructions(text string) []instruction {
	var out []instruction
	joined := regexp.MustCompile(`\\\n\s*`).ReplaceAllString(text, "")
	for line := range strings.Lines(joined) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		out = append(out, instruction{name, strings.TrimSpace(rest)})
	}
	return out
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	known := []string{
		"FROM", "RUN", "WORKDIR", "COPY", "ARG", "USER", "EXPOSE", "ENTRYPOINT", "CMD", "LABEL", "VOLUME",
	}
	stages := map[string][]instruction{}
	stage := ""
	for _, i := range instructions(read(t, "Dockerfile")) {
		if !slices.Contains(known, i.name) {
			t.Errorf("instruction %s is none of %v", i.name, known)
		}
		if i.name == "FROM" {
			image, name, ok := strings.Cut(i.rest, " AS ")
			if !ok || !strings.Contains(image, ":") || strings.HasSuffix(image, ":latest") {
				t.Errorf("FROM %s: want a name and a tag that is not latest", i.rest)
			}
			stage = name
		}
		if slices.Contains([]string{"ENTRYPOINT", "CMD", "VOLUME"}, i.name) {
			var form []string
			if err := json.Unmarshal([]byte(i.rest), &form); err != nil {
				t.Errorf("%s %s: without a shell only the JSON form works: %v", i.name, i.rest, err)
			}
		}
		for _, copied := range regexp.MustCompile(`--from=(\S+)`).FindAllStringSubmatch(i.rest, -1) {
			if stages[copied[1]] == nil {
				t.Errorf("%s %s: there is no stage %s before it", i.name, i.rest, copied[1])
			}
		}
		stages[stage] = append(stages[stage], i)
	}
	if stage != "equitylens" {
		t.Errorf("the last stage is %q, which a plain build makes; want equitylens", stage)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "../go.mod"))
	if want := "golang:" + version[1] + "-bookworm AS build"; stages["build"][0].rest != want {
		t.Errorf("FROM %s, want %s as go.mod says", stages["build"][0].rest, want)
	}
	for _, name := range []string{"equitylens", "fake-ehr"} {
		if !strings.Contains(stages[name][0].rest, "distroless") {
			t.Errorf("stage %s: FROM %s is not distroless", name, stages[name][0].rest)
		}
		if !slices.Contains(stages[name], instruction{"USER", "65532:65532"}) {
			t.Errorf("stage %s does not say USER 65532:65532", name)
		}
	}
}

func TestBuildLeavesDataOutside(t *testing.T) {
	t.Parallel()
	lines := strings.Split(read(t, "../.dockerignore"), "\n")
	for _, want := range []string{".git", "equitylens-data", "**/*.ndjson", "**/*.duckdb", "**/testdata"} {
		if !slices.Contains(lines, want) {
			t.Errorf(".dockerignore does not name %s", want)
		}
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	const path = "compose/compose.yaml"
	file := tree(t, path, read(t, path))
	services, _ := file["services"].(map[string]any)
	if len(services) == 0 {
		t.Fatal("no services")
	}
	for name, s := range services {
		if at(s, "read_only") != true {
			t.Errorf("%s: the root file system can be written", name)
		}
		if d := cmp.Diff([]string{"ALL"}, texts(at(s, "cap_drop"))); d != "" {
			t.Errorf("%s: cap_drop (-want +got):\n%s", name, d)
		}
		if !slices.Contains(texts(at(s, "security_opt")), "no-new-privileges:true") {
			t.Errorf("%s: may gain privileges", name)
		}
		for _, port := range texts(at(s, "ports")) {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: port %s can be reached from outside", name, port)
			}
		}
		on, _ := at(s, "depends_on").(map[string]any)
		for other := range on {
			if services[other] == nil {
				t.Errorf("%s depends on %s, which is no service", name, other)
			}
		}
		if mode, ok := at(s, "network_mode").(string); ok && mode != "service:equitylens" {
			t.Errorf("%s: network_mode %s", name, mode)
		}
		if dockerfile := at(s, "build", "dockerfile"); dockerfile != nil && dockerfile != "deploy/Dockerfile" {
			t.Errorf("%s: dockerfile %v", name, dockerfile)
		}
		target, ok := at(s, "build", "target").(string)
		if ok && !strings.Contains(read(t, "Dockerfile"), " AS "+target+"\n") {
			t.Errorf("%s: the Dockerfile has no stage %s", name, target)
		}
	}
	redis := strings.Join(texts(at(services["redis"], "command")), " ")
	if !strings.Contains(redis, "--maxmemory-policy noeviction") {
		t.Errorf("redis runs with %q; the program refuses a server that evicts", redis)
	}
}

// The configuration of the trial meets the addresses of compose.yaml.
func TestComposeAgreesWithItsConfiguration(t *testing.T) {
	t.Parallel()
	const path = "compose/compose.yaml"
	services := at(tree(t, path, read(t, path)), "services")
	c, err := config.Load("compose/equitylens.yaml")
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	ehr := texts(at(services, "fake-ehr", "command"))
	flag := func(name string) string {
		if i := slices.Index(ehr, name); i >= 0 && i+1 < len(ehr) {
			return ehr[i+1]
		}
		return ""
	}
	if want := flag("-public-url") + "/fhir"; c.Sources[0].BaseURL != want || c.EHRs[0].BaseURL != want {
		t.Errorf("base_url %s and %s, but the fake EHR is at %s", c.Sources[0].BaseURL, c.EHRs[0].BaseURL, want)
	}
	for name, want := range map[string]string{
		"-app": c.EHRs[0].ClientID, "-app-launch": c.Server.PublicURL + "/launch",
		"-app-redirect": c.Server.PublicURL + "/callback", "-public-url": c.EHRs[0].CDSHooks.Issuer,
		"-hook": c.Server.PublicURL + "/cds-services/equitylens-interpreter",
	} {
		if flag(name) != want {
			t.Errorf("the fake EHR is told %s %s, want %s", name, flag(name), want)
		}
	}
	if c.Sources[0].ClientID != flag("-client") {
		t.Errorf("client_id %s, but the fake EHR knows %s", c.Sources[0].ClientID, flag("-client"))
	}
	if want := c.Server.PublicURL + "/.well-known/jwks.json"; flag("-keys") != want {
		t.Errorf("the fake EHR asks for keys at %s, but they are at %s", flag("-keys"), want)
	}
	if d := cmp.Diff([]string{"redis:6379"}, c.Cache.Redis.Addresses); d != "" {
		t.Errorf("redis (-want +got):\n%s", d)
	}
	if !slices.Contains(texts(at(services, "equitylens", "volumes")), "data:"+c.Data) {
		t.Errorf("no volume is mounted at %s", c.Data)
	}
}

func TestAlertsNameMetricsThatExist(t *testing.T) {
	t.Parallel()
	const path = "prometheus-rules.yaml"
	text := read(t, path)
	rules := list(at(tree(t, path, text), "groups", "0", "rules"))
	if len(rules) == 0 {
		t.Fatal("no rules")
	}
	for _, r := range rules {
		for _, key := range []string{"alert", "expr", "for"} {
			if s, ok := at(r, key).(string); !ok || s == "" {
				t.Errorf("%v: no %s", at(r, "alert"), key)
			}
		}
		if at(r, "labels", "severity") == nil || at(r, "annotations", "summary") == nil {
			t.Errorf("%v: no severity, or no summary", at(r, "alert"))
		}
	}
	source := read(t, "../server/metrics.go")
	for _, name := range regexp.MustCompile(`equitylens_\w+`).FindAllString(text, -1) {
		base := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")
		if !strings.Contains(source, `"`+base+`"`) {
			t.Errorf("%s names %s, which the server does not have", path, name)
		}
	}
}

// Every command line that is deployed names a command and flags of the program.
func TestUnits(t *testing.T) {
	t.Parallel()
	systemd, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed, so the units are not verified")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatalf("find this program: %v", err)
	}
	names, err := filepath.Glob("systemd/*")
	if err != nil || len(names) != 3 {
		t.Fatalf("systemd holds %v, %v; want three units", names, err)
	}
	folder := t.TempDir()
	var units, services []string
	for _, name := range names {
		unit := filepath.Join(folder, filepath.Base(name))
		// A unit whose program is not installed does not verify.
		text := strings.ReplaceAll(read(t, name), "/usr/local/bin/equitylens", self)
		if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
			t.Fatalf("write: %v", err)
		}
		units = append(units, unit)
		if strings.HasSuffix(unit, ".service") {
			services = append(services, unit)
		}
	}
	verify := exec.CommandContext(t.Context(), systemd, append([]string{"verify", "--man=no"}, units...)...)
	if out, err := verify.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// 20 stands for an exposure of 2.0 of 10, which systemd calls OK; a plain unit has 9.6.
	security := exec.CommandContext(t.Context(), systemd,
		append([]string{"security", "--offline=true", "--threshold=20", "--no-pager"}, services...)...)
	if out, err := security.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "unrecognized option") {
			t.Skip("this systemd-analyze cannot judge units that are not installed")
		}
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}
