package chart

import "math"

// HeatMap shows where to look: measures by groups.
type HeatMap struct {
	Meta
	Columns []string
	Rows    []HeatRow
	Legend  HeatLegend
}

// HeatRow is a measure.
type HeatRow struct {
	Label string
	Cells []HeatCell
}

// HeatCell is a measure of a group.
type HeatCell struct {
	// Text is short: the gap. Title is the sentence for whoever points at it.
	Text, Title string
	// Level is from -1, much worse than the reference, to 1, much better.
	Level float64
	State State
	// Clear says that the gap is more than chance would make.
	Clear bool
	// Reference is the group that is compared with.
	Reference bool
}

// HeatLegend is the words for the cells of a heat map.
type HeatLegend struct{ Worse, Better, Same, Clear, Suppressed, NoData, Reference string }

// inWords is what is told of a cell that has no sentence of its own.
func (l HeatLegend) inWords(c HeatCell) string {
	switch c.State {
	case Suppressed:
		return l.Suppressed
	case NoData:
		return l.NoData
	default:
		return c.Text
	}
}

// degree is a level as it is drawn.
type degree int

const (
	degreeSame degree = iota
	degreeWorse
	degreeMuchWorse
	degreeBetter
	degreeMuchBetter
)

// degree is that of a level: the middle fifth is neither.
func (c HeatCell) degree() degree {
	const some, much = 0.2, 0.6
	switch {
	case c.Level <= -much:
		return degreeMuchWorse
	case c.Level <= -some:
		return degreeWorse
	case c.Level >= much:
		return degreeMuchBetter
	case c.Level >= some:
		return degreeBetter
	default:
		return degreeSame
	}
}

// fill is the ground of a degree.
func (d degree) fill() colour {
	return [...]colour{paper, worse, muchWorse, better, muchBetter}[d]
}

const (
	cellHeight = 34
	// A cell is at least so wide; where the columns are too many, they go on below.
	leastCell = 54
	mostCell  = 96
	headSize  = 11.5
)

func (c HeatMap) about() Meta { return c.Meta }

func (c HeatMap) compose(s *sheet) {
	if len(c.Rows) == 0 || len(c.Columns) == 0 {
		s.empty(c.Meta)
		return
	}
	labelW := 0.0
	for _, r := range c.Rows {
		labelW = math.Max(labelW, s.letters.width(clean(r.Label), labelSize, false))
	}
	labelW = math.Min(labelW+1, 0.3*s.room())
	x := s.left() + labelW + gutter
	if s.narrow {
		x, labelW = s.left(), s.room()
	}
	perBlock := min(len(c.Columns), max(1, int((s.right()-x)/leastCell)))
	blocks := (len(c.Columns) + perBlock - 1) / perBlock
	perBlock = (len(c.Columns) + blocks - 1) / blocks
	w := math.Min((s.right()-x)/float64(perBlock), mostCell)
	for from := 0; from < len(c.Columns); from += perBlock {
		if from > 0 {
			s.y += 14
		}
		c.block(s, x, w, labelW, from, min(from+perBlock, len(c.Columns)))
	}
	c.samples(s)
}

// block draws some of the columns.
func (c HeatMap) block(s *sheet, x, w, labelW float64, from, to int) {
	const line = headSize * 1.25
	heads, most := make([][]string, to-from), 0
	for i := range heads {
		heads[i] = s.letters.wrap(clean(c.Columns[from+i]), headSize, false, w-6, 4)
		most = max(most, len(heads[i]))
	}
	for i, lines := range heads {
		y := s.y + line*float64(most-len(lines)) + headSize
		for _, text := range lines {
			s.add(lettered(point{x + w*(float64(i)+0.5), y}, text, headSize, false, middle, soft))
			y += line
		}
	}
	s.y += line*float64(most) + 6
	top := s.y
	for _, r := range c.Rows {
		lines := s.letters.wrap(clean(r.Label), labelSize, false, labelW, 2)
		y := s.y + cellHeight/2 - leading*labelSize*float64(len(lines))/2 + 12.5
		if s.narrow {
			y = s.y + 14
		}
		for _, text := range lines {
			s.add(lettered(point{s.left(), y}, text, labelSize, false, start, ink))
			y += labelSize * leading
		}
		if s.narrow {
			s.y += labelSize*leading*float64(len(lines)) + 3
		}
		for i := from; i < to; i++ {
			cell := HeatCell{State: NoData}
			if i < len(r.Cells) {
				cell = r.Cells[i]
			}
			b := box{x: x + w*float64(i-from) + 1, y: s.y + 1, w: w - 2, h: cellHeight - 2}
			text := c.Legend.inWords(cell)
			title := told(clean(r.Label+" · "+c.Columns[i]), clean(text), cell.Title)
			s.add(datum{title: title, reach: b, shapes: cell.draw(s, b)})
		}
		s.y += cellHeight
		if s.narrow {
			s.y += 4
		}
	}
	s.fields = append(s.fields, box{x, top, w * float64(to-from), s.y - top, paint{}})
}

// draw fills the box of a cell.
func (c HeatCell) draw(s *sheet, b box) []shape {
	switch c.State {
	case Suppressed:
		return hiddenCell(b)
	case NoData:
		return absentCell(b)
	case Shown:
	}
	d := c.degree()
	b.paint = paint{fill: d.fill(), stroke: grid, width: 1}
	if c.Clear {
		b.x, b.y, b.w, b.h = b.x+0.5, b.y+0.5, b.w-1, b.h-1
		b.stroke, b.width = ink, 2
	}
	out := []shape{b}
	out = append(out, d.sign(point{b.x + 9, b.y + b.h/2})...)
	if c.Reference {
		out = append(out, diamond(point{b.x + 9, b.y + b.h/2}, 5, paint{fill: ink}))
	}
	text := s.letters.cut(clean(c.Text), smallSize, c.Clear, b.w-22)
	at := point{b.x + b.w - 6, b.y + b.h/2 + 4}
	return append(out, lettered(at, text, smallSize, c.Clear, end, ink))
}

// sign tells worse from better without colour: a filled triangle, and a hollow ring. The greater of
// each is much worse, or much better.
func (d degree) sign(at point) []shape {
	switch d {
	case degreeWorse:
		return []shape{triangle(at, 3, true, paint{fill: ink})}
	case degreeMuchWorse:
		return []shape{triangle(at, 4.75, true, paint{fill: ink})}
	case degreeBetter:
		return []shape{disc{at, 2.5, paint{stroke: ink, width: 1.25}}}
	case degreeMuchBetter:
		return []shape{disc{at, 4, paint{stroke: ink, width: 1.5}}}
	default:
		return nil
	}
}

func hiddenCell(b box) []shape { return hiddenBox(b, 7) }

func absentCell(b box) []shape {
	y := b.y + b.h/2
	frame := b
	frame.paint = paint{stroke: grid, width: 1}
	return []shape{frame, absent(point{b.x + 8, y}, point{b.x + b.w - 8, y})}
}

// samples explains the cells that occur.
func (c HeatMap) samples(s *sheet) {
	var found [degreeMuchBetter + 1]bool
	var sure, hiddenOne, absentOne, referenceOne bool
	for _, r := range c.Rows {
		for i := range c.Columns {
			switch {
			case i >= len(r.Cells) || r.Cells[i].State == NoData:
				absentOne = true
			case r.Cells[i].State == Suppressed:
				hiddenOne = true
			default:
				found[r.Cells[i].degree()] = true
				sure = sure || r.Cells[i].Clear
				referenceOne = referenceOne || r.Cells[i].Reference
			}
		}
	}
	var all []sample
	put := func(has bool, text string, draw func(b box) []shape) {
		if has {
			all = append(all, sample{text, 26, func(at point) []shape {
				return draw(box{x: at.x - 13, y: at.y - 8, w: 26, h: 16})
			}})
		}
	}
	put(found[degreeWorse] || found[degreeMuchWorse], c.Legend.Worse, degreeMuchWorse.drawn)
	put(found[degreeBetter] || found[degreeMuchBetter], c.Legend.Better, degreeMuchBetter.drawn)
	put(found[degreeSame], c.Legend.Same, degreeSame.drawn)
	put(sure, c.Legend.Clear, func(b box) []shape {
		b.paint = paint{fill: paper, stroke: ink, width: 2}
		return []shape{b}
	})
	put(referenceOne, c.Legend.Reference, func(b box) []shape {
		return []shape{diamond(point{b.x + b.w/2, b.y + b.h/2}, 5, paint{fill: ink})}
	})
	put(hiddenOne, c.Legend.Suppressed, hiddenCell)
	put(absentOne, c.Legend.NoData, absentCell)
	s.legend(all)
}

// drawn is a small cell of a degree.
func (d degree) drawn(b box) []shape {
	b.paint = paint{fill: d.fill(), stroke: edge, width: 1}
	return append([]shape{b}, d.sign(point{b.x + b.w/2, b.y + b.h/2})...)
}
