package measure_test

import (
	"os"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// own are definitions that have every population, scoring and aggregate that those that ship lack.
func own(t testing.TB) []measure.Definition {
	t.Helper()
	definitions, err := measure.Load(os.DirFS("testdata/twin"))
	if err != nil {
		t.Fatal(err)
	}
	return definitions
}

// ownRates evaluates a definition of testdata/twin; nil for any other.
func (w *world) ownRates(id string, period measure.Period) map[string][]row {
	switch {
	case id == "exceptions":
		return w.exceptions()
	case id == "seen":
		return map[string][]row{"main": w.seenIn(period)}
	case id == "visits-for-visits":
		return map[string][]row{"main": w.visitsForVisits()}
	case id == "minutes-a-day" || id == "harmed-stays" || strings.HasPrefix(id, "minutes-"):
		return map[string][]row{"main": w.ownStays(id)}
	}
	return nil
}

// wholeMinutes is the length in whole minutes, nil where a clock is missing.
func (v visit) wholeMinutes() *float64 {
	length, clocked := v.micros()
	if !clocked {
		return nil
	}
	minutes := float64(length / 60_000_000)
	return &minutes
}

// byStart dates a row by the start of its visit.
func (v visit) byStart() row {
	r := v.row()
	r.dated, r.day = hasDay(v.Start), v.Start.Days
	return r
}

func (w *world) exceptions() map[string][]row {
	out := map[string][]row{}
	for _, v := range w.visits() {
		minutes := v.wholeMinutes()
		for rate, numerator := range map[string]bool{
			"far": v.Telehealth, "long": minutes != nil && *minutes > 240,
		} {
			out[rate] = append(out[rate], v.byStart().as(measure.Proportion, holding{
				measure.InitialPopulation:    v.finished() && v.is("IMP", "EMER", "AMB", "VR"),
				measure.Denominator:          !v.is("IMP"),
				measure.DenominatorExclusion: v.left("lwbs"),
				measure.Numerator:            numerator,
				measure.DenominatorException: v.Elective,
				measure.NumeratorExclusion:   v.InterpreterUse == mapping.Arranged,
			}))
		}
	}
	return out
}

func (w *world) visitsForVisits() []row {
	var out []row
	for _, v := range w.visits() {
		out = append(out, v.row().as(measure.Ratio, holding{
			measure.InitialPopulation:    v.finished() && v.is("AMB"),
			measure.Denominator:          true,
			measure.DenominatorExclusion: v.Telehealth,
			measure.NumeratorInitial:     v.finished() && v.is("EMER"),
			measure.Numerator:            !v.Telehealth,
			measure.NumeratorExclusion:   v.Elective,
		}))
	}
	return out
}

// seenIn are the patients of a period, by what the naive evaluation of completeness needs as well.
func (w *world) seenIn(period measure.Period) []row {
	first, last := dayOf(period.Start), dayOf(period.End)
	var out []row
	for _, p := range w.persons() {
		var stated []mapping.Value
		for _, v := range w.visits() {
			if v.who == p && hasDay(v.End) && v.End.Days >= first && v.End.Days <= last && counted(v.Status) {
				stated = append(stated, v.InterpreterNeed)
			}
		}
		r := w.patientRow(p, needOfPatient(p.InterpreterNeed, stated), first)
		out = append(out, r.as(measure.Cohort, holding{measure.InitialPopulation: len(stated) > 0}))
	}
	return out
}

func (w *world) ownStays(id string) []row {
	var out []row
	all := w.visits()
	for _, v := range all {
		if !v.is("IMP", "ACUTE", "NONAC", "OBSENC") || !counted(v.Status) {
			continue
		}
		switch id {
		case "minutes-a-day":
			r := v.byStart()
			if days := float64(v.End.Days - v.Start.Days); hasDay(v.Start) && hasDay(v.End) && days >= 0 {
				r.v = &days
			}
			r.w = v.wholeMinutes()
			out = append(out, r.as(measure.Ratio, holding{
				measure.InitialPopulation: v.finished(), measure.Denominator: !v.is("OBSENC"),
				measure.DenominatorExclusion: v.left("aadvice"), measure.Numerator: v.Elective,
				measure.NumeratorExclusion: v.left("exp"),
			}))
		case "harmed-stays":
			r := v.row()
			if length, clocked := v.micros(); clocked {
				days := float64(max(1, length/86_400_000_000))
				r.v = &days
			}
			out = append(out, r.as(measure.Ratio, holding{measure.InitialPopulation: v.finished(),
				measure.Denominator: true, measure.Numerator: w.harm(v, all) > 0}))
		default:
			r := v.row()
			if minutes := v.wholeMinutes(); minutes != nil {
				*minutes -= 300
				r.v = minutes
			}
			out = append(out, r.as(measure.ContinuousVariable, holding{
				measure.InitialPopulation: v.finished(), measure.MeasurePopulation: !v.is("OBSENC"),
				measure.MeasureExclusion: v.left("aadvice"),
			}))
		}
	}
	return out
}
