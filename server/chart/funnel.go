package chart

import (
	"math"
	"slices"
	"strings"
)

// Funnel shows units by how much they count (X) and what they score (Y), between the limits of chance.
type Funnel struct {
	Meta
	X, Y Axis
	// Centre is the score of all. Without CentreLabel it is not drawn.
	Centre      float64
	CentreLabel string
	// Bands are the limits, the wider first.
	Bands  []Band
	Points []FunnelPoint
	// OutsideLabel and InsideLabel explain the two marks.
	OutsideLabel, InsideLabel string
}

// Band is the limits of one probability.
type Band struct {
	Label string
	// Points are in the order of X.
	Points []BandPoint
}

// BandPoint is a band at one place.
type BandPoint struct{ X, Low, High float64 }

// FunnelPoint is a unit. One that is Outside is named in the picture: by Label where there is room,
// else by Key, which a list below the picture explains.
type FunnelPoint struct {
	Label, Key, Text string
	X, Y             float64
	Outside          bool
}

func (c Funnel) about() Meta { return c.Meta }

func (c Funnel) compose(s *sheet) {
	points := slices.DeleteFunc(slices.Clone(c.Points), func(p FunnelPoint) bool {
		return !c.X.usable(p.X) || !c.Y.usable(p.Y)
	})
	if len(points) == 0 {
		s.empty(c.Meta)
		return
	}
	x, y := extent{}, extent{slack: 0.5}
	for _, p := range points {
		x.include(p.X)
		y.include(p.Y)
	}
	if c.centred() {
		y.include(c.Centre)
	}
	across := scale{axis: c.X}
	across.low, across.high = c.X.bounds(x)
	bands := c.visible(across)
	for _, b := range bands {
		for _, p := range b.Points {
			y.reach(p.Low)
			y.reach(p.High)
		}
	}
	endings, room := c.endings(s, bands)
	p := s.plane(c.Y, y, room, 0)
	across.from, across.to = p.area.x+inset, p.area.x+p.area.w-inset
	c.limits(&p, across, bands)
	for i := range endings {
		endings[i].y = p.up.at(endings[i].y)
	}
	p.endings(endings)
	c.units(&p, across, points)
	c.samples(s, points)
}

// centred reports whether there is a centre to draw.
func (c Funnel) centred() bool { return c.CentreLabel != "" && c.Y.usable(c.Centre) }

// visible are the bands as far as the axis goes, without what is no number.
func (c Funnel) visible(across scale) []Band {
	var out []Band
	for _, b := range c.Bands {
		kept := Band{Label: b.Label}
		var last *BandPoint
		for _, p := range b.Points {
			if !c.X.usable(p.X) || !c.Y.usable(p.Low) || !c.Y.usable(p.High) {
				continue
			}
			if last != nil {
				if p.X <= last.X {
					continue
				}
				if last.X < across.low && p.X > across.low {
					kept.Points = append(kept.Points, last.towards(p, across.low))
				}
				if last.X < across.high && p.X > across.high {
					kept.Points = append(kept.Points, last.towards(p, across.high))
				}
			}
			if across.within(p.X) {
				kept.Points = append(kept.Points, p)
			}
			last = &p
		}
		if len(kept.Points) > 1 {
			out = append(out, kept)
		}
	}
	return out
}

// towards is the place on the way to another at x.
func (b BandPoint) towards(to BandPoint, x float64) BandPoint {
	share := (x - b.X) / (to.X - b.X)
	return BandPoint{x, b.Low + share*(to.Low-b.Low), b.High + share*(to.High-b.High)}
}

// endings are the names of the limits and of the centre.
func (c Funnel) endings(s *sheet, bands []Band) (all []ending, room float64) {
	put := func(text string, v float64, bold bool) {
		lines := s.letters.wrap(clean(text), smallSize, bold, 0.2*s.room(), 3)
		for _, line := range lines {
			room = math.Max(room, s.letters.width(line, smallSize, bold)+tailRoom)
		}
		all = append(all, ending{lines, v, bold, soft})
	}
	for _, b := range bands {
		put(b.Label, b.Points[len(b.Points)-1].High, false)
	}
	if c.centred() {
		put(c.CentreLabel, c.Centre, true)
	}
	return all, room
}

// limits draws the bands, the wider first, and the centre.
func (c Funnel) limits(p *plane, across scale, bands []Band) {
	fills := [...]colour{bandOuter, band}
	lines := [...]dash{whole, dashed}
	for i, b := range bands {
		var high, low, around []point
		for _, one := range b.Points {
			high = append(high, point{across.at(one.X), p.free(one.High)})
			low = append(low, point{across.at(one.X), p.free(one.Low)})
			around = append(around, point{across.at(one.X), p.free(one.High)})
		}
		for _, one := range slices.Backward(b.Points) {
			around = append(around, point{across.at(one.X), p.free(one.Low)})
		}
		k := min(i, len(fills)-1)
		if ground := p.within(around); len(ground) > 2 {
			p.add(trace{parts: [][]point{ground}, closed: true, paint: paint{fill: fills[k]}})
		}
		if parts := append(p.clipped(high), p.clipped(low)...); len(parts) > 0 {
			p.add(trace{parts: parts, paint: paint{stroke: edge, width: 1.25, dash: lines[k]}})
		}
	}
	if c.centred() && p.up.within(c.Centre) {
		y := p.up.at(c.Centre)
		p.add(rule(point{p.area.x, y}, point{p.area.x + p.area.w, y}, soft, 1.25, whole))
	}
	p.floor()
	c.across(p, across)
}

// across draws the horizontal axis.
func (c Funnel) across(p *plane, across scale) {
	bottom := p.area.y + p.area.h
	ticks := across.ticks(func(all []float64) bool {
		w := 0.0
		for _, t := range all {
			w = math.Max(w, p.letters.width(c.X.say(t), smallSize, false))
		}
		return (w+18)*float64(len(all)) <= p.area.w
	})
	for _, t := range ticks {
		x := across.at(t)
		p.add(rule(point{x, bottom}, point{x, bottom + 4}, edge, 1, whole))
	}
	p.numbers(across, ticks, bottom+17)
	p.down(21)
	for _, text := range p.letters.wrap(clean(c.X.Label), smallSize, false, p.area.w, 2) {
		p.add(small(point{p.area.x + p.area.w/2, p.y + 13}, text, middle, soft))
		p.down(smallSize * leading)
	}
	p.down(4)
}

// units draws the points, those outside last, and names these.
func (c Funnel) units(p *plane, across scale, points []FunnelPoint) {
	var taken []box
	place := func(one FunnelPoint) point { return point{across.at(one.X), p.up.at(one.Y)} }
	for _, one := range points {
		at, r := place(one), 4.0
		if one.Outside {
			r = 8
		}
		taken = append(taken, box{x: at.x - r, y: at.y - r, w: 2 * r, h: 2 * r})
	}
	var named []shape
	var listed []string
	for _, outside := range []bool{false, true} {
		for _, one := range points {
			if one.Outside != outside {
				continue
			}
			at := place(one)
			d := datum{
				title:  told(clean(one.Label), c.Y.say(one.Y), one.Text),
				reach:  box{x: at.x - 9, y: at.y - 9, w: 18, h: 18},
				shapes: unit(at, outside),
			}
			if !across.within(one.X) || !p.up.within(one.Y) {
				up := one.Y > p.up.high
				d.shapes = []shape{triangle(at, 5.5, up, paint{fill: unitColour(outside)})}
			}
			p.add(d)
			if !outside {
				continue
			}
			label, key := clean(one.Label), clean(one.Key)
			if text, ok := p.name(at, label, &taken); ok {
				named = append(named, text)
				continue
			}
			if text, ok := p.name(at, key, &taken); ok {
				named = append(named, text)
			}
			listed = append(listed, strings.TrimSpace(key+" "+label))
		}
	}
	p.add(named...)
	if len(listed) > 0 {
		p.down(6)
		p.paragraph(strings.Join(listed, " · "), smallSize, false, ink, 8)
	}
}

func unitColour(outside bool) colour {
	if outside {
		return accent
	}
	return mark
}

// unit draws the mark of one.
func unit(at point, outside bool) []shape {
	if outside {
		return signal(at)
	}
	return []shape{disc{at, 4, paint{fill: mark, stroke: paper, width: 1}}}
}

// name puts a text beside a point where it meets neither a point nor another text.
func (p *plane) name(at point, text string, taken *[]box) (shape, bool) {
	if text == "" {
		return nil, false
	}
	const most, gap, h = 150, 12, 15
	text = p.letters.cut(text, smallSize, true, most)
	w := p.letters.width(text, smallSize, true)
	for _, one := range []struct {
		at     point
		anchor anchor
		left   float64
	}{
		{point{at.x + gap, at.y + 4}, start, at.x + gap},
		{point{at.x - gap, at.y + 4}, end, at.x - gap - w},
		{point{at.x, at.y - gap}, middle, at.x - w/2},
		{point{at.x, at.y + gap + 9}, middle, at.x - w/2},
		{point{at.x + gap - 3, at.y - gap + 2}, start, at.x + gap - 3},
		{point{at.x - gap + 3, at.y - gap + 2}, end, at.x - gap + 3 - w},
	} {
		room := box{x: one.left, y: one.at.y - 12, w: w, h: h}
		inside := room.x >= p.area.x && room.x+w <= p.area.x+p.area.w &&
			room.y >= p.area.y-4 && room.y+h <= p.area.y+p.area.h
		own := box{x: at.x - 8, y: at.y - 8, w: 16, h: 16}
		crowded := func(b box) bool { return b != own && meet(b, room) }
		if !inside || slices.ContainsFunc(*taken, crowded) {
			continue
		}
		*taken = append(*taken, room)
		name := lettered(one.at, text, smallSize, true, one.anchor, ink)
		name.halo = true
		return name, true
	}
	return nil, false
}

// meet reports whether two boxes have a part in common.
func meet(a, b box) bool {
	return a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h
}

// samples explains the two marks.
func (c Funnel) samples(s *sheet, points []FunnelPoint) {
	var all []sample
	for _, outside := range []bool{true, false} {
		if !slices.ContainsFunc(points, func(p FunnelPoint) bool { return p.Outside == outside }) {
			continue
		}
		text := c.InsideLabel
		if outside {
			text = c.OutsideLabel
		}
		all = append(all, sample{text, 17, func(at point) []shape { return unit(at, outside) }})
	}
	s.legend(all)
}
