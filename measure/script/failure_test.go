package script_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// visits is a cohort of which every case asks one question. Alone, that would stand in line 8.
const visits = `load
  patient race=white sex=female need=yes x3
  patient race=black sex=female x3
  patient sex=male
  encounter patient=race:white class=AMB start=2026-03-01 end=2026-03-01 telehealth=yes x1
  encounter patient=race:white class=AMB start=2026-03-01 end=2026-03-01 x2
  encounter patient=race:black class=AMB start=2026-03-01 end=2026-03-01
`

// TestFailuresShowWhatCame is how an analyst reads a script that does not hold.
func TestFailuresShowWhatCame(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, in, want string
	}{
		{"a figure that is another", "by race period 2026\n  white 2/3 0.667\n  black 0/3 0.000", `
- line 9: white 2/3 0.667
+ white 1/3 0.333`},
		{"a figure that rounds to what is written", "by race period 2026\n  white 1/3 0.3333\n  black 0/3 0.0", ""},
		{"a figure that does not round to it", "by race period 2026\n  white 1/3 0.3334\n  black 0/3 0", `
- line 9: white 1/3 0.3334
+ white 1/3 0.3333`},
		{"a whole number that is exact", "by race period 2026\n  white 1/3 0\n  black 0/3 0", `
- line 9: white 1/3 0
+ white 1/3 0.3333`},
		{"a stratum that no row expects", "by race period 2026\n  white 1/3 0.333", `
+ black-or-african-american 0/3 0   (no row expects it)`},
		{"a stratum that no row need expect", "by race period 2026\n  white 1/3 0.333\n  ...", ""},
		{"a stratum in which nobody is", "by race period 2026\n  white 1/3 0.333\n  black 0/3 0.0\n  asian 1/1 1.0", `
- line 11: asian 1/1 1.0
+ nobody is asian`},
		{"a stratum in which nobody is to be", "by race period 2026\n  white 1/3 0.333\n  black 0/3 0.0\n  missing 0/0 -", ""},
		{"a word that names no stratum", "by race period 2026\n  white 1/3 0.333\n  black 0/3 0.0\n  blakc 0/0 -", `
- line 11: blakc 0/0 -
+ blakc is no stratum of race`},
		{"a stratum that is named twice", "by race period 2026\n  white 1/3 0.333\n  black 0/3 0.0\n  2106-3 1/3 0.333", `
- line 11: 2106-3 1/3 0.333
+ the stratum is that of line 9`},
		{"a word of two dimensions", "by sex,interpreter_need period 2026\n  missing 0/3 0.0\n  sex=missing 0/0 -\n  ...", ""},
		{"a word that may be either", "by race,race_ethnicity period 2026\n  white 1/3 0.333\n  ...", `
- line 9: white 1/3 0.333
+ it may be race=white or race_ethnicity=white; write dimension=value`},
		{"everybody", "period 2026\n  all 1/6 0.18", `
- line 9: all 1/6 0.18
+ all 1/6 0.17`},
		{"an interval", "period 2026\n  all 1/6 0.167 0.030..0.600", `
- line 9: all 1/6 0.167 0.030..0.600
+ all 1/6 0.167 0.030..0.564`},
		{"a figure by its name", "period 2026\n  all 1/6 0.167 initial-population=7 mean=-", `
- line 9: all 1/6 0.167 initial-population=7 mean=-
+ all 1/6 0.167 initial-population=6 mean=-`},
		{"a count where there is a share", "period 2026\n  all 6 0.167", `
- line 9: all 6 0.167
+ all 1/6 0.167`},
		{"a gap", "by race period 2026\n  gap black-white 0.333\n  ratio black/white 0.0\n  ratio white/black -", `
- line 9: gap black-white 0.333
+ gap black-white -0.333`},
		{"a gap of words with hyphens", "by race period 2026\n  gap black-or-african-american-all -0.167", ""},
		{"a gap of nobody", "by race period 2026\n  gap black-green 0.1", `
- line 9: gap black-green 0.1
+ black-green names no two strata that are there`},
		{"a gap to a reference of too few", "by race period 2026 reference largest\n  gap black 0.1", `
- line 9: gap black 0.1
+ black is not compared with the reference largest: only categories of 30 units and more are, in ` +
			`dimensions that the rate is not about`},
		{"a refusal that does not come", "by race period 2026\n  fail \"unknown dimension\"", `
- it fails with "unknown dimension"
+ it was answered`},
		{"another refusal", "by colour period 2026\n  fail \"unknown measure\"", `
- it fails with "unknown measure"
+ it fails with *`},
		{"a refusal that was not expected", "by colour period 2026\n  all 1/6 0.2", `
+ it fails with *`},
		{"a type that is there", "by race period 2026\n  incomplete AdverseEvent", `
- line 8: incomplete AdverseEvent
+ incomplete nothing`},
		{"strata that exclude each other", "by race period 2026\n  overlapping\n  ...", `
- line 8: overlapping
+ the strata exclude each other`},
	}
	// All are asked of one cohort; the line of each question is then counted as if it stood alone.
	text := visits
	first := make([]int, len(cases))
	for i, c := range cases {
		first[i] = strings.Count(text, "\n") + 1
		text += "eval telehealth-share " + c.in + "\n"
	}
	failures, err := runner(t).Run(t.Context(), parse(t, "s.test", text))
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]string{}
	for _, f := range failures {
		got[f.Line] = strings.Join(f.Differences, "\n")
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			for n := range 5 {
				lines = append(lines, fmt.Sprintf("line %d", 8+n), fmt.Sprintf("line %d", first[i]+n))
			}
			want := strings.NewReplacer(lines...).Replace(strings.TrimPrefix(c.want, "\n"))
			have := got[first[i]]
			if text, any := strings.CutSuffix(want, "*"); any && strings.HasPrefix(have, text) {
				return
			}
			if d := cmp.Diff(want, have); d != "" {
				t.Errorf("%s (-want +got):\n%s", c.in, d)
			}
		})
	}
}

func TestFailuresNameTheScriptAndTheEval(t *testing.T) {
	t.Parallel()
	s := parse(t, "visits.test", visits+"eval telehealth-share period 2026\n  all 6/6 1.0\n")
	const want = "visits.test:8: eval telehealth-share period 2026\n    - line 9: all 6/6 1.0\n" +
		"    + all 1/6 0.2"
	if d := cmp.Diff(want, run(t, runner(t), s)); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
}

// TestCohortsLeaveNothingBehind runs two cohorts, and one that is cut short.
func TestCohortsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	r := runner(t)
	s := parse(t, "s.test", visits+"eval telehealth-share period 2026\n  ...\n"+
		"load\n  patient a\neval telehealth-share period 2026\n  all 0/0 -\n")
	if report := run(t, r, s); report != "" {
		t.Error(report)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Run(ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was cut short = %v", err)
	}
	left, err := os.ReadDir(r.Folder)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
