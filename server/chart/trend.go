package chart

import (
	"math"
	"slices"
)

// Trend shows one or a few figures over time; mostly the gap.
type Trend struct {
	Meta
	Axis Axis
	// Labels are the periods.
	Labels []string
	Lines  []TrendLine
	// Zero is the value of no gap, with its name.
	Zero *Line
	// IntervalLabel explains the intervals, Suppressed and NoData the marks of absent figures.
	IntervalLabel, Suppressed, NoData string
}

// TrendLine is a figure in each period; where it is absent the line is broken.
type TrendLine struct {
	Label     string
	Values    []*float64
	Intervals []*[2]float64
	// Texts are the sentences for whoever points at a figure.
	Texts []string
	// States say why a figure is absent. They may be fewer than the figures.
	States []State
}

// state is that of a period.
func (t TrendLine) state(i int) State {
	if i < len(t.States) {
		return t.States[i]
	}
	return Shown
}

// value is the figure of a period.
func (t TrendLine) value(i int, a Axis) (float64, bool) {
	if i >= len(t.Values) || t.state(i) != Shown {
		return 0, false
	}
	v, ok := number(t.Values[i])
	return v, ok && a.usable(v)
}

// interval is how sure the figure of a period is.
func (t TrendLine) interval(i int) ([2]float64, bool) {
	if i >= len(t.Intervals) || t.Intervals[i] == nil {
		return [2]float64{}, false
	}
	low, high := t.Intervals[i][0], t.Intervals[i][1]
	if math.IsNaN(low) || math.IsNaN(high) {
		return [2]float64{}, false
	}
	return [2]float64{math.Min(low, high), math.Max(low, high)}, true
}

// manner is how the lines of a trend differ: by colour, by dash and by mark.
type manner struct {
	colour colour
	dash   dash
	glyph  int
}

// mannerOf is that of the i-th line.
func mannerOf(i int) manner {
	hues := [...]colour{mark, accent, second, third, fourth, fifth}
	dashes := [...]dash{whole, dashed, longDashed, dashDotted, dotted}
	return manner{hues[i%len(hues)], dashes[i%len(dashes)], i % 6}
}

func (m manner) paint() paint { return paint{stroke: m.colour, width: 2, dash: m.dash} }

// mark draws a figure of the line.
func (m manner) mark(at point) shape {
	full := paint{fill: m.colour}
	hollow := paint{fill: paper, stroke: m.colour, width: 1.75}
	switch m.glyph {
	case 1:
		return square(at, 3.5, full)
	case 2:
		return diamond(at, 5, full)
	case 3:
		return triangle(at, 4.5, true, full)
	case 4:
		return disc{at, 3.75, hollow}
	case 5:
		return square(at, 3.5, hollow)
	default:
		return disc{at, 4, full}
	}
}

func (c Trend) about() Meta { return c.Meta }

func (c Trend) compose(s *sheet) {
	if len(c.Labels) == 0 || len(c.Lines) == 0 {
		s.empty(c.Meta)
		return
	}
	endings, room := c.endings(s)
	p := s.plane(c.Axis, c.extent(), room, 0)
	c.zero(&p)
	for i := range c.Lines {
		c.line(&p, i)
	}
	for i := range endings {
		endings[i].y = p.up.at(endings[i].y)
	}
	p.endings(endings)
	p.periods(append([]string(nil), c.Labels...))
	c.samples(s)
}

// extent is what the axis has to show.
func (c Trend) extent() extent {
	var e extent
	if c.Zero != nil && c.Axis.usable(c.Zero.Value) {
		e.include(c.Zero.Value)
	}
	for _, line := range c.Lines {
		for i := range c.Labels {
			if v, ok := line.value(i, c.Axis); ok {
				e.include(v)
			}
		}
	}
	for _, line := range c.Lines {
		for i := range c.Labels {
			if _, ok := line.value(i, c.Axis); !ok {
				continue
			}
			if interval, ok := line.interval(i); ok {
				for _, v := range interval {
					if c.Axis.usable(v) {
						e.reach(v)
					}
				}
			}
		}
	}
	return e
}

// endings are the names of the lines, at their last figures, and that of no gap; on a narrow picture
// the legend has them.
func (c Trend) endings(s *sheet) (all []ending, room float64) {
	if s.narrow {
		return nil, 0
	}
	put := func(text string, v float64, hue colour) {
		lines := s.letters.wrap(clean(text), smallSize, false, 0.22*s.room(), 2)
		for _, text := range lines {
			room = math.Max(room, s.letters.width(text, smallSize, false)+tailRoom)
		}
		all = append(all, ending{lines, v, false, hue})
	}
	if c.Zero != nil && c.Axis.usable(c.Zero.Value) {
		put(c.Zero.Label, c.Zero.Value, ink)
	}
	if len(c.Lines) < 2 {
		return all, room
	}
	for i, line := range c.Lines {
		for k := len(c.Labels) - 1; k >= 0; k-- {
			v, ok := line.value(k, c.Axis)
			if !ok {
				continue
			}
			put(line.Label, v, mannerOf(i).colour)
			break
		}
	}
	return all, room
}

// zero draws the line of no gap.
func (c Trend) zero(p *plane) {
	if c.Zero == nil || !c.Axis.usable(c.Zero.Value) || !p.up.within(c.Zero.Value) {
		return
	}
	y := p.up.at(c.Zero.Value)
	p.add(rule(point{p.area.x, y}, point{p.area.x + p.area.w, y}, ink, 1.25, dashed))
}

// line draws one line with its intervals.
func (c Trend) line(p *plane, i int) {
	line, m, n := c.Lines[i], mannerOf(i), len(c.Labels)
	shift := 0.0
	if many := len(c.Lines); many > 1 {
		most := math.Min(4, math.Min(p.step(n), inset)/float64(many))
		shift = (float64(i) - float64(many-1)/2) * most
	}
	var parts [][]point
	var part []point
	var data []shape
	var upper, lower []point
	flush := func() {
		if len(upper) > 0 {
			p.add(shaded(upper, lower))
		}
		parts, part, upper, lower = append(parts, part), nil, nil, nil
	}
	for k := range c.Labels {
		v, ok := line.value(k, c.Axis)
		if !ok {
			flush()
			if state := line.state(k); state != Shown {
				data = append(data, c.absence(p, line, k, shift))
			}
			continue
		}
		at := point{p.column(k, n) + shift, p.up.at(v)}
		part = append(part, at)
		d := datum{title: c.told(line, k, v), reach: box{x: at.x - 6, y: at.y - 10, w: 12, h: 20}}
		if interval, sure := line.interval(k); sure {
			top, bottom := p.up.at(interval[1]), p.up.at(interval[0])
			upper, lower = append(upper, point{at.x, top}), append(lower, point{at.x, bottom})
			if len(c.Lines) > 1 || n == 1 {
				d.shapes = append(d.shapes, rule(point{at.x, top}, point{at.x, bottom}, m.colour, 1, whole))
			}
		}
		if p.up.within(v) {
			d.shapes = append(d.shapes, m.mark(at))
		} else {
			d.shapes = append(d.shapes, triangle(at, 5, v > p.up.high, paint{fill: m.colour}))
		}
		data = append(data, d)
		if len(c.Lines) > 1 {
			upper, lower = nil, nil
		}
	}
	flush()
	t := trace{paint: m.paint()}
	for _, one := range parts {
		if len(one) > 1 {
			t.parts = append(t.parts, one)
		}
	}
	if len(t.parts) > 0 {
		p.add(t)
	}
	p.add(data...)
}

// absence marks a figure that is not there, below the others.
func (c Trend) absence(p *plane, line TrendLine, k int, shift float64) datum {
	foot := point{p.column(k, len(c.Labels)) + shift, p.area.y + p.area.h}
	word := c.NoData
	if line.state(k) == Suppressed {
		word = c.Suppressed
	}
	d := datum{reach: box{x: foot.x - 6, y: foot.y - 20, w: 12, h: 20},
		shapes: missing(foot, line.state(k))}
	d.title = told(clean(line.Label+" "+c.Labels[k]), clean(word), line.text(k))
	return d
}

// shaded is the ground between the ends of intervals.
func shaded(upper, lower []point) trace {
	part := append([]point(nil), upper...)
	for i := len(lower) - 1; i >= 0; i-- {
		part = append(part, lower[i])
	}
	return trace{parts: [][]point{part}, closed: true, paint: paint{fill: band}}
}

// told is the sentence of a figure.
func (c Trend) told(line TrendLine, k int, v float64) string {
	return told(clean(line.Label+" "+c.Labels[k]), c.Axis.say(v), line.text(k))
}

// text is the caller's sentence of a figure.
func (t TrendLine) text(k int) string {
	if k < len(t.Texts) {
		return t.Texts[k]
	}
	return ""
}

// samples explains the lines where they are not named, and the intervals.
func (c Trend) samples(s *sheet) {
	var all []sample
	intervals := false
	for i, line := range c.Lines {
		for k := range c.Labels {
			_, ok := line.interval(k)
			intervals = intervals || ok
		}
		if !s.narrow && len(c.Lines) > 1 {
			continue
		}
		m := mannerOf(i)
		all = append(all, sample{line.Label, 28, func(at point) []shape {
			line := segment{point{at.x - 14, at.y}, point{at.x + 14, at.y}, m.paint()}
			return []shape{line, m.mark(at)}
		}})
	}
	if intervals && len(c.Lines) > 1 {
		all = append(all, sample{c.IntervalLabel, 8, func(at point) []shape {
			line := rule(point{at.x, at.y - 8}, point{at.x, at.y + 8}, mark, 1, whole)
			return []shape{line, disc{at, 3, paint{fill: mark}}}
		}})
	} else if intervals {
		all = append(all, sample{c.IntervalLabel, 24, func(at point) []shape {
			return []shape{box{at.x - 12, at.y - 6, 24, 12, paint{fill: band}}}
		}})
	}
	if s.narrow && c.Zero != nil && c.Axis.usable(c.Zero.Value) {
		all = append(all, sample{c.Zero.Label, 28, func(at point) []shape {
			return []shape{rule(point{at.x - 14, at.y}, point{at.x + 14, at.y}, ink, 1.25, dashed)}
		}})
	}
	for _, one := range []struct {
		state State
		text  string
	}{{Suppressed, c.Suppressed}, {NoData, c.NoData}} {
		has := func(l TrendLine) bool { return slices.Contains(l.States, one.state) }
		if slices.ContainsFunc(c.Lines, has) {
			all = append(all, sample{one.text, 8, missingSample(one.state)})
		}
	}
	s.legend(all)
}
