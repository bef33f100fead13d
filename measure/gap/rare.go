package gap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/measure/stat/spc"
)

// RareSeries is one stratum whose events are too rare for a chart of months: a g chart of the units
// between two events, in the order of their days. Within a day the units without the event come first.
type RareSeries struct {
	Label string `json:"label"`
	Code  string `json:"code,omitempty"`
	State string `json:"state,omitempty"`
	// Failures says that what is rare, and called an event here, is a unit that does not have it.
	Failures bool `json:"failures,omitempty"`
	// Units are those of the denominator, and Events how many of them are events.
	Units  int64 `json:"units"`
	Events int   `json:"events"`
	// Needed is the number of events that a chart needs. Where there are fewer there are no points.
	Needed int         `json:"needed"`
	Points []RarePoint `json:"points"`
	// Centre is the median of the points, Upper their limit; there is no lower one.
	Centre *float64 `json:"centre,omitempty"`
	Upper  *float64 `json:"upper,omitempty"`
	// Since is how many units came after the last event. That stretch is not over, and is no point.
	Since   int64        `json:"since"`
	Signals []RareSignal `json:"signals"`
	// Pace is absent where there are no points, or all units of one day.
	Pace *Pace `json:"pace,omitempty"`
}

// RarePoint is what lies between an event and the one before.
type RarePoint struct {
	// Event is the number of the later of the two, from 2 on, and Month its month as 2025-03; From is
	// that of the earlier one.
	Event int    `json:"event"`
	From  string `json:"from"`
	Month string `json:"month"`
	// Units are those without the event.
	Units float64 `json:"units"`
}

// RareSignal is a pattern in the points.
type RareSignal struct {
	Rule spc.Rule `json:"rule"`
	Says string   `json:"says"`
	// Points are the indices of those that make it.
	Points []int `json:"points"`
	// Side is above or rising where events become rarer, below or falling where they become more
	// frequent.
	Side spc.Side `json:"side"`
	// Better says that the side is the good one; absent where neither is.
	Better *bool `json:"better,omitempty"`
	Found  int   `json:"found"`
	Bound  int   `json:"bound"`
}

// Pace is whether events become rarer.
type Pace struct {
	// Earlier is the median of the first half of the points, Later that of the others.
	Earlier float64 `json:"earlier"`
	Later   float64 `json:"later"`
	// P is that of the test for a trend of the proportion over the order of all units.
	P float64 `json:"p"`
	// Clear says that the test finds a trend, and the medians go its way.
	Clear bool `json:"clear"`
	// Better says that a clear trend is the good one; absent where neither way is.
	Better *bool `json:"better,omitempty"`
}

// fewestBetween is the number of points below which no limit is computed: that of a chart of months.
const fewestBetween = 12

// Rare are the g charts of those series of a trend that months are too short for, in the order of the
// trend. Sequences are those of the same question; a stratum that has none is left out.
func Rare(r TrendReport, sequences []measure.Sequence) ([]RareSeries, error) {
	var out []RareSeries
	for _, s := range r.Series {
		failures, ok := s.rare()
		if !ok || r.Scoring != measure.Proportion {
			continue
		}
		i := slices.IndexFunc(sequences, func(q measure.Sequence) bool {
			return q.Code == s.Code && q.State == s.State
		})
		if i < 0 {
			continue
		}
		one := RareSeries{Label: s.Label, Code: s.Code, State: s.State, Failures: failures,
			Needed: fewestBetween + 1, Points: []RarePoint{}, Signals: []RareSignal{}}
		if err := one.draw(sequences[i], r.Improvement); err != nil {
			return nil, fmt.Errorf("chart what lies between the events of %s: %w", s.Label, err)
		}
		out = append(out, one)
	}
	return out, nil
}

// RareIn reports whether some series of a trend wants a chart of what lies between its events.
func RareIn(r TrendReport) bool {
	return r.Scoring == measure.Proportion && slices.ContainsFunc(r.Series, func(s Series) bool {
		_, ok := s.rare()
		return ok
	})
}

// rare reports whether a run chart stands in for one of what lies between events, or between failures.
func (s Series) rare() (failures, ok bool) {
	if s.Chart != spc.Run {
		return false, false
	}
	failures = strings.HasPrefix(s.Why, spc.RareNonEvents.Says())
	return failures, failures || strings.HasPrefix(s.Why, spc.RareEvents.Says())
}

// draw makes the points, and where they are enough their limit and what stands out.
func (s *RareSeries) draw(q measure.Sequence, improvement measure.Improvement) error {
	for _, d := range q.Days {
		s.Units += d.Units
	}
	numbers, days := q.Events(s.Failures)
	s.Events, s.Since = len(numbers), s.Units
	if s.Events > 0 {
		s.Since -= numbers[s.Events-1]
	}
	if s.Events < s.Needed {
		return nil
	}
	between, err := spc.Opportunities(numbers)
	if err != nil {
		return err
	}
	for i, b := range between {
		s.Points = append(s.Points, RarePoint{
			Event: i + 2, From: days[i].Format(monthLayout), Month: days[i+1].Format(monthLayout),
			Units: b.Count,
		})
	}
	drawn, err := spc.New(spc.G, between, spc.Config{})
	if err != nil {
		return err
	}
	s.Centre, s.Upper = &drawn.Points[0].Centre, &drawn.Points[0].Upper
	rules := spc.Shewhart()
	if *s.Centre == 0 {
		// No point can be below, so that rules about sides and directions say nothing.
		rules = []spc.Rule{spc.BeyondLimits}
	}
	for _, found := range drawn.Signals(rules...) {
		s.Signals = append(s.Signals, RareSignal{Rule: found.Rule, Says: found.Rule.Says(),
			Points: found.Indices, Side: found.Side, Found: found.Found, Bound: found.Bound,
			Better: s.better(found.Side == spc.Above || found.Side == spc.Rising, improvement)})
	}
	s.pace(q, improvement)
	return nil
}

// better reports whether it is good that events become rarer, or that they become more frequent.
func (s *RareSeries) better(rarer bool, improvement measure.Improvement) *bool {
	if improvement == measure.Context {
		return nil
	}
	// Where failures become rarer the score rises.
	better := (rarer == s.Failures) == (improvement == measure.Increase)
	return &better
}

// pace holds the earlier events against the later ones. All units of a day have the same place in the
// order, so that what is not known within a day counts neither way.
func (s *RareSeries) pace(q measure.Sequence, improvement measure.Improvement) {
	var x, n, places []float64
	before := 0.0
	for _, d := range q.Days {
		events := d.Events
		if s.Failures {
			events = d.Units - d.Events
		}
		x, n = append(x, float64(events)), append(n, float64(d.Units))
		places = append(places, before+(float64(d.Units)+1)/2)
		before += float64(d.Units)
	}
	trend, ok := stat.TrendTest(x, n, places)
	if !ok {
		return
	}
	half := len(s.Points) / 2
	p := Pace{Earlier: medianOf(s.Points[:half]), Later: medianOf(s.Points[half:]), P: trend.P}
	rarer := trend.Z < 0
	p.Clear = trend.P < likely && (rarer && p.Later > p.Earlier || !rarer && p.Later < p.Earlier)
	if p.Clear {
		p.Better = s.better(rarer, improvement)
	}
	s.Pace = &p
}

// medianOf is the median of the units of some points, of which there is one at least.
func medianOf(points []RarePoint) float64 {
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = p.Units
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
