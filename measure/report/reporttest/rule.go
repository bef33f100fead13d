// Package reporttest holds what a summary MeasureReport is checked against, rule by rule, and
// results to make reports of.
package reporttest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
)

// Rule is one invariant of R4 (mrp) or of the summary profile of DEQM (deqm), written out by hand
// from the text of the profile.
type Rule struct {
	Name  string
	Check func(*mrpb.MeasureReport) error
}

// Check returns the faults of report, each with the name of the rule that it breaks.
func Check(report *mrpb.MeasureReport) error {
	var faults []error
	for _, rule := range Rules() {
		if err := rule.Check(report); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", rule.Name, err))
		}
	}
	return errors.Join(faults...)
}

// Rules lists every rule.
func Rules() []Rule {
	return []Rule{
		{"mrp-1", dataCollectionHasNoGroup},
		{"mrp-2", valueXorComponent},
		{"deqm-0", measureHasVersion},
		{"deqm-1", periodIsOfDays},
		{"deqm-2", improvementStated},
		{"deqm-3", scoringStatedOnce},
		{"deqm-4", improvementStatedOnce},
		{"deqm-5", everyGroupHasPopulation},
		{"deqm-6", proportionIsShare},
		{"deqm-7", stratifierCodeXorComponent},
		{"deqm-8", groupCountXorQuantity},
		{"deqm-9", stratumCountXorQuantity},
		{"deqm-cardinality", cardinality},
		{"deqm-linkId", everyElementLinked},
		{"stratum.value", strataUnique},
	}
}

const (
	deqm          = "http://hl7.org/fhir/uv/deqm/StructureDefinition/"
	urlScoring    = deqm + "deqm-measureScoring"
	urlDirection  = deqm + "deqm-groupImprovementNotation"
	countQuantity = "http://hl7.org/fhir/StructureDefinition/measurereport-countQuantity"
	link          = "http://hl7.org/fhir/5.0/StructureDefinition/extension-MeasureReport.group"
)

func find(extensions []*dpb.Extension, url string) *dpb.Extension {
	for _, e := range extensions {
		if e.GetUrl().GetValue() == url {
			return e
		}
	}
	return nil
}

func fault(wrong bool, format string, args ...any) error {
	if wrong {
		return fmt.Errorf(format, args...)
	}
	return nil
}

// dataCollectionHasNoGroup: type = 'data-collection' implies group.exists().not().
func dataCollectionHasNoGroup(r *mrpb.MeasureReport) error {
	collection := r.GetType().GetValue() == cpb.MeasureReportTypeCode_DATA_COLLECTION
	return fault(collection && len(r.Group) > 0,
		"a data collection has groups")
}

// valueXorComponent: group.stratifier.stratum.all(value.exists() xor component.exists()).
func valueXorComponent(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		for _, s := range g.Stratifier {
			for i, stratum := range s.Stratum {
				if (stratum.Value != nil) == (len(stratum.Component) > 0) {
					return fmt.Errorf("stratum %d of %s has not one of value and component",
						i, s.GetId().GetValue())
				}
			}
		}
	}
	return nil
}

func measureHasVersion(r *mrpb.MeasureReport) error {
	_, version, _ := strings.Cut(r.GetMeasure().GetValue(), "|")
	return fault(version == "", "the canonical has no version")
}

func periodIsOfDays(r *mrpb.MeasureReport) error {
	for _, end := range []*dpb.DateTime{r.GetPeriod().GetStart(), r.GetPeriod().GetEnd()} {
		if end.GetPrecision() < dpb.DateTime_DAY {
			return errors.New("the period is coarser than days")
		}
	}
	return nil
}

// improvementStated: at the root, or in every group.
func improvementStated(r *mrpb.MeasureReport) error {
	if r.ImprovementNotation != nil {
		return nil
	}
	for _, g := range r.Group {
		if find(g.Extension, urlDirection) == nil {
			return fmt.Errorf("neither the report nor group %s says which way is better",
				g.GetId().GetValue())
		}
	}
	return nil
}

func improvementStatedOnce(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		if r.ImprovementNotation != nil && find(g.Extension, urlDirection) != nil {
			return fmt.Errorf("the report and group %s both say which way is better", g.GetId().GetValue())
		}
	}
	return nil
}

// scoringStatedOnce: at the root xor in every group.
func scoringStatedOnce(r *mrpb.MeasureReport) error {
	root := find(r.Extension, urlScoring) != nil
	for _, g := range r.Group {
		if (find(g.Extension, urlScoring) != nil) == root {
			return fmt.Errorf("the scoring of group %s is stated twice or not at all", g.GetId().GetValue())
		}
	}
	return nil
}

func everyGroupHasPopulation(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		if len(g.Population) == 0 {
			return fmt.Errorf("group %s has no population", g.GetId().GetValue())
		}
	}
	return nil
}

// proportionIsShare: a proportion's score is within 0..1, or absent; of strata too.
func proportionIsShare(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		scoring := find(slices.Concat(r.Extension, g.Extension), urlScoring)
		codings := scoring.GetValue().GetCodeableConcept().GetCoding()
		if len(codings) == 0 || codings[0].GetCode().GetValue() != "proportion" {
			continue
		}
		scores := []*dpb.Quantity{g.MeasureScore}
		for _, s := range g.Stratifier {
			for _, stratum := range s.Stratum {
				scores = append(scores, stratum.MeasureScore)
			}
		}
		for _, score := range scores {
			if score == nil {
				continue
			}
			v, err := strconv.ParseFloat(score.GetValue().GetValue(), 64)
			if err != nil || v < 0 || v > 1 {
				return fmt.Errorf("a proportion of group %s is %s",
					g.GetId().GetValue(), score.GetValue().GetValue())
			}
		}
	}
	return nil
}

// stratifierCodeXorComponent: code.exists() xor stratum.component.exists().
func stratifierCodeXorComponent(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		for _, s := range g.Stratifier {
			component := false
			for _, stratum := range s.Stratum {
				component = component || len(stratum.Component) > 0
			}
			if (len(s.Code) > 0) == component {
				return fmt.Errorf("stratifier %s has not one of code and components", s.GetId().GetValue())
			}
		}
	}
	return nil
}

func groupCountXorQuantity(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		for _, p := range g.Population {
			if (p.Count != nil) == (find(p.Extension, countQuantity) != nil) {
				return fmt.Errorf("population %s has not one of count and countQuantity", p.GetId().GetValue())
			}
		}
	}
	return nil
}

func stratumCountXorQuantity(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		for _, s := range g.Stratifier {
			for i, stratum := range s.Stratum {
				for _, p := range stratum.Population {
					if (p.Count != nil) == (find(p.Extension, countQuantity) != nil) {
						return fmt.Errorf("a population of stratum %d of %s has not one of count and countQuantity",
							i, s.GetId().GetValue())
					}
				}
			}
		}
	}
	return nil
}

// cardinality: what the profile of a summary demands and forbids besides its invariants.
func cardinality(r *mrpb.MeasureReport) error {
	return errors.Join(
		fault(r.GetStatus().GetValue() == 0, "there is no status"),
		fault(r.GetType().GetValue() != cpb.MeasureReportTypeCode_SUMMARY, "it is no summary"),
		fault(r.Reporter == nil, "there is no reporter"),
		fault(r.Date == nil, "there is no date"),
		fault(r.GetPeriod().GetStart() == nil || r.GetPeriod().GetEnd() == nil, "the period is open"),
		fault(len(r.Group) == 0, "there is no group"),
		fault(r.Subject != nil, "a summary has a subject"),
		fault(len(r.EvaluatedResource) > 0, "a summary lists resources"),
		noSubjectResults(r),
	)
}

func noSubjectResults(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		for _, p := range g.Population {
			if p.SubjectResults != nil {
				return fmt.Errorf("population %s lists subjects", p.GetId().GetValue())
			}
		}
		for _, s := range g.Stratifier {
			for _, stratum := range s.Stratum {
				for _, p := range stratum.Population {
					if p.SubjectResults != nil {
						return fmt.Errorf("a stratum of %s lists subjects", s.GetId().GetValue())
					}
				}
			}
		}
	}
	return nil
}

// everyElementLinked: linkId 1..1 on group, population, stratifier, component, stratum.population.
func everyElementLinked(r *mrpb.MeasureReport) error {
	var faults []error
	want := func(extensions []*dpb.Extension, path string) {
		value := find(extensions, link+path).GetValue().GetStringValue().GetValue()
		faults = append(faults, fault(value == "", "an element has no %s", link+path))
	}
	for _, g := range r.Group {
		want(g.Extension, ".linkId")
		for _, p := range g.Population {
			want(p.Extension, ".population.linkId")
		}
		for _, s := range g.Stratifier {
			want(s.Extension, ".stratifier.linkId")
			for _, stratum := range s.Stratum {
				for _, c := range stratum.Component {
					want(c.Extension, ".stratifier.stratum.component.linkId")
				}
				for _, p := range stratum.Population {
					want(p.Extension, ".stratifier.stratum.population.linkId")
				}
			}
		}
	}
	return errors.Join(faults...)
}

// strataUnique: the value of a stratum, or its components together, tell it from the others.
func strataUnique(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		for _, s := range g.Stratifier {
			seen := map[string]bool{}
			for _, stratum := range s.Stratum {
				key := stratum.GetValue().String()
				for _, c := range stratum.Component {
					key += c.String()
				}
				if seen[key] {
					return fmt.Errorf("two strata of %s are alike", s.GetId().GetValue())
				}
				seen[key] = true
			}
		}
	}
	return nil
}
