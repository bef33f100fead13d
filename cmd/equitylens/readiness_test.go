package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ownData is a copy of the loaded data directory, into which a test may write.
func ownData(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(loadedData(t))); err != nil {
		t.Fatal(err)
	}
	return folder
}

const readinessContract = `{"id":"","period":"","questionnaire":"","state":"","version":1.0,"snapshot":"",
	"data_as_of":"","domains":[{"domain":"","items":1.0,"answered":1.0}],"answers":[{"item":""}],
	"unanswered":[{"item":"","domain":""}]}`

func TestReadinessIsAnsweredByPeopleAndByData(t *testing.T) {
	t.Parallel()
	data := ownData(t)
	must(t, "readiness", "answer", "accountable-leader", "0", "--period", "2025", "--comment", "nobody yet", "--data", data)
	must(t, "readiness", "answer", "race-recorded", "--period", "2025", "--comment", "an old form", "--data", data)
	shown := must(t, "readiness", "show", "--period", "2025", "--json", "--data", data)
	checkContract(t, readinessContract, shown.out)
	var out readinessDocument
	parse(t, shown.out, &out)
	if out.Version != 2 || out.State != "draft" || out.Snapshot == "" {
		t.Errorf("show = %+v", out)
	}
	of := map[string]string{}
	for _, a := range out.Answers {
		if a.Level != nil {
			of[a.Item] = a.Level.Code()
		}
		if a.Item == "race-recorded" && (a.Comment != "an old form" || a.Figure == nil || a.Figure.Value <= 0) {
			t.Errorf("race-recorded = %+v", a)
		}
	}
	if of["accountable-leader"] != "not-begun" || of["race-recorded"] == "" || of["actions-on-time"] != "" {
		t.Errorf("levels = %v", of)
	}
	var plan readinessPlan
	parse(t, must(t, "readiness", "plan", "--period", "2025", "--json", "--data", data).out, &plan)
	for n := 1; n < len(plan.Steps); n++ {
		if plan.Steps[n-1].Level > plan.Steps[n].Level {
			t.Errorf("%s comes before %s", plan.Steps[n-1].Item, plan.Steps[n].Item)
		}
	}
	said := must(t, "readiness", "plan", "--period", "2025", "--lang", "es", "--data", data).out
	if !strings.Contains(said, "Designar a una persona") || !strings.Contains(said, "committee-looks") {
		t.Errorf("the plan in Spanish is\n%s", said)
	}
}

func TestReadinessIsRefused(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a level for what the data answer", []string{"answer", "race-recorded", "3"}, exitUsage, "leave the level out"},
		{"an item that is none", []string{"answer", "nobody", "3"}, exitUsage, "readiness show --period 2025"},
		{"a level that is none", []string{"answer", "partners", "9"}, exitUsage, "none of 0, 1, 2, 3"},
		{"to be final while items wait", []string{"final"}, exitFailed, "accountable-leader"},
		{"to be opened again while it is a draft", []string{"reopen", "--why", "so"}, exitFailed, "not final"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := equitylens(t, append([]string{"readiness"}, append(c.args, "--period", "2025", "--data", data)...)...)
			if o.code != c.code || !strings.Contains(o.err, c.want) {
				t.Errorf("exit %d, %q, want %d and %q", o.code, o.err, c.code, c.want)
			}
		})
	}
	if o := equitylens(t, "readiness", "show", "--period", "2025-01-01/2025-02-15", "--data", data); o.code != exitUsage {
		t.Errorf("a period that is not assessed: exit %d, %q", o.code, o.err)
	}
}

// Without a snapshot what the data would answer is unanswered, and nothing is 0 because of it.
func TestReadinessWithoutASnapshot(t *testing.T) {
	t.Parallel()
	var out readinessDocument
	parse(t, must(t, "readiness", "show", "--period", "2025", "--json", "--data", t.TempDir()).out, &out)
	missing := map[string]string{}
	for _, o := range out.Unanswered {
		if o.Missing != "" {
			missing[o.Item] = string(o.Missing)
		}
	}
	want := map[string]string{
		"race-recorded": "no-snapshot", "ethnicity-recorded": "no-snapshot", "language-recorded": "no-snapshot",
		"interpreter-need-recorded": "no-snapshot", "measures-by-group": "no-snapshot", "data-fresh": "no-snapshot",
		"inequity-asked": "no-snapshot", "actions-on-time": "no-actions", "interpreter-documented": "no-snapshot",
		"telehealth-by-group": "no-snapshot",
	}
	if diff := cmp.Diff(want, missing); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}
