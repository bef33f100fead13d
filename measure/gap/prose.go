package gap

import (
	"fmt"
	"math"
	"strings"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// likely is the corrected p-value up to which a finding is called more than chance.
const likely = 0.05

// speak says the most of a comparison in plain words.
func (out *Comparison) speak(g measure.Group) {
	out.Sentences = []string{}
	say := func(format string, args ...any) {
		out.Sentences = append(out.Sentences, fmt.Sprintf(format, args...))
	}
	by := dimensionWords(out.Dimension)
	if t := out.Test; t != nil {
		finding := "could be as far apart by chance alone"
		if *t.Q <= likely {
			finding = "are further apart than chance would have them"
		}
		rough := ""
		if t.Rough {
			rough = "; some expected counts are below 5, so take it as rough"
		}
		say("%s, %s: taken together, the %d groups by %s %s (%s, p %s, corrected %s%s).", g.Title,
			periodWords(out.Period), t.Groups, by, finding, testWords(t), pWords(t.P), pWords(*t.Q), rough)
	}
	if t := out.Trend; t != nil && *t.Q <= likely {
		way := "rises"
		if *t.Statistic < 0 {
			way = "falls"
		}
		say("The share %s with age (Cochran–Armitage, p %s, corrected %s).", way, pWords(t.P),
			pWords(*t.Q))
	}
	for _, c := range out.Groups {
		if c.Gap != nil {
			say("%s", c.Gap.Sentence)
			out.sayStandardised(g, c, say)
		}
	}
	for _, r := range []*Refused{out.GapsRefused, out.TestRefused} {
		if r != nil && (len(out.Sentences) == 0 || out.Sentences[len(out.Sentences)-1] != r.Says) {
			say("%s", r.Says)
		}
	}
	unknown := 0.0
	for _, c := range out.Groups {
		if c.State != "known" && c.Share != nil {
			unknown += *c.Share
		}
	}
	if unknown > 0 {
		say("%.1f of 100 are of no known group by %s, and are compared with nobody.", 100*unknown, by)
	}
}

// sayStandardised says how far apart the group and the reference are at the same ages.
func (out *Comparison) sayStandardised(g measure.Group, c Compared, say func(string, ...any)) {
	if c.Direct == nil || out.Reference.Rule == Overall {
		return
	}
	for _, other := range out.Groups {
		if other.State != "known" || other.Code != out.Reference.Code || other.Direct == nil {
			continue
		}
		times, unit := 1.0, fmt.Sprintf(" per %g", out.Per)
		if g.Scoring == measure.Proportion {
			times, unit = 100, " in 100"
		}
		say("At the same ages (%s) the difference between %s and %s would be %+.1f%s instead of %+.1f.",
			standardWords(out.Standard.Name), c.Label, other.Label,
			times*(c.Direct.Score-other.Direct.Score), unit, times*c.Gap.Difference)
	}
}

func standardWords(s Standard) string {
	if s == US2000 {
		return "those of the United States in 2000"
	}
	return "those of everybody in the measure"
}

func testWords(t *Test) string {
	switch t.Method {
	case ChiSquareTest:
		return fmt.Sprintf("χ² %.1f of %d", *t.Statistic, t.DF)
	case RankTest:
		return fmt.Sprintf("Kruskal–Wallis %.1f of %d", *t.Statistic, t.DF)
	case stat.FisherTest, stat.ScoreTest, stat.ConditionalTest:
	}
	return "Fisher's exact test"
}

// pWords prints a p-value: those that are very small are not known to their last digit.
func pWords(p float64) string {
	if p < 0.001 {
		return "below 0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

func dimensionWords(dimension string) string {
	return strings.NewReplacer("_", " ", "*", " × ").Replace(dimension)
}

// scoreWords prints a score for people.
func scoreWords(g measure.Group, v float64) string {
	switch g.Scoring {
	case measure.Proportion:
		return fmt.Sprintf("%.1f of 100", 100*v)
	case measure.Ratio:
		return fmt.Sprintf("%.1f per %g", v, scale(g))
	case measure.ContinuousVariable, measure.Cohort:
	}
	return fmt.Sprintf("%g", v)
}

// differenceWords prints the size of a difference.
func differenceWords(g measure.Group, v float64) string {
	switch g.Scoring {
	case measure.Proportion:
		return fmt.Sprintf("%.1f in 100", 100*math.Abs(v))
	case measure.Ratio:
		return fmt.Sprintf("%.1f per %g", math.Abs(v), scale(g))
	case measure.ContinuousVariable, measure.Cohort:
	}
	return fmt.Sprintf("%g", math.Abs(v))
}
