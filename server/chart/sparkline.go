package chart

import "math"

// Sparkline is a figure over time as large as a word, without axis. Its least, greatest and last values
// are marked.
type Sparkline struct {
	Meta
	Values []*float64
	// Last is the last value in words.
	Last string
}

const (
	sparkWidth  = 140
	sparkHeight = 28
)

// usualWidth is the width when none is asked for.
func (c Sparkline) usualWidth() float64 { return sparkWidth }

func (c Sparkline) about() Meta { return c.Meta }

func (c Sparkline) compose(s *sheet) {
	s.y = sparkHeight
	s.add(box{0, 0, s.width, sparkHeight, paint{fill: paper}})
	last := s.letters.cut(clean(c.Last), smallSize, true, s.width*0.6)
	area := box{x: 5, y: 5, w: s.width - 10, h: sparkHeight - 10}
	if last != "" {
		area.w -= s.letters.width(last, smallSize, true) + 4
		s.add(lettered(point{s.width - 1, sparkHeight/2.0 + 4}, last, smallSize, true, end, ink))
	}
	area.w = math.Max(area.w, 4)
	s.fields = append(s.fields, area)
	places, low, high := c.places(area)
	if len(places) == 0 {
		y := sparkHeight / 2.0
		s.add(absent(point{area.x, y}, point{area.x + area.w, y}))
		return
	}
	t := trace{paint: paint{stroke: mark, width: 1.5}}
	var part []point
	for i := range c.Values {
		if at, ok := places[i]; ok {
			part = append(part, at)
			continue
		}
		t.parts, part = append(t.parts, part), nil
	}
	t.parts = append(t.parts, part)
	t.parts = withLength(t.parts)
	if len(t.parts) > 0 {
		s.add(t)
	}
	end := len(c.Values) - 1
	for ; end > 0; end-- {
		if _, ok := places[end]; ok {
			break
		}
	}
	for _, i := range []int{low, high} {
		if low != high && i != end {
			s.add(disc{places[i], 2.5, paint{fill: paper, stroke: soft, width: 1.25}})
		}
	}
	s.add(disc{places[end], 3.25, paint{fill: mark}})
}

// places are where the values stand, and which are the least and the greatest.
func (c Sparkline) places(area box) (at map[int]point, least, greatest int) {
	at = map[int]point{}
	low, high := math.Inf(1), math.Inf(-1)
	for i, value := range c.Values {
		v, ok := number(value)
		if !ok {
			continue
		}
		at[i] = point{y: v}
		if v < low {
			low, least = v, i
		}
		if v > high {
			high, greatest = v, i
		}
	}
	step := area.w / math.Max(float64(len(c.Values)-1), 1)
	for i, p := range at {
		share := 0.5
		if high > low {
			share = (p.y - low) / (high - low)
		}
		at[i] = point{area.x + step*float64(i), area.y + area.h*(1-share)}
	}
	return at, least, greatest
}

// withLength are the parts that have more than one point.
func withLength(parts [][]point) [][]point {
	var out [][]point
	for _, one := range parts {
		if len(one) > 1 {
			out = append(out, one)
		}
	}
	return out
}
