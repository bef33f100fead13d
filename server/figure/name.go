package figure

import (
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/words"
)

// named names a stratum by what results say of it: the code and the label, or the state where the
// group is not known. Those of a cross are joined.
func (t *Teller) named(dimension, code, state, label string) string {
	return t.w.Group(dimension, measure.Coding{Code: code, State: state, Label: label})
}

// group names a stratum of a comparison.
func (t *Teller) group(dimension string, c gap.Compared) string {
	return t.named(dimension, c.Code, c.State, c.Label)
}

// reference names what groups are compared with.
func (t *Teller) reference(dimension string, c *gap.Chosen) string {
	return t.named(dimension, c.Code, "", c.Label)
}

// dimension names a dimension as within a sentence.
func (t *Teller) dimension(name string) string { return t.w.Dimension(name) }

// within says "in the group X", or at which site, as within a sentence. The name is one of the
// above; without a code it is that of everybody.
func (t *Teller) within(dimension, code, name string) string {
	switch {
	case code == "":
		return t.w.Say("figure.of.all")
	case dimension == mapping.DimensionSite:
		return t.w.Say("figure.of.site", name)
	}
	return t.w.Say("figure.of.group", name)
}

// In begins a sentence with a period: "In 2025, …", "From January 2, 2025 to March 4, 2025, …".
func (t *Teller) In(p measure.Period, clause string) string {
	text := t.w.Period(p)
	if text == t.w.Say("period.span", t.w.Day(p.Start.Date()), t.w.Day(p.End.Date())) {
		return t.w.Say("figure.in.span", t.w.Day(p.Start.Date()), t.w.Day(p.End.Date()), clause)
	}
	const quarter = 3
	if p.Start.Day() == 1 && p.Start.AddDate(0, quarter, -1).Equal(p.End) {
		return t.w.Say("figure.in.quarter", text, clause)
	}
	return t.w.Say("figure.in", text, clause)
}

// Reading says what a score is in words: the clause of the measure with its number, or the title
// with it.
func (t *Teller) Reading(m Measure, v float64, interval *[2]float64) string {
	if m.Words.Reads == "" {
		return t.w.Say("figure.reading", m.Words.Title, t.ScoreInWords(m, v, interval))
	}
	return strings.ReplaceAll(m.Words.Reads, measure.Score, t.Score(m, v, interval))
}

// counted says how many units a measure counts: "860 visits". Another engine may not have said
// which.
func (t *Teller) counted(u measure.Unit, n float64) string {
	key := "figure.counted." + string(u)
	if !t.w.Has(key) {
		key = "figure.counted.unit"
	}
	return t.w.Say(key, int(min(n, 1e9)), t.w.Count(n))
}

// about is what a picture says of its question: the period and what was kept.
func (t *Teller) about(p measure.Period, kept measure.Filter) string {
	text := words.Capital(t.w.Period(p))
	for _, key := range measure.FilterKeys() {
		values := kept[key]
		if len(values) == 0 {
			continue
		}
		if key == measure.FilterPractitioner {
			text += " · " + t.w.Say("figure.kept.practitioner")
			continue
		}
		names := make([]string, len(values))
		for i, v := range values {
			if state, ok := strings.CutPrefix(v, "~"); ok {
				names[i] = t.named(key, "", state, "")
			} else {
				names[i] = t.named(key, v, string(mapping.Known), "")
			}
		}
		text += " · " + t.w.Say("figure.kept", t.dimension(key), strings.Join(names, ", "))
	}
	return text
}

// incomplete notes which data the answer lacks.
func (t *Teller) incomplete(lacks []string) []string {
	notes := make([]string, 0, len(lacks))
	for _, lack := range lacks {
		name, _, _ := strings.Cut(lack, ":")
		note := t.w.Say("figure.incomplete.other")
		if t.w.Has("resource." + name) {
			note = t.w.Say("figure.incomplete", t.w.Resource(name))
		}
		notes = append(notes, note)
	}
	return notes
}

// refused says why something is not given.
func (t *Teller) refused(r *gap.Refused) string {
	return t.w.Label("figure.refused", string(r.Reason))
}
