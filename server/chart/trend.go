package chart

// Trend shows one or a few figures over time; mostly the gap.
type Trend struct {
	Meta
	Axis Axis
	// Labels are the periods.
	Labels []string
	Lines  []TrendLine
	// Zero is the value of no gap, with its name.
	Zero *Line
	// IntervalLabel explains the intervals.
	IntervalLabel string
}

// TrendLine is a figure in each period; where it is absent the line is broken.
type TrendLine struct {
	Label     string
	Values    []*float64
	Intervals []*[2]float64
	// Texts are the sentences for whoever points at a figure.
	Texts []string
}

func (c Trend) about() Meta { return c.Meta }

func (c Trend) compose(s *sheet) { s.empty(c.Meta) }
