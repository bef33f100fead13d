package bedside_test

import (
	"strings"
	"testing"

	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/phi"
)

// TestNobodyIsNamed breaks the EHR in every way that speaks of the patient, and looks for the
// patient in all that is not the View.
func TestNobodyIsNamed(t *testing.T) {
	t.Parallel()
	loose := patient()
	loose["gender"] = family
	breaks := map[string]func(e *ehr, a *bedside.Access){
		"nothing":            func(*ehr, *bedside.Access) {},
		"no patient":         func(e *ehr, _ *bedside.Access) { e.patient = nil },
		"an invalid patient": func(e *ehr, _ *bedside.Access) { e.patient = loose },
		"no EHR":             func(e *ehr, _ *bedside.Access) { e.Close() },
		"a bad token":        func(_ *ehr, a *bedside.Access) { a.Token = token + "x" },
		"an outcome": func(e *ehr, _ *bedside.Access) {
			for _, path := range []string{"Patient/" + patientID, "Encounter", "AdverseEvent",
				"Encounter/" + visitID} {
				e.instead[path] = document(outcome(patientID))
			}
		},
		"events of others": func(e *ehr, _ *bedside.Access) {
			e.instead["AdverseEvent"] = document(searchset([]object{loose, outcome("login"),
				harmed(visitID, family, nil)}, "http://"+patientID+"/"+visitID))
			e.instead["Encounter"] = document(searchset(many(2), e.URL+"/"+patientID+"/%zz"))
		},
		"odd statuses": func(e *ehr, _ *bedside.Access) {
			e.instead["Encounter"], e.instead["AdverseEvent"] = status(418), status(400)
			e.instead["Encounter/"+visitID] = status(409)
		},
		"a strange id": func(_ *ehr, a *bedside.Access) { a.Patient = phi.New(patientID + "/..") },
		"a strange base": func(_ *ehr, a *bedside.Access) {
			a.BaseURL = "http://" + patientID + ".example.org/"
		},
	}
	wrote := 0
	for name, change := range breaks {
		e := newEHR(t)
		e.encounters = many(1)
		a := e.access(t)
		a.Binding, a.Banner, a.Encounter = "session-1", true, phi.New(visitID)
		change(e, &a)
		store, _ := sealed(t, now)
		watch := &spy{Store: store}
		r, log := reader(t, func(cfg *bedside.Config) { cfg.Store = watch })
		_, err := r.Read(t.Context(), a)
		_, needErr := r.Need(t.Context(), a)
		all := []string{log.String(), strings.Join(watch.keys, " "), strings.Join(watch.values, " ")}
		for _, err := range []error{err, needErr} {
			if err != nil {
				all = append(all, err.Error())
			}
		}
		for _, text := range all {
			wrote += len(text)
			for _, canary := range []string{patientID, visitID, family, token, "1951-07", "127.0.0.1"} {
				if strings.Contains(text, canary) {
					t.Errorf("%s: %q gets out in %s", name, canary, text)
				}
			}
		}
	}
	if wrote < 1000 {
		t.Errorf("only %d bytes were looked at", wrote)
	}
}
