package chart

import (
	"math"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
)

// The sizes of text, in user units. None is below 11, which is what can still be read.
const (
	titleSize  = 16
	labelSize  = 13
	figureSize = 12.5
	smallSize  = 12
	footSize   = 11
)

const ellipsis = '…'

// families are the fonts that have the widths the layout reckons with: Liberation Sans was made to the
// measure of Arial and Helvetica.
const families = "'Liberation Sans', Arial, Helvetica, sans-serif"

// typesetter measures text. It is for one picture.
type typesetter struct {
	regular, bold font.Face
	// letters are the widths of those measured so far, in sizes of the text.
	letters map[letter]float64
}

// letter is a character in one of the faces.
type letter struct {
	r    rune
	bold bool
}

func newTypesetter() *typesetter {
	t := &typesetter{letters: map[letter]float64{}}
	for _, f := range liberation.Collection() {
		switch f.Name() {
		case "LiberationSans-Regular":
			t.regular = f
		case "LiberationSans-Bold":
			t.bold = f
		}
	}
	return t
}

// face is the font of a size.
func (t *typesetter) face(size float64, bold bool) font.Face {
	f := t.regular
	if bold {
		f = t.bold
	}
	f.Font.Size = vg.Points(size)
	return f
}

// loose is how much wider than Liberation Sans the fonts are that stand in for it: the layout leaves
// room for them.
const loose = 1.07

// width is what a text may take, in user units, in whatever font it is shown.
func (t *typesetter) width(text string, size float64, bold bool) float64 {
	ems := 0.0
	for _, r := range text {
		key := letter{r, bold}
		w, ok := t.letters[key]
		if !ok {
			w = t.exact(string(r), 1, bold)
			if unlike(r) {
				w = math.Max(w, 1)
			}
			t.letters[key] = w
		}
		ems += w
	}
	return loose * ems * size
}

// unlike reports whether a letter is not in Liberation Sans, and as wide as it is high where it is.
func unlike(r rune) bool { return r >= 0x2e80 || r >= 0x1100 && r < 0x1200 }

// exact is the width of a text in Liberation Sans, in user units.
func (t *typesetter) exact(text string, size float64, bold bool) float64 {
	f := t.face(size, bold)
	return f.Width(text).Points()
}

// cut shortens a text until it is no wider than room, with an ellipsis where something is left out.
func (t *typesetter) cut(text string, size float64, bold bool, room float64) string {
	if text == "" || t.width(text, size, bold) <= room {
		return text
	}
	runes := []rune(text)
	low, high := 0, len(runes)
	for low < high {
		m := (low + high + 1) / 2
		if t.width(shortened(runes[:m]), size, bold) <= room {
			low = m
		} else {
			high = m - 1
		}
	}
	return shortened(runes[:low])
}

// shortened is the beginning of a text, and the sign that it goes on.
func shortened(runes []rune) string {
	return strings.TrimRight(string(runes), " ,;:.-–") + string(ellipsis)
}

// wrap breaks a text into lines no wider than room. The last of at most lines is cut.
func (t *typesetter) wrap(text string, size float64, bold bool, room float64, lines int) []string {
	var out []string
	rest := strings.Fields(text)
	for len(rest) > 0 {
		if len(out) == lines-1 {
			return append(out, t.cut(strings.Join(rest, " "), size, bold, room))
		}
		n := 1
		for n < len(rest) && t.width(strings.Join(rest[:n+1], " "), size, bold) <= room {
			n++
		}
		line := strings.Join(rest[:n], " ")
		if n == 1 && t.width(line, size, bold) > room {
			head, tail := t.broken(line, size, bold, room)
			out, rest[0] = append(out, head), tail
			continue
		}
		out, rest = append(out, line), rest[n:]
	}
	return out
}

// broken parts a word that is wider than a line.
func (t *typesetter) broken(word string, size float64, bold bool, room float64) (head, tail string) {
	runes := []rune(word)
	low, high := 1, len(runes)-1
	for low < high {
		m := (low + high + 1) / 2
		if t.width(string(runes[:m])+"-", size, bold) <= room {
			low = m
		} else {
			high = m - 1
		}
	}
	return string(runes[:low]) + "-", string(runes[low:])
}
