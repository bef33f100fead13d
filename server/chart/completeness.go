package chart

import "math"

// Completeness shows of what kinds each whole is made: how much is known, and how much is not, and why.
type Completeness struct {
	Meta
	// Parts name the kinds, at most six of them; what is beyond is drawn as the sixth.
	Parts []string
	Rows  []BarRow
	// Suppressed and NoData stand in place of a bar.
	Suppressed, NoData string
	// Format writes a share in the language of the reader.
	Format func(float64) string
}

// BarRow is one whole. Shares are of 1, in the order of the parts.
type BarRow struct {
	Label, Note, Text string
	Shares            []float64
	State             State
}

func (c Completeness) about() Meta { return c.Meta }

// texture is how a part of a bar is filled: by colour and by hatch.
type texture struct {
	fill  colour
	slant slant
}

// textureOf is that of the i-th part.
func textureOf(i int) texture {
	all := [...]texture{
		{partA, noHatch}, {partB, rising}, {partC, speckled},
		{partD, noHatch}, {partE, crossed}, {partF, noHatch},
	}
	return all[min(i, len(all)-1)]
}

// draw fills a box.
func (t texture) draw(b box) []shape {
	b.paint = paint{fill: t.fill}
	out := []shape{b}
	out = append(out, hatched(b, t.slant, 6, paint{stroke: hatch, width: 0.9})...)
	b.paint = paint{stroke: edge, width: 1}
	return append(out, b)
}

const barHeight = 18

func (c Completeness) compose(s *sheet) {
	if len(c.Rows) == 0 {
		s.empty(c.Meta)
		return
	}
	c.samples(s)
	s.y += 8
	labelW, noteW := 0.0, 0.0
	for _, r := range c.Rows {
		labelW = math.Max(labelW, s.letters.width(clean(r.Label), labelSize, false))
		noteW = math.Max(noteW, s.letters.width(clean(r.Note), smallSize, false))
	}
	labelW, noteW = math.Min(labelW+1, 0.3*s.room()), math.Min(noteW, 0.16*s.room())
	figureW := 0.0
	for _, r := range c.Rows {
		figureW = math.Max(figureW, s.letters.width(c.figure(r), figureSize, true))
	}
	figureW = math.Min(figureW, mostFigure*s.room())
	bar := box{x: s.left() + labelW + gutter, h: barHeight}
	if noteW > 0 {
		bar.x += noteW + gutter
	}
	if s.narrow {
		bar.x, labelW = s.left(), s.room()-figureW-gutter
	}
	bar.w = s.right() - bar.x
	if !s.narrow {
		bar.w -= figureW + gutter
	}
	top := s.y
	for _, r := range c.Rows {
		c.row(s, r, bar, labelW)
	}
	s.fields = append(s.fields, box{bar.x, top, bar.w, s.y - top, paint{}})
}

// say writes a share.
func (c Completeness) say(v float64) string {
	return Axis{Format: c.Format}.say(v)
}

// mostFigure is how much of the width a figure may take.
const mostFigure = 0.3

// figure is the share of the first part, in words.
func (c Completeness) figure(r BarRow) string {
	shares := r.shares()
	if r.State != Shown || len(shares) == 0 {
		return ""
	}
	return c.say(shares[0])
}

// row draws one whole: its label, its bar and the share of the first part.
func (c Completeness) row(s *sheet, r BarRow, bar box, labelW float64) {
	label, note := clean(r.Label), clean(r.Note)
	figure := s.letters.cut(c.figure(r), figureSize, true, mostFigure*s.room())
	lines := s.letters.wrap(label, labelSize, false, labelW, 2)
	title := withName(label, lines, told(label, c.figure(r), r.Text))
	h := math.Max(30, 10+labelSize*leading*float64(len(lines)))
	beneath := false
	if s.narrow {
		rows := float64(max(len(lines), 1))
		if beneath = !s.fits(lines, note, labelW); beneath && len(lines) > 0 {
			rows++
		}
		h = labelSize*leading*rows + barHeight + 18
	}
	d := datum{title: title, reach: box{x: s.left(), y: s.y, w: s.room(), h: h}}
	bar.y = s.y + (h-barHeight)/2
	y := s.y + h/2 - leading*labelSize*float64(len(lines))/2 + 12.5
	figureY := bar.y + 13.5
	if s.narrow {
		bar.y, y = s.y+h-barHeight-13, s.y+13
		figureY = y
	}
	for i, text := range lines {
		line := lettered(point{s.left(), y}, text, labelSize, false, start, ink)
		if s.narrow && !beneath && i == len(lines)-1 {
			line.tail = note
		}
		d.shapes = append(d.shapes, line)
		y += labelSize * leading
	}
	if beneath {
		room := s.room()
		if len(lines) == 0 {
			room = labelW
		}
		note = s.letters.cut(note, smallSize, false, room)
		d.shapes = append(d.shapes, small(point{s.left(), y}, note, start, soft))
	}
	if !s.narrow {
		note = s.letters.cut(note, smallSize, false, bar.x-2*gutter-s.left()-labelW)
		d.shapes = append(d.shapes, small(point{bar.x - gutter, bar.y + 13.5}, note, end, soft))
	}
	d.shapes = append(d.shapes, lettered(point{s.right(), figureY}, figure, figureSize, true, end, ink))
	d.shapes = append(d.shapes, c.bar(s, r, bar)...)
	s.add(d)
	s.y += h
}

// shares are those of the row as parts of 1: negative ones and what is no number count nothing, and
// what is more than the whole is scaled down to it.
func (r BarRow) shares() []float64 {
	out := make([]float64, len(r.Shares))
	sum := 0.0
	for i, v := range r.Shares {
		if v > 0 && v <= largest {
			out[i] = v
			sum += v
		}
	}
	if sum > 1 {
		for i := range out {
			out[i] /= sum
		}
	}
	if sum == 0 {
		return nil
	}
	return out
}

// bar draws the parts, or what stands in their place.
func (c Completeness) bar(s *sheet, r BarRow, bar box) []shape {
	shares := r.shares()
	y := bar.y + bar.h/2
	switch {
	case r.State == Suppressed:
		text := s.letters.cut(clean(c.Suppressed), smallSize, false, bar.w-hiddenWidth-8)
		at := point{bar.x + hiddenWidth + 8, y + 4}
		return append(hidden(point{bar.x, y}), small(at, text, start, soft))
	case r.State == NoData || shares == nil:
		text := s.letters.cut(clean(c.NoData), smallSize, false, bar.w-16)
		out := []shape{absent(point{bar.x, y}, point{bar.x + bar.w, y})}
		if text != "" {
			w := s.letters.width(text, smallSize, false)
			out = append(out, box{bar.x + 14, y - 8, w + 8, 16, paint{fill: paper}},
				small(point{bar.x + 18, y + 4}, text, start, soft))
		}
		return out
	}
	var out []shape
	x := bar.x
	for i, v := range shares {
		if v == 0 {
			continue
		}
		part := bar
		part.x, part.w = x, v*bar.w
		out = append(out, textureOf(i).draw(part)...)
		x += part.w
	}
	return out
}

// samples explains the parts, in their order.
func (c Completeness) samples(s *sheet) {
	all := make([]sample, 0, len(c.Parts))
	for i, text := range c.Parts {
		all = append(all, sample{text, 22, func(at point) []shape {
			return textureOf(i).draw(box{x: at.x - 11, y: at.y - 7, w: 22, h: 14})
		}})
	}
	s.legend(all)
}
