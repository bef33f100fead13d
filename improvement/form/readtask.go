package form

import (
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	tpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/task_go_proto"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/review"
)

// ReadActionTask reads an action from the Task that somebody sent: to take the place of old, or as
// a new one where old is nil. What the server sets is that of old. An element of which an action
// has nothing is refused, so that nothing is dropped unseen. Whether the action is one that can be
// kept is for the register to say.
func (w Writer) ReadActionTask(text []byte, old *action.Action) (action.Action, error) {
	resource, err := parse(text)
	if err != nil {
		return action.Action{}, err
	}
	task := resource.GetTask()
	if task == nil {
		return action.Action{}, otherType("Task")
	}
	out := action.Action{}
	if old != nil {
		if task.GetId().GetValue() != old.ID {
			return action.Action{}, invalid("Task.id", "it must be that of the address")
		}
		out.ID, out.Version, out.Created = old.ID, old.Version, old.Created
		out.Changed, out.Looked = old.Changed, old.Looked
	}
	if codeIn(task.GetCode(), SystemTask) != ActionTask {
		return action.Action{}, invalid("Task.code", "it must be "+ActionTask+" of "+SystemTask)
	}
	if out.State, err = actionState(task); err != nil {
		return action.Action{}, err
	}
	out.Title = plainText(task.GetDescription())
	out.Cause = review.Factor(codeIn(task.GetReasonCode(), review.SystemFactor))
	out.Owner = task.GetOwner().GetDisplay().GetValue()
	out.Start = day(task.GetExecutionPeriod().GetStart())
	out.Due = day(task.GetRestriction().GetPeriod().GetEnd())
	for _, note := range task.GetNote() {
		out.What = note.GetText().GetValue()
	}
	if err := readInputs(task.GetInput(), &out); err != nil {
		return action.Action{}, err
	}
	if err := readOutputs(task.GetOutput(), &out, old); err != nil {
		return action.Action{}, err
	}
	return out, w.nothingElse(task, &out, old == nil)
}

// actionState is the state of an action whose Task has a status.
func actionState(task *tpb.Task) (action.State, error) {
	for _, s := range action.States() {
		if taskStatus(ActionStatus(s)).GetValue() == task.GetStatus().GetValue() {
			return s, nil
		}
	}
	return "", invalid("Task.status", "it must be requested, in-progress, completed or cancelled")
}

// day is a dateTime as a day; empty where there is none.
func day(t *dpb.DateTime) string {
	if t == nil {
		return ""
	}
	return time.UnixMicro(t.GetValueUs()).UTC().Format(time.DateOnly)
}

// readInputs reads what an action answers and what it aims at.
func readInputs(all []*inputProto, out *action.Action) error {
	for i, in := range all {
		path, value := fmt.Sprintf("Task.input[%d]", i), in.GetValue()
		text := value.GetStringValue().GetValue()
		switch detailOf(in.GetType()) {
		case detailFinding:
			out.Finding.Kind = action.FindingKind(codeIn(value.GetCodeableConcept(), SystemFound))
		case detailSnapshot:
			out.Finding.Snapshot = text
		case detailPeriod:
			out.Finding.Period = text
		case detailReview:
			out.Finding.Reviews = append(out.Finding.Reviews, reviewOf(value.GetReference()))
		case detailMeasure:
			out.Aim.Measure = text
		case detailRate:
			out.Aim.Rate = text
		case detailDimension:
			out.Aim.Dimension = text
		case detailGroup:
			out.Aim.Groups = append(out.Aim.Groups, text)
		case detailReference:
			out.Aim.Reference = text
		case detailSite:
			out.Aim.Sites = append(out.Aim.Sites, text)
		case detailTarget:
			target, err := strconv.ParseFloat(value.GetDecimal().GetValue(), 64)
			if err != nil {
				return invalid(path, "it must be a decimal")
			}
			out.Aim.Target = &target
		case detailLooked:
		default:
			return invalid(path, "its type must be a code of "+SystemDetail+" that an input can have")
		}
	}
	return nil
}

// reviewOf is the id of the review of an event; empty where the reference is to none.
func reviewOf(r *dpb.Reference) string {
	if id := r.GetAdverseEventId().GetValue(); id != "" {
		return id
	}
	return ""
}

// readOutputs reads what came of an action. When it was closed is for the clock of the register.
func readOutputs(all []*outputProto, out, old *action.Action) error {
	if len(all) == 0 {
		return nil
	}
	out.Result = &action.Result{}
	if old != nil && old.Result != nil {
		out.Result.At, out.Result.By = old.Result.At, old.Result.By
	}
	for i, one := range all {
		value := one.GetValue()
		switch detailOf(one.GetType()) {
		case detailOutcome:
			out.Result.Outcome = action.Outcome(codeIn(value.GetCodeableConcept(), SystemOutcome))
		case detailSummary:
			out.Result.Summary = plainText(value.GetStringValue())
		case detailSnapshot:
			out.Result.Snapshot = value.GetStringValue().GetValue()
		case detailClosed:
		default:
			return invalid(fmt.Sprintf("Task.output[%d]", i),
				"its type must be a code of "+SystemDetail+" that an output can have")
		}
	}
	return nil
}

// nothingElse refuses a Task that says anything that the action does not: it is written again, and
// has to say all of it.
func (w Writer) nothingElse(sent *tpb.Task, read *action.Action, added bool) error {
	w.Narrative = true
	sentTree, err := tree(withoutClosed(sent))
	if err != nil {
		return err
	}
	again, err := tree(withoutClosed(w.ActionTask(read)))
	if err != nil {
		return err
	}
	ours := []string{"meta", "lastModified", "authoredOn", "requester"}
	if added {
		ours = append(ours, "id", "focus")
	}
	if at := beyond("Task", sentTree, again, ours...); at != "" {
		return invalid(at, "an action has nothing of the kind, or it is not to be changed")
	}
	return nil
}

// withoutClosed leaves out the moment at which it was closed, which is not the caller's to say.
func withoutClosed(task *tpb.Task) *tpb.Task {
	out := proto.CloneOf(task)
	out.Output = nil
	for _, one := range task.GetOutput() {
		if detailOf(one.GetType()) != detailClosed {
			out.Output = append(out.Output, one)
		}
	}
	return out
}
