package form

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	aepb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/adverse_event_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/review"
)

// parse reads one resource of R4.
func parse(text []byte) (*rpb.ContainedResource, error) {
	reader, err := r4.NewReader()
	if err != nil {
		return nil, fmt.Errorf("read resource: %w", err)
	}
	resource, faults := reader.Read(text)
	if len(faults) == 0 {
		return resource, nil
	}
	out := &InvalidError{Unreadable: true}
	for _, f := range faults[:min(len(faults), mostFaults)] {
		out.Faults = append(out.Faults, Fault{Path: f.Path, Text: f.Cause})
	}
	return nil, out
}

// mostFaults bounds what is told of one resource.
const mostFaults = 20

func otherType(want string) error {
	return &InvalidError{Unreadable: true, Faults: []Fault{{Text: "the body must be one " + want}}}
}

// ReadAdverseEvent reads the answer in an AdverseEvent that was sent to take the place of the one
// that is served. Nothing else of it may differ: an error names the element that does. Unchanged
// says that the answer does not differ either; what is masked in what was sent counts as it stands.
func ReadAdverseEvent(
	text []byte, served *aepb.AdverseEvent, standing Finding,
) (answer Finding, unchanged bool, err error) {
	resource, err := parse(text)
	if err != nil {
		return Finding{}, false, err
	}
	sent := resource.GetAdverseEvent()
	if sent == nil {
		return Finding{}, false, otherType("AdverseEvent")
	}
	if sent.GetId().GetValue() != served.GetId().GetValue() {
		return Finding{}, false, invalid("AdverseEvent.id", "it must be that of the address")
	}
	answer, kept, err := findingIn(sent.Extension)
	if err != nil {
		return Finding{}, false, err
	}
	if err := same(sent, served, kept); err != nil {
		return Finding{}, false, err
	}
	return answer, answer.unchanged(standing, maskedIn(sent.Extension)), nil
}

// findingIn reads the answer among extensions, and returns those that are not part of it.
func findingIn(all []*dpb.Extension) (f Finding, others []*dpb.Extension, err error) {
	for i, e := range all {
		path := fmt.Sprintf("AdverseEvent.extension[%d]", i)
		switch e.GetUrl().GetValue() {
		case ContributingFactor:
			if err := f.take(path, e); err != nil {
				return f, nil, err
			}
		case DetectionExtension:
			code := codeIn(e.GetValue().GetCodeableConcept(), review.SystemDetection)
			if code == "" {
				return f, nil, invalid(path, "it must be a code of "+review.SystemDetection)
			}
			if f.Detection != "" {
				return f, nil, invalid(path, "it is there twice")
			}
			f.Detection = review.Detection(code)
		default:
			others = append(others, e)
		}
	}
	return f, others, nil
}

// take reads one contributing factor: the answer, a factor, or words about what else contributed.
func (f *Finding) take(path string, e *dpb.Extension) error {
	var item *dpb.CodeableConcept
	var evidence *dpb.String
	for i, part := range e.GetExtension() {
		at := fmt.Sprintf("%s.extension[%d]", path, i)
		switch part.GetUrl().GetValue() {
		case "item":
			if item != nil || part.GetValue().GetCodeableConcept() == nil {
				return invalid(at, "there is one item, and it is a CodeableConcept")
			}
			item = part.GetValue().GetCodeableConcept()
		case EvidenceExtension:
			evidence = part.GetValue().GetStringValue()
		case AnswerSourceExtension:
		default:
			return invalid(at, "nothing is known of such a part of a contributing factor")
		}
	}
	answer, factor := codeIn(item, review.SystemAnswer), codeIn(item, review.SystemFactor)
	switch {
	case item == nil:
		return invalid(path, "it has no item")
	case evidence != nil && answer == "":
		return invalid(path, "the evidence stands beside the answer")
	case len(item.GetCoding()) > 1:
		return invalid(path, "an item has one coding")
	case answer != "":
		if f.Answer != "" {
			return invalid(path, "there is one answer")
		}
		f.Answer, f.Evidence = review.Answer(answer), plainText(evidence)
	case factor != "":
		f.Factors = append(f.Factors, review.Factor(factor))
	case len(item.GetCoding()) > 0:
		return invalid(path, "it must be a code of "+review.SystemAnswer+" or of "+review.SystemFactor)
	case f.Else != "":
		return invalid(path, "what else contributed stands in one item")
	default:
		f.Else = plainText(item.GetText())
	}
	return nil
}

// plainText is a text; empty of one that is masked.
func plainText(s *dpb.String) string {
	if r4.HasNoValue(s.GetExtension()) {
		return ""
	}
	return s.GetValue()
}

// maskedIn reports whether there is free text that is masked.
func maskedIn(all []*dpb.Extension) bool {
	return slices.ContainsFunc(all, func(e *dpb.Extension) bool {
		return r4.HasNoValue(e.GetValue().GetStringValue().GetExtension()) ||
			r4.HasNoValue(e.GetValue().GetCodeableConcept().GetText().GetExtension()) ||
			maskedIn(e.GetExtension())
	})
}

// unchanged reports whether the answer is the one that stands. Masked says that its texts were kept
// back from who sent it, so that they are as they were unless there are others.
func (f Finding) unchanged(standing Finding, masked bool) bool {
	if f.Answer == notAsked {
		f.Answer = ""
	}
	text := func(sent, stands string) bool { return sent == stands || sent == "" && masked }
	return f.Answer == standing.Answer && f.Detection == standing.Detection &&
		text(f.Evidence, standing.Evidence) && text(f.Else, standing.Else) &&
		equalSets(f.Factors, standing.Factors)
}

func equalSets(a, b []review.Factor) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// same refuses an AdverseEvent that differs from the one that is served in anything but the answer.
func same(sent, served *aepb.AdverseEvent, others []*dpb.Extension) error {
	a, b := proto.CloneOf(sent), proto.CloneOf(served)
	a.Extension, b.Extension = others, nil
	sentTree, err := tree(a)
	if err != nil {
		return err
	}
	servedTree, err := tree(b)
	if err != nil {
		return err
	}
	for _, direction := range [][2]map[string]any{{sentTree, servedTree}, {servedTree, sentTree}} {
		if at := beyond("AdverseEvent", direction[0], direction[1], "meta"); at != "" {
			return invalid(at,
				"it differs from what is served, and only the answer of the review is taken here")
		}
	}
	return nil
}
