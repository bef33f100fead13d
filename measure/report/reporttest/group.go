package reporttest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
)

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

// everyGroupHasPopulation: unless the scoring is composite.
func everyGroupHasPopulation(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		scoring := scoringOf(slices.Concat(r.Extension, g.Extension))
		if len(g.Population) == 0 && scoring != "composite" {
			return fmt.Errorf("group %s has no population", g.GetId().GetValue())
		}
	}
	return nil
}

// proportionIsShare: a proportion's score is within 0..1, or absent; of strata too.
func proportionIsShare(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		if scoringOf(slices.Concat(r.Extension, g.Extension)) != "proportion" {
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

// sizeOrReason: ele-1 and the extension data-absent-reason. A count without a value says why.
func sizeOrReason(r *mrpb.MeasureReport) error {
	var faults []error
	sizes(r, func(place string, count *dpb.Integer, _ []*dpb.Extension) {
		if count == nil || len(count.Extension) == 0 {
			return
		}
		faults = append(faults, fault(find(count.Extension, absent) == nil,
			"the count of %s has no value and no reason", place))
	})
	return errors.Join(faults...)
}

// hiddenCellHidesItsScore: our own. A score tells what a hidden size is, a size that is masked is one
// of a cell that says so.
func hiddenCellHidesItsScore(r *mrpb.MeasureReport) error {
	masked := func(count *dpb.Integer) bool {
		return find(count.GetExtension(), absent).GetValue().GetCode().GetValue() == "masked"
	}
	check := func(
		place string, extensions []*dpb.Extension, score *dpb.Quantity, counts []*dpb.Integer,
	) error {
		says := find(extensions, suppressed).GetValue().GetBoolean().GetValue()
		return errors.Join(
			fault(says && score != nil, "%s hides figures and has a score", place),
			fault(!says && slices.ContainsFunc(counts, masked), "%s hides a size and does not say so", place),
		)
	}
	var faults []error
	for _, g := range r.Group {
		var counts []*dpb.Integer
		for _, p := range g.Population {
			counts = append(counts, p.Count)
		}
		faults = append(faults,
			check("group "+g.GetId().GetValue(), g.Extension, g.MeasureScore, counts))
		for _, s := range g.Stratifier {
			for i, stratum := range s.Stratum {
				var counts []*dpb.Integer
				for _, p := range stratum.Population {
					counts = append(counts, p.Count)
				}
				faults = append(faults, check(fmt.Sprintf("stratum %d of %s", i, s.GetId().GetValue()),
					stratum.Extension, stratum.MeasureScore, counts))
			}
		}
	}
	return errors.Join(faults...)
}
