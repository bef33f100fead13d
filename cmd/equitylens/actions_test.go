package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
)

const actionContract = `{"id":"","title":"","cause":"","owner":"","finding":{"kind":""},
	"aim":{"measure":"","dimension":"","groups":[""]},"start":"","due":"","state":"","version":1,"changed":""}`

const effectContract = `{"action":"","aim":{"measure":""},"start":"","measure":"","rate":"","snapshot":"",
	"verdict":"","demonstrated":true,"missing":[""],"before":{"from":"","to":"","months":1},
	"after":{"from":"","to":"","months":1},"target":{"label":"","before":{"score":1,"n":1},"after":{"score":1,"n":1},
	"change":{"value":1,"clear":true},"p":1},"groups":[{"code":""}],"gap":{"other":{"code":""},
	"before":{"difference":1},"after":{"difference":1},"change":{"value":1,"interval":[1]},"by_difference":""},
	"comparison":{"other":{"label":""}},"cautions":[""],"other_actions":[],"conditions":[],"sentence":"",
	"trend":{"series":[{"points":[{"month":""}]}]}}`

// improved is a data directory of two years: from 2025 on interpreters are documented for more of those
// who speak none of the larger languages. Tests take a copy of it.
var improved = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "improved")
	if err != nil {
		return "", err
	}
	files := filepath.Join(folder, "files")
	if err := os.Mkdir(files, 0o700); err != nil {
		return "", err
	}
	who := population.New(population.Config{Patients: 4000, Seed: 11, Improves: population.Improvement{
		From: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Share: 0.7}})
	if err := who.WriteNDJSON(context.Background(), files, 2, true); err != nil {
		return "", err
	}
	data := filepath.Join(folder, "data")
	if o := equitylensIn(context.Background(), "sync", "--from", files, "--data", data); o.code != exitOK {
		return "", &os.PathError{Op: "sync", Path: files, Err: os.ErrInvalid}
	}
	return data, nil
})

func improvedData(t *testing.T) string {
	t.Helper()
	data, err := improved()
	if err != nil {
		t.Fatal(err)
	}
	own := t.TempDir()
	if err := os.CopyFS(own, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	return own
}

// added writes an action on the documentation of interpreters down.
func added(t *testing.T, data string, more ...string) actionDocument {
	t.Helper()
	args := append([]string{"actions", "add", "--json", "--data", data, "--title", "Interpreters at triage",
		"--cause", "language-access", "--owner", "Language services", "--measure", "interpreter-documented",
		"--by", "language_group", "--group", "other", "--reference", "spanish", "--start", "2025-01-01",
		"--due", "2025-12-31"}, more...)
	var out actionDocument
	text := must(t, args...).out
	checkContract(t, actionContract, text)
	parse(t, text, &out)
	return out
}

func TestActionFromFindingToEffect(t *testing.T) {
	t.Parallel()
	data := improvedData(t)
	run := func(args ...string) outcome { return must(t, append(args, "--data", data)...) }
	a := added(t, data, "--found-in", "2024-01-01/2024-05-31", "--target", "0.6")
	run("actions", "start", a.ID)

	text := run("actions", "effect", a.ID, "--json").out
	checkContract(t, effectContract, strings.Replace(text, `"missing": []`, `"missing": [""]`, 1))
	var e effect.Effect
	parse(t, text, &e)
	if e.Verdict != effect.Smaller || !e.Demonstrated || min(e.Before.Months, e.After.Months) < 12 {
		t.Errorf("%s, demonstrated %v, lacks %v, %d and %d months: %s", e.Verdict, e.Demonstrated, e.Missing,
			e.Before.Months, e.After.Months, e.Sentence)
	}
	printed := run("actions", "effect", a.ID).out
	for _, want := range []string{"verdict: smaller", "demonstrated: yes", "caution: regression-to-the-mean",
		"This does not show that the action is why."} {
		if !strings.Contains(printed, want) {
			t.Errorf("the effect lacks %q:\n%s", want, printed)
		}
	}

	if o := equitylens(t, "actions", "close", a.ID, "--data", data, "--outcome", "reduced"); o.code != exitUsage ||
		!strings.Contains(o.err, "result.summary is missing") {
		t.Errorf("close without a summary = %d, %s", o.code, o.err)
	}
	run("actions", "close", a.ID, "--outcome", "reduced", "--summary", "Documented at every triage.")
	if o := equitylens(t, "actions", "start", a.ID, "--data", data); o.code != exitUsage {
		t.Errorf("start of a closed action = %d, %s", o.code, o.err)
	}
	var shown shownAction
	parse(t, run("actions", "show", a.ID, "--json").out, &shown)
	if len(shown.History) != 3 || shown.Action.State != action.Completed || shown.Action.Result == nil {
		t.Errorf("%d versions, %s", len(shown.History), shown.Action.State)
	}
	if text := run("actions", "show", a.ID).out; !strings.Contains(text, "reduced: Documented at every triage.") {
		t.Errorf("show:\n%s", text)
	}
	if o := equitylens(t, "actions", "reopen", a.ID, "--version", "1", "--data", data); o.code == exitOK {
		t.Error("an old version was opened again")
	}
	run("actions", "reopen", a.ID)
}

// TestActionThatChangedNothing is on groups of which nothing changed.
func TestActionThatChangedNothing(t *testing.T) {
	t.Parallel()
	data := improvedData(t)
	var a actionDocument
	parse(t, must(t, "actions", "add", "--json", "--data", data, "--title", "Talks", "--cause", "bias",
		"--owner", "Ward 4", "--measure", "ed-stay-over-8h", "--by", "ethnicity", "--group", "2135-2",
		"--start", "2025-01-15", "--due", "2025-12-31", "--finding", "stratum").out, &a)
	var e effect.Effect
	parse(t, must(t, "actions", "effect", a.ID, "--json", "--data", data).out, &e)
	if e.Verdict != effect.NoChangeShown || e.Demonstrated || e.After.Months > 12 {
		t.Errorf("%s of %d months after: %s", e.Verdict, e.After.Months, e.Sentence)
	}
}

func TestActionsAreListed(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first := added(t, data)
	second := added(t, data, "--start", "2090-01-01", "--due", "2090-12-31", "--owner", "Ward 4")
	listed := func(args ...string) []actionDocument {
		t.Helper()
		var out []actionDocument
		parse(t, must(t, append([]string{"actions", "list", "--json", "--data", data}, args...)...).out, &out)
		return out
	}
	if all := listed(); len(all) != 2 || all[0].ID != first.ID {
		t.Errorf("%d actions are listed", len(all))
	}
	if late := listed("--overdue"); len(late) != 1 || late[0].ID != first.ID {
		t.Errorf("overdue are %+v", late)
	}
	if ward := listed("--owner", "Ward 4"); len(ward) != 1 || ward[0].ID != second.ID {
		t.Errorf("those of the ward are %+v", ward)
	}
	if asks := listed("--reminders"); len(asks) != 1 || len(asks[0].Reasons) != 2 {
		t.Errorf("reminders are %+v", asks)
	}
	if text := must(t, "actions", "list", "--data", data).out; !strings.Contains(text, "overdue, not-started") {
		t.Errorf("list:\n%s", text)
	}
}

func TestActionsThatAreRefused(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"a measure that is not there", []string{"--measure", "happiness"}, "there is no such measure"},
		{"a group of another dimension", []string{"--group", "2135-2"}, "the groups"},
		{"a cause that is none", []string{"--cause", "weather"}, "cause is none of the values there are"},
		{"due before the start", []string{"--due", "2024-12-31"}, "due is before the start"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := equitylens(t, append([]string{"actions", "add", "--data", data, "--title", "T", "--cause",
				"language-access", "--owner", "O", "--measure", "interpreter-documented", "--by", "language_group",
				"--reference", "spanish", "--start", "2025-01-01", "--group", "other"}, withDue(tt.args)...)...)
			if o.code != exitUsage || !strings.Contains(o.err, tt.want) {
				t.Errorf("add = %d, %s; want %q", o.code, o.err, tt.want)
			}
		})
	}
	if o := equitylens(t, "actions", "show", "none", "--data", data); o.code != exitUsage {
		t.Errorf("show of none = %d, %s", o.code, o.err)
	}
}

// withDue adds a due day where none is given.
func withDue(args []string) []string {
	if args[0] == "--due" {
		return args
	}
	return append(args, "--due", "2025-12-31")
}

func TestConditionsInsideAndOutside(t *testing.T) {
	t.Parallel()
	data := improvedData(t)
	run := func(args ...string) string { return must(t, append(args, "--data", data)...).out }
	var crisis conditionDocument
	parse(t, run("conditions", "add", "--title", "Crisis standards of care", "--start", "2025-01-06", "--json"), &crisis)
	run("conditions", "end", crisis.ID, "--last", "2025-03-16")
	run("conditions", "add", "--title", "By mistake", "--start", "2025-05-01")
	var all []conditionDocument
	parse(t, run("conditions", "list", "--json"), &all)
	if len(all) != 2 || all[0].End != "2025-03-16" || all[0].Version != 2 {
		t.Fatalf("conditions are %+v", all)
	}
	run("conditions", "withdraw", all[1].ID)
	if text := run("conditions", "list"); strings.Contains(text, "By mistake") {
		t.Errorf("a withdrawn condition is listed:\n%s", text)
	}

	var c effect.Comparison
	parse(t, run("conditions", "compare", "ed-stay-over-8h", "--period", "2025", "--by", "ethnicity", "--json"), &c)
	if c.DaysInside != 70 || c.DaysOutside != 295 || c.All.Inside.N == 0 || c.All.Outside.N <= c.All.Inside.N {
		t.Errorf("%d days inside, %d outside, %g and %g visits", c.DaysInside, c.DaysOutside, c.All.Inside.N,
			c.All.Outside.N)
	}
	every := must(t, "conditions", "compare", "all", "--period", "2025", "--by", "ethnicity", "--json", "--data", data)
	var several []effect.Comparison
	parse(t, every.out, &several)
	held := map[string]bool{}
	for _, one := range several {
		held[one.Measure] = one.DaysInside == 70 && len(one.Groups) > 0
	}
	if left := strings.Count(every.err, "left out: "); left == 0 || len(held)+left != 12 ||
		!strings.Contains(every.err, "left out: real-completeness: ") || !held["length-of-stay"] {
		t.Errorf("%d measures are compared, and left out:\n%s", len(held), every.err)
	}
	printed := run("conditions", "compare", "length-of-stay", "--period", "2025", "--by", "language_group",
		"--condition", crisis.ID)
	if !strings.Contains(printed, "inside 70 days, outside 295: Crisis standards of care") {
		t.Errorf("compare:\n%s", printed)
	}
	for _, refused := range [][]string{
		{"real-completeness", "--by", "race"}, {"length-of-stay", "--by", "sex", "--condition", "none"},
		{"happiness", "--by", "sex"}, {"length-of-stay", "--by", "sex,race"},
	} {
		o := equitylens(t, append([]string{"conditions", "compare", "--period", "2025", "--data", data}, refused...)...)
		if o.code != exitUsage {
			t.Errorf("compare %v = %d, %s", refused, o.code, o.err)
		}
	}
}
