package script

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// number is a figure as it is written: with a decimal point it stands for everything that rounds to
// it, without one for itself.
type number struct {
	text   string
	value  float64
	places int
}

var numberForm = regexp.MustCompile(`^-?\d{1,12}(\.\d{1,12})?$`)

func parseNumber(text string) (number, error) {
	if !numberForm.MatchString(text) {
		return number{}, fmt.Errorf("%q is not a number", text)
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return number{}, fmt.Errorf("%q is not a number", text)
	}
	_, decimals, _ := strings.Cut(text, ".")
	return number{text: text, value: value, places: len(decimals)}, nil
}

// noise is what sums of doubles may differ by.
const noise = 1e-9

// holds reports whether got is what was written.
func (n *number) holds(got float64) bool {
	off := math.Abs(got - n.value)
	slack := noise * max(1, math.Abs(n.value))
	if n.places > 0 {
		slack = math.Pow10(-n.places)/2 + noise*math.Pow10(-n.places)
	}
	return off <= slack
}

// show writes got as n is written; where the two differ, so that the difference can be seen. Of no
// number it is plain.
func (n *number) show(got float64) string {
	if n == nil {
		return plain(got)
	}
	if n.holds(got) {
		return n.text
	}
	if n.places > 0 {
		if text := strconv.FormatFloat(got, 'f', n.places, 64); text != n.text {
			return text
		}
	}
	return plain(got)
}

// shown is how many decimals a figure has for which none were asked.
const shown = 4

// plain writes a figure without trailing zeros.
func plain(v float64) string {
	text := strconv.FormatFloat(v, 'f', shown, 64)
	if whole, decimals, _ := strings.Cut(text, "."); strings.Trim(decimals, "0") == "" {
		return whole
	}
	return strings.TrimRight(text, "0")
}

// none is written where there is no figure.
const none = "-"

// figures are one number, two that bound an interval, or none.
type figures []number

// parseFigures reads "0.1", "0.1..0.3" or "-".
func parseFigures(text string) (figures, error) {
	if text == none {
		return nil, nil
	}
	lo, hi, two := strings.Cut(text, "..")
	first, err := parseNumber(lo)
	if err != nil || !two {
		return figures{first}, err
	}
	second, err := parseNumber(hi)
	return figures{first, second}, err
}

// show writes got as f is written.
func (f figures) show(got []float64) string {
	words := make([]string, len(got))
	for i, v := range got {
		if len(f) == len(got) {
			words[i] = f[i].show(v)
		} else {
			words[i] = plain(v)
		}
	}
	if len(words) == 0 {
		return none
	}
	return strings.Join(words, "..")
}

func (f figures) String() string {
	words := make([]string, len(f))
	for i, n := range f {
		words[i] = n.text
	}
	if len(words) == 0 {
		return none
	}
	return strings.Join(words, "..")
}
