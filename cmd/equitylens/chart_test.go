package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/server/page"
)

// analyst is a Gate and an Auditor of a dashboard that one analyst looks at.
type analyst struct{}

// Signed implements dashboard.Gate.
func (analyst) Signed(_ http.ResponseWriter, _ *http.Request, show func(session.Session)) {
	show(session.Session{ID: "s", Person: session.Person{Tenant: "t", Subject: "u",
		Roles: []role.Role{role.Analyst}}})
}

// Home implements dashboard.Gate.
func (analyst) Home(http.ResponseWriter, *http.Request) {}

// Agent implements dashboard.Gate.
func (analyst) Agent(*http.Request, session.Person) audit.Agent { return audit.Agent{Name: "u"} }

// Note implements dashboard.Auditor.
func (analyst) Note(context.Context, []byte) error { return nil }

// Audit implements dashboard.Auditor.
func (analyst) Audit(context.Context, []byte) error { return nil }

// fileOfPage asks the dashboard of a data directory for a file of a page. The address is that of the page.
func fileOfPage(t *testing.T, data, address, file string) string {
	t.Helper()
	p, _, _ := newProgram()
	p.data = data
	cfg, err := p.config()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := p.liveView(t.Context(), &cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	pages, err := page.New(page.Config{})
	if err != nil {
		t.Fatal(err)
	}
	reports, err := report.New(report.Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	d, err := dashboard.New(dashboard.Config{
		Hold: func(use func(dashboard.Snapshot) error) error {
			return engine.Hold(func(v *live.View) error { return use(v) })
		},
		Gate: analyst{}, Auditor: analyst{}, Pages: pages, Reports: reports,
		Audit: audit.Builder{Observer: "test", Now: time.Now}, Software: p.version,
	})
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	kind := "/compare/files/"
	name, isMeasure := strings.CutPrefix(at.Path, dashboard.MeasurePath)
	if isMeasure {
		kind = dashboard.MeasurePath + "{"
	}
	for _, route := range d.Routes() {
		if !strings.HasPrefix(route.Path, kind) || !strings.Contains(route.Path, "/files/") {
			continue
		}
		r := httptest.NewRequest(http.MethodGet, at.Path+"/files/"+file+"?"+at.RawQuery, nil)
		r.SetPathValue("file", file)
		r.SetPathValue("measure", name)
		w := httptest.NewRecorder()
		route.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("%s of %s: status %d: %s", file, address, w.Code, w.Body)
		}
		return w.Body.String()
	}
	t.Fatalf("no route has files of %s", at.Path)
	return ""
}

// TestChartIsTheFileOfTheDashboard compares byte by byte.
func TestChartIsTheFileOfTheDashboard(t *testing.T) {
	t.Parallel()
	data := loadedData(t)
	for _, c := range []struct {
		name, address, file string
		args                []string
	}{
		{"a measure by a dimension", "/measures/readmission-30-day?period=2025&by=language_group", "groups.svg",
			[]string{"readmission-30-day", "--period", "2025", "--by", "language_group", "--figure", "groups"}},
		{"what is asked for is in the address alone", "/measures/telehealth-share?period=2025&by=race&lang=es&where.sex=female",
			"groups.svg", []string{"telehealth-share", "--period", "2025", "--by", "race", "--lang", "es",
				"--where", "sex=female"}},
		{"pixels", "/measures/length-of-stay?period=2025&by=sex", "groups.png",
			[]string{"length-of-stay", "--period", "2025", "--by", "sex", "--format", "png"}},
		{"for the public", "/measures/real-completeness?period=2025&by=site&audience=public", "groups.svg",
			[]string{"real-completeness", "--period", "2025", "--by", "site", "--audience", "public"}},
		{"a page by its address", "/compare?measure=telehealth-share&period=2025&by=sex", "pair.svg",
			[]string{"http://localhost:8080/compare?measure=telehealth-share&period=2025&by=sex", "--figure", "pair"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := must(t, append([]string{"chart", "--data", data}, c.args...)...)
			if want := fileOfPage(t, data, c.address, c.file); got.out != want {
				t.Errorf("chart wrote %d bytes, the dashboard %d; they differ", len(got.out), len(want))
			}
		})
	}
}

func TestChartToAFileAndAWidth(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.svg")
	must(t, "chart", "telehealth-share", "--by", "sex", "--width", "1000", "--out", path, "--data", loadedData(t))
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), "<svg") || !strings.Contains(string(text), `width="1000"`) {
		t.Errorf("the file holds %.120s, %v", text, err)
	}
}

func TestChartRefuses(t *testing.T) {
	t.Parallel()
	data := loadedData(t)
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no measure", nil, "name one measure"},
		{"an unknown measure", []string{"nothing"}, "nothing"},
		{"an unknown dimension", []string{"telehealth-share", "--by", "shoe_size"}, "language_group"},
		{"an unknown figure", []string{"telehealth-share", "--by", "sex", "--figure", "pie"}, "groups"},
		{"an unknown format", []string{"telehealth-share", "--format", "gif"}, "svg, png"},
		{"an unknown language", []string{"telehealth-share", "--lang", "xx"}, "en, es"},
		{"an unknown audience", []string{"telehealth-share", "--audience", "x"}, "public"},
		{"a period that is none", []string{"telehealth-share", "--period", "x"}, "2025-Q1"},
		{"a filter that is none", []string{"telehealth-share", "--where", "sex"}, "DIMENSION=VALUE"},
		{"a page that there is not", []string{"/nowhere"}, "no such page"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := equitylens(t, append([]string{"chart", "--data", data}, c.args...)...)
			if o.code != exitUsage || !strings.Contains(o.err, c.says) || o.out != "" {
				t.Errorf("code %d, want %d with %q: %s", o.code, exitUsage, c.says, o.err)
			}
		})
	}
	if o := equitylens(t, "chart", "telehealth-share", "--data", t.TempDir()); o.code == exitOK ||
		!strings.Contains(o.err, "equitylens sync makes one") {
		t.Errorf("without a snapshot: %d %s", o.code, o.err)
	}
}
