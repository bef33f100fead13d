package chart

import (
	"fmt"
	"strings"
)

// colour is a role that a colour plays. The palette is that of Okabe and Ito (2008), which people who
// see colours differently tell apart, darkened where it would be too faint on white.
type colour int

const (
	none colour = iota
	paper
	ink
	soft
	edge
	grid
	mark
	accent
	second
	third
	fourth
	fifth
	band
	bandOuter
	worse
	muchWorse
	better
	muchBetter
	partA
	partB
	partC
	partD
	partE
	partF
	hatch
)

// swatch is a colour in each scheme.
type swatch struct{ name, light, dark, print string }

// palette holds a swatch for each colour.
var palette = [...]swatch{
	none:       {name: "none"},
	paper:      {"paper", "#ffffff", "#1a1f25", "#ffffff"},
	ink:        {"ink", "#1a2129", "#e9ecef", "#000000"},
	soft:       {"soft", "#4b5663", "#b3bcc6", "#333333"},
	edge:       {"edge", "#76808c", "#88929d", "#555555"},
	grid:       {"grid", "#e4e7e3", "#2f3740", "#d4d4d4"},
	mark:       {"mark", "#0072b2", "#6cbff0", "#00508a"},
	accent:     {"accent", "#c94f00", "#ff9d5c", "#a83f00"},
	second:     {"second", "#00805d", "#4fd0a6", "#006046"},
	third:      {"third", "#a3457c", "#e9a6cb", "#7d2a5b"},
	fourth:     {"fourth", "#8a6400", "#efbd55", "#654900"},
	fifth:      {"fifth", "#4b5663", "#b3bcc6", "#333333"},
	band:       {"band", "#d5e6f2", "#22405a", "#dddddd"},
	bandOuter:  {"band-outer", "#ebf3f9", "#1f2f3d", "#eeeeee"},
	worse:      {"worse", "#fbe4d4", "#43291a", "#fbe4d4"},
	muchWorse:  {"much-worse", "#f2ae80", "#7a3f14", "#f2ae80"},
	better:     {"better", "#dcebf5", "#1b3347", "#dcebf5"},
	muchBetter: {"much-better", "#9ccbea", "#1f5680", "#9ccbea"},
	partA:      {"part-a", "#0072b2", "#6cbff0", "#00508a"},
	partB:      {"part-b", "#a9d4ef", "#2d5f86", "#b4d3e6"},
	partC:      {"part-c", "#f2c66f", "#745410", "#e8c684"},
	partD:      {"part-d", "#e6e9ec", "#3a434d", "#e6e6e6"},
	partE:      {"part-e", "#ffffff", "#1a1f25", "#ffffff"},
	partF:      {"part-f", "#2b333c", "#f4f6f8", "#1a1a1a"},
	hatch:      {"hatch", "#4b5663", "#b3bcc6", "#333333"},
}

// CSS returns the rules by which the classes of every picture take their colours: the light ones,
// those of a dark scheme, those of paper, and those that a reader has forced. A style sheet that
// includes them recolours pictures in a page without a change to their bytes.
func CSS() string {
	var b strings.Builder
	b.WriteString("/* Pictures: the colours of each scheme, and the classes that take them. */\n")
	scheme(&b, "", func(s swatch) string { return s.light })
	b.WriteString("@media (prefers-color-scheme: dark) {\n")
	scheme(&b, "  ", func(s swatch) string { return s.dark })
	b.WriteString("}\n@media print {\n")
	scheme(&b, "  ", func(s swatch) string { return s.print })
	b.WriteString("}\n@media (forced-colors: active) {\n")
	scheme(&b, "  ", forced)
	b.WriteString("}\n")
	for _, s := range palette[paper:] {
		fmt.Fprintf(&b, ".chart-fill-%[1]s { fill: var(--chart-%[1]s); }\n", s.name)
		fmt.Fprintf(&b, ".chart-line-%[1]s { stroke: var(--chart-%[1]s); }\n", s.name)
	}
	b.WriteString("svg.chart { max-width: 100%; height: auto; }\n")
	b.WriteString("@media (forced-colors: active) { svg.chart { forced-color-adjust: none; } }\n")
	return b.String()
}

// scheme writes the custom properties of one scheme.
func scheme(b *strings.Builder, indent string, of func(swatch) string) {
	b.WriteString(indent + ":root {\n")
	for _, s := range palette[paper:] {
		fmt.Fprintf(b, "%s  --chart-%s: %s;\n", indent, s.name, of(s))
	}
	b.WriteString(indent + "}\n")
}

// forced is the colour of the system that plays the role of a swatch: shapes and hatches are left to
// tell one thing from another.
func forced(s swatch) string {
	switch s.name {
	case "paper", "band", "band-outer", "worse", "much-worse", "better", "much-better",
		"part-b", "part-c", "part-d", "part-e":
		return "Canvas"
	case "grid", "edge":
		return "GrayText"
	default:
		return "CanvasText"
	}
}
