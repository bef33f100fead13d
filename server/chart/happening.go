package chart

import (
	"cmp"
	"math"
	"slices"
)

// happening is the label of a mark on its level above the area.
type happening struct {
	mark Mark
	text string
	wide float64
}

// happenings puts the marks on levels so that those on one do not meet. The places are only known when
// the area is, so they are reckoned with the least that it can be.
func (c Control) happenings(s *sheet) [][]happening {
	var levels [][]happening
	n := len(c.Points)
	const most = 3
	marks := slices.Clone(c.Marks)
	slices.SortStableFunc(marks, func(a, b Mark) int { return cmp.Compare(a.At, b.At) })
	for _, m := range marks {
		text := clean(m.Label)
		if m.At < 0 || m.At >= n || text == "" {
			continue
		}
		text = s.letters.cut(text, smallSize, false, s.room()*0.4)
		one := happening{m, text, s.letters.width(text, smallSize, false)}
		level := 0
		for ; level < len(levels); level++ {
			if c.apart(s, levels[level], one) {
				break
			}
		}
		if level == most {
			continue
		}
		if level == len(levels) {
			levels = append(levels, nil)
		}
		levels[level] = append(levels[level], one)
	}
	return levels
}

// apart reports whether a label meets none of its level.
func (c Control) apart(s *sheet, level []happening, one happening) bool {
	step := s.room() * 0.55 / math.Max(float64(len(c.Points)-1), 1)
	for _, other := range level {
		if math.Abs(float64(one.mark.At-other.mark.At))*step < (one.wide+other.wide)/2+12 {
			return false
		}
	}
	return true
}

// marks draws what happened: a dotted line over the height of the area, and its label above it. A mark
// whose label has no place keeps its line, which tells it to whoever points at it.
func (c Control) marks(p *plane, levels [][]happening) {
	n := len(c.Points)
	for _, m := range c.Marks {
		if m.At < 0 || m.At >= n {
			continue
		}
		x := p.column(m.At, n)
		line := rule(point{x, p.area.y - 4}, point{x, p.area.y + p.area.h}, ink, 1, dotted)
		reach := box{x: x - 4, y: p.area.y - 8, w: 8, h: p.area.h + 8}
		p.add(datum{title: m.Label, reach: reach, shapes: []shape{line}})
	}
	for i, level := range levels {
		y, taken := p.area.y-9-16*float64(i), 0.0
		for _, one := range level {
			x := p.column(one.mark.At, n)
			at := math.Min(math.Max(x, p.left()+one.wide/2), p.right()-one.wide/2)
			if at-one.wide/2 < taken {
				continue
			}
			taken = at + one.wide/2 + 8
			p.add(small(point{at, y}, one.text, middle, ink))
		}
	}
}
