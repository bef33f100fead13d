package form

import (
	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	gpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/goal_go_proto"
	tpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/task_go_proto"
	vpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/valuesets_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/review"
)

// AimExtension stands at the target of a Goal: rate, dimension, group, reference and site, as far
// as there are any. R4 has no element for who a target is of.
const AimExtension = r4.Own + "aim"

// ActionStatus is the status of the Task of an action in a state.
func ActionStatus(s action.State) string {
	if s == action.Planned {
		return "requested"
	}
	return string(s)
}

// ActionTask writes an action as a Task, whose focus is the Goal of the same id. Title, What and
// the summary of the result are free text. The owner is a role or a department.
func (w Writer) ActionTask(a *action.Action) *tpb.Task {
	out := &tpb.Task{
		Id: &dpb.Id{Value: a.ID}, Meta: meta(a.Version, a.Changed),
		Status:          taskStatus(ActionStatus(a.State)),
		Intent:          &tpb.Task_IntentCode{Value: vpb.TaskIntentValueSet_PLAN},
		Code:            own(SystemTask, ActionTask),
		Description:     w.words(a.Title),
		Focus:           r4.Refer("Goal", a.ID),
		Requester:       w.organization(),
		ReasonCode:      own(review.SystemFactor, string(a.Cause)),
		ExecutionPeriod: period(a.Start, ""),
		Input:           actionInputs(a),
	}
	if a.Owner != "" {
		out.Owner = &dpb.Reference{Display: r4.Text(a.Owner)}
	}
	if due := period("", a.Due); due != nil {
		out.Restriction = &tpb.Task_Restriction{Period: due}
	}
	if a.What != "" {
		out.Note = []*dpb.Annotation{{Text: w.markdown(a.What)}}
	}
	if !a.Created.IsZero() {
		out.AuthoredOn = r4.Moment(a.Created)
	}
	if !a.Changed.IsZero() {
		out.LastModified = r4.Moment(a.Changed)
	}
	if a.Result != nil {
		var all outputs
		all.concept(detailOutcome, SystemOutcome, string(a.Result.Outcome))
		all.text(detailSummary, w.words(a.Result.Summary))
		all.text(detailSnapshot, r4.Text(a.Result.Snapshot))
		all.moment(detailClosed, a.Result.At)
		out.Output = all
	}
	return out
}

// actionInputs are what an action answers and what it aims at.
func actionInputs(a *action.Action) []*inputProto {
	var all inputs
	if a.Finding.Kind != "" {
		all.concept(detailFinding, own(SystemFound, string(a.Finding.Kind)))
	}
	all.text(detailSnapshot, a.Finding.Snapshot)
	all.text(detailPeriod, a.Finding.Period)
	for _, id := range a.Finding.Reviews {
		all.reference(detailReview, r4.Refer("AdverseEvent", id))
	}
	all.text(detailMeasure, a.Aim.Measure)
	all.text(detailRate, a.Aim.Rate)
	all.text(detailDimension, a.Aim.Dimension)
	for _, group := range a.Aim.Groups {
		all.text(detailGroup, group)
	}
	all.text(detailReference, a.Aim.Reference)
	for _, site := range a.Aim.Sites {
		all.text(detailSite, site)
	}
	if a.Aim.Target != nil {
		all.decimal(detailTarget, *a.Aim.Target)
	}
	if a.Looked != nil {
		all.moment(detailLooked, *a.Looked)
	}
	return all
}

// lifecycle is the status of the Goal of an action in a state.
func lifecycle(s action.State) cpb.GoalLifecycleStatusCode_Value {
	switch s {
	case action.InProgress:
		return cpb.GoalLifecycleStatusCode_ACTIVE
	case action.Completed:
		return cpb.GoalLifecycleStatusCode_COMPLETED
	case action.Cancelled:
		return cpb.GoalLifecycleStatusCode_CANCELLED
	case action.Planned:
	}
	return cpb.GoalLifecycleStatusCode_PLANNED
}

// LifecycleStatus is lifecycle as a code of R4.
func LifecycleStatus(s action.State) string {
	switch s {
	case action.InProgress:
		return "active"
	case action.Completed, action.Cancelled, action.Planned:
	}
	return string(s)
}

// achievement says how far the goal of a closed action was reached, in the eyes of who closed it.
// That the inequity became smaller is called improving, not achieved: nobody was asked whether it
// is gone.
func achievement(r *action.Result) *dpb.CodeableConcept {
	if r == nil {
		return nil
	}
	code := map[action.Outcome]string{
		action.Reduced: "improving", action.NoChange: "no-change", action.Widened: "worsening",
		action.NotDone: "not-achieved",
	}[r.Outcome]
	if code == "" {
		return nil
	}
	return r4.Coded("http://terminology.hl7.org/CodeSystem/goal-achievement", code)
}

// Goal writes what an action should move. R4 demands a subject; it is the institution.
func (w Writer) Goal(a *action.Action) *gpb.Goal {
	out := &gpb.Goal{
		Id: &dpb.Id{Value: a.ID}, Meta: meta(a.Version, a.Changed),
		LifecycleStatus:   &gpb.Goal_LifecycleStatusCode{Value: lifecycle(a.State)},
		AchievementStatus: achievement(a.Result),
		Description:       &dpb.CodeableConcept{Text: w.words(a.Title)},
		Subject:           w.organization(),
	}
	if start := date(a.Start); start != nil {
		out.Start = &gpb.Goal_StartX{Choice: &gpb.Goal_StartX_Date{Date: start}}
	}
	target := &gpb.Goal_Target{
		Measure: &dpb.CodeableConcept{Coding: []*dpb.Coding{r4.Coding(SystemMeasure, a.Aim.Measure,
			"")}},
		Extension: []*dpb.Extension{aim(a.Aim)},
	}
	if a.Aim.Target != nil {
		target.Detail = &gpb.Goal_Target_DetailX{Choice: &gpb.Goal_Target_DetailX_Quantity{
			Quantity: r4.Quantity(*a.Aim.Target, r4.Unit{}),
		}}
	}
	if due := date(a.Due); due != nil {
		target.Due = &gpb.Goal_Target_DueX{Choice: &gpb.Goal_Target_DueX_Date{Date: due}}
	}
	out.Target = []*gpb.Goal_Target{target}
	if a.Result != nil && !a.Result.At.IsZero() {
		out.StatusDate = date(a.Result.At.UTC().Format("2006-01-02"))
	}
	return out
}

func aim(of action.Aim) *dpb.Extension {
	var parts []*dpb.Extension
	add := func(name string, values ...string) {
		for _, value := range values {
			if value != "" {
				parts = append(parts, r4.CodeExtension(name, value))
			}
		}
	}
	add(detailRate, of.Rate)
	add(detailDimension, of.Dimension)
	add(detailGroup, of.Groups...)
	add(detailReference, of.Reference)
	add(detailSite, of.Sites...)
	return r4.Complex(AimExtension, parts...)
}
