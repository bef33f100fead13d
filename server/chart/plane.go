package chart

import (
	"cmp"
	"math"
	"slices"
)

// plane is an area with a vertical axis: what funnels, control charts and trends have in common.
type plane struct {
	*sheet
	up   scale
	area box
}

const (
	wideArea   = 250
	narrowArea = 210
	// tailRoom is between an area and what is written at the end of its lines.
	tailRoom = 8
)

// plane lays out an area that leaves room at its right and above it, and draws its vertical axis.
func (s *sheet) plane(axis Axis, e extent, right, above float64) plane {
	p := plane{sheet: s, up: scale{axis: axis}}
	p.up.low, p.up.high = axis.bounds(e)
	for _, text := range s.letters.wrap(clean(axis.Label), smallSize, false, s.room(), 2) {
		s.add(small(point{s.left(), s.y + smallSize}, text, start, soft))
		s.y += smallSize * leading
	}
	s.y += 4 + above
	h := float64(wideArea)
	if s.narrow {
		h = narrowArea
	}
	p.area = box{y: s.y, h: h}
	p.up.from, p.up.to = s.y+h-inset, s.y+inset
	ticks := p.up.ticks(func(all []float64) bool { return float64(len(all))*26 <= h })
	wide := 0.0
	for _, t := range ticks {
		wide = math.Max(wide, s.letters.width(axis.say(t), smallSize, false))
	}
	wide = math.Min(wide, s.room()*0.3)
	p.area.x = s.left() + wide + 8
	p.area.w = s.right() - right - p.area.x
	for _, t := range ticks {
		y := p.up.at(t)
		s.add(rule(point{p.area.x, y}, point{p.area.x + p.area.w, y}, grid, 1, whole))
		text := s.letters.cut(axis.say(t), smallSize, false, wide)
		s.add(small(point{p.area.x - 8, y + 4}, text, end, soft))
	}
	s.fields = append(s.fields, p.area)
	s.y += h
	return p
}

// floor draws the line below an area.
func (p *plane) floor() {
	y := p.area.y + p.area.h
	p.add(rule(point{p.area.x, y}, point{p.area.x + p.area.w, y}, edge, 1, whole))
}

// column is the place of the i-th of n periods, and step the distance between two.
func (p *plane) column(i, n int) float64 {
	if n <= 1 {
		return p.area.x + p.area.w/2
	}
	return p.area.x + inset + p.step(n)*float64(i)
}

func (p *plane) step(n int) float64 {
	if n <= 1 {
		return p.area.w - 2*inset
	}
	return (p.area.w - 2*inset) / float64(n-1)
}

// periods writes the labels of periods below the area: all, or every so many as fit.
func (p *plane) periods(labels []string) {
	n, wide := len(labels), 0.0
	p.floor()
	for i := range labels {
		labels[i] = p.letters.cut(clean(labels[i]), smallSize, false, 110)
		wide = math.Max(wide, p.letters.width(labels[i], smallSize, false))
	}
	every := 1
	for _, every = range []int{1, 2, 3, 4, 6, 12, 24, 48, 96} {
		if float64(every)*p.step(n) >= wide+10 {
			break
		}
	}
	bottom, taken := p.area.y+p.area.h, 0.0
	for i := 0; i < n; i += every {
		x := p.column(i, n)
		w := p.letters.width(labels[i], smallSize, false) / 2
		p.add(rule(point{x, bottom}, point{x, bottom + 4}, edge, 1, whole))
		at := math.Min(math.Max(x, w), p.width-w-2)
		if at-w < taken {
			continue
		}
		taken = at + w + 6
		p.add(small(point{at, bottom + 17}, labels[i], middle, soft))
	}
	p.down(21)
}

// down moves on.
func (p *plane) down(by float64) { p.y += by }

// ending is what is written at the end of a line, at its height.
type ending struct {
	lines  []string
	y      float64
	bold   bool
	colour colour
}

// endings writes at the right of an area, each as near its line as the others allow.
func (p *plane) endings(all []ending) {
	const line = 14
	all = slices.DeleteFunc(all, func(e ending) bool { return len(e.lines) == 0 })
	slices.SortStableFunc(all, func(a, b ending) int { return cmp.Compare(a.y, b.y) })
	top := p.area.y - line/2
	tops := make([]float64, len(all))
	for i, e := range all {
		tops[i] = math.Max(e.y-line*float64(len(e.lines))/2, top)
		top = tops[i] + line*float64(len(e.lines))
	}
	// What was pushed below the end is pushed back, and what stands above it with it.
	bottom := p.area.y + p.area.h + line
	for i := len(all) - 1; i >= 0; i-- {
		h := line * float64(len(all[i].lines))
		tops[i] = math.Min(tops[i], bottom-h)
		bottom = tops[i]
	}
	for i, e := range all {
		for j, text := range e.lines {
			at := point{p.area.x + p.area.w + tailRoom, tops[i] + line*float64(j) + 11}
			p.add(lettered(at, text, smallSize, e.bold, start, e.colour))
		}
	}
}

// clipped are the parts of a line between the ends of the axis.
func (p *plane) clipped(line []point) [][]point {
	top, bottom := p.up.to, p.up.from
	var out [][]point
	var part []point
	flush := func() {
		if len(part) > 1 {
			out = append(out, part)
		}
		part = nil
	}
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		from, to, ok := cross(a, b, top, bottom)
		if !ok {
			flush()
			continue
		}
		if len(part) == 0 {
			part = append(part, from)
		}
		part = append(part, to)
		if to != b {
			flush()
		}
	}
	flush()
	return out
}

// cross cuts a line off at two heights.
func cross(a, b point, top, bottom float64) (from, to point, ok bool) {
	if a.y < top && b.y < top || a.y > bottom && b.y > bottom {
		return a, b, false
	}
	at := func(y float64) point { return point{a.x + (b.x-a.x)*(y-a.y)/(b.y-a.y), y} }
	inside := func(c point) point {
		switch {
		case c.y < top:
			return at(top)
		case c.y > bottom:
			return at(bottom)
		default:
			return c
		}
	}
	return inside(a), inside(b), true
}

// within is the part of an area's ground that lies between the ends of the axis.
func (p *plane) within(ground []point) []point {
	top, bottom := p.up.to, p.up.from
	ground = above(ground, bottom, 1)
	return above(ground, top, -1)
}

// above is the part of a ground on one side of a height: upwards of it where side is 1, downwards of it
// where side is -1.
func above(ground []point, y, side float64) []point {
	var out []point
	for i, b := range ground {
		a := ground[(i+len(ground)-1)%len(ground)]
		in, was := (y-b.y)*side >= 0, (y-a.y)*side >= 0
		if in != was {
			out = append(out, point{a.x + (b.x-a.x)*(y-a.y)/(b.y-a.y), y})
		}
		if in {
			out = append(out, b)
		}
	}
	return out
}

// free is the place of a number without regard to the ends of the axis.
func (p *plane) free(v float64) float64 {
	if p.up.axis.Log {
		v = math.Max(v, leastLog)
		return p.up.from + (math.Log(v/p.up.low)/math.Log(p.up.high/p.up.low))*(p.up.to-p.up.from)
	}
	return p.up.from + (v-p.up.low)/(p.up.high-p.up.low)*(p.up.to-p.up.from)
}
