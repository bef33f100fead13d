package gap

import (
	"math"
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat/inequality"
)

// Summary holds the summary measures of WHO's Health Equity Assessment Toolkit.
type Summary struct {
	// Groups is how many groups entered; LeftOut names those of fewer than 30, which did not.
	Groups  int      `json:"groups"`
	LeftOut []string `json:"left_out,omitempty"`
	// Unknown is how many units are of no known group: they enter nothing.
	Unknown float64 `json:"unknown"`
	// Mean is that of the groups, weighted by their units.
	Mean *float64 `json:"mean,omitempty"`
	// Ordered says that the groups have an order, youngest first: that of age_band.
	Ordered bool `json:"ordered,omitempty"`
	// Measures are the answers, Refusals what is not answered, and why.
	Measures []SummaryMeasure `json:"measures"`
	Refusals []SummaryRefusal `json:"refusals"`
}

// SummaryMeasure is one form of one summary measure.
type SummaryMeasure struct {
	// Measure is WHO's abbreviation, Title its name.
	Measure string `json:"measure"`
	Title   string `json:"title"`
	// Variant is the form: heat, or that of another tool; Recommended marks the one to show where only
	// one has room.
	Variant     string  `json:"variant"`
	Recommended bool    `json:"recommended,omitempty"`
	Estimate    float64 `json:"estimate"`
	// Interval is absent where no closed formula gives one.
	Interval *[2]float64 `json:"interval,omitempty"`
	// Null is the value of no inequality.
	Null float64 `json:"null"`
	// Truncated says that the reference did worse than the mean, so that a gain was set to 0.
	Truncated bool `json:"truncated,omitempty"`
}

// SummaryRefusal is a summary measure that is not answered. Variant is empty where none of it is.
type SummaryRefusal struct {
	Measure string `json:"measure"`
	Variant string `json:"variant,omitempty"`
	Reason  string `json:"reason"`
	Says    string `json:"says"`
}

// summarise fills the summary measures, or says why there are none.
func (out *Comparison) summarise(g measure.Group, strata []measure.Stratum, o Options) {
	negative := func(s measure.Stratum) bool { return s.Score != nil && *s.Score < 0 }
	switch {
	case g.Scoring != measure.Proportion && g.Scoring != measure.Ratio,
		slices.ContainsFunc(strata, negative):
		out.SummaryRefused = refuse(NotACount)
	case slices.Contains(g.NotBy, out.Dimension):
		out.SummaryRefused = refuse(AboutIt)
	case anyHidden(strata):
		out.SummaryRefused = refuse(Hidden)
	}
	if out.SummaryRefused != nil {
		return
	}
	sum := &Summary{Ordered: out.Dimension == mapping.DimensionAgeBand,
		Measures: []SummaryMeasure{}, Refusals: []SummaryRefusal{}}
	reference := out.summaryReference(g, strata, o)
	found, err := inequality.Summarise(out.summaryInput(g, strata, sum, reference))
	if err != nil {
		out.SummaryRefused = refuse(NotACount)
		return
	}
	sum.Groups, sum.Unknown, sum.Mean = found.Groups, found.Unknown, found.Mean
	for _, v := range found.Values {
		sum.add(g, v)
	}
	for _, r := range found.Refusals {
		sum.Refusals = append(sum.Refusals, SummaryRefusal{Measure: string(r.Measure),
			Variant: string(r.Variant), Reason: string(r.Reason), Says: r.Reason.Says()})
	}
	out.Summary = sum
}

// summaryReference is the reference of the comparison. Overlapping groups are not tested against one,
// but how far they are from it on average can be said.
func (out *Comparison) summaryReference(
	g measure.Group, strata []measure.Stratum, o Options,
) *Chosen {
	large := comparable(g, strata)
	if !out.Overlapping || len(large) < 2 {
		return out.Reference
	}
	s, err := o.Reference.choose(g, large)
	if err != nil {
		return nil
	}
	return &Chosen{Rule: o.Reference, Code: code(s), Label: label(s)}
}

func (out *Comparison) summaryInput(
	g measure.Group, strata []measure.Stratum, sum *Summary, reference *Chosen,
) inequality.Input {
	in := inequality.Input{Direction: inequality.Favourable, Scale: scale(g), Ordered: sum.Ordered,
		Overlap: out.Overlapping}
	if g.Improvement == measure.Decrease {
		in.Direction = inequality.Adverse
	}
	for _, s := range strata {
		n := countOf(g, s.Cell)
		if !known(s) {
			in.Groups = append(in.Groups, inequality.Group{Unknown: true, Population: max(n.Of, 0)})
			continue
		}
		if s.Score == nil || n.Of < smallestGroup {
			sum.LeftOut = append(sum.LeftOut, label(s))
			continue
		}
		in.Groups = append(in.Groups, inequality.Group{
			Estimate: *s.Score, SE: standardError(g, s), Population: n.Of,
			Rank:      slices.Index(mapping.AgeBands(), s.Code),
			Reference: reference.is(s),
		})
	}
	return in
}

// standardError is that of a proportion or of a Poisson count. Where none or all have the event it
// would be 0, a certainty that no data give, and is not known.
func standardError(g measure.Group, s measure.Stratum) *float64 {
	n := countOf(g, s.Cell)
	rate := n.Value()
	variance := rate / n.Of
	if g.Scoring == measure.Proportion {
		variance *= 1 - rate
	}
	if !(variance > 0) {
		return nil
	}
	se := scale(g) * math.Sqrt(variance)
	return &se
}

// add keeps a value, unless it asks which group does best and neither way is better.
func (s *Summary) add(g measure.Group, v inequality.Value) {
	if g.Improvement == measure.Context && directed(v, s.Ordered) {
		s.Refusals = append(s.Refusals, SummaryRefusal{Measure: string(v.Measure),
			Variant: string(v.Variant), Reason: string(NoDirection), Says: NoDirection.Says()})
		return
	}
	m := SummaryMeasure{
		Measure: string(v.Measure), Title: v.Measure.Title(), Variant: string(v.Variant),
		Recommended: v.Variant == v.Measure.Recommended(), Estimate: v.Estimate,
		Null: v.Measure.Null(v.Variant), Truncated: v.Truncated,
	}
	if i := v.Interval; i != nil && finite(i.Lower) && finite(i.Upper) {
		m.Interval = &[2]float64{i.Lower, i.Upper}
	}
	if finite(m.Estimate) {
		s.Measures = append(s.Measures, m)
	}
}

// directed reports whether a measure asks which end of the scale is the good one.
func directed(v inequality.Value, ordered bool) bool {
	switch v.Measure {
	case inequality.D, inequality.R:
		return v.Variant == inequality.HEAT && !ordered
	case inequality.MDBU, inequality.MDBW, inequality.PAR, inequality.PAF:
		return true
	default:
		return false
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
