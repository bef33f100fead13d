package visit_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

func situation(t *testing.T, r *rig, name string) fhirtest.Situation {
	t.Helper()
	for _, s := range r.ehr.Situations() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("the population has no situation %q", name)
	return fhirtest.Situation{}
}

// TestALaunchShowsThePatientOfTheChart goes the whole way of each situation: EHR, launch, authorization,
// token, chart; with each way in which an EHR may know us.
func TestALaunchShowsThePatientOfTheChart(t *testing.T) {
	t.Parallel()
	for _, way := range []smart.ClientAuth{smart.Public, smart.SecretBasic, smart.PrivateKeyJWT} {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			r := open(t, settings{auth: way})
			leads := map[string]string{
				population.NoInterpreter:   "No interpreter is documented for this visit",
				population.Interpreter:     "An interpreter is documented for this visit",
				population.NothingToReport: "No interpreter is needed",
			}
			for _, s := range r.ehr.Situations() {
				if _, told := leads[s.Name]; !told && way != smart.Public {
					continue // What the page shows does not depend on how we are known.
				}
				got := r.launch(s)
				if got.status != http.StatusOK || !strings.HasPrefix(got.url.Path, "/chart/") {
					t.Errorf("%s: %d at %s\n%s\n%s", s.Name, got.status, got.url.Path, got.body, r.log)
					continue
				}
				if want, ok := leads[s.Name]; ok && !strings.Contains(got.body, want) {
					t.Errorf("%s: the page does not say %q:\n%s", s.Name, want, got.body)
				}
				if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy,
					"frame-ancestors http://ehr.example.org") {
					t.Errorf("%s: policy %q", s.Name, policy)
				}
			}
		})
	}
}

// TestTwoLaunchesInOneBrowserKeepTheirPatients opens two charts and looks at both again: neither page
// has become the other's.
func TestTwoLaunchesInOneBrowserKeepTheirPatients(t *testing.T) {
	t.Parallel()
	r := open(t, settings{})
	first := r.launch(situation(t, r, population.NoInterpreter))
	second := r.launch(situation(t, r, population.NothingToReport))
	if first.url.Path == second.url.Path {
		t.Fatalf("both charts are at %s", first.url.Path)
	}
	again := r.get(first.url.String())
	if again.status != http.StatusOK || !strings.Contains(again.body, "No interpreter is documented") {
		t.Errorf("the first chart has become another's: %d\n%s", again.status, again.body)
	}
	// Another browser that was told the address sees nothing.
	r.browser = newBrowser(t)
	if stranger := r.get(first.url.String()); stranger.status != http.StatusUnauthorized {
		t.Errorf("a browser without the cookie got %d", stranger.status)
	}
}

// TestTwoEHRsSideBySide opens a chart of each in one browser: neither has become the other's, and each
// is framed by its own. The two know patients by the same ids.
func TestTwoEHRsSideBySide(t *testing.T) {
	t.Parallel()
	r := open(t, settings{second: true})
	here := situation(t, r, population.NoInterpreter)
	north := r.launch(here)
	r.ehr, r.south = r.south, r.ehr
	south := r.launch(situation(t, r, population.NothingToReport))
	if north.status != http.StatusOK || south.status != http.StatusOK {
		t.Fatalf("%d and %d\n%s", north.status, south.status, r.log)
	}
	for page, want := range map[string]string{
		north.url.String(): "No interpreter is documented", south.url.String(): "No interpreter is needed",
	} {
		if got := r.get(page); got.status != http.StatusOK || !strings.Contains(got.body, want) {
			t.Errorf("%d, want %q:\n%s", got.status, want, got.body)
		}
	}
	// The same id in the other EHR is somebody else, or nobody.
	if stranger := r.launch(here); stranger.status == http.StatusOK && stranger.body == north.body {
		t.Error("a patient of one EHR is shown out of the other")
	}
}

func TestALaunchFromElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	r := open(t, settings{})
	asked := make(chan struct{}, 8)
	evil := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	host := strings.TrimPrefix(r.base, "http://")
	for name, iss := range map[string]string{
		"another host":           evil + "/fhir",
		"no issuer":              "",
		"a host that begins so":  r.base + ".evil.example/fhir",
		"a user before the host": "http://" + host + "@evil.example/fhir",
		"another path":           r.base + "/other",
		"metadata service":       "http://169.254.169.254/fhir",
		"another scheme":         "file:///etc/passwd",
	} {
		got := r.get(r.url + "/launch?launch=x&iss=" + url.QueryEscape(iss))
		if got.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if len(asked) > 0 {
		t.Error("a server that is not registered was asked")
	}
}

// TestWhatTheEHRDoesWrong is what a clinician sees of faults that real servers have.
func TestWhatTheEHRDoesWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault  fhirtest.Fault
		status int
		// want stands on the page.
		want string
	}{
		{fhirtest.NoTokenType, http.StatusOK, ""},
		{fhirtest.IDTokenWithoutKeyID, http.StatusOK, ""},
		{fhirtest.RelativeFHIRUser, http.StatusOK, ""},
		{fhirtest.CodeTwice, http.StatusOK, ""},
		{fhirtest.Unsorted, http.StatusOK, ""},
		{fhirtest.EventsByPatient, http.StatusOK, ""},
		{fhirtest.NoAdverseEvent, http.StatusOK, "does not offer"},
		{fhirtest.ForbidsAdverseEvent, http.StatusOK, "does not let EquityLens"},
		{fhirtest.StrangersResource, http.StatusOK, "another patient"},
		{fhirtest.InvalidResource, http.StatusOK, "could not be read"},
		{fhirtest.WrongNonce, http.StatusForbidden, ""},
		{fhirtest.WrongIDTokenAudience, http.StatusForbidden, ""},
		{fhirtest.WrongIDTokenIssuer, http.StatusForbidden, ""},
		{fhirtest.ExpiredIDToken, http.StatusForbidden, ""},
		{fhirtest.KeysDown, http.StatusBadGateway, ""},
		{fhirtest.HugeKeys, http.StatusForbidden, ""},
		{fhirtest.RedirectingDiscovery, http.StatusBadGateway, ""},
		{fhirtest.DiscoveryWithoutS256, http.StatusBadGateway, ""},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			t.Parallel()
			r := open(t, settings{faults: []fhirtest.Fault{c.fault}})
			got := r.launch(situation(t, r, population.HarmEvent))
			if got.status != c.status || !strings.Contains(got.body, c.want) {
				t.Errorf("%d, want %d and %q\n%s\n%s", got.status, c.status, c.want, got.body, r.log)
			}
		})
	}
}

// TestAMissingPermissionIsSaid withholds each type.
func TestAMissingPermissionIsSaid(t *testing.T) {
	t.Parallel()
	for withheld, status := range map[string]int{
		"patient/AdverseEvent.rs": http.StatusOK,
		"patient/Encounter.rs":    http.StatusOK,
		"patient/Patient.rs":      http.StatusForbidden,
	} {
		t.Run(withheld, func(t *testing.T) {
			t.Parallel()
			r := open(t, settings{change: func(c *fhirtest.Config) { c.Withhold = []string{withheld} }})
			got := r.launch(situation(t, r, population.NoInterpreter))
			if got.status != status {
				t.Errorf("%d, want %d\n%s", got.status, status, got.body)
			}
			if status == http.StatusOK && !strings.Contains(got.body, "does not let EquityLens") {
				t.Errorf("the page does not say what is missing:\n%s", got.body)
			}
		})
	}
}

// TestTheTokenIsRenewed looks again after the token has ended.
func TestTheTokenIsRenewed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		faults []fhirtest.Fault
		status int
	}{
		{"by the refresh token", nil, http.StatusOK},
		{"refused by the EHR", []fhirtest.Fault{fhirtest.RefusesRefresh}, http.StatusUnauthorized},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := open(t, settings{faults: c.faults, change: func(c *fhirtest.Config) {
				c.UserTokenLife = 2 * time.Minute
			}})
			first := r.launch(situation(t, r, population.NoInterpreter))
			if first.status != http.StatusOK {
				t.Fatalf("%d\n%s", first.status, first.body)
			}
			for range 3 {
				r.clock.move(5 * time.Minute)
				if got := r.get(first.url.String()); got.status != c.status {
					t.Fatalf("after the token's end: %d, want %d\n%s", got.status, c.status, r.log)
				}
			}
		})
	}
}

func TestALaunchWithoutPatientSaysSo(t *testing.T) {
	t.Parallel()
	r := open(t, settings{})
	if got := r.get(r.launchURL(fhirtest.LaunchContext{})); got.status != http.StatusBadRequest {
		t.Errorf("%d\n%s", got.status, got.body)
	}
}

// TestAnswersOfAnotherBrowser hands the callback of one browser to another, which is how somebody would
// be made to look at a chart that is not theirs.
func TestAnswersOfAnotherBrowser(t *testing.T) {
	t.Parallel()
	r := open(t, settings{})
	var callback string
	r.browser.CheckRedirect = func(request *http.Request, _ []*http.Request) error {
		if request.URL.Path == "/callback" {
			callback = request.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	r.launch(situation(t, r, population.NoInterpreter))
	mine := r.browser
	r.browser = newBrowser(t)
	if got := r.get(callback); got.status != http.StatusBadRequest {
		t.Errorf("another browser got %d", got.status)
	}
	mine.CheckRedirect = nil
	r.browser = mine
	if got := r.get(callback); got.status != http.StatusOK {
		t.Errorf("the right browser got %d", got.status)
	}
	if got := r.get(callback); got.status != http.StatusBadRequest {
		t.Errorf("the second use got %d", got.status)
	}
}

// TestEveryVisitIsAudited and is not to be had where it cannot be.
func TestEveryVisitIsAudited(t *testing.T) {
	t.Parallel()
	r := open(t, settings{})
	got := r.launch(situation(t, r, population.NoInterpreter))
	r.get(r.url + "/launch?iss=nowhere&launch=1")
	r.get(r.url + "/callback?state=1")
	r.get(r.url + "/signin/" + tenantName)
	codes := r.trail.codes(t)
	for _, want := range []string{" 0", " 4"} {
		if !slices.ContainsFunc(codes, func(c string) bool { return strings.HasSuffix(c, want) }) {
			t.Errorf("no event has the outcome %s: %v", want, codes)
		}
	}
	if len(codes) != 5 {
		t.Errorf("%d events for a launch, a look, two failures and a sign-in: %v", len(codes), codes)
	}
	r.trail.breakDown()
	if again := r.get(got.url.String()); again.status != http.StatusInternalServerError ||
		strings.Contains(again.body, "No interpreter is documented") {
		t.Errorf("without an audit trail: %d\n%s", again.status, again.body)
	}
	if next := r.launch(situation(t, r, population.HarmEvent)); next.status != http.StatusInternalServerError {
		t.Errorf("a launch without an audit trail: %d", next.status)
	}
}

// TestVisitsNameNobody looks for the ids and the invented names of patients in what is logged, and in
// every address.
func TestVisitsNameNobody(t *testing.T) {
	t.Parallel()
	r := open(t, settings{faults: []fhirtest.Fault{fhirtest.StrangersResource, fhirtest.InvalidResource}})
	addresses := &strings.Builder{}
	r.browser.CheckRedirect = func(request *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(request.URL.String(), r.url) {
			addresses.WriteString(request.URL.String() + "\n")
		}
		return nil
	}
	for _, s := range r.ehr.Situations() {
		r.launch(s)
		for where, text := range map[string]string{"the log": r.log.String(), "an address": addresses.String()} {
			for _, secret := range []string{s.Patient, s.Encounter, population.CanaryName} {
				if strings.Contains(text, secret) {
					t.Errorf("%s holds %q of %s", where, secret, s.Name)
				}
			}
		}
	}
}
