package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

const reviewsContract = `{"total":1,"overdue":1,"states":{"*":1},"reviews":[{"id":"","state":"","version":1,
	"reviewers":1,"actuality":"","category":"","severity":"","outcome":"","site":"","withdrawn":false,
	"overdue":false}]}`

const agreementContract = `{"reviews":1,"observed":1,"expected":1,"kappa":1,"interval":[1],
	"answers":[{"answer":"","prevalence":1,"bias":1}],"table":[[1]]}`

const codesContract = `[{"system":"","code":"","display":{"en":"","es":""},"definition":{"en":"","es":""},
	"example":{"en":"","es":""}}]`

// reviewed is a data directory of its own in which two reviewers have answered: of the first three events
// of the worklist they agree about two, and of the fourth one has answered.
func reviewed(t *testing.T) (data, settings string, events []facts.EventHead) {
	t.Helper()
	data = t.TempDir()
	if err := os.CopyFS(data, os.DirFS(loadedData(t))); err != nil {
		t.Fatal(err)
	}
	settings = filepath.Join(write(t, map[string]string{
		"equitylens.yaml": "data: " + data + "\nreviews:\n  two_person: all\n  since: \"2024-01-01\"\n",
	}), "equitylens.yaml")
	p, _, _ := newProgram()
	dir, err := facts.Open(data, p.now)
	if err != nil {
		t.Fatal(err)
	}
	id, err := dir.Current()
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := dir.Snapshot(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = snapshot.Close() }()
	if events, err = snapshot.EventHeads(t.Context(), facts.EventFilter{}); err != nil || len(events) < 5 {
		t.Fatalf("there are %d events, %v; want some", len(events), err)
	}
	store, err := decisions.Open(t.Context(), decisions.Config{Path: filepath.Join(data, "decisions.db"), Now: p.now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	desk, err := review.New(review.Config{
		Records: store, Now: p.now, TwoPerson: review.TwoForEachOne,
		Hold: func(use func(review.Events) error) error { return use(snapshot) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, answers := range []string{"no no", "undetermined undetermined", "no undetermined", "no"} {
		for version, answer := range strings.Fields(answers) {
			_, err := desk.Answer(t.Context(), review.IDOf(review.Key(events[i].Key())), version, review.Opinion{
				Reviewer: review.Reviewer{Subject: fmt.Sprint("reviewer", version), Name: "Canary Reviewer"},
				Answer:   review.Answer(answer), Detection: review.Reported, Evidence: "canary words",
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return data, settings, events
}

func TestReviews(t *testing.T) {
	t.Parallel()
	_, settings, events := reviewed(t)
	id := func(i int) string { return review.IDOf(review.Key(events[i].Key())) }
	var printed strings.Builder
	run := func(args ...string) string {
		t.Helper()
		out := must(t, append([]string{"reviews", "--config", settings}, args...)...).out
		printed.WriteString(out)
		return out
	}
	listed := func(args ...string) reviewList {
		t.Helper()
		text := run(append([]string{"list", "--json"}, args...)...)
		checkContract(t, reviewsContract, text)
		var list reviewList
		parse(t, text, &list)
		return list
	}

	all := listed("--limit", "0")
	if all.Total != len(all.Reviews) || all.States[review.Settled] != 2 || all.States[review.Disagreed] != 1 ||
		all.States[review.Waiting] != 1 || all.States[review.Open] != all.Total-4 {
		t.Errorf("%d of %d reviews are listed, by state %v", len(all.Reviews), all.Total, all.States)
	}
	if settled := listed("--state", "settled", "--answer", "undetermined"); len(settled.Reviews) != 1 ||
		settled.Reviews[0].ID != id(1) || settled.Reviews[0].Answer != review.Undetermined {
		t.Errorf("settled as undetermined are %+v, want %s", settled.Reviews, id(1))
	}
	page := listed("--limit", "2")
	next := listed("--limit", "0", "--after", page.Next)
	if d := cmp.Diff(all.Reviews, append(page.Reviews, next.Reviews...)); d != "" {
		t.Errorf("pages (-list +pages):\n%s", d)
	}
	for _, r := range listed("--period", "2025", "--actuality", "actual").Reviews {
		if !strings.HasPrefix(r.Date, "2025-") || r.Actuality != "actual" {
			t.Errorf("an event of %s, %s, is listed", r.Date, r.Actuality)
		}
	}
	if text := run("list", "--state", "waiting,disagreed"); !strings.Contains(text, id(2)) ||
		!strings.Contains(text, id(3)) || strings.Contains(text, id(1)) {
		t.Errorf("waiting and disagreed:\n%s", text)
	}

	var a agreementDocument
	text := run("agreement", "--json")
	checkContract(t, agreementContract, text)
	parse(t, text, &a)
	// Observed 2/3; by chance (0·0 + 2·1 + 1·2)/9.
	if a.Reviews != 3 || a.Kappa == nil || fmt.Sprintf("%.4f", *a.Kappa) != "0.4000" {
		t.Errorf("agreement: %s", text)
	}
	if text := run("agreement"); !strings.Contains(text, "Cohen's κ is 0.40") || !strings.Contains(text, "66.7 %") {
		t.Errorf("agreement:\n%s", text)
	}
	if text := run("agreement", "--period", "1999"); text != "No event was reviewed by two yet.\n" {
		t.Errorf("the agreement of nothing:\n%s", text)
	}

	for _, e := range events {
		if strings.Contains(printed.String(), e.ID.Reveal()) {
			t.Fatalf("an event is named by what reviews prints:\n%s", printed.String())
		}
	}
	for _, canary := range []string{"canary", "Canary", "reviewer0"} {
		if strings.Contains(printed.String(), canary) {
			t.Errorf("%s is printed", canary)
		}
	}
}

func TestReviewsCodes(t *testing.T) {
	t.Parallel()
	text := must(t, "reviews", "codes", "--json").out
	checkContract(t, codesContract, text)
	var codes []codeDocument
	parse(t, text, &codes)
	table := must(t, "reviews", "codes").out
	for _, c := range codes {
		if !strings.Contains(table, c.Code) || !strings.Contains(table, c.Definition["en"]) {
			t.Errorf("%s is not in the table", c.Code)
		}
	}
	if len(codes) != 15 {
		t.Errorf("there are %d codes, want 15", len(codes))
	}
}

func TestReviewsMisuse(t *testing.T) {
	t.Parallel()
	_, settings, _ := reviewed(t)
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"a state that is none", []string{"list", "--state", "closed"}, "--state closed is none of open, waiting, disagreed, settled"},
		{"an answer that is none", []string{"list", "--answer", "maybe"}, "--answer maybe is none of yes, no, undetermined"},
		{"a detection that is none", []string{"list", "--detection", "seen"}, "is none of reported, triggered, review"},
		{"an actuality that is none", []string{"agreement", "--actuality", "real"}, "is none of actual, potential"},
		{"no period", []string{"agreement", "--period", "spring"}, `period "spring" is none of`},
		{"a page that is gone", []string{"list", "--after", "x"}, "the list has changed since its last page; leave it out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := equitylens(t, append([]string{"reviews", "--config", settings}, tt.args...)...)
			if o.code != exitUsage || !strings.Contains(o.err, tt.want) {
				t.Errorf("= %d, %s; want %s", o.code, o.err, tt.want)
			}
		})
	}
	if o := equitylens(t, "reviews", "list", "--data", t.TempDir()); o.code != exitFailed ||
		!strings.Contains(o.err, "holds no live snapshot") {
		t.Errorf("without a snapshot: %d, %s", o.code, o.err)
	}
}
