package chart

import "math"

const (
	// margin is around a picture; gutter between the columns in it.
	margin = 14
	gutter = 12
	// leading is the distance of lines, in sizes of the text.
	leading = 1.3
)

// sheet is a picture while it is composed: the shapes so far, and how far down they reach.
type sheet struct {
	width  float64
	y      float64
	narrow bool
	// small has no title, margin or foot.
	small   bool
	shapes  []shape
	letters *typesetter
	// fields are the areas in which figures stand.
	fields []box
}

func (s *sheet) add(all ...shape) { s.shapes = append(s.shapes, all...) }

// height is that of all that was composed.
func (s *sheet) height() float64 { return math.Ceil(s.y) }

// left, right and room are where the content stands.
func (s *sheet) left() float64  { return margin }
func (s *sheet) right() float64 { return s.width - margin }
func (s *sheet) room() float64  { return s.width - 2*margin }

// head draws title and subtitle.
func (s *sheet) head(m Meta) {
	s.y = margin
	s.paragraph(clean(m.Title), titleSize, true, ink, 3)
	s.paragraph(clean(m.Subtitle), smallSize, false, soft, 3)
	if m.Title != "" || m.Subtitle != "" {
		s.y += 10
	}
}

// foot draws the source and lays the ground under everything.
func (s *sheet) foot(m Meta) {
	if source := clean(m.Source); source != "" {
		s.y += 12
		s.add(rule(point{s.left(), s.y}, point{s.right(), s.y}, grid, 1, whole))
		s.y += 5
		s.paragraph(source, footSize, false, soft, 6)
	}
	s.y += margin
	ground := box{0, 0, s.width, s.height(), paint{fill: paper}}
	s.shapes = append([]shape{ground}, s.shapes...)
}

// paragraph draws a text from the left over the whole width.
func (s *sheet) paragraph(text string, size float64, bold bool, c colour, lines int) {
	for _, line := range s.letters.wrap(text, size, bold, s.room(), lines) {
		s.add(lettered(point{s.left(), s.y + size}, line, size, bold, start, c))
		s.y += size * leading
	}
}

// empty draws the sentence of a picture that has nothing to show.
func (s *sheet) empty(m Meta) {
	const pad = 16
	lines := s.letters.wrap(clean(m.Empty), labelSize, false, s.room()-2*pad, 6)
	h := 2*pad + labelSize*leading*float64(max(len(lines), 1))
	s.add(box{s.left(), s.y, s.room(), h, paint{stroke: edge, width: 1, dash: dashed}})
	y := s.y + pad + labelSize
	for _, line := range lines {
		s.add(lettered(point{s.left() + s.room()/2, y}, line, labelSize, false, middle, soft))
		y += labelSize * leading
	}
	s.y += h
}

// numbers writes those of a horizontal axis in one line, whole inside the picture. One that has no
// room beside the one before it is left out.
func (s *sheet) numbers(across scale, ticks []float64, baseline float64) {
	taken := 0.0
	for _, t := range ticks {
		text := across.axis.say(t)
		w := s.letters.width(text, smallSize, false) / 2
		at := math.Min(math.Max(across.at(t), w), s.width-w)
		if at-w < taken {
			continue
		}
		taken = at + w + 4
		s.add(small(point{at, baseline}, text, middle, soft))
	}
}

// fits reports whether a note has room behind the last of some lines of a label.
func (s *sheet) fits(lines []string, note string, room float64) bool {
	if note == "" {
		return true
	}
	if len(lines) == 0 {
		return false
	}
	last := s.letters.width(lines[len(lines)-1], labelSize, true)
	return last+tailGap+s.letters.width(note, smallSize, false) <= room
}

// sample is an entry of a legend: a mark of some width, and what it means.
type sample struct {
	text  string
	width float64
	// draw returns the mark, of which the middle stands at a place.
	draw func(at point) []shape
}

// legend draws samples in lines, from the left.
func (s *sheet) legend(samples []sample) {
	const row, gap, after = 20, 7, 18
	x, drawn := s.left(), false
	for _, one := range samples {
		text := clean(one.text)
		if text == "" {
			continue
		}
		text = s.letters.cut(text, smallSize, false, s.room()-one.width-gap)
		w := one.width + gap + s.letters.width(text, smallSize, false)
		if !drawn {
			s.y += 8
		} else if x+w > s.right() {
			x, s.y = s.left(), s.y+row
		}
		drawn = true
		at := point{x + one.width/2, s.y + row/2}
		s.add(one.draw(at)...)
		s.add(small(point{x + one.width + gap, at.y + 4}, text, start, soft))
		x += w + after
	}
	if drawn {
		s.y += row
	}
}
