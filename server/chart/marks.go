package chart

import "math"

// kind is how a row is marked. No two kinds have one form.
type kind int

const (
	plain kind = iota
	emphasised
	reference
	unknown
	unreliable
	weighted
	pooled
)

// kindOf is the kind of a row. What a figure cannot be trusted for is said before what it is about.
func kindOf(r Row, forest bool) kind {
	switch {
	case r.Unknown:
		return unknown
	case r.Unreliable:
		return unreliable
	case r.Reference:
		return reference
	case r.Emphasis:
		return emphasised
	case forest:
		return weighted
	default:
		return plain
	}
}

// colour is that of a kind's lines.
func (k kind) colour() colour {
	switch k {
	case emphasised:
		return accent
	case reference, pooled:
		return ink
	case unknown:
		return soft
	default:
		return mark
	}
}

// glyph draws the mark of a kind; weight is of 0 to 1 and matters to the weighted alone.
func (k kind) glyph(at point, weight float64) []shape {
	c := k.colour()
	switch k {
	case emphasised:
		ring := paint{fill: paper, stroke: c, width: 1.5}
		return []shape{disc{at, 8, ring}, disc{at, 5, paint{fill: c}}}
	case reference:
		return []shape{diamond(at, 7, paint{fill: c})}
	case unknown:
		return []shape{disc{at, 5, paint{fill: paper, stroke: c, width: 1.75}}}
	case unreliable:
		return []shape{disc{at, 5, paint{fill: paper, stroke: c, width: 1.75}}, halfDisc(at, 5, c)}
	case weighted:
		if !(weight > 0 && weight <= 1) {
			weight = 0.3
		}
		return []shape{square(at, 3+5*math.Sqrt(weight), paint{fill: c})}
	case pooled:
		return []shape{lozenge(at, 10, 7, paint{fill: c})}
	default:
		return []shape{disc{at, 5.5, paint{fill: c}}}
	}
}

// halfDisc fills the left half of a disc.
func halfDisc(at point, r float64, c colour) trace {
	const steps = 12
	part := make([]point, 0, steps+1)
	for i := range steps + 1 {
		a := math.Pi/2 + math.Pi*float64(i)/steps
		part = append(part, point{at.x + r*math.Cos(a), at.y - r*math.Sin(a)})
	}
	return trace{parts: [][]point{part}, closed: true, paint: paint{fill: c}}
}

// whisker draws an interval along a row, with an arrow where it goes on beyond the axis.
func whisker(s scale, interval [2]float64, y float64, k kind) []shape {
	low, high := interval[0], interval[1]
	if math.IsNaN(low) || math.IsNaN(high) {
		return nil
	}
	low, high = math.Min(low, high), math.Max(low, high)
	p := paint{stroke: k.colour(), width: 1.75}
	if k == unreliable || k == unknown {
		p.dash = dashed
	}
	from, to := s.at(low), s.at(high)
	out := []shape{segment{point{from, y}, point{to, y}, p}}
	if low < s.low {
		out = append(out, arrow(point{s.from, y}, false, k.colour()))
	}
	if high > s.high {
		out = append(out, arrow(point{s.to, y}, true, k.colour()))
	}
	return out
}

// arrow is a head that points out of the axis; its tip is at a place.
func arrow(tip point, right bool, c colour) trace {
	back := -7.0
	if !right {
		back = 7
	}
	return trace{parts: [][]point{{
		tip, {tip.x + back, tip.y - 4}, {tip.x + back, tip.y + 4},
	}}, closed: true, paint: paint{fill: c}}
}

const (
	// The box that stands for a figure that is not told.
	hiddenWidth  = 34
	hiddenHeight = 13
)

// hidden draws the mark of a suppressed figure, of which the left middle is at a place.
func hidden(at point) []shape {
	return hiddenBox(box{x: at.x, y: at.y - hiddenHeight/2.0, w: hiddenWidth, h: hiddenHeight}, 5)
}

// hiddenBox fills a box with the hatch of what is suppressed.
func hiddenBox(b box, step float64) []shape {
	b.paint = paint{fill: paper}
	out := []shape{b}
	out = append(out, hatched(b, rising, step, paint{stroke: hatch, width: 1})...)
	b.paint = paint{stroke: soft, width: 1}
	return append(out, b)
}

// absent draws the dotted line of a figure that does not exist.
func absent(from, to point) shape {
	return rule(from, to, edge, 1.5, dotted)
}

// sampled returns an entry of a legend for a kind.
func (k kind) sampled(text string) sample {
	return sample{text, 16, func(at point) []shape { return k.glyph(at, 0.3) }}
}
