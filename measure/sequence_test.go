package measure_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// naiveSequences counts members one by one.
func naiveSequences(
	t *testing.T, engine *measure.Engine, q measure.Question, rate string,
) map[string]map[time.Time]measure.DayCount {
	t.Helper()
	out := map[string]map[time.Time]measure.DayCount{"": {}}
	err := engine.Members(t.Context(), q, func(m measure.Member) error {
		at := slices.IndexFunc(m.Rates, func(r measure.MemberRate) bool { return r.ID == rate })
		in := func(p measure.Population) bool { return slices.Contains(m.Rates[at].In, p) }
		if !in(measure.Denominator) || in(measure.DenominatorExclusion) || in(measure.DenominatorException) {
			return nil
		}
		keys := []string{""}
		for _, c := range m.Strata[q.By[0]] {
			keys = append(keys, c.State+c.Code)
		}
		for _, key := range keys {
			if out[key] == nil {
				out[key] = map[time.Time]measure.DayCount{}
			}
			n := out[key][m.Day]
			n.Day = m.Day
			n.Units++
			if in(measure.Numerator) && !in(measure.NumeratorExclusion) {
				n.Events++
			}
			out[key][m.Day] = n
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", describe(q), err)
	}
	return out
}

func TestSequencesAreThoseOfTheMembers(t *testing.T) {
	t.Parallel()
	d := newDraw(211)
	w, engine := loaded(t, d)
	events := int64(0)
	for _, definition := range engine.Definitions() {
		if definition.Scoring != measure.Proportion || definition.Unit == measure.PatientUnit {
			continue
		}
		for range 2 {
			q := d.question(definition.ID, len(w.patients))
			q.Period, q.By = period(t, "2026"), []string{pick(d, measure.Dimensions()...)}
			if q.Policy == mapping.PolicyNCQA && q.By[0] == mapping.DimensionRaceEthnicity {
				q.By[0] = mapping.DimensionRace
			}
			for _, rate := range definition.Rates() {
				got, err := engine.Sequences(t.Context(), q, rate.ID)
				if err != nil {
					t.Fatalf("%s: %v", describe(q), err)
				}
				naive := naiveSequences(t, engine, q, rate.ID)
				if len(got) != len(naive) {
					t.Errorf("%s: %d sequences, want %d", describe(q), len(got), len(naive))
				}
				for _, s := range got {
					var want []measure.DayCount
					for _, n := range naive[s.State+s.Code] {
						want = append(want, n)
						events += n.Events
					}
					slices.SortFunc(want, func(a, b measure.DayCount) int { return a.Day.Compare(b.Day) })
					if diff := gocmp.Diff(want, s.Days); diff != "" {
						t.Errorf("%s, %s %s: days (-members +sequence):\n%s", describe(q), s.State, s.Code, diff)
					}
				}
				if !slices.IsSortedFunc(got[1:], func(a, b measure.Sequence) int {
					rank := func(s measure.Sequence) int {
						return slices.Index(mapping.States(), mapping.State(s.State))
					}
					return cmp.Compare(rank(a), rank(b))
				}) {
					t.Errorf("%s: what is not known is not last", describe(q))
				}
			}
		}
	}
	if events == 0 {
		t.Error("the cohort has no event")
	}
}

func period(t *testing.T, text string) measure.Period {
	t.Helper()
	p, err := measure.ParsePeriod(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSequenceEvents(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	s := measure.Sequence{Days: []measure.DayCount{{day(1), 4, 0}, {day(2), 3, 2}, {day(5), 2, 1}, {day(6), 9, 0}}}
	for _, tt := range []struct {
		name     string
		failures bool
		numbers  []int64
		first    time.Time
	}{
		{"those of a day come after its others", false, []int64{6, 7, 9}, day(2)},
		{"failures are the others", true, []int64{1, 2, 3, 4, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}, day(1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			numbers, days := s.Events(tt.failures)
			if diff := gocmp.Diff(tt.numbers, numbers); diff != "" || !days[0].Equal(tt.first) ||
				len(days) != len(numbers) {
				t.Errorf("Events(%t): %d days, the first %v (-want +got):\n%s", tt.failures, len(days), days[0], diff)
			}
		})
	}
}

// The units between events, and the events, are those of the denominator until the last event.
func TestGapsAddUpToTheDenominator(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var s measure.Sequence
		for i := range rapid.IntRange(0, 30).Draw(rt, "days") {
			n := rapid.Int64Range(0, 9).Draw(rt, "units")
			s.Days = append(s.Days, measure.DayCount{Day: time.Unix(int64(i)*86400, 0), Units: n,
				Events: rapid.Int64Range(0, n).Draw(rt, "events")})
		}
		for _, failures := range []bool{false, true} {
			numbers, days := s.Events(failures)
			want := map[time.Time]int64{}
			through, all := int64(0), 0
			for _, d := range s.Days {
				n := d.Events
				if failures {
					n = d.Units - d.Events
				}
				want[d.Day] = n
				all += int(n)
				through += d.Units
				if n > 0 {
					want[time.Time{}] = through
				}
			}
			if len(numbers) != all || !slices.IsSorted(numbers) || len(slices.Compact(slices.Clone(numbers))) != all {
				rt.Fatalf("%d numbers %v of %d events", len(numbers), numbers, all)
			}
			sum, before := int64(0), int64(0)
			for i, n := range numbers {
				sum, before = sum+n-before-1, n
				want[days[i]]--
				if want[days[i]] < 0 {
					rt.Fatalf("too many events on %v", days[i])
				}
			}
			if all > 0 && sum+int64(all) != want[time.Time{}] {
				rt.Fatalf("%d between %d events, want %d units in all", sum, all, want[time.Time{}])
			}
		}
	})
}

func TestSequencesRefuse(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, clinic())
	year := period(t, "2026")
	engine := measure.NewEngine(Current(t, dir), shipped(t)).WithImports([]measure.Import{vendor(year)})
	by := []string{"sex"}
	for _, tt := range []struct {
		name string
		q    measure.Question
		rate string
		want error
	}{
		{"a measure of another engine", measure.Question{Measure: "cms122", By: by}, "", measure.ErrNoSequence},
		{"a median", measure.Question{Measure: "length-of-stay", By: by}, "", measure.ErrNoSequence},
		{"patients", measure.Question{Measure: "real-completeness", By: by}, "", measure.ErrNoSequence},
		{"an unknown rate", measure.Question{Measure: "telehealth-share", By: by}, "x", measure.ErrNoSequence},
		{"an unknown measure", measure.Question{Measure: "x", By: by}, "", measure.ErrUnknownMeasure},
		{"no dimension", measure.Question{Measure: "telehealth-share"}, "", measure.ErrUnknownDimension},
		{"a cross", measure.Question{Measure: "telehealth-share", By: []string{"sex*race"}}, "",
			measure.ErrUnknownDimension},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.q.Period = year
			if got, err := engine.Sequences(t.Context(), tt.q, tt.rate); !errors.Is(err, tt.want) {
				t.Errorf("Sequences = %d, %v, want %v", len(got), err, tt.want)
			}
		})
	}
}

func TestSequencesOfWhatIsAbsent(t *testing.T) {
	t.Parallel()
	b := clinic()
	b.Merge = loads("Encounter", nil)
	dir := Open(t)
	Load(t, dir, b)
	got, err := measure.NewEngine(Current(t, dir), shipped(t)).Sequences(t.Context(), measure.Question{
		Measure: "telehealth-share", Period: period(t, "2026"), By: []string{"sex"}}, "")
	if err != nil || got != nil {
		t.Errorf("Sequences = %v, %v, want none", got, err)
	}
}

// BenchmarkSequences is of 100,000 visits.
func BenchmarkSequences(b *testing.B) {
	dir := Open(b)
	batch := Batch{}
	for i := range 1000 {
		batch.Patients = append(batch.Patients, Patient(fmt.Sprint("p", i)))
	}
	for i := range 100000 {
		day := time.Date(2026, 1, 1+i%365, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		batch.Encounters = append(batch.Encounters,
			Encounter(fmt.Sprint("e", i), fmt.Sprint("p", i%1000), "AMB", day, day))
	}
	Load(b, dir, batch)
	engine := measure.NewEngine(Current(b, dir), shipped(b))
	year, err := measure.ParsePeriod("2026")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_, err := engine.Sequences(b.Context(), measure.Question{
			Measure: "telehealth-share", Period: year, By: []string{"race"}}, "")
		if err != nil {
			b.Fatal(err)
		}
	}
}
