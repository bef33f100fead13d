package report

import (
	"errors"
	"fmt"
	"slices"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	lpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/list_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
)

// SubjectList gathers the patients of each population of a result. Its report names people. It is for
// one goroutine.
type SubjectList struct {
	builder *Builder
	result  measure.Result
	// patients are those of each population of each group, in the order in which they came.
	patients map[string]map[measure.Population][]phi.ID
}

// SubjectList returns a gatherer for the members of result. A result that hides figures is refused,
// for the length of a list tells a figure.
func (b *Builder) SubjectList(result measure.Result) (*SubjectList, error) {
	for _, g := range result.Groups {
		hidden := g.Suppressed
		for _, strata := range g.Strata {
			hidden = hidden || slices.ContainsFunc(strata, func(s measure.Stratum) bool {
				return s.Suppressed
			})
		}
		if hidden {
			return nil, errors.New("make subject list: the result hides figures")
		}
	}
	return &SubjectList{
		builder: b, result: result, patients: map[string]map[measure.Population][]phi.ID{},
	}, nil
}

// Add takes the next member; those of one patient come one after the other.
func (l *SubjectList) Add(m measure.Member) error {
	for _, rate := range m.Rates {
		of := l.patients[groupID(rate.ID)]
		if of == nil {
			of = map[measure.Population][]phi.ID{}
			l.patients[groupID(rate.ID)] = of
		}
		for _, p := range rate.In {
			if list := of[p]; len(list) == 0 || list[len(list)-1] != m.Patient {
				of[p] = append(list, m.Patient)
			}
		}
	}
	return nil
}

// Report makes the report: the figures of the result, and for each population of each group a
// contained List with a reference to each patient, once.
func (l *SubjectList) Report() *mrpb.MeasureReport {
	report := l.builder.head(l.result, cpb.MeasureReportTypeCode_SUBJECT_LIST,
		identifier(l.result, "subject-list"))
	for i, g := range l.result.Groups {
		group := report.Group[i]
		fillGroup(group, g)
		for j, p := range shownPopulations(g) {
			id := fmt.Sprintf("subjects-%d-%d", i+1, j+1)
			contain(report, &rpb.ContainedResource{
				OneofResource: &rpb.ContainedResource_List{List: listed(id, l.patients[groupID(g.ID)][p])},
			})
			group.Population[j].SubjectResults = r4.Fragment(id)
		}
	}
	l.builder.supplement(report, l.result)
	note(report, notes(l.result))
	return report
}

func listed(id string, patients []phi.ID) *lpb.List {
	list := &lpb.List{
		Id:     &dpb.Id{Value: id},
		Status: &lpb.List_StatusCode{Value: cpb.ListStatusCode_CURRENT},
		Mode:   &lpb.List_ModeCode{Value: cpb.ListModeCode_SNAPSHOT},
	}
	for _, patient := range patients {
		list.Entry = append(list.Entry, &lpb.List_Entry{Item: r4.Refer("Patient", patient.Reveal())})
	}
	if len(patients) == 0 {
		list.EmptyReason = r4.Coded(systemEmpty, "nilknown")
	}
	return list
}
