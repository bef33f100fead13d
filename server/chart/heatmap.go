package chart

// HeatMap shows where to look: measures by groups.
type HeatMap struct {
	Meta
	Columns []string
	Rows    []HeatRow
	Legend  HeatLegend
}

// HeatRow is a measure.
type HeatRow struct {
	Label string
	Cells []HeatCell
}

// HeatCell is a measure of a group.
type HeatCell struct {
	// Text is short: the gap. Title is the sentence for whoever points at it.
	Text, Title string
	// Level is from -1, much worse than the reference, to 1, much better.
	Level float64
	State State
	// Clear says that the gap is more than chance would make.
	Clear bool
	// Reference is the group that is compared with.
	Reference bool
}

// HeatLegend is the words for the cells of a heat map.
type HeatLegend struct{ Worse, Better, Same, Clear, Suppressed, NoData, Reference string }

func (c HeatMap) about() Meta { return c.Meta }

func (c HeatMap) compose(s *sheet) { s.empty(c.Meta) }
