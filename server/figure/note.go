package figure

import (
	"strconv"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
)

// groupNotes say what a comparison does not say, what it compares with, and what is not given and
// why.
func (t *Teller) groupNotes(c gap.Comparison, m Measure) []string {
	out := with(nil, m.Words.Caution)
	out = append(out, t.incomplete(c.Incomplete)...)
	if m.Improvement == measure.Context {
		out = append(out, t.w.Say("figure.note.context"))
	}
	if c.Reference != nil {
		out = append(out, t.chosen(c.Dimension, *c.Reference, m))
		out = append(out, t.w.Say("figure.note.no-reason"))
	} else if c.GapsRefused != nil && leadGap(c, m) == nil && len(c.Groups) > 0 {
		out = append(out, t.w.Say("figure.note.not-compared"))
	}
	if c.Overlapping {
		out = append(out, t.w.Say("figure.note.overlapping"))
	}
	out = append(out, t.notCompared(c)...)
	if tests := tested(c); tests > 1 {
		out = append(out, t.w.Say("figure.note.corrected", strconv.Itoa(tests), t.w.Number(likely, 2)))
	}
	if c.TestRefused != nil && c.GapsRefused == nil {
		out = append(out, t.w.Say("figure.note.test", t.refused(c.TestRefused)))
	}
	if c.Standard != nil && standardised(c) {
		out = append(out, t.w.Say("figure.note.standard."+string(c.Standard.Name)))
	}
	return out
}

// chosen says what the groups are compared with, and how that was chosen.
func (t *Teller) chosen(dimension string, c gap.Chosen, m Measure) string {
	name := t.reference(dimension, &c)
	switch c.Rule {
	case gap.Overall:
		return t.w.Say("figure.chosen.overall")
	case gap.Largest:
		return t.w.Say("figure.chosen.largest", name)
	case gap.Best:
		if m.Improvement == measure.Context {
			return t.w.Say("figure.chosen.largest", name)
		}
		return t.w.Say("figure.chosen.best", name)
	}
	return t.w.Say("figure.chosen.named", name)
}

// tested is how many tests a comparison makes.
func tested(c gap.Comparison) int {
	n := 0
	for _, one := range c.Groups {
		if one.Gap != nil && one.Gap.P != nil {
			n++
		}
	}
	for _, test := range []*gap.Test{c.Test, c.Trend} {
		if test != nil {
			n++
		}
	}
	return n
}

// notCompared names the groups that are compared with nothing, and those that are not to be relied
// on.
func (t *Teller) notCompared(c gap.Comparison) []string {
	var few, doubtful []string
	hidden := c.All.Suppressed
	for _, one := range c.Groups {
		hidden = hidden || one.Suppressed
		if !known(one) || one.Suppressed {
			continue
		}
		switch {
		case one.GapRefused != nil && one.GapRefused.Reason == gap.FewUnits:
			few = append(few, t.group(c.Dimension, one))
		case one.Score != nil && one.Reliability == string(stat.Unreliable):
			doubtful = append(doubtful, t.group(c.Dimension, one))
		}
	}
	var out []string
	if len(few) > 0 {
		out = append(out, t.w.Say("figure.note.few", t.list(few)))
	}
	if len(doubtful) > 0 {
		out = append(out, t.w.Say("figure.note.unreliable", t.list(doubtful)))
	}
	if hidden {
		out = append(out, t.w.Say("figure.note.suppressed"))
	}
	return out
}
