package chart

// Row is a line of a dot plot or forest plot: a group, or a place.
type Row struct {
	// Label names it. Note stands beside it, as "n 1,204"; Figure at its end, and is what the axis
	// writes of Value if it is empty. Text is the sentence for whoever points at it.
	Label, Note, Figure, Text string
	// Value is the figure, Interval how sure it is.
	Value    *float64
	Interval *[2]float64
	// State says why there is no figure, where there is none.
	State State
	// Weight is the size of a mark in a forest plot: a share of the largest, of 0 to 1.
	Weight float64
	// Reference is what others are compared with, Emphasis what the sentence is about.
	Reference, Emphasis bool
	// Unknown is a group of those who are in none; such rows stand apart. Unreliable rests on few.
	Unknown, Unreliable bool
}

// Legend is the words for the marks of a picture. Only what occurs in it is explained; a mark that has
// no words is not.
type Legend struct {
	// Interval, as "95 % interval"; Beyond, as "goes on beyond the axis".
	Interval, Beyond string
	// Reference, Emphasis, Unknown and Unreliable are the kinds of rows.
	Reference, Emphasis, Unknown, Unreliable string
	// Suppressed and NoData also stand in the row, in place of a figure.
	Suppressed, NoData string
}

// Line is a value that is drawn across the picture, with its name.
type Line struct {
	Value float64
	Label string
}

// DotPlot shows one figure of each group on one axis: the usual picture of a measure by a dimension.
type DotPlot struct {
	Meta
	Axis Axis
	Rows []Row
	// Line is what the groups are compared with.
	Line   *Line
	Legend Legend
}

// Forest shows one gap in each row, with its interval and the value of no gap.
type Forest struct {
	Meta
	Axis Axis
	Rows []Row
	// Pooled is all rows together.
	Pooled *Row
	// Null is the value of no gap: 0 of differences, 1 of ratios.
	Null      float64
	NullLabel string
	// Left and Right say what lies on either side of it.
	Left, Right string
	Legend      Legend
}
