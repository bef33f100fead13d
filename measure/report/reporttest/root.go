package reporttest

import (
	"errors"
	"fmt"
	"strings"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
)

// dataCollectionHasNoGroup: type = 'data-collection' implies group.exists().not().
func dataCollectionHasNoGroup(r *mrpb.MeasureReport) error {
	collection := r.GetType().GetValue() == cpb.MeasureReportTypeCode_DATA_COLLECTION
	return fault(collection && len(r.Group) > 0,
		"a data collection has groups")
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

// rootStatesImprovement: a root that has the scoring of a measure with a direction has
// improvementNotation.
func rootStatesImprovement(r *mrpb.MeasureReport) error {
	return fault(directed(scoringOf(r.Extension)) && r.ImprovementNotation == nil,
		"the root has the scoring and not the direction")
}

// groupsStateImprovement: so does a group that has the scoring.
func groupsStateImprovement(r *mrpb.MeasureReport) error {
	for _, g := range r.Group {
		if directed(scoringOf(g.Extension)) && find(g.Extension, urlDirection) == nil {
			return fmt.Errorf("group %s has the scoring and not the direction", g.GetId().GetValue())
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

// statedOnce: the guide's words on scoring and improvementNotation. What the root has no group has;
// what one group has every group has.
func statedOnce(r *mrpb.MeasureReport) error {
	with := 0
	for _, g := range r.Group {
		if find(g.Extension, urlDirection) != nil {
			with++
		}
	}
	return errors.Join(
		fault(r.ImprovementNotation != nil && with > 0, "the root and a group both say which way is better"),
		fault(with > 0 && with < len(r.Group), "some groups say which way is better"),
	)
}

// summaryCardinality: what the profile of a summary demands and forbids besides its invariants.
func summaryCardinality(r *mrpb.MeasureReport) error {
	subject := r.GetSubject()
	return errors.Join(
		fault(r.GetType().GetValue() != cpb.MeasureReportTypeCode_SUMMARY, "it is no summary"),
		headCardinality(r),
		fault(len(r.Group) == 0, "there is no group"),
		fault(subject != nil && subject.GetGroupId() == nil &&
			!strings.HasPrefix(subject.GetUri().GetValue(), "Group/"), "its subject is no Group"),
		fault(len(r.EvaluatedResource) > 0, "a summary lists resources"),
		noSubjectResults(r),
	)
}

// individualCardinality: an individual report has one subject and no lists of them.
func individualCardinality(r *mrpb.MeasureReport) error {
	return errors.Join(
		fault(r.GetType().GetValue() != cpb.MeasureReportTypeCode_INDIVIDUAL, "it is not individual"),
		headCardinality(r),
		fault(r.GetSubject().GetReference() == nil, "there is no subject"),
		noSubjectResults(r),
	)
}

// subjectListCardinality: every population has a list of its subjects.
func subjectListCardinality(r *mrpb.MeasureReport) error {
	faults := []error{
		fault(r.GetType().GetValue() != cpb.MeasureReportTypeCode_SUBJECT_LIST, "it is no subject list"),
		headCardinality(r),
		fault(len(r.Group) == 0, "there is no group"),
	}
	for _, g := range r.Group {
		for _, p := range g.Population {
			faults = append(faults, fault(p.SubjectResults == nil,
				"population %s has no list", p.GetId().GetValue()))
		}
	}
	return errors.Join(faults...)
}

// headCardinality: what every profile demands, and the codes that it allows once.
func headCardinality(r *mrpb.MeasureReport) error {
	faults := []error{
		fault(r.GetStatus().GetValue() == 0, "there is no status"),
		fault(r.GetMeasure().GetValue() == "", "there is no measure"),
		fault(r.Reporter == nil, "there is no reporter"),
		fault(r.Date == nil, "there is no date"),
		fault(r.GetPeriod().GetStart() == nil || r.GetPeriod().GetEnd() == nil, "the period is open"),
	}
	for _, g := range r.Group {
		for _, p := range g.Population {
			faults = append(faults, coded(p.Code, "population", p.GetId()))
		}
		for _, s := range g.Stratifier {
			faults = append(faults, fault(len(s.Code) > 1, "stratifier %s has codes", s.GetId().GetValue()))
			for _, stratum := range s.Stratum {
				for _, p := range stratum.Population {
					faults = append(faults, coded(p.Code, "a population of", s.GetId()))
				}
				for _, c := range stratum.Component {
					faults = append(faults, coded(c.Code, "a component of", s.GetId()),
						coded(c.Value, "the value of a component of", s.GetId()))
				}
			}
		}
	}
	return errors.Join(faults...)
}

func coded(code *dpb.CodeableConcept, what string, id *dpb.String) error {
	return fault(code == nil, "%s %s has no code", what, id.GetValue())
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
