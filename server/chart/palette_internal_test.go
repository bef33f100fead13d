package chart

import (
	"image"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// luminance is that of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 24)
	if err != nil || len(hex) != 7 {
		t.Fatalf("%q is no colour", hex)
	}
	part := func(v uint64) float64 {
		c := float64(v&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(n>>16) + 0.7152*part(n>>8) + 0.0722*part(n)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

// lightness is L* of CIELAB, of 0 to 100: how dark a colour is without its hue.
func lightness(t *testing.T, hex string) float64 {
	t.Helper()
	y := luminance(t, hex)
	if y <= 216.0/24389 {
		return y * 24389 / 27
	}
	return 116*math.Cbrt(y) - 16
}

func schemes() map[string]func(colour) string {
	return map[string]func(colour) string{
		"light": func(c colour) string { return palette[c].light },
		"dark":  func(c colour) string { return palette[c].dark },
		"print": func(c colour) string { return palette[c].print },
	}
}

func TestContrast(t *testing.T) {
	t.Parallel()
	const text, graphic = 4.5, 3 // WCAG 2.2, 1.4.3 and 1.4.11.
	for _, pair := range []struct {
		above, below []colour
		least        float64
	}{
		{[]colour{ink, soft, mark, accent, second, third, fourth, fifth}, []colour{paper}, text},
		{[]colour{ink}, []colour{band, bandOuter, worse, muchWorse, better, muchBetter}, text},
		{[]colour{edge, hatch, partA, partF}, []colour{paper}, graphic},
		{[]colour{mark, accent, soft}, []colour{band, bandOuter}, graphic},
		{[]colour{edge}, []colour{bandOuter}, graphic},
		{[]colour{hatch}, []colour{partB, partC, partE}, graphic},
	} {
		for scheme, of := range schemes() {
			for _, above := range pair.above {
				for _, below := range pair.below {
					if got := contrast(t, of(above), of(below)); got < pair.least {
						t.Errorf("%s: %s on %s has %.2f, want %v",
							scheme, palette[above].name, palette[below].name, got, pair.least)
					}
				}
			}
		}
	}
}

// In greyscale, what stands side by side differs in lightness or in hatch.
func TestPartsDifferInGreyscale(t *testing.T) {
	t.Parallel()
	const apart = 8
	for scheme, of := range schemes() {
		for i := range 6 {
			for j := range i {
				a, b := textureOf(i), textureOf(j)
				if a.slant != b.slant {
					continue
				}
				if d := math.Abs(lightness(t, of(a.fill)) - lightness(t, of(b.fill))); d < apart {
					t.Errorf("%s: parts %d and %d differ by %.1f of 100", scheme, i, j, d)
				}
			}
		}
		for _, pair := range [][2]colour{{paper, worse}, {worse, muchWorse}, {paper, better}, {better, muchBetter}} {
			if d := math.Abs(lightness(t, of(pair[0])) - lightness(t, of(pair[1]))); d < 5 {
				t.Errorf("%s: %s and %s differ by %.1f of 100", scheme, palette[pair[0]].name,
					palette[pair[1]].name, d)
			}
		}
	}
}

// Lines of a trend differ in more than colour.
func TestLinesDifferWithoutColour(t *testing.T) {
	t.Parallel()
	for i := range 6 {
		for j := range i {
			if a, b := mannerOf(i), mannerOf(j); a.dash == b.dash && a.glyph == b.glyph {
				t.Errorf("lines %d and %d differ in colour alone", i, j)
			}
		}
	}
}

// grey is a picture in shades of grey.
func grey(t *testing.T, c Chart) *image.Gray {
	t.Helper()
	img := pixels(t, c, Options{Width: Narrow})
	out := image.NewGray(img.Bounds())
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			out.Set(x, y, img.At(x, y))
		}
	}
	return out
}

// Suppressed, no data and zero differ where nobody sees a colour, even without their words.
func TestStatesDifferInGreyscale(t *testing.T) {
	t.Parallel()
	of := func(state State) *image.Gray {
		row := Row{State: state}
		if state == Shown {
			row.Value = new(0.0)
		}
		rows := []Row{row, {Value: new(1.0), Figure: " "}}
		return grey(t, DotPlot{Axis: Axis{Min: new(0.0), Max: new(1.0)}, Rows: rows})
	}
	all := map[string]*image.Gray{"zero": of(Shown), "suppressed": of(Suppressed), "no data": of(NoData)}
	for a, left := range all {
		for b, right := range all {
			if a >= b {
				continue
			}
			differ := 0
			for y := range min(left.Bounds().Dy(), right.Bounds().Dy()) {
				for x := range left.Bounds().Dx() {
					if d := int(left.GrayAt(x, y).Y) - int(right.GrayAt(x, y).Y); d > 60 || d < -60 {
						differ++
					}
				}
			}
			if differ < 150 {
				t.Errorf("%s and %s differ in %d pixels", a, b, differ)
			}
		}
	}
}

func TestCSSColoursEveryClass(t *testing.T) {
	t.Parallel()
	css := CSS()
	used := map[string]bool{}
	class := regexp.MustCompile(`class="([^"]*)"`)
	for _, c := range every() {
		for _, found := range class.FindAllStringSubmatch(svgOf(t, c, Wide), -1) {
			for name := range strings.FieldsSeq(found[1]) {
				used[name] = true
			}
		}
	}
	for name := range used {
		if !regexp.MustCompile(`\.` + name + `[ {]`).MatchString(css) {
			t.Errorf("no rule for .%s", name)
		}
	}
	if len(used) < 20 {
		t.Errorf("only %d classes are used", len(used))
	}
	for line := range strings.Lines(css) {
		if strings.Contains(line, "#") && !strings.Contains(line, "--chart-") {
			t.Errorf("a colour without a name: %s", line)
		}
	}
	if strings.Count(css, "{") != strings.Count(css, "}") {
		t.Error("a rule is not closed")
	}
}
