package chart

// Control is a control chart or run chart: figures in the order of time, between their limits.
type Control struct {
	Meta
	Axis   Axis
	Points []ControlPoint
	// Marks are what happened, and when.
	Marks []Mark
	// CentreLabel, LowerLabel and UpperLabel stand at the end of the lines.
	CentreLabel, LowerLabel, UpperLabel string
	Legend                              ControlLegend
}

// ControlLegend is the words for the marks of a control chart.
type ControlLegend struct{ Signal, Excluded, Partial, Limits, NoData string }

// ControlPoint is a figure of a period, with the limits of that period.
type ControlPoint struct {
	// Label is short: it stands below the axis. Text is the sentence for whoever points at it.
	Label, Text                 string
	Value, Centre, Lower, Upper *float64
	// Signal is beyond chance, Excluded not part of the limits, Partial a period that is not over.
	Signal, Excluded, Partial bool
}

// Mark is something that happened at the point of an index.
type Mark struct {
	At    int
	Label string
}

func (c Control) about() Meta { return c.Meta }

func (c Control) compose(s *sheet) { s.empty(c.Meta) }
