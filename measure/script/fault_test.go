package script_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure/script"
)

// header is a load that lines can be added to; they start in line 3.
const loaded = "load\n  patient ana race=white x2\n"

func TestFaultsAreNamedWithTheirLines(t *testing.T) {
	t.Parallel()
	const ask = "eval telehealth-share by race period 2026\n  all 0/0 -\n"
	cases := []struct {
		name, in string
		want     []string
	}{
		{"nothing at all", "", []string{"s.test:1: there is no eval"}},
		{"a load alone", loaded, []string{"s.test:1: there is no eval"}},
		{"an unknown command", "lode\n" + ask, []string{`s.test:1: "lode" is no command`, "s.test:2: there is no load"}},
		{"a line of nothing", "  white 1/2 0.5\n" + loaded + ask, []string{"s.test:1: the line is indented"}},
		{"a kind that is none", loaded + "  visit patient=ana\n" + ask, []string{`s.test:3: "visit" is none of`}},
		{"a key that is none", loaded + "  patient rase=white\n" + ask, []string{`s.test:3: patient lines have no "rase"`}},
		{"a key twice", loaded + "  patient sex=male sex=female\n" + ask, []string{"s.test:3: sex is there twice"}},
		{"a key without a value", loaded + "  patient sex=\n" + ask, []string{"s.test:3: sex= is followed by nothing"}},
		{"a name twice", loaded + "  patient ana\n" + ask, []string{"s.test:3: there is a patient ana already"}},
		{"a name in the wrong place", loaded + "  patient sex=male bo\n" + ask, []string{`s.test:3: "bo" is neither`}},
		{"two repeats", loaded + "  patient x2 x3\n" + ask, []string{"s.test:3: x3"}},
		{"no repeat at all", loaded + "  patient x0\n" + ask, []string{"s.test:3: x0"}},
		{"more than anybody counts", loaded + "  patient x60000\n" + ask, []string{"s.test:3: more than"}},
		{"a race that is none", loaded + "  patient race=whyte\n" + ask, []string{`s.test:3: "whyte" is no race`}},
		{"a race that contradicts itself", loaded + "  patient race=conflicting\n" + ask,
			[]string{"s.test:3: race cannot be conflicting"}},
		{"a language that is none", loaded + "  patient language=english\n" + ask,
			[]string{`s.test:3: "english" is no language`}},
		{"several faults of one line", loaded + "  patient race=x sex=y born=z\n" + ask,
			[]string{`s.test:3: "x" is no race`, `s.test:3: "z" is no date`, `s.test:3: "y" is no sex`}},
		{"an age of no year", loaded + "  patient age=40\n" + ask, []string{"s.test:3: age needs an as_of"}},
		{"an age and a birth", "as_of 2026-01-01\n" + loaded + "  patient age=40 born=1980\n" + ask,
			[]string{"s.test:4: born and age"}},
		{"a birth with a clock", loaded + "  patient born=1980-01-01T10:00\n" + ask, []string{"s.test:3: born"}},
		{"an as_of that is no day", "as_of 2026-02-30\n" + loaded + ask, []string{`s.test:1: "2026-02-30" is not`}},
		{"an as_of of nothing", "as_of\n" + loaded + ask, []string{"s.test:1: as_of is followed by"}},
		{"a patient who is not there", loaded + "  encounter patient=bo class=AMB\n" + ask,
			[]string{"s.test:3: no patient above is bo"}},
		{"patients by what is not said", loaded + "  encounter patient=color:red class=AMB\n" + ask,
			[]string{`s.test:3: "color" is nothing`}},
		{"a class that is none", loaded + "  encounter patient=ana class=OUT\n" + ask,
			[]string{`s.test:3: "OUT" is no class`}},
		{"a status that is none", loaded + "  encounter patient=ana status=done\n" + ask,
			[]string{`s.test:3: "done" is no status`}},
		{"a disposition that is none", loaded + "  encounter patient=ana disposition=away\n" + ask,
			[]string{`s.test:3: "away" is no disposition`}},
		{"an end before the start", loaded + "  encounter patient=ana start=2026-03-02 end=2026-03-01\n" + ask,
			[]string{"s.test:3: the end is before the start"}},
		{"hours after a day", loaded + "  encounter patient=ana start=2026-03-02 end=+3h\n" + ask,
			[]string{"s.test:3: end: +3h: the start has no time of day"}},
		{"a span of nothing", loaded + "  encounter patient=ana start=2026-03-02 end=+\n" + ask,
			[]string{"s.test:3: end: \"+\" is no span"}},
		{"an end after no start", loaded + "  encounter patient=ana end=+1d\n" + ask,
			[]string{"s.test:3: end: +1d needs a start"}},
		{"an event of nobody", loaded + "  event date=2026-01-01\n" + ask, []string{"s.test:3: patient= or encounter="}},
		{"an event in no encounter", loaded + "  event encounter=e date=2026-01-01\n" + ask,
			[]string{"s.test:3: no encounter above is e"}},
		{"an event with a name", loaded + "  event harm patient=ana date=2026-01-01\n" + ask,
			[]string{`s.test:3: "harm" names an event`}},
		{"a type that is none", "load without Observation\n" + ask, []string{`s.test:1: "Observation" is none of`}},
		{"an eval of nothing", loaded + "eval\n  all 1/2 0.5\n",
			[]string{"s.test:3: eval is followed by the id of a measure"}},
		{"an eval without a period", loaded + "eval m by race\n  all 1/2 0.5\n", []string{"s.test:3: the eval has no period"}},
		{"a period that is none", loaded + "eval m period 2026-13\n  all 1/2 0.5\n", []string{`s.test:3: period "2026-13"`}},
		{"a clause that is none", loaded + "eval m during 2026\n  all 1/2 0.5\n", []string{`s.test:3: "during" is none of`}},
		{"a clause of nothing", loaded + "eval m period\n  all 1/2 0.5\n", []string{"s.test:3: period is followed by nothing"}},
		{"a filter of nothing", loaded + "eval m period 2026 where\n  all 1/2 0.5\n", []string{"s.test:3: where is followed by"}},
		{"a value that a filter cannot have", loaded + "eval m period 2026 where sex=mail\n  all 1/2 0.5\n",
			[]string{`s.test:3: where: "mail" is no value of sex`}},
		{"an eval that expects nothing", loaded + "eval m period 2026\n" + ask, []string{"s.test:3: the eval expects nothing"}},
		{"a failure with strata", loaded + "eval m period 2026\n  fail \"x\"\n  all 1/2 0.5\n",
			[]string{"s.test:3: an eval that fails has no strata"}},
		{"a row without a score", loaded + "eval m period 2026\n  all 1/2\n",
			[]string{"s.test:4: \"all 1/2\" is no row", "s.test:3: the eval expects nothing"}},
		{"counts that are none", loaded + "eval m period 2026\n  all 1of2 0.5\n  ...\n", []string{`s.test:4: "1of2" is neither`}},
		{"a score that is none", loaded + "eval m period 2026\n  all 1/2 half\n  ...\n", []string{`s.test:4: "half" is no score`}},
		{"a gap of three numbers", loaded + "eval m period 2026\n  gap a-b 1 2 3\n  ...\n", []string{"s.test:4: gap is followed by"}},
		{"an open quote", loaded + "eval m period 2026\n  fail \"x\n", []string{`s.test:4: a quote " is not closed`,
			"s.test:3: the eval expects nothing"}},
		{"bytes that are no text", loaded + "\xff\xfe\n" + ask, []string{"s.test:3: the line is not text"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := script.Parse("s.test", []byte(c.in))
			if err == nil {
				t.Fatalf("Parse(%q) found nothing", c.in)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Parse(%q) lacks %q:\n%v", c.in, want, err)
				}
			}
			if got := strings.Count(err.Error(), "s.test:"); got != len(c.want) {
				t.Errorf("Parse(%q) found %d faults, want %d:\n%v", c.in, got, len(c.want), err)
			}
		})
	}
}

func TestFaultsStandInTheOrderOfTheirLines(t *testing.T) {
	t.Parallel()
	_, err := script.Parse("s.test", []byte(loaded+"eval m period 2026\n\nlode\nload x\n"))
	if err == nil {
		t.Fatal("nothing was found")
	}
	var places []string
	for line := range strings.Lines(err.Error()) {
		place, _, _ := strings.Cut(line, ": ")
		places = append(places, place)
	}
	if d := cmp.Diff([]string{"s.test:3", "s.test:5", "s.test:6"}, places); d != "" {
		t.Errorf("places (-want +got):\n%s", d)
	}
}
