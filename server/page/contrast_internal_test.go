package page

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// schemes returns the custom properties of the style sheet, in the light and in the dark.
func schemes(t *testing.T) map[string]map[string]string {
	t.Helper()
	raw, err := files.ReadFile("assets/app.css")
	if err != nil {
		t.Fatalf("read the style sheet: %v", err)
	}
	property := regexp.MustCompile(`--([a-z-]+):\s*(#[0-9a-f]{6});`)
	block := regexp.MustCompile(`:root \{[^}]*\}`).FindAllString(string(raw), -1)
	if len(block) < 2 {
		t.Fatalf("the style sheet has %d blocks of colours, want those of two schemes", len(block))
	}
	out := map[string]map[string]string{"light": {}, "dark": {}}
	for i, scheme := range []string{"light", "dark"} {
		for _, m := range property.FindAllStringSubmatch(block[i], -1) {
			out[scheme][m[1]] = m[2]
		}
	}
	if len(out["light"]) != len(out["dark"]) || len(out["light"]) == 0 {
		t.Fatalf("%d colours in the light, %d in the dark", len(out["light"]), len(out["dark"]))
	}
	return out
}

// luminance is the relative luminance of https://www.w3.org/TR/WCAG22/#dfn-relative-luminance.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatalf("read %q: %v", colour, err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// contrast is that of https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	t.Parallel()
	const text, edge = 4.5, 3 // WCAG 2.2, 1.4.3 and 1.4.11.
	// Every pair that the style sheet puts on top of each other, and how far apart they have to be.
	pairs := []struct {
		above string
		below []string
		least float64
	}{
		{"ink", []string{"ground", "paper", "act-paper", "ask-paper", "ok-paper", "note-paper"}, text},
		{"soft", []string{"ground", "paper"}, text},
		{"link", []string{"ground", "paper"}, text},
		{"accent", []string{"ground", "paper"}, text},
		{"on-accent", []string{"accent"}, text},
		{"act", []string{"ground", "act-paper"}, text},
		{"ask", []string{"ground", "paper", "ask-paper"}, text},
		{"ok", []string{"ground", "ok-paper"}, text},
		{"note", []string{"ground", "note-paper"}, text},
		{"edge", []string{"ground", "paper"}, edge},
		{"link", []string{"act-paper", "ask-paper", "ok-paper", "note-paper"}, edge},
	}
	for name, colours := range schemes(t) {
		for _, pair := range pairs {
			for _, below := range pair.below {
				above, beneath := colours[pair.above], colours[below]
				if above == "" || beneath == "" {
					t.Errorf("%s: there is no --%s or no --%s", name, pair.above, below)
					continue
				}
				if got := contrast(t, above, beneath); got < pair.least {
					t.Errorf("%s: %s on %s has %.2f, want %v", name, pair.above, below, got, pair.least)
				}
			}
		}
	}
}

func TestContrastIsThatOfWCAG(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#777777", "#ffffff", 4.478}, {"#123456", "#123456", 1}} {
		if got := contrast(t, test.a, test.b); math.Abs(got-test.want) > 0.001 {
			t.Errorf("contrast(%s, %s) = %.4f, want %v", test.a, test.b, got, test.want)
		}
	}
}

// Colours stand in the custom properties alone, where their contrast is computed.
func TestColoursAreNamed(t *testing.T) {
	t.Parallel()
	raw, err := files.ReadFile("assets/app.css")
	if err != nil {
		t.Fatalf("read the style sheet: %v", err)
	}
	for line := range strings.Lines(string(raw)) {
		if strings.Contains(line, "#") && !strings.Contains(line, "--") {
			t.Errorf("a colour without a name: %s", strings.TrimSpace(line))
		}
	}
	for _, wanted := range []string{
		"prefers-color-scheme: dark", "@media print", "forced-colors: active", "prefers-reduced-motion",
		":focus-visible",
	} {
		if !strings.Contains(string(raw), wanted) {
			t.Errorf("the style sheet says nothing about %s", wanted)
		}
	}
}
