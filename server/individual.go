package server

import (
	"context"
	"errors"

	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report"
)

// maxReports bounds the individual reports of one measure in one answer.
const maxReports = 1000

// errMoved says that the snapshot was replaced while an answer was made of it in two steps.
var errMoved = errors.New("the snapshot was replaced meanwhile")

// members asks for the result of a question and for the members behind it, of one snapshot. What is
// not of the same one as the result is thrown away and asked for again.
func (s *Server) members(
	ctx context.Context, q measure.Question, begin func(measure.Result) error,
	yield func(measure.Member) error,
) error {
	for range 3 {
		result, err := s.cfg.Measures.Evaluate(ctx, q)
		if err != nil {
			return failed(q.Measure, err)
		}
		if err := begin(result); err != nil {
			return failed(q.Measure, err)
		}
		if err := s.cfg.Members.Members(ctx, q, yield); err != nil {
			return failed(q.Measure, err)
		}
		if now, ok := s.cfg.Snapshots.Current(); ok && now.ID == result.Snapshot {
			return nil
		}
	}
	return failed(q.Measure, errMoved)
}

// individuals makes the report of each of people, who are not nil.
func (s *Server) individuals(
	ctx context.Context, in inquiry, d measure.Definition, people []phi.ID,
) (map[phi.ID]*mrpb.MeasureReport, error) {
	if len(people) > maxReports {
		return nil, tooManySubjects(maxReports)
	}
	about := report.Evaluation{Definition: d}
	var of map[phi.ID][]measure.Member
	q := in.question
	q.Measure, q.People, q.By, q.Bounds = d.ID, people, nil, false
	err := s.members(ctx, q, func(result measure.Result) error {
		about.Result, of = result, map[phi.ID][]measure.Member{}
		return nil
	}, func(m measure.Member) error {
		of[m.Patient] = append(of[m.Patient], m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	reports := make(map[phi.ID]*mrpb.MeasureReport, len(people))
	for _, id := range people {
		who, own := id, of[id]
		delete(of, id)
		if own == nil && len(people) == 1 {
			// Of a record that was merged into another one the units are that one's.
			for survivor, members := range of {
				who, own = survivor, members
			}
		}
		made, err := s.reports.Individual(about, who, own)
		if err != nil {
			return nil, failed(d.ID, err)
		}
		reports[id] = made
	}
	return reports, s.merged(ctx, in, d, people, of, reports)
}

// merged answers for those of people whose record was merged into another one, where several are
// asked about: whose members are left over is found out by asking about each alone.
func (s *Server) merged(
	ctx context.Context, in inquiry, d measure.Definition, people []phi.ID,
	left map[phi.ID][]measure.Member, reports map[phi.ID]*mrpb.MeasureReport,
) error {
	if len(left) == 0 || len(people) == 1 {
		return nil
	}
	for _, id := range people {
		alone, err := s.individuals(ctx, in, d, []phi.ID{id})
		if err != nil {
			return err
		}
		for _, made := range alone {
			reports[id] = made
		}
	}
	return nil
}

// subjects makes the subject list of a measure, and says how many patients it names.
func (s *Server) subjects(
	ctx context.Context, in inquiry, d measure.Definition, people []phi.ID,
) (*mrpb.MeasureReport, int, error) {
	q := in.question
	q.Measure, q.People = d.ID, people
	var list *report.SubjectList
	var named int
	var last phi.ID
	err := s.members(ctx, q, func(result measure.Result) (err error) {
		named, last = 0, phi.ID{}
		list, err = s.reports.SubjectList(result)
		return err
	}, func(m measure.Member) error {
		if m.Patient != last {
			named, last = named+1, m.Patient
		}
		if named > s.cfg.MaxSubjects {
			return tooManySubjects(s.cfg.MaxSubjects)
		}
		return list.Add(m)
	})
	if err != nil {
		return nil, 0, err
	}
	return list.Report(), named, nil
}
