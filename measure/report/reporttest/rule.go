// Package reporttest holds what a MeasureReport is checked against, rule by rule, and results to make
// reports of.
package reporttest

import (
	"errors"
	"fmt"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
)

// Rule is one invariant of R4 (mrp, dom, ele) or of the profiles of DEQM (deqm), written out by hand
// from the text of the profile, or one of our own.
type Rule struct {
	Name  string
	Check func(*mrpb.MeasureReport) error
}

// Check returns the faults of report, each with the name of the rule of its type that it breaks.
func Check(report *mrpb.MeasureReport) error {
	var faults []error
	for _, rule := range RulesOf(report.GetType().GetValue()) {
		if err := rule.Check(report); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", rule.Name, err))
		}
	}
	return errors.Join(faults...)
}

// RulesOf lists the rules of a type of report; of a data collection those of a summary, which it
// breaks.
func RulesOf(kind cpb.MeasureReportTypeCode_Value) []Rule {
	switch kind {
	case cpb.MeasureReportTypeCode_INDIVIDUAL:
		return append(common(), Rule{"deqm-cardinality", individualCardinality})
	case cpb.MeasureReportTypeCode_SUBJECT_LIST:
		return append(common(), Rule{"deqm-cardinality", subjectListCardinality})
	case cpb.MeasureReportTypeCode_SUMMARY, cpb.MeasureReportTypeCode_DATA_COLLECTION,
		cpb.MeasureReportTypeCode_INVALID_UNINITIALIZED:
	}
	return Rules()
}

// Rules lists every rule of a summary.
func Rules() []Rule { return append(common(), Rule{"deqm-cardinality", summaryCardinality}) }

func common() []Rule {
	return []Rule{
		{"mrp-1", dataCollectionHasNoGroup},
		{"mrp-2", valueXorComponent},
		{"dom-3", containedIsReferredTo},
		{"deqm-0", measureHasVersion},
		{"deqm-1", periodIsOfDays},
		{"deqm-2", rootStatesImprovement},
		{"deqm-3", scoringStatedOnce},
		{"deqm-4", groupsStateImprovement},
		{"deqm-5", everyGroupHasPopulation},
		{"deqm-6", proportionIsShare},
		{"deqm-7", stratifierCodeXorComponent},
		{"deqm-8", groupCountXorQuantity},
		{"deqm-9", stratumCountXorQuantity},
		{"deqm-linkId", everyElementLinked},
		{"deqm-once", statedOnce},
		{"deqm-supplementalData", supplementResolves},
		{"stratum.value", strataUnique},
		{"count", sizeOrReason},
		{"masked", hiddenCellHidesItsScore},
	}
}

const (
	deqm          = "http://hl7.org/fhir/uv/deqm/StructureDefinition/"
	urlScoring    = deqm + "deqm-measureScoring"
	urlDirection  = deqm + "deqm-groupImprovementNotation"
	core          = "http://hl7.org/fhir/StructureDefinition/"
	countQuantity = core + "measurereport-countQuantity"
	criteria      = core + "cqf-criteriaReference"
	absent        = core + "data-absent-reason"
	link          = "http://hl7.org/fhir/5.0/StructureDefinition/extension-MeasureReport.group"
	supplement    = "http://hl7.org/fhir/5.0/StructureDefinition/extension-MeasureReport.supplementalData"
	suppressed    = "https://equitylens.org/fhir/StructureDefinition/suppressed"
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

// scoringOf is the code of deqm-measureScoring among extensions, or "".
func scoringOf(extensions []*dpb.Extension) string {
	codings := find(extensions, urlScoring).GetValue().GetCodeableConcept().GetCoding()
	if len(codings) == 0 {
		return ""
	}
	return codings[0].GetCode().GetValue()
}

// directed reports whether a scoring has a direction: 'proportion' | 'ratio' | 'continuous-variable'.
func directed(scoring string) bool {
	return scoring == "proportion" || scoring == "ratio" || scoring == "continuous-variable"
}

// sizes calls see with every population of every group and stratum: where it is, its count and its
// extensions.
func sizes(
	r *mrpb.MeasureReport, see func(place string, count *dpb.Integer, extensions []*dpb.Extension),
) {
	for _, g := range r.Group {
		for _, p := range g.Population {
			see("population "+p.GetId().GetValue(), p.Count, p.Extension)
		}
		for _, s := range g.Stratifier {
			for i, stratum := range s.Stratum {
				place := fmt.Sprintf("a population of stratum %d of %s", i, s.GetId().GetValue())
				for _, p := range stratum.Population {
					see(place, p.Count, p.Extension)
				}
			}
		}
	}
}
