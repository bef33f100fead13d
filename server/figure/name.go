package figure

import (
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/words"
)

// named names a stratum by what results say of it: the code and the label, or the state where the group
// is not known. Those of a cross are joined.
func (t *Teller) named(dimension, code, state, label string) string {
	if state != "" && state != string(mapping.Known) && !strings.Contains(dimension, "*") {
		return t.w.Label("figure.state", state)
	}
	return words.Plain(label)
}

// group names a stratum of a comparison.
func (t *Teller) group(dimension string, c gap.Compared) string {
	return t.named(dimension, c.Code, c.State, c.Label)
}

// reference names what groups are compared with.
func (t *Teller) reference(dimension string, c *gap.Chosen) string {
	if c.Rule == gap.Overall {
		return t.w.Say("figure.everybody")
	}
	return t.named(dimension, c.Code, string(mapping.Known), c.Label)
}

// dimension names a dimension as within a sentence.
func (t *Teller) dimension(name string) string {
	parts := strings.Split(name, "*")
	for i, part := range parts {
		parts[i] = t.w.Label("figure.dimension", part)
	}
	return strings.Join(parts, " × ")
}

// In begins a sentence with a period: "In 2025, …", "From January 2, 2025 to March 4, 2025, …".
func (t *Teller) In(p measure.Period, clause string) string {
	text := t.w.Period(p)
	if text == t.w.Say("period.span", t.w.Day(p.Start.Date()), t.w.Day(p.End.Date())) {
		return t.w.Say("figure.in.span", t.w.Day(p.Start.Date()), t.w.Day(p.End.Date()), clause)
	}
	const quarter = 3
	if p.Start.Day() == 1 && p.Start.AddDate(0, quarter, -1).Equal(p.End) {
		return t.w.Say("figure.in.quarter", text, clause)
	}
	return t.w.Say("figure.in", text, clause)
}
