package chart

import "math"

// point is a place in user units: x to the right, y downwards.
type point struct{ x, y float64 }

// paint is how a shape looks. A dash is lengths of ink and of nothing, in turn.
type paint struct {
	fill, stroke colour
	width        float64
	dash         dash
}

// dash is a way to break a line.
type dash int

const (
	whole dash = iota
	dashed
	dotted
	longDashed
	dashDotted
)

// lengths are of ink and of nothing, in turn, in user units.
func (d dash) lengths() []float64 {
	switch d {
	case dashed:
		return []float64{5, 3}
	case dotted:
		return []float64{1.5, 3}
	case longDashed:
		return []float64{10, 4}
	case dashDotted:
		return []float64{8, 3, 2, 3}
	default:
		return nil
	}
}

// shape is one of segment, box, disc, trace, words and datum.
type shape interface{ isShape() }

// segment is a straight line.
type segment struct {
	from, to point
	paint
}

// box is an upright rectangle.
type box struct {
	x, y, w, h float64
	paint
}

// disc is a circle.
type disc struct {
	at point
	r  float64
	paint
}

// trace is lines through points, each part apart, closed or not.
type trace struct {
	parts  [][]point
	closed bool
	paint
}

// anchor says which part of a text stands at its place.
type anchor int

const (
	start anchor = iota
	middle
	end
)

// words is one line of text; at is on its baseline. A tail follows it in smaller and quieter letters,
// wherever it ends.
type words struct {
	at     point
	text   string
	size   float64
	bold   bool
	anchor anchor
	colour colour
	tail   string
	// halo keeps lines that cross the text away from its letters.
	halo bool
}

// haloWidth is how wide the line is that a halo is drawn with: half of it shows.
const haloWidth = 3

// tailGap is between a text and its tail.
const tailGap = 8

// datum is what belongs to one figure, with the words that say it. Whoever points into reach is told
// them.
type datum struct {
	title  string
	reach  box
	shapes []shape
}

// lettered returns a line of text without a tail.
func lettered(at point, text string, size float64, bold bool, a anchor, c colour) words {
	return words{at: at, text: text, size: size, bold: bold, anchor: a, colour: c}
}

// small returns a line of small text.
func small(at point, text string, a anchor, c colour) words {
	return lettered(at, text, smallSize, false, a, c)
}

// rule returns a straight line.
func rule(from, to point, c colour, width float64, d dash) segment {
	return segment{from, to, paint{stroke: c, width: width, dash: d}}
}

// filled returns a closed ground without outline.
func filled(c colour, part ...point) trace {
	return trace{parts: [][]point{part}, closed: true, paint: paint{fill: c}}
}

func (segment) isShape() {}
func (box) isShape()     {}
func (disc) isShape()    {}
func (trace) isShape()   {}
func (words) isShape()   {}
func (datum) isShape()   {}

// diamond is a square on its tip; r is half of its height.
func diamond(at point, r float64, p paint) trace { return lozenge(at, r, r, p) }

// lozenge is a diamond of which half the width is rx and half the height ry.
func lozenge(at point, rx, ry float64, p paint) trace {
	return trace{parts: [][]point{{
		{at.x - rx, at.y}, {at.x, at.y - ry}, {at.x + rx, at.y}, {at.x, at.y + ry},
	}}, closed: true, paint: p}
}

// triangle stands on its base, or on its tip where up is false.
func triangle(at point, r float64, up bool, p paint) trace {
	if !up {
		r = -r
	}
	w := math.Abs(r)
	return trace{parts: [][]point{{
		{at.x - w, at.y + r*0.8}, {at.x, at.y - r}, {at.x + w, at.y + r*0.8},
	}}, closed: true, paint: p}
}

// square is an upright square around a place; r is half its side.
func square(at point, r float64, p paint) box {
	return box{at.x - r, at.y - r, 2 * r, 2 * r, p}
}

// slant is the direction of the lines of a hatch.
type slant int

const (
	noHatch slant = iota
	rising
	crossed
	speckled
)

// hatched returns the lines that fill a box, apart by step.
func hatched(b box, s slant, step float64, p paint) []shape {
	p.fill = none
	var parts [][]point
	switch s {
	case noHatch:
		return nil
	case rising:
		parts = diagonals(b, step, true)
	case crossed:
		parts = append(diagonals(b, step, true), diagonals(b, step, false)...)
	case speckled:
		return specks(b, step, p.stroke)
	}
	if len(parts) == 0 {
		return nil
	}
	return []shape{trace{parts: parts, paint: p}}
}

// diagonals are lines at 45 degrees, cut off at the sides of a box.
func diagonals(b box, step float64, up bool) [][]point {
	var parts [][]point
	for d := step / 2; d < b.w+b.h; d += step {
		// The line x + y = d, from the left or top side to the bottom or right side.
		from := point{math.Max(0, d-b.h), math.Min(d, b.h)}
		to := point{math.Min(d, b.w), math.Max(0, d-b.w)}
		if !up {
			from.y, to.y = b.h-from.y, b.h-to.y
		}
		if math.Abs(from.x-to.x) < 0.25 {
			continue
		}
		parts = append(parts, []point{{b.x + from.x, b.y + from.y}, {b.x + to.x, b.y + to.y}})
	}
	return parts
}

// specks are small dots in rows.
func specks(b box, step float64, c colour) []shape {
	var out trace
	out.closed, out.fill = true, c
	const r = 0.75
	for y, odd := b.y+step/2, false; y+r <= b.y+b.h; y, odd = y+step/2+1, !odd {
		x := b.x + step/2
		if odd {
			x += step / 2
		}
		for ; x+r <= b.x+b.w; x += step {
			out.parts = append(out.parts, []point{{x - r, y}, {x, y - r}, {x + r, y}, {x, y + r}})
		}
	}
	if len(out.parts) == 0 {
		return nil
	}
	return []shape{out}
}
