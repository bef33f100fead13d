package form

import (
	"time"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	tpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/task_go_proto"
	vpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/valuesets_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/review"
)

// TaskStatus is the status of the Task of a review in a state.
func TaskStatus(s review.State) string {
	switch s {
	case review.Waiting, review.Disagreed:
		return "in-progress"
	case review.Settled:
		return "completed"
	case review.Open:
	}
	return "requested"
}

// taskStatus writes a status by its code.
func taskStatus(code string) *tpb.Task_StatusCode {
	status := map[string]cpb.TaskStatusCode_Value{
		"requested": cpb.TaskStatusCode_REQUESTED, "in-progress": cpb.TaskStatusCode_IN_PROGRESS,
		"completed": cpb.TaskStatusCode_COMPLETED, "cancelled": cpb.TaskStatusCode_CANCELLED,
	}
	return &tpb.Task_StatusCode{Value: status[code]}
}

// ReviewTask writes the review of an event as a Task about the AdverseEvent of the same id. It
// names neither the patient nor a reviewer, and holds no free text. Due is when it should be
// settled, the zero time for never.
func (w Writer) ReviewTask(r *review.Review, due time.Time) *tpb.Task {
	out := &tpb.Task{
		Id: &dpb.Id{Value: r.ID}, Meta: meta(r.Version, Written(r)),
		Status:         taskStatus(TaskStatus(r.State)),
		BusinessStatus: own(SystemState, string(r.State)),
		Intent:         &tpb.Task_IntentCode{Value: vpb.TaskIntentValueSet_ORDER},
		Code:           own(SystemTask, ReviewTask),
		Focus:          r4.Refer("AdverseEvent", r.ID),
		Requester:      w.organization(),
	}
	if at := Written(r); !at.IsZero() {
		out.LastModified = r4.Moment(at)
	}
	if !due.IsZero() || r.Needed > 1 {
		out.Restriction = &tpb.Task_Restriction{}
		if !due.IsZero() {
			out.Restriction.Period = &dpb.Period{End: r4.Day(due)}
		}
		if r.Needed > 1 {
			out.Restriction.Repetitions = &dpb.PositiveInt{Value: uint32(r.Needed)} // #nosec G115 -- 2.
		}
	}
	if s := r.Settlement; s != nil {
		var all outputs
		all.concept(detailAnswer, review.SystemAnswer, string(s.Answer))
		for _, factor := range s.Factors {
			all.concept(detailFactor, review.SystemFactor, string(factor))
		}
		all.concept(detailDetection, review.SystemDetection, string(s.Detection))
		all.concept(detailHow, SystemHow, string(s.How))
		all.moment(detailClosed, s.At)
		out.Output = all
	}
	return out
}

// Written is when the review was last written; the zero time where nobody has.
func Written(r *review.Review) time.Time {
	var last time.Time
	later := func(at time.Time) {
		if at.After(last) {
			last = at
		}
	}
	for _, o := range r.Opinions {
		later(o.At)
	}
	for _, o := range r.Reopenings {
		later(o.At)
	}
	if r.Settlement != nil {
		later(r.Settlement.At)
	}
	return last
}
