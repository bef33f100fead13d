package fhirtest

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// page gets a page of the EHR's own, and checks what every one of them must keep.
func (v *visitor) page(path string, want int) string {
	v.t.Helper()
	status, header, body := v.get(v.origin + path)
	if status != want {
		v.t.Fatalf("%s: status %d, want %d: %s", path, status, want, body)
	}
	policy := header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'") || strings.Contains(policy, "script") {
		v.t.Errorf("%s: policy %s", path, policy)
	}
	text := string(body)
	for _, never := range []string{"<script", " style=", " onclick="} {
		if strings.Contains(text, never) {
			v.t.Errorf("%s holds %s", path, never)
		}
	}
	if n := strings.Count(text, "<h1"); n != 1 || !strings.Contains(text, `<html lang="en">`) ||
		!strings.Contains(text, `<main id="main">`) {
		v.t.Errorf("%s has %d headings of the first rank", path, n)
	}
	return text
}

func TestListOfPatients(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	text := v.page("/ehr?as=theo-marsh", 200)
	for _, s := range v.server.Situations() {
		if !strings.Contains(text, `href="/ehr/chart/`+s.Name+`?as=theo-marsh"`) || !strings.Contains(text, s.Text) {
			t.Errorf("the list lacks %s", s.Name)
		}
		if strings.Contains(text, s.Patient) {
			t.Error("the list holds the logical id of a patient")
		}
	}
	for _, u := range Staff() {
		if !strings.Contains(text, u.Name) {
			t.Errorf("the list lacks %s", u.Name)
		}
	}
}

func TestEmptyListSaysSo(t *testing.T) {
	t.Parallel()
	c := startWithoutToken(t, withApp(Config{Population: population.New(population.Config{Patients: 1, Seed: 3})}))
	v := &visitor{caller: c}
	if got := len(v.server.Situations()); got != 0 {
		t.Fatalf("%d situations in a population of one, want none", got)
	}
	if text := v.page("/ehr", 200); !strings.Contains(text, "too small") {
		t.Errorf("page = %s", text)
	}
}

func TestChartHoldsTheAppInAFrame(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	text := v.page("/ehr/chart/"+v.chart.Name+"?as=theo-marsh", 200)
	_, header, _ := v.get(v.origin + "/ehr/chart/" + v.chart.Name)
	if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy,
		"frame-src 'self' https://lens.example.org") {
		t.Errorf("policy = %s", policy)
	}
	if strings.Count(text, "<iframe") != 1 || !strings.Contains(text, population.CanaryName) {
		t.Errorf("chart = %s", text)
	}
	for name, banner := range map[string]bool{"": false, "&banner=no": true} {
		text := v.page("/ehr/chart/"+v.chart.Name+"?as=theo-marsh"+name, 200)
		if strings.Contains(text, population.CanaryName) == banner {
			t.Errorf("chart%s: the patient's name is there: %v", name, !banner)
		}
		frame := strings.ReplaceAll(between(text, `<iframe class="app" title="EquityLens" src="`, `"`), "&amp;", "&")
		v.opens(frame, LaunchContext{Patient: v.chart.Patient, Encounter: v.chart.Encounter,
			User: "theo-marsh", NeedPatientBanner: banner})
	}
	v.opens(LaunchPath(v.chart.Name), LaunchContext{Patient: v.chart.Patient,
		Encounter: v.chart.Encounter, User: "rosa-delmar"})
}

// opens follows a link of the chart into the app, and compares what the app hears.
func (v *visitor) opens(link string, want LaunchContext) {
	v.t.Helper()
	status, header, _ := v.get(v.origin + link)
	u, err := url.Parse(header.Get("Location"))
	if err != nil || status != http.StatusSeeOther || u.Query().Get("iss") != v.base {
		v.t.Fatalf("%s: status %d, Location %s", link, status, header.Get("Location"))
	}
	out := v.redeem(v.code(v.asked(u.Query().Get("launch"), chartScopes)))
	_, claims := v.identity(out["id_token"])
	user, _ := claims["sub"].(string)
	patient, _ := out["patient"].(string)
	encounter, _ := out["encounter"].(string)
	banner, _ := out["need_patient_banner"].(bool)
	if got := (LaunchContext{Patient: patient, Encounter: encounter, User: user, NeedPatientBanner: banner}); got != want {
		v.t.Errorf("%s: the app heard of another chart, user or banner", link)
	}
}

func TestChartsThatAreNotThere(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	v.page("/ehr/chart/nobody", 404)
	v.page("/ehr/launch/nobody", 404)
	bare := &visitor{caller: startWithoutToken(t, Config{Population: v.server.population.Load()})}
	if text := bare.page("/ehr/chart/"+v.chart.Name, 200); strings.Contains(text, "<iframe") {
		t.Error("a chart without an app has a frame")
	}
	bare.page("/ehr/launch/"+v.chart.Name, 404)
}

func TestChartShowsAdvice(t *testing.T) {
	t.Parallel()
	s := startService(t)
	v := startApp(t, Config{HookURL: s.URL})
	path := "/ehr/chart/" + v.chart.Name
	text := v.page(path, 200)
	if !strings.Contains(text, `<section class="card warning"`) || !strings.Contains(text, "An interpreter is needed") ||
		!strings.Contains(text, "&lt;b&gt;documented") {
		t.Errorf("chart = %s", text)
	}
	s.mu.Lock()
	s.status = http.StatusUnauthorized
	s.mu.Unlock()
	if text := v.page(path, 200); !strings.Contains(text, "status 401") {
		t.Errorf("refused: %s", text)
	}
	s.Close()
	if text := v.page(path, 200); !strings.Contains(text, "did not answer") {
		t.Errorf("away: %s", text)
	}
}

func TestStyles(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	_, header, css := v.get(v.origin + cssPath)
	if header.Get("Content-Type") != "text/css; charset=utf-8" || strings.Contains(string(css), "http") {
		t.Errorf("stylesheet: %v", header)
	}
	used := map[string]bool{}
	class := regexp.MustCompile(`class="([a-z -]+)"`)
	for _, text := range []string{v.page("/ehr", 200), v.page("/ehr/chart/"+v.chart.Name, 200)} {
		for _, found := range class.FindAllStringSubmatch(text, -1) {
			for _, name := range strings.Fields(found[1]) {
				used[name] = true
			}
		}
	}
	for name := range used {
		if !strings.Contains(string(css), "."+name) {
			t.Errorf("the stylesheet does not know .%s", name)
		}
	}
	status, header, body := v.get(v.origin + stylePath)
	if status != 200 || header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(string(body), "color_text") {
		t.Errorf("smart style: status %d, %s", status, body)
	}
}
