package chart

import "math"

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
	} else if r.noteBeneath {
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
	ticks := l.ticks()
	for _, t := range ticks {
		x := l.scale.at(t)
		l.add(rule(point{x, l.bottom}, point{x, l.bottom + 4}, edge, 1, whole))
	}
	l.numbers(l.scale, ticks, l.bottom+17)
	if l.tickTop > 0 {
		l.numbers(l.scale, ticks, l.tickTop)
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
