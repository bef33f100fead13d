package report

import (
	"errors"
	"fmt"
	"slices"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
)

// Evaluation is what members were found by: the definition, and the result of the same question.
type Evaluation struct {
	Definition measure.Definition
	// Result says of which data and period; individual reports read none of its figures.
	Result measure.Result
}

// Individuals makes the individual reports of members that come ordered by patient, one report a
// patient. Its reports name people. It is for one goroutine.
type Individuals struct {
	builder *Builder
	about   Evaluation
	yield   func(*mrpb.MeasureReport) error
	patient phi.ID
	members []measure.Member
}

// Individuals returns a maker that hands each report to yield as soon as the patient is complete.
func (b *Builder) Individuals(
	about Evaluation, yield func(*mrpb.MeasureReport) error,
) *Individuals {
	return &Individuals{builder: b, about: about, yield: yield}
}

// Add takes the next member.
func (i *Individuals) Add(m measure.Member) error {
	if m.Patient != i.patient {
		if err := i.Close(); err != nil {
			return err
		}
		i.patient = m.Patient
	}
	i.members = append(i.members, m)
	return nil
}

// Close hands on the report of the last patient, if there is one.
func (i *Individuals) Close() error {
	if len(i.members) == 0 {
		return nil
	}
	report, err := i.builder.Individual(i.about, i.patient, i.members)
	if err != nil {
		return err
	}
	i.members = i.members[:0]
	return i.yield(report)
}

// Individual makes the report of one patient. Members are all that are of the patient; none makes a
// report of zeroes. Counts are of units: 0 or 1 where the unit is the patient. Each unit that has an
// id is an evaluated resource that names the populations it is in, by cqf-criteriaReference.
func (b *Builder) Individual(
	about Evaluation, patient phi.ID, members []measure.Member,
) (*mrpb.MeasureReport, error) {
	if patient.Empty() {
		return nil, errors.New("make individual report: no patient is given")
	}
	result := about.Result
	result.Groups = nil
	for _, rate := range about.Definition.Rates() {
		result.Groups = append(result.Groups, measure.Group{
			ID: rate.ID, Title: rate.Title, Scoring: about.Definition.Scoring,
			Improvement: rate.Improvement, Per: about.Definition.Per,
		})
	}
	report := b.head(result, cpb.MeasureReportTypeCode_INDIVIDUAL,
		identifier(result, "individual", patient.Reveal()))
	report.Subject = r4.Refer("Patient", patient.Reveal())
	report.Extension = append(report.Extension,
		r4.CodeExtension(urlOwnBasis, basis(about.Definition.Unit)))
	for i, rate := range about.Definition.Rates() {
		own := ratesOf(members, rate.ID)
		individualGroup(report.Group[i], about.Definition, rate, result.Groups[i], own)
	}
	for _, m := range members {
		if m.Patient != patient {
			return nil, errors.New("make individual report: a member is of another patient")
		}
		b.evaluated(report, about, m)
	}
	note(report, incomplete(result))
	return report, nil
}

// ratesOf is what each unit is to one rate.
func ratesOf(members []measure.Member, id string) []measure.MemberRate {
	var rates []measure.MemberRate
	for _, m := range members {
		for _, rate := range m.Rates {
			if rate.ID == id {
				rates = append(rates, rate)
			}
		}
	}
	return rates
}

// tally is what the units of one patient come to in one rate.
type tally struct {
	sizes map[measure.Population]float64
	sums  map[measure.Population]float64
}

func tallied(rates []measure.MemberRate) tally {
	t := tally{map[measure.Population]float64{}, map[measure.Population]float64{}}
	for _, rate := range rates {
		for _, p := range rate.In {
			t.sizes[p]++
		}
		for p, v := range rate.Observed {
			t.sums[p] += v
		}
	}
	return t
}

func individualGroup(
	group *mrpb.MeasureReport_Group, d measure.Definition, rate measure.GroupDefinition,
	g measure.Group, rates []measure.MemberRate,
) {
	t := tallied(rates)
	id := groupID(rate.ID)
	of := criteria(d, rate)
	for _, p := range populations() {
		_, seen := t.sizes[p]
		if of[p] == "" && !seen && !(d.Imported && slices.Contains(populationsOf(d.Scoring), p)) {
			continue
		}
		whole, quantity := count(t.sizes[p])
		group.Population = append(group.Population, &mrpb.MeasureReport_Group_Population{
			Id:        r4.Text(within(id, string(p))),
			Extension: append(linked(linkPopulation, within(id, string(p))), quantity...),
			Code:      populationConcept(p),
			Count:     whole,
		})
	}
	for _, p := range populations() {
		if _, seen := t.sums[p]; d.Observe[p] == "" && !seen {
			continue
		}
		link := within(id, observed(p))
		group.Population = append(group.Population, &mrpb.MeasureReport_Group_Population{
			Id: r4.Text(link),
			Extension: append(linked(linkPopulation, link),
				r4.TextExtension(urlCriteria, within(id, string(p))),
				r4.QuantityExtension(urlCountQuantity, r4.Quantity(t.sums[p], r4.Unit{}))),
			Code: observationConcept(),
		})
	}
	if score, ok := individualScore(d, rates); ok {
		group.MeasureScore = r4.Quantity(score, scoreUnit(g))
	}
}

// individualScore is the score of one patient: that of a proportion or a ratio, as over everybody. An
// aggregate over the few units of one patient is no score.
func individualScore(d measure.Definition, rates []measure.MemberRate) (float64, bool) {
	if d.Scoring != measure.Proportion && d.Scoring != measure.Ratio {
		return 0, false
	}
	weight := func(rate measure.MemberRate, p measure.Population) float64 {
		if v, ok := rate.Observed[p]; ok || d.Observe[p] != "" {
			return v
		}
		return 1
	}
	var numerator, denominator float64
	for _, rate := range rates {
		in := func(p measure.Population) bool { return slices.Contains(rate.In, p) }
		if in(measure.Denominator) && !in(measure.DenominatorExclusion) &&
			!in(measure.DenominatorException) {
			denominator += weight(rate, measure.Denominator)
		}
		if in(measure.Numerator) && !in(measure.NumeratorExclusion) {
			numerator += weight(rate, measure.Numerator)
		}
	}
	if denominator <= 0 {
		return 0, false
	}
	per := d.Per
	if per == 0 {
		per = 1
	}
	return per * numerator / denominator, true
}

// evaluated adds a unit, and what was observed of it, to the evaluated resources.
func (b *Builder) evaluated(report *mrpb.MeasureReport, about Evaluation, m measure.Member) {
	unit := r4.Refer("Patient", m.Patient.Reveal())
	if !m.Unit.Empty() {
		unit = r4.Refer(m.UnitType, m.Unit.Reveal())
	} else if about.Definition.Unit != measure.PatientUnit {
		unit = nil
	}
	var in []*dpb.Extension
	for _, rate := range m.Rates {
		for _, p := range rate.In {
			in = append(in, r4.TextExtension(urlCriteria, within(groupID(rate.ID), string(p))))
		}
	}
	if unit != nil {
		resource := proto.CloneOf(unit)
		resource.Extension = in
		report.EvaluatedResource = append(report.EvaluatedResource, resource)
	}
	for _, rate := range m.Rates {
		for _, p := range populations() {
			value, ok := rate.Observed[p]
			if !ok {
				continue
			}
			id := fmt.Sprintf("observed-%d", len(report.Contained)+1)
			link := within(groupID(rate.ID), observed(p))
			b.observe(report, about, id, link, unit, value)
			reference := r4.Fragment(id)
			reference.Extension = []*dpb.Extension{r4.TextExtension(urlCriteria, link)}
			report.EvaluatedResource = append(report.EvaluatedResource, reference)
		}
	}
}
