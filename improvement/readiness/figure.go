package readiness

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// FigureID names a figure that answers an item.
type FigureID string

// The figures.
const (
	RaceRecorded        FigureID = "race-recorded"
	EthnicityRecorded   FigureID = "ethnicity-recorded"
	LanguageRecorded    FigureID = "language-recorded"
	InterpreterRecorded FigureID = "interpreter-need-recorded"
	// MeasuresByGroup is how many measures can be compared both by race and ethnicity and by language.
	MeasuresByGroup FigureID = "measures-by-group"
	// DataAge is how many hours old the data are.
	DataAge FigureID = "data-age"
	// InequityAsked is the share of harm events of which it was asked whether inequity contributed.
	InequityAsked FigureID = "inequity-asked"
	// ActionsBegun is how many actions have begun and were not given up, ActionsOverdue the share of the
	// open ones that are overdue, ActionsClosed how many were completed with a result.
	ActionsBegun   FigureID = "actions-begun"
	ActionsOverdue FigureID = "actions-overdue"
	ActionsClosed  FigureID = "actions-closed"
	// InterpreterDocumented is the share of visits in which a needed interpreter is documented.
	InterpreterDocumented FigureID = "interpreter-documented"
	// TelehealthByGroup is by how many dimensions the share of telehealth can be compared.
	TelehealthByGroup FigureID = "telehealth-by-group"
)

// FigureIDs lists the figures.
func FigureIDs() []FigureID {
	return []FigureID{
		RaceRecorded, EthnicityRecorded, LanguageRecorded, InterpreterRecorded, MeasuresByGroup, DataAge,
		InequityAsked, ActionsBegun, ActionsOverdue, ActionsClosed, InterpreterDocumented, TelehealthByGroup,
	}
}

// Reason is why a figure is not there. A figure that is not there is no 0.
type Reason string

// The reasons.
const (
	// NoSnapshot: nothing has been loaded yet.
	NoSnapshot Reason = "no-snapshot"
	// NoMeasure: the measure was not evaluated.
	NoMeasure Reason = "no-measure"
	// NotLoaded: the measure needs a resource type that was never loaded.
	NotLoaded Reason = "not-loaded"
	// Nobody: nothing is below the line.
	Nobody Reason = "nobody"
	// Hidden: the figure is hidden for small numbers.
	Hidden Reason = "hidden"
	// NoActions: there is no open action, of which a share could be overdue.
	NoActions Reason = "no-actions"
	// NoRecords: what people decided could not be read.
	NoRecords Reason = "no-records"
)

// Reasons lists the reasons.
func Reasons() []Reason {
	return []Reason{NoSnapshot, NoMeasure, NotLoaded, Nobody, Hidden, NoActions, NoRecords}
}

// Figure is a figure, or why there is none.
type Figure struct {
	Value float64 `json:"value"`
	// Of is what a share is of, where it is one.
	Of float64 `json:"of,omitempty"`
	// Partial says that the data behind it were not loaded whole.
	Partial bool   `json:"partial,omitempty"`
	Missing Reason `json:"missing,omitempty"`
}

// Figures are the figures of one moment.
type Figures map[FigureID]Figure

// Data is what the figures are made of.
type Data struct {
	// Snapshot is that of the results, empty where nothing has been loaded; DataAsOf is the moment of
	// its data.
	Snapshot string
	DataAsOf time.Time
	// Now is when it is asked.
	Now time.Time
	// Results are those of the period, by the dimensions of Dimensions at least, at internal audience.
	Results []measure.Result
	// Actions are absent where they could not be read.
	Actions *Actions
}

// Actions counts the actions of an institution.
type Actions struct {
	// Begun have begun and were not given up, whether they are completed or not.
	Begun int
	// Open are planned or in progress, Overdue those of them whose day has passed.
	Open, Overdue int
	// Closed are those that were completed with a result.
	Closed int
}

// Dimensions lists those by which the results of Data are looked at.
func Dimensions() []string {
	return []string{
		mapping.DimensionRaceEthnicity, mapping.DimensionLanguageGroup, mapping.DimensionInterpreter,
		mapping.DimensionAgeBand,
	}
}

// Ask answers a question at internal audience; measure.Engine.Evaluate is one.
type Ask func(ctx context.Context, asked measure.Question) (measure.Result, error)

// Ask takes over what every measure answers of a period. Those of another engine, of which no report of
// the period came, are passed over.
func (d *Data) Ask(
	ctx context.Context, definitions []measure.Definition, period measure.Period, ask Ask,
) error {
	for i := range definitions {
		result, err := ask(ctx, measure.Question{
			Measure: definitions[i].ID, Period: period, By: Dimensions(),
		})
		if errors.Is(err, measure.ErrNotImported) {
			continue
		}
		if err != nil {
			return err
		}
		d.Results = append(d.Results, result)
	}
	return nil
}

// FiguresOf makes every figure, or says why it cannot be made.
func FiguresOf(d Data) Figures {
	f := Figures{
		RaceRecorded:          d.score("real-completeness", "race"),
		EthnicityRecorded:     d.score("real-completeness", "ethnicity"),
		LanguageRecorded:      d.score("real-completeness", "language"),
		InterpreterRecorded:   d.score("real-completeness", "interpreter-need"),
		InequityAsked:         d.score("inequity-factor-captured", "main"),
		InterpreterDocumented: d.score("interpreter-documented", "main"),
		MeasuresByGroup:       d.measures(),
		TelehealthByGroup:     d.telehealth(),
		DataAge:               d.age(),
		ActionsBegun:          {Missing: NoRecords},
		ActionsOverdue:        {Missing: NoRecords},
		ActionsClosed:         {Missing: NoRecords},
	}
	if a := d.Actions; a != nil {
		f[ActionsBegun] = Figure{Value: float64(a.Begun)}
		f[ActionsClosed] = Figure{Value: float64(a.Closed)}
		f[ActionsOverdue] = Figure{Missing: NoActions}
		if a.Open > 0 {
			f[ActionsOverdue] = Figure{Value: float64(a.Overdue) / float64(a.Open), Of: float64(a.Open)}
		}
	}
	return f
}

// rate finds a rate of a measure, or says why it says nothing.
func (d Data) rate(id, rate string) (measure.Result, measure.Group, Reason) {
	if d.Snapshot == "" {
		return measure.Result{}, measure.Group{}, NoSnapshot
	}
	for _, r := range d.Results {
		if r.Measure != id {
			continue
		}
		for _, g := range r.Groups {
			if g.ID != rate {
				continue
			}
			switch {
			case g.Suppressed:
				return r, g, Hidden
			case g.Score != nil:
				return r, g, ""
			case !r.Complete:
				return r, g, NotLoaded
			}
			return r, g, Nobody
		}
	}
	return measure.Result{}, measure.Group{}, NoMeasure
}

func (d Data) score(id, rate string) Figure {
	r, g, missing := d.rate(id, rate)
	if missing != "" {
		return Figure{Missing: missing}
	}
	return Figure{
		Value: *g.Score, Of: g.Populations[measure.Denominator] - g.Populations[measure.DenominatorExclusion],
		Partial: !r.Complete,
	}
}

// fewest is how many of a group there must be for it to be compared, as in measure/gap.
const fewest = 30

// comparable reports whether a rate has at least two known groups in a dimension that are large enough.
func comparable(g measure.Group, dimension string) bool {
	count := 0
	for _, s := range g.Strata[dimension] {
		below := s.Populations[measure.Denominator] + s.Populations[measure.MeasurePopulation]
		if s.State == string(mapping.Known) && s.Score != nil && !s.Suppressed && below >= fewest {
			count++
		}
	}
	return count > 1
}

func (d Data) measures() Figure {
	if d.Snapshot == "" {
		return Figure{Missing: NoSnapshot}
	}
	if len(d.Results) == 0 {
		return Figure{Missing: NoMeasure}
	}
	f := Figure{Of: float64(len(d.Results))}
	for _, r := range d.Results {
		by := func(dimension string) bool {
			return slices.ContainsFunc(r.Groups, func(g measure.Group) bool {
				return !slices.Contains(g.NotBy, dimension) && comparable(g, dimension)
			})
		}
		if by(mapping.DimensionRaceEthnicity) && by(mapping.DimensionLanguageGroup) {
			f.Value++
		}
		f.Partial = f.Partial || !r.Complete
	}
	return f
}

func (d Data) telehealth() Figure {
	r, g, missing := d.rate("telehealth-share", "main")
	if missing != "" {
		return Figure{Missing: missing}
	}
	f := Figure{Of: float64(len(Dimensions())), Partial: !r.Complete}
	for _, dimension := range Dimensions() {
		if comparable(g, dimension) {
			f.Value++
		}
	}
	return f
}

func (d Data) age() Figure {
	if d.Snapshot == "" || d.DataAsOf.IsZero() {
		return Figure{Missing: NoSnapshot}
	}
	return Figure{Value: max(0, d.Now.Sub(d.DataAsOf).Hours())}
}
