package chart

import (
	"math"
	"slices"
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
	r.title = told(label, r.Figure, r.Text)
	r.Figure = l.letters.cut(r.Figure, figureSize, true, math.Max(l.figW, 20))
	if !l.narrow {
		r.note = l.letters.cut(r.note, smallSize, false, math.Max(l.noteW, 20))
		r.h = math.Max(rowHeight, 10+labelSize*leading*float64(len(r.label)))
		return
	}
	last := ""
	if n := len(r.label); n > 0 {
		last = r.label[n-1]
	}
	beside := l.labelW - l.letters.width(last, labelSize, r.bold()) - tailGap
	r.noteBeneath = l.letters.width(r.note, smallSize, false) > beside
	lines := float64(max(len(r.label), 1))
	if r.noteBeneath && r.note != "" {
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

// ticks are the numbers that have room on the axis.
func (l *ladder) ticks() []float64 {
	return l.scale.ticks(func(all []float64) bool {
		w := 0.0
		for _, t := range all {
			w = math.Max(w, l.letters.width(l.axis.say(t), smallSize, false))
		}
		return (w+14)*float64(len(all)) <= l.plotRight-l.plotLeft
	})
}

// background draws the grid, the rules between rows and the line that all are compared with.
func (l *ladder) background() {
	for _, t := range l.ticks() {
		l.upright(l.scale.at(t), paint{stroke: grid, width: 1})
	}
	for i := range l.laid {
		r := &l.laid[i]
		switch {
		case r.apart:
			y := r.y - apart/2
			l.add(rule(point{l.left(), y}, point{l.right(), y}, edge, 1, whole))
		case i > 0 && l.narrow:
			l.add(rule(point{l.left(), r.y}, point{l.right(), r.y}, grid, 1, whole))
		}
		if !l.narrow {
			y := l.middle(r)
			l.add(rule(point{l.plotLeft, y}, point{l.plotRight, y}, grid, 1, whole))
		}
	}
	if l.line == nil {
		return
	}
	x := l.scale.at(l.line.Value)
	l.upright(x, paint{stroke: ink, width: 1.25, dash: dashed})
	if text := l.letters.cut(clean(l.line.Label), smallSize, false, l.room()); text != "" {
		w := l.letters.width(text, smallSize, false) / 2
		at := math.Min(math.Max(x, l.left()+w), l.right()-w)
		y := l.top - 8
		if l.tall() {
			y -= 18
		}
		l.add(small(point{at, y}, text, middle, ink))
	}
}

// upright draws a line across all rows; where labels stand above their rows, not through them.
func (l *ladder) upright(x float64, p paint) {
	if !l.narrow {
		l.add(segment{point{x, l.top - 3}, point{x, l.bottom}, p})
		return
	}
	var t trace
	t.paint = p
	for i := range l.laid {
		y := l.middle(&l.laid[i])
		t.parts = append(t.parts, []point{{x, y - strip/2 + 1}, {x, y + strip/2}})
	}
	l.add(t)
}

// middle is where the mark of a row stands.
func (l *ladder) middle(r *laidRow) float64 {
	if l.narrow {
		return r.y + r.h - strip/2 - 1
	}
	return r.y + r.h/2
}

// row draws one.
func (l *ladder) row(r *laidRow) {
	d := datum{title: r.title, reach: box{x: l.left(), y: r.y, w: l.room(), h: r.h}}
	d.shapes = append(l.lettering(r), l.figure(r)...)
	l.add(d)
}

// lettering draws the label, the note and the figure of a row.
func (l *ladder) lettering(r *laidRow) []shape {
	var out []shape
	y := r.y + r.h/2 - leading*labelSize*float64(len(r.label))/2 + 12.5
	if l.narrow {
		y = r.y + 15
	}
	first := y
	for i, text := range r.label {
		line := lettered(point{l.left(), y}, text, labelSize, r.bold(), start, ink)
		if l.narrow && !r.noteBeneath && i == len(r.label)-1 {
			line.tail = r.note
		}
		out = append(out, line)
		y += leading * labelSize
	}
	if !l.narrow {
		out = append(out, small(point{l.plotLeft - gutter, l.middle(r) + 4.5}, r.note, end, soft))
	} else if r.noteBeneath || len(r.label) == 0 {
		out = append(out, small(point{l.left(), y}, r.note, start, soft))
	}
	figure := lettered(point{l.right(), l.middle(r) + 4.5}, r.Figure, figureSize, r.bold(), end, ink)
	if l.narrow {
		figure.at.y = first
	}
	return append(out, figure)
}

// figure draws the mark of a row.
func (l *ladder) figure(r *laidRow) []shape {
	y := l.middle(r)
	switch {
	case r.State == Suppressed:
		return l.instead(hidden(point{l.scale.from, y}), hiddenWidth, l.legend.Suppressed, y)
	case !r.shown:
		gap := absent(point{l.scale.from, y}, point{l.scale.to, y})
		return l.instead([]shape{gap}, 18, l.legend.NoData, y)
	}
	var out []shape
	if i := r.Interval; r.kind == pooled && i != nil && l.axis.usable(i[0]) && l.axis.usable(i[1]) {
		return l.pool(r, y)
	}
	if r.Interval != nil {
		out = append(out, whisker(l.scale, *r.Interval, y, r.kind)...)
	}
	at := point{l.scale.at(r.value), y}
	if !l.scale.within(r.value) {
		return append(out, arrow(at, r.value > l.scale.high, r.kind.colour()))
	}
	return append(out, r.kind.glyph(at, r.Weight)...)
}

// pool draws the diamond of all rows together, as wide as its interval.
func (l *ladder) pool(r *laidRow, y float64) []shape {
	x, one, other := l.scale.at(r.value), l.scale.at(r.Interval[0]), l.scale.at(r.Interval[1])
	low, high := math.Min(math.Min(one, other), x-4), math.Max(math.Max(one, other), x+4)
	return []shape{filled(ink, point{low, y}, point{x, y - 8}, point{high, y}, point{x, y + 8})}
}

// instead puts the word for a figure that is not there beside its mark.
func (l *ladder) instead(marks []shape, width float64, text string, y float64) []shape {
	text = clean(text)
	if text == "" {
		return marks
	}
	x := l.scale.from + width + 8
	text = l.letters.cut(text, smallSize, false, l.plotRight-x)
	w := l.letters.width(text, smallSize, false)
	return append(marks,
		box{x - 4, y - 8, w + 8, 16, paint{fill: paper}},
		small(point{x, y + 4}, text, start, soft))
}

// axisLine draws the axis with its numbers and its label.
func (l *ladder) axisLine() {
	l.add(rule(point{l.plotLeft, l.bottom}, point{l.plotRight, l.bottom}, edge, 1, whole))
	for _, t := range l.ticks() {
		x, text := l.scale.at(t), l.axis.say(t)
		w := l.letters.width(text, smallSize, false) / 2
		at := math.Min(math.Max(x, w), l.width-w)
		l.add(rule(point{x, l.bottom}, point{x, l.bottom + 4}, edge, 1, whole))
		l.add(small(point{at, l.bottom + 17}, text, middle, soft))
		if l.tickTop > 0 {
			l.add(small(point{at, l.tickTop}, text, middle, soft))
		}
	}
	l.y = l.bottom + 21
	l.sides()
	label := clean(l.axis.Label)
	for _, text := range l.letters.wrap(label, smallSize, false, l.plotRight-l.plotLeft, 2) {
		l.add(small(point{(l.plotLeft + l.plotRight) / 2, l.y + 13}, text, middle, soft))
		l.y += smallSize * leading
	}
	l.y += 4
}

// sides says what lies on either side of the line.
func (l *ladder) sides() {
	room := (l.plotRight-l.plotLeft)/2 - 8
	before, after := clean(l.before), clean(l.after)
	if before != "" {
		before = "← " + before
	}
	if after != "" {
		after += " →"
	}
	left := l.letters.wrap(before, smallSize, false, room, 2)
	right := l.letters.wrap(after, smallSize, false, room, 2)
	for i, text := range left {
		l.add(small(point{l.plotLeft, l.y + 13 + float64(i)*smallSize*leading}, text, start, ink))
	}
	for i, text := range right {
		l.add(small(point{l.plotRight, l.y + 13 + float64(i)*smallSize*leading}, text, end, ink))
	}
	l.y += float64(max(len(left), len(right))) * smallSize * leading
}

// samples explains the marks that occur.
func (l *ladder) samples() {
	var found [pooled + 1]bool
	interval, beyond := false, false
	for _, r := range l.laid {
		if !r.shown {
			continue
		}
		found[r.kind] = true
		beyond = beyond || !l.scale.within(r.value)
		if r.Interval != nil {
			interval = true
			beyond = beyond || r.Interval[0] < l.scale.low || r.Interval[1] > l.scale.high
		}
	}
	var all []sample
	if interval {
		all = append(all, sample{l.legend.Interval, 30, func(at point) []shape {
			k := plain
			line := rule(point{at.x - 15, at.y}, point{at.x + 15, at.y}, mark, 1.75, whole)
			if l.forest {
				k = weighted
			}
			return append([]shape{line}, k.glyph(at, 0.3)...)
		}})
	}
	for _, one := range []struct {
		kind kind
		text string
	}{
		{reference, l.legend.Reference}, {emphasised, l.legend.Emphasis},
		{unreliable, l.legend.Unreliable}, {unknown, l.legend.Unknown},
	} {
		if found[one.kind] {
			all = append(all, one.kind.sampled(one.text))
		}
	}
	if beyond {
		all = append(all, sample{l.legend.Beyond, 14, func(at point) []shape {
			return []shape{
				rule(point{at.x - 7, at.y}, at, mark, 1.75, whole),
				arrow(point{at.x + 7, at.y}, true, mark),
			}
		}})
	}
	l.sheet.legend(all)
}
