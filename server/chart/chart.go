package chart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
)

const (
	// Wide is the width, in user units, that pages show where there is room.
	Wide = 720
	// Narrow is the width that they show on a telephone.
	Narrow = 340

	leastWidth = 240
	mostWidth  = 2400
	// Below this width a label stands above its row, and not beside it.
	narrowBelow = 520
)

// ErrTooLarge says that a picture would have more pixels than are drawn.
var ErrTooLarge = errors.New("the picture is too large for pixels")

// Meta is what every picture has.
type Meta struct {
	// Title is drawn above the picture, and is its name for those who do not see it.
	Title string
	// Subtitle is drawn below the title: of which period, of whom.
	Subtitle string
	// Description says in words what the picture shows, for those who do not see it.
	Description string
	// Lang is the BCP 47 tag of the language of all words.
	Lang string
	// Source is drawn small at the foot: what the figures come from.
	Source string
	// Empty is drawn where the picture has nothing to show.
	Empty string
}

// Chart is a picture: a DotPlot, Forest, Funnel, Control, Trend, HeatMap, Completeness or Sparkline.
type Chart interface {
	about() Meta
	compose(s *sheet)
}

// Options are how a picture is drawn.
type Options struct {
	// Width is in user units; 0 is Wide, or what is usual of a small picture. The height follows from
	// the content.
	Width int
}

// State says whether there is a figure.
type State int

const (
	// Shown has a figure. A figure of 0 is Shown.
	Shown State = iota
	// Suppressed has a figure that is not told.
	Suppressed
	// NoData has none.
	NoData
)

// SVG writes a picture as one svg element, which may stand in a page or alone in a file.
func SVG(w io.Writer, c Chart, o Options) error {
	var b bytes.Buffer
	writeSVG(&b, c.about(), lay(c, o))
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write svg: %w", err)
	}
	return nil
}

// PNG writes a picture in the light colours, with two pixels to each user unit.
func PNG(w io.Writer, c Chart, o Options) error {
	return writePNG(w, lay(c, o))
}

// lay composes a picture.
func lay(c Chart, o Options) *sheet {
	s := &sheet{width: Wide, letters: newTypesetter()}
	if small, ok := c.(interface{ usualWidth() float64 }); ok {
		s.width, s.small = small.usualWidth(), true
	}
	if o.Width > 0 {
		s.width = float64(o.Width)
	}
	if !s.small {
		s.width = math.Max(s.width, leastWidth)
	}
	s.width = math.Min(math.Max(s.width, 40), mostWidth)
	s.narrow = s.width < narrowBelow
	if s.small {
		c.compose(s)
		return s
	}
	m := c.about()
	s.head(m)
	c.compose(s)
	s.foot(m)
	return s
}

// number returns what v points to, if that is a number that can be drawn.
func number(v *float64) (float64, bool) {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) || math.Abs(*v) > largest {
		return 0, false
	}
	return *v, true
}

// largest is the largest number that is drawn; none that anybody counts comes near.
const largest = 1e15
