package chart

import (
	"math"
	"slices"
	"strings"
)

const (
	// A row is at least so high, and so much higher where it holds its own label.
	rowHeight = 28
	strip     = 26
	// inset keeps marks at the ends of an axis inside it.
	inset = 10
	// apart is the distance between rows of groups and those of the unknown.
	apart = 12
)

// ladder is rows on one axis: what dot plots and forest plots have in common.
type ladder struct {
	*sheet
	axis   Axis
	rows   []Row
	line   *Line
	legend Legend
	forest bool
	pooled bool // The last row is all others together.
	// What lies on either side of the line.
	before, after string

	scale                scale
	labelW, noteW, figW  float64
	plotLeft, plotRight  float64
	laid                 []laidRow
	top, bottom, tickTop float64
}

// laidRow is a row that knows its lines and its place.
type laidRow struct {
	Row
	kind        kind
	value       float64
	shown       bool
	label       []string
	note        string
	y, h        float64
	apart       bool
	title       string
	noteBeneath bool
}

func (c DotPlot) about() Meta { return c.Meta }

func (c DotPlot) compose(s *sheet) {
	l := ladder{sheet: s, axis: c.Axis, rows: c.Rows, line: c.Line, legend: c.Legend}
	l.compose(c.Meta)
}

func (c Forest) about() Meta { return c.Meta }

func (c Forest) compose(s *sheet) {
	l := ladder{
		sheet: s, axis: c.Axis, rows: c.Rows, legend: c.Legend, forest: true,
		line: &Line{c.Null, c.NullLabel}, before: c.Left, after: c.Right,
	}
	if c.Pooled != nil {
		l.rows, l.pooled = append(slices.Clone(c.Rows), *c.Pooled), true
	}
	l.compose(c.Meta)
}

func (l *ladder) compose(m Meta) {
	if len(l.rows) == 0 {
		l.empty(m)
		return
	}
	l.measure()
	l.columns()
	l.place()
	l.background()
	for i := range l.laid {
		l.row(&l.laid[i])
	}
	l.axisLine()
	l.samples()
}

// measure finds the ends of the axis, and what each row shows.
func (l *ladder) measure() {
	var e extent
	for i, r := range l.rows {
		row := laidRow{Row: r, kind: kindOf(r, l.forest)}
		if l.pooled && i == len(l.rows)-1 {
			row.kind = pooled
		}
		v, ok := number(r.Value)
		if row.shown = ok && r.State == Shown && l.axis.usable(v); row.shown {
			row.value = v
			e.include(v)
		} else if r.State == Shown {
			row.State = NoData
		}
		if row.Figure = clean(r.Figure); row.Figure == "" && row.shown {
			row.Figure = l.axis.say(v)
		}
		if !row.shown {
			row.Figure = ""
		}
		row.note = clean(r.Note)
		l.laid = append(l.laid, row)
	}
	if l.line != nil && l.axis.usable(l.line.Value) {
		e.include(l.line.Value)
	} else {
		l.line = nil
	}
	for _, r := range l.laid {
		if !r.shown || r.Interval == nil {
			continue
		}
		for _, v := range r.Interval {
			if l.axis.usable(v) {
				e.reach(v)
			}
		}
	}
	l.scale.axis = l.axis
	l.scale.low, l.scale.high = l.axis.bounds(e)
}

// columns shares the width between labels, notes, the axis and figures.
func (l *ladder) columns() {
	for i := range l.laid {
		r := &l.laid[i]
		l.labelW = math.Max(l.labelW, l.letters.width(clean(r.Label), labelSize, r.bold()))
		l.noteW = math.Max(l.noteW, l.letters.width(r.note, smallSize, false))
		l.figW = math.Max(l.figW, l.letters.width(r.Figure, figureSize, true))
	}
	l.plotLeft, l.plotRight = l.left(), l.right()
	if l.narrow {
		l.figW = math.Min(l.figW, l.room()*0.5)
		l.labelW = l.room()
		if l.figW > 0 {
			l.labelW -= l.figW + gutter
		}
	} else {
		l.labelW = math.Min(l.labelW+1, l.room()*0.32)
		l.noteW = math.Min(l.noteW, l.room()*0.18)
		l.figW = math.Min(l.figW, l.room()*0.24)
		l.plotLeft += l.labelW + gutter
		if l.noteW > 0 {
			l.plotLeft += l.noteW + gutter
		}
		if l.figW > 0 {
			l.plotRight -= l.figW + gutter
		}
	}
	l.scale.from, l.scale.to = l.plotLeft+inset, l.plotRight-inset
	for i := range l.laid {
		l.wording(&l.laid[i])
	}
}

func (r *laidRow) bold() bool { return r.Emphasis || r.kind == pooled }

// wording breaks the label of a row, and makes the sentence for whoever points at it.
func (l *ladder) wording(r *laidRow) {
	label := clean(r.Label)
	r.label = l.letters.wrap(label, labelSize, r.bold(), l.labelW, 2)
	figure := r.Figure
	switch {
	case r.State == Suppressed:
		figure = clean(l.legend.Suppressed)
	case !r.shown:
		figure = clean(l.legend.NoData)
	}
	r.title = withName(label, r.label, told(label, figure, r.Text))
	r.Figure = l.letters.cut(r.Figure, figureSize, true, math.Max(l.figW, 20))
	if !l.narrow {
		r.note = l.letters.cut(r.note, smallSize, false, math.Max(l.noteW, 20))
		r.h = math.Max(rowHeight, 10+labelSize*leading*float64(len(r.label)))
		return
	}
	r.noteBeneath = !l.fits(r.label, r.note, l.labelW)
	lines := float64(max(len(r.label), 1))
	switch {
	case !r.noteBeneath:
	case len(r.label) == 0:
		r.note = l.letters.cut(r.note, smallSize, false, l.labelW)
	default:
		r.note = l.letters.cut(r.note, smallSize, false, l.room())
		lines++
	}
	r.h = lines*labelSize*leading + strip
}

// told is the sentence of a figure: the caller's, and where there is none what the picture itself says.
func told(label, figure, text string) string {
	if text = clean(text); text != "" {
		return text
	}
	if label == "" || figure == "" {
		return label + figure
	}
	return label + ": " + figure
}

// withName puts a label that the picture had to cut before the sentence that lacks it.
func withName(label string, drawn []string, sentence string) string {
	n := len(drawn)
	if n == 0 || !strings.HasSuffix(drawn[n-1], string(ellipsis)) || strings.Contains(sentence, label) {
		return sentence
	}
	return label + ": " + sentence
}

// place gives every row its place.
func (l *ladder) place() {
	if l.line != nil && clean(l.line.Label) != "" {
		l.y += 18
	}
	if l.tall() {
		l.tickTop = l.y + 12
		l.y += 18
	}
	l.top = l.y
	for i := range l.laid {
		r := &l.laid[i]
		if i > 0 && (r.Unknown && !l.laid[i-1].Unknown || r.kind == pooled) {
			r.apart = true
			l.y += apart
		}
		r.y = l.y
		l.y += r.h
	}
	l.bottom = l.y + 4
	l.fields = append(l.fields,
		box{x: l.plotLeft, y: l.top, w: l.plotRight - l.plotLeft, h: l.bottom - l.top})
}

// tall pictures have the numbers of the axis at the head as well.
func (l *ladder) tall() bool { return len(l.rows) > 14 }
