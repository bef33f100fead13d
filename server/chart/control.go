package chart

import (
	"math"
	"slices"
)

// Control is a control chart or run chart: figures in the order of time, between their limits.
type Control struct {
	Meta
	Axis   Axis
	Points []ControlPoint
	// Marks are what happened, and when.
	Marks []Mark
	// CentreLabel, LowerLabel and UpperLabel stand at the end of the lines.
	CentreLabel, LowerLabel, UpperLabel string
	Legend                              ControlLegend
}

// ControlLegend is the words for the marks of a control chart.
type ControlLegend struct{ Signal, Excluded, Partial, Limits, Suppressed, NoData string }

// ControlPoint is a figure of a period, with the limits of that period.
type ControlPoint struct {
	// Label is short: it stands below the axis. Text is the sentence for whoever points at it.
	Label, Text                 string
	Value, Centre, Lower, Upper *float64
	// State says why there is no value, where there is none. The limits of a period whose value is
	// suppressed are not drawn either: they tell how many were counted.
	State State
	// Signal is beyond chance, Excluded not part of the limits, Partial a period that is not over.
	Signal, Excluded, Partial bool
}

// Mark is something that happened at the point of an index.
type Mark struct {
	At    int
	Label string
}

func (c Control) about() Meta { return c.Meta }

func (c Control) compose(s *sheet) {
	if len(c.Points) == 0 {
		s.empty(c.Meta)
		return
	}
	c.Points = withoutHidden(c.Points)
	var e extent
	for _, p := range c.Points {
		for _, v := range []*float64{p.Value, p.Centre} {
			if n, ok := number(v); ok && c.Axis.usable(n) {
				e.include(n)
			}
		}
	}
	for _, p := range c.Points {
		for _, v := range []*float64{p.Lower, p.Upper} {
			if n, ok := number(v); ok && c.Axis.usable(n) && e.any {
				e.reach(n)
			}
		}
	}
	levels := c.happenings(s)
	endings, room := c.endings(s)
	p := s.plane(c.Axis, e, room, 16*float64(len(levels)))
	c.limits(&p)
	c.marks(&p, levels)
	c.path(&p)
	for i := range c.Points {
		c.point(&p, i)
	}
	for i := range endings {
		endings[i].y = p.up.at(endings[i].y)
	}
	p.endings(endings)
	labels := make([]string, len(c.Points))
	for i, one := range c.Points {
		labels[i] = one.Label
	}
	p.periods(labels)
	c.samples(s)
}

// withoutHidden are the points without the numbers of those that have a State.
func withoutHidden(points []ControlPoint) []ControlPoint {
	out := slices.Clone(points)
	for i, p := range out {
		switch p.State {
		case Shown:
		case Suppressed:
			out[i].Value, out[i].Lower, out[i].Upper = nil, nil, nil
		case NoData:
			out[i].Value = nil
		}
	}
	return out
}

// endings are the names and numbers of the last limits, and the room they take.
func (c Control) endings(s *sheet) (all []ending, room float64) {
	last := func(of func(ControlPoint) *float64) (float64, bool) {
		for i := len(c.Points) - 1; i >= 0; i-- {
			if v, ok := number(of(c.Points[i])); ok && c.Axis.usable(v) {
				return v, true
			}
		}
		return 0, false
	}
	for _, one := range []struct {
		label string
		of    func(ControlPoint) *float64
		bold  bool
	}{
		{c.UpperLabel, func(p ControlPoint) *float64 { return p.Upper }, false},
		{c.CentreLabel, func(p ControlPoint) *float64 { return p.Centre }, true},
		{c.LowerLabel, func(p ControlPoint) *float64 { return p.Lower }, false},
	} {
		v, ok := last(one.of)
		if !ok {
			continue
		}
		text := clean(one.label)
		if text != "" {
			text += " "
		}
		text += c.Axis.say(v)
		most := 0.22 * s.room()
		lines := s.letters.wrap(text, smallSize, one.bold, most, 3)
		for _, line := range lines {
			room = math.Max(room, s.letters.width(line, smallSize, one.bold)+tailRoom)
		}
		all = append(all, ending{lines, v, one.bold, soft})
	}
	return all, room
}

// steps are the runs of a limit: each point has its own, which changes half way to the next.
func (c Control) steps(p *plane, of func(ControlPoint) *float64) [][]point {
	n := len(c.Points)
	half := math.Min(p.step(n)/2, inset*2)
	if n > 1 {
		half = p.step(n) / 2
	}
	var out [][]point
	var part []point
	for i, one := range c.Points {
		v, ok := number(of(one))
		if !ok || !c.Axis.usable(v) {
			if len(part) > 0 {
				out, part = append(out, part), nil
			}
			continue
		}
		x, y := p.column(i, n), p.up.at(v)
		left, right := math.Max(x-half, p.area.x), math.Min(x+half, p.area.x+p.area.w)
		part = append(part, point{left, y}, point{right, y})
	}
	if len(part) > 0 {
		out = append(out, part)
	}
	return out
}

// limits draws the ground between the limits, the limits and the centre.
func (c Control) limits(p *plane) {
	n := len(c.Points)
	half := p.step(n) / 2
	ground := trace{closed: true, paint: paint{fill: bandOuter}}
	for i, one := range c.Points {
		low, ok := number(one.Lower)
		high, both := number(one.Upper)
		if !ok || !both {
			continue
		}
		x := p.column(i, n)
		left, right := math.Max(x-half, p.area.x), math.Min(x+half, p.area.x+p.area.w)
		top, bottom := p.up.at(high), p.up.at(low)
		ground.parts = append(ground.parts,
			[]point{{left, top}, {right, top}, {right, bottom}, {left, bottom}})
	}
	if len(ground.parts) > 0 {
		p.add(ground)
	}
	limit := paint{stroke: edge, width: 1.25, dash: dashed}
	for _, one := range []struct {
		of    func(ControlPoint) *float64
		paint paint
	}{
		{func(p ControlPoint) *float64 { return p.Upper }, limit},
		{func(p ControlPoint) *float64 { return p.Lower }, limit},
		{func(p ControlPoint) *float64 { return p.Centre }, paint{stroke: soft, width: 1.25}},
	} {
		if parts := c.steps(p, one.of); len(parts) > 0 {
			p.add(trace{parts: parts, paint: one.paint})
		}
	}
}

// path joins the figures, and is broken where there is none.
func (c Control) path(p *plane) {
	var parts [][]point
	var part []point
	for i, one := range c.Points {
		v, ok := number(one.Value)
		if !ok || !c.Axis.usable(v) {
			parts, part = append(parts, part), nil
			continue
		}
		part = append(part, point{p.column(i, len(c.Points)), p.up.at(v)})
	}
	parts = append(parts, part)
	t := trace{paint: paint{stroke: mark, width: 1.5}}
	for _, one := range parts {
		if len(one) > 1 {
			t.parts = append(t.parts, one)
		}
	}
	if len(t.parts) > 0 {
		p.add(t)
	}
}

// point draws one figure.
func (c Control) point(p *plane, i int) {
	one := c.Points[i]
	n := len(c.Points)
	x := p.column(i, n)
	w := math.Max(math.Min(p.step(n), 24), 2)
	d := datum{
		title: told(clean(one.Label), "", one.Text),
		reach: box{x: x - w/2, y: p.area.y, w: w, h: p.area.h},
	}
	v, ok := number(one.Value)
	if !ok || !c.Axis.usable(v) {
		word := c.Legend.NoData
		if one.State == Suppressed {
			word = c.Legend.Suppressed
		}
		d.title = told(clean(one.Label), clean(word), one.Text)
		d.shapes = missing(point{x, p.area.y + p.area.h}, one.State)
		p.add(d)
		return
	}
	if one.Text == "" {
		d.title = told(clean(one.Label), c.Axis.say(v), "")
	}
	at := point{x, p.up.at(v)}
	switch {
	case !p.up.within(v):
		d.shapes = []shape{triangle(at, 5, v > p.up.high, paint{fill: accent})}
	case one.Signal:
		d.shapes = signal(at)
	case one.Excluded:
		d.shapes = excluded(at)
	case one.Partial:
		d.shapes = []shape{disc{at, 4, paint{fill: paper, stroke: mark, width: 1.75}}}
	default:
		r := 3.75
		if p.step(n) < 9 {
			r = 2.25
		}
		d.shapes = []shape{disc{at, r, paint{fill: mark}}}
	}
	p.add(d)
}

// signal is a diamond in a ring: by form and by colour unlike all others.
func signal(at point) []shape {
	return []shape{
		disc{at, 9, paint{fill: paper, stroke: accent, width: 1.5}},
		diamond(at, 5.5, paint{fill: accent}),
	}
}

// excluded is a hollow mark, crossed out.
func excluded(at point) []shape {
	const r = 3
	return []shape{
		disc{at, 5, paint{fill: paper, stroke: soft, width: 1.5}},
		trace{parts: [][]point{
			{{at.x - r, at.y - r}, {at.x + r, at.y + r}}, {{at.x - r, at.y + r}, {at.x + r, at.y - r}},
		}, paint: paint{stroke: soft, width: 1.5}},
	}
}

// missing stands on the axis, at foot, where there is no figure: a small hatched box if it is
// suppressed, else a short dotted line.
func missing(foot point, state State) []shape {
	if state == Suppressed {
		b := box{x: foot.x - 4, y: foot.y - 16, w: 8, h: 14}
		return hiddenBox(b, 4)
	}
	return []shape{rule(point{foot.x, foot.y - 16}, point{foot.x, foot.y - 2}, edge, 2, dotted)}
}

// missingSample draws the mark of a state in a legend.
func missingSample(state State) func(at point) []shape {
	return func(at point) []shape { return missing(point{at.x, at.y + 9}, state) }
}

// samples explains the marks that occur.
func (c Control) samples(s *sheet) {
	var hasSignal, hasExcluded, hasPartial, hasLimits, hasGap, hasHidden bool
	for _, one := range c.Points {
		v, ok := number(one.Value)
		if !ok || !c.Axis.usable(v) {
			hasHidden = hasHidden || one.State == Suppressed
			hasGap = hasGap || one.State != Suppressed
			continue
		}
		hasSignal = hasSignal || one.Signal
		hasExcluded = hasExcluded || one.Excluded
		hasPartial = hasPartial || one.Partial
		hasLimits = hasLimits || one.Lower != nil || one.Upper != nil
	}
	var all []sample
	put := func(has bool, text string, width float64, draw func(point) []shape) {
		if has {
			all = append(all, sample{text, width, draw})
		}
	}
	put(hasSignal, c.Legend.Signal, 18, signal)
	put(hasExcluded, c.Legend.Excluded, 12, excluded)
	put(hasPartial, c.Legend.Partial, 12, func(at point) []shape {
		return []shape{disc{at, 4, paint{fill: paper, stroke: mark, width: 1.75}}}
	})
	put(hasLimits, c.Legend.Limits, 24, func(at point) []shape {
		return []shape{
			box{at.x - 12, at.y - 5, 24, 10, paint{fill: bandOuter}},
			trace{parts: [][]point{
				{{at.x - 12, at.y - 5}, {at.x + 12, at.y - 5}},
				{{at.x - 12, at.y + 5}, {at.x + 12, at.y + 5}},
			}, paint: paint{stroke: edge, width: 1.25, dash: dashed}},
		}
	})
	put(hasHidden, c.Legend.Suppressed, 8, missingSample(Suppressed))
	put(hasGap, c.Legend.NoData, 6, missingSample(NoData))
	s.legend(all)
}
