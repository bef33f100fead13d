package form

import (
	"cmp"
	"strings"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	aepb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/adverse_event_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// Systems of AdverseEvent in R4 (http://hl7.org/fhir/R4/adverseevent.html).
const (
	systemCategory    = "http://terminology.hl7.org/CodeSystem/adverse-event-category"
	systemSeverity    = "http://terminology.hl7.org/CodeSystem/adverse-event-severity"
	systemSeriousness = "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness"
	systemOutcome     = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"
	systemAbsent      = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
)

// Extensions of an AdverseEvent. The first carries AdverseEvent.contributingFactor of R5 in R4; the
// others are ours.
const (
	// ContributingFactor has inner extensions "item".
	ContributingFactor = "http://hl7.org/fhir/5.0/StructureDefinition/" +
		"extension-AdverseEvent.contributingFactor"
	// DetectionExtension says how the event came to be known.
	DetectionExtension = r4.Own + "event-detection"
	// EvidenceExtension says what the answer rests on; it stands beside the item of the answer.
	EvidenceExtension = r4.Own + "evidence"
	// AnswerSourceExtension says whether the answer is that of a review or came with the event.
	AnswerSourceExtension = r4.Own + "answer-source"
)

// notAsked is the answer of an event of which nobody has given one.
const notAsked = "not-asked"

// Finding is the answer that an AdverseEvent carries.
type Finding struct {
	// Answer is empty where there is none.
	Answer    review.Answer
	Factors   []review.Factor
	Detection review.Detection
	// Evidence and Else are free text.
	Evidence, Else string
	// Reviewed says that it is the answer of a review; else it came with the event from its source.
	Reviewed bool
}

// FindingOf is what an event is served with: the settlement of its review, with the words of the
// opinion that it took over or of the last one that says the same; without one the answer that came
// with the event.
func FindingOf(event *facts.Event, r *review.Review) Finding {
	if r.Settlement == nil {
		answer := review.Answer(event.Recorded)
		if strings.HasPrefix(event.Recorded, "~") || event.Recorded == notAsked {
			answer = ""
		}
		return Finding{Answer: answer}
	}
	f := Finding{
		Answer: r.Settlement.Answer, Factors: r.Settlement.Factors,
		Detection: r.Settlement.Detection, Reviewed: true,
	}
	for _, opinion := range r.Standing() {
		if opinion.Answer == f.Answer {
			f.Evidence = cmp.Or(opinion.Evidence, f.Evidence)
			f.Else = cmp.Or(opinion.Else, f.Else)
		}
	}
	f.Evidence = cmp.Or(r.Settlement.Evidence, f.Evidence)
	return f
}

// AdverseEvent writes an event and the answer of its review. Its id is that of the review; that
// which the source gave it is its identifier.
func (w Writer) AdverseEvent(event *facts.Event, r *review.Review) *aepb.AdverseEvent {
	f := FindingOf(event, r)
	out := &aepb.AdverseEvent{
		Id:   &dpb.Id{Value: r.ID},
		Meta: meta(r.Version, Written(r)),
		Identifier: &dpb.Identifier{
			Value:    r4.Text(event.ID.Reveal()),
			Assigner: &dpb.Reference{Display: r4.Text(event.Source)},
		},
		Actuality:   actuality(event.Actuality),
		Severity:    bound(systemSeverity, event.Severity),
		Seriousness: valued(systemSeriousness, event.Seriousness),
		Outcome:     outcome(event.Outcome),
		Subject:     r4.Refer("Patient", event.Patient.Reveal()),
		Extension:   w.contributing(f),
	}
	if event.Patient.Empty() {
		out.Subject = &dpb.Reference{Extension: []*dpb.Extension{
			r4.CodeExtension(r4.DataAbsentReason, "unknown"),
		}}
	}
	if category := valued(systemCategory, event.Category); category != nil {
		out.Category = []*dpb.CodeableConcept{category}
	}
	if !event.Encounter.Empty() {
		out.Encounter = r4.Refer("Encounter", event.Encounter.Reveal())
	}
	if !event.Detected.IsZero() {
		out.Detected = r4.Day(event.Detected)
	}
	switch {
	case event.Date.IsZero():
	case event.DateFrom == "AdverseEvent.recordedDate":
		out.RecordedDate = r4.Day(event.Date)
	case event.DateFrom != "AdverseEvent.detected":
		out.Date = r4.Day(event.Date)
	}
	if f.Detection != "" {
		out.Extension = append(out.Extension,
			r4.ConceptExtension(DetectionExtension, own(review.SystemDetection, string(f.Detection))))
	}
	return out
}

// contributing writes the answer and what contributed, one extension each.
func (w Writer) contributing(f Finding) []*dpb.Extension {
	answer := string(f.Answer)
	if answer == "" {
		answer = notAsked
	}
	parts := []*dpb.Extension{r4.ConceptExtension("item", own(review.SystemAnswer, answer))}
	if f.Evidence != "" {
		parts = append(parts, &dpb.Extension{
			Url: r4.URI(EvidenceExtension),
			Value: &dpb.Extension_ValueX{Choice: &dpb.Extension_ValueX_StringValue{
				StringValue: w.words(f.Evidence),
			}},
		})
	}
	if f.Answer != "" {
		source := "record"
		if f.Reviewed {
			source = "review"
		}
		parts = append(parts, r4.CodeExtension(AnswerSourceExtension, source))
	}
	all := []*dpb.Extension{r4.Complex(ContributingFactor, parts...)}
	for _, factor := range f.Factors {
		all = append(all, r4.Complex(ContributingFactor,
			r4.ConceptExtension("item", own(review.SystemFactor, string(factor)))))
	}
	if f.Else != "" {
		all = append(all, r4.Complex(ContributingFactor,
			r4.ConceptExtension("item", &dpb.CodeableConcept{Text: w.words(f.Else)})))
	}
	return all
}

func actuality(code string) *aepb.AdverseEvent_ActualityCode {
	switch code {
	case mapping.Actual:
		return &aepb.AdverseEvent_ActualityCode{Value: cpb.AdverseEventActualityCode_ACTUAL}
	case mapping.Potential:
		return &aepb.AdverseEvent_ActualityCode{Value: cpb.AdverseEventActualityCode_POTENTIAL}
	}
	return &aepb.AdverseEvent_ActualityCode{Extension: r4.Absent("unknown")}
}

// valued writes the key of a value: a code, or the state in which it is, as the reason why there is
// none. What is missing is left out. The reason is a coding, as the sync reads it.
func valued(system, key string) *dpb.CodeableConcept {
	state, absent := strings.CutPrefix(key, "~")
	switch {
	case key == "" || absent && mapping.State(state) == mapping.Missing:
		return nil
	case absent:
		return r4.Coded(systemAbsent, reason(mapping.State(state)))
	}
	return r4.Coded(system, key)
}

// bound is valued for an element that R4 binds to its codes alone: the reason is an extension.
func bound(system, key string) *dpb.CodeableConcept {
	state, absent := strings.CutPrefix(key, "~")
	if !absent || mapping.State(state) == mapping.Missing {
		return valued(system, key)
	}
	return &dpb.CodeableConcept{Extension: []*dpb.Extension{
		r4.CodeExtension(r4.DataAbsentReason, reason(mapping.State(state))),
	}}
}

// outcome is bound, but that R4 has a code for an outcome that nobody knows.
func outcome(key string) *dpb.CodeableConcept {
	if key == "~"+string(mapping.Unknown) {
		key = "unknown"
	}
	return bound(systemOutcome, key)
}

// reason is the data-absent-reason of a state.
func reason(s mapping.State) string {
	switch s {
	case mapping.AskedNoAnswer:
		return "asked-unknown"
	case mapping.AskedDeclined:
		return "asked-declined"
	case mapping.TextOnly:
		return "as-text"
	case mapping.Unmapped:
		return "unsupported"
	case mapping.Conflicting:
		return "error"
	case mapping.Known, mapping.Unknown, mapping.Missing:
	}
	return "unknown"
}
