package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"golang.org/x/text/unicode/norm"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/decisions"
)

// Receipt says what became of an AdverseEvent that was handed in.
type Receipt struct {
	// ID is that of the event here, which is not the one that it came with.
	ID string
	// Version is that of its document.
	Version int
	// Created and Changed are both false where the event was there already as it is.
	Created, Changed bool
}

// ElementError says which element of a resource is refused, and why. It repeats no content.
type ElementError struct {
	// Element is a path such as AdverseEvent.severity; "" for the resource as a whole.
	Element string
	Reason  string
}

func (e *ElementError) Error() string {
	if e.Element == "" {
		return e.Reason
	}
	return e.Element + ": " + e.Reason
}

// Accept takes in one AdverseEvent that an incident system hands in by itself, under the rules of a row of
// a table. It is known by its identifier. mapper reads its codes, as it does in a sync. The error is an
// *ElementError where the resource is at fault.
func (i *Intake) Accept(
	ctx context.Context, source string, mapper *mapping.Mapper, body []byte, now time.Time,
) (Receipt, error) {
	if !nameForm.MatchString(source) {
		return Receipt{}, fmt.Errorf("accept an incident: %q is no name of a source", source)
	}
	e, err := eventOf(source, mapper, body, now)
	if err != nil {
		return Receipt{}, err
	}
	out := Receipt{ID: IDOf(e.Source, e.Number)}
	before, err := i.Records.Get(ctx, decisions.Incident, out.ID)
	var old stored
	switch {
	case errors.Is(err, decisions.ErrNotFound):
		out.Created = true
	case err != nil:
		return Receipt{}, fmt.Errorf("look for an incident: %w", err)
	default:
		if old, err = readStored(before); err != nil {
			return Receipt{}, err
		}
	}
	next, err := e.next(old)
	if err != nil {
		return Receipt{}, err
	}
	out.Version, out.Changed = before.Version, !out.Created && !next.equal(old)
	if !out.Created && !out.Changed {
		return out, nil
	}
	var p Plan
	if err := p.write(out.ID, before.Version, next, i.By); err != nil {
		return Receipt{}, err
	}
	out.Version++
	return out, i.Apply(ctx, &p, false)
}

// eventOf reads an AdverseEvent.
func eventOf(source string, mapper *mapping.Mapper, body []byte, now time.Time) (Event, error) {
	const most = 64 << 10
	if len(body) > most {
		return Event{}, &ElementError{Reason: "the resource is larger than 64 KiB"}
	}
	// An element that is not written is refused as well: what is not counted is not kept, and free text may
	// name a person.
	var in adverseEvent
	if err := jsonv2.Unmarshal(body, &in, jsonv2.RejectUnknownMembers(true)); err != nil {
		return Event{}, elementFault(err)
	}
	refuse := func(element, reason string) (Event, error) {
		return Event{}, &ElementError{Element: "AdverseEvent." + element, Reason: reason}
	}
	const longest = 64
	in.Identifier.Value = norm.NFC.String(in.Identifier.Value)
	switch number := strings.TrimSpace(in.Identifier.Value); {
	case in.ResourceType != "AdverseEvent":
		return Event{}, &ElementError{Element: "AdverseEvent.resourceType", Reason: "is not AdverseEvent"}
	case number == "" || len([]rune(number)) > longest || number != in.Identifier.Value ||
		strings.ContainsFunc(number, odd):
		return refuse("identifier.value", "must be the id of the event in the incident system, of 64 characters at most")
	}
	in.ID, in.Meta = IDOf(source, in.Identifier.Value), nil
	e := Event{Source: source, Number: in.Identifier.Value}
	line, err := json.Marshal(in)
	if err != nil {
		return Event{}, &ElementError{Reason: "the resource is no JSON"}
	}
	record, err := mapped(mapper, line)
	if err != nil {
		return Event{}, err
	}
	e.Patient, e.Encounter = record.Patient, record.Encounter
	e.Date, e.Detected, e.Recorded = in.Date, in.Detected, in.RecordedDate
	e.Actuality, e.Category, e.Severity = record.Actuality, record.Category.Code, record.Severity.Code
	e.Seriousness, e.Outcome = record.Seriousness.Code, record.Outcome.Code
	if record.Outcome.State == mapping.Unknown {
		e.Outcome = outcomeUnknown
	}
	if record.Inequity.State == mapping.Known {
		e.Inequity = record.Inequity.Code
	}
	if in.Location != nil {
		if e.Site = in.Location.Identifier.Value; !siteForm.MatchString(e.Site) {
			return refuse("location.identifier.value", "is no code of a site")
		}
	}
	const secondsADay = 86400
	if record.DateFrom == "" {
		return refuse("date", "is missing: when it happened")
	}
	if int64(record.Date.Days) > now.Unix()/secondsADay+1 {
		return refuse("date", errFuture.Error())
	}
	if err := e.extensions(in.Extension); err != nil {
		return Event{}, err
	}
	if column, why := e.settle(); column == Harm {
		return refuse("extension", why)
	} else if why != "" {
		return refuse(string(column), why)
	}
	return e, nil
}

// mapped reads codes, dates and references as a sync does, and refuses what a sync would only note.
func mapped(mapper *mapping.Mapper, line []byte) (mapping.AdverseEvent, error) {
	resource, err := fhir.NewDecoder().Decode(line)
	var refused *fhir.RefusedError
	if errors.As(err, &refused) {
		return mapping.AdverseEvent{}, &ElementError{Element: refused.Element, Reason: string(refused.Reason)}
	}
	if err != nil {
		return mapping.AdverseEvent{}, err
	}
	record, issues := mapper.AdverseEvent(resource.AdverseEvent, nil)
	for _, issue := range issues {
		if issue.Kind != mapping.DateFallback {
			return record, &ElementError{Element: issue.Element, Reason: string(issue.Kind)}
		}
	}
	for _, id := range []phi.ID{record.Patient, record.Encounter} {
		if !id.Empty() && !idForm.MatchString(id.Reveal()) {
			return record, &ElementError{Element: "AdverseEvent.subject", Reason: "is no FHIR id"}
		}
	}
	if record.Patient.Empty() {
		return record, &ElementError{Element: "AdverseEvent.subject", Reason: "is missing"}
	}
	return record, nil
}

// extensions reads those of ours; the answer about inequity has been read with the rest.
func (e *Event) extensions(list []extension) error {
	for _, x := range list {
		code := func(system string, codes []string, of func(string) string) (string, bool) {
			if x.Value == nil || len(x.Value.Coding) != 1 || x.Value.Coding[0].System != system {
				return "", false
			}
			for _, c := range codes {
				if of(c) == x.Value.Coding[0].Code {
					return c, true
				}
			}
			return "", false
		}
		ok := false
		switch x.URL {
		case extensionFactor:
			ok = e.Inequity != ""
		case extensionDetection:
			var found string
			found, ok = code(review.SystemDetection, Codes(Detection), func(c string) string { return c })
			e.Detection = detection(found)
		case extensionHarm:
			for _, system := range []string{systemMERP, systemLOINC} {
				found, here := code(system, Codes(Harm), func(c string) string {
					step, _ := extentOf(c)
					if step.system != system {
						return ""
					}
					return step.of
				})
				if here {
					e.Harm, ok = found, true
				}
			}
		}
		if !ok {
			return &ElementError{Element: "AdverseEvent.extension", Reason: "is none that is read, or its value is none of " +
				"those that are"}
		}
	}
	return nil
}

// elementFault says where a document is not what may be handed in. The cause itself may quote it.
func elementFault(err error) error {
	var fault *jsonv2.SemanticError
	if !errors.As(err, &fault) {
		return &ElementError{Reason: "the resource is no JSON object without repeated keys"}
	}
	at := strings.Split(strings.Trim(string(fault.JSONPointer), "/"), "/")
	path := "AdverseEvent"
	for _, part := range at {
		if knownElement(part) {
			path += "." + part
		}
	}
	return &ElementError{
		Element: path, Reason: "is not taken, or has an element that is not, such as free text, or that is of another type",
	}
}

// knownElement keeps words that were made up out of a path.
func knownElement(part string) bool {
	switch part {
	case "extension", "identifier", "actuality", "category", "subject", "encounter", "date", "detected",
		"recordedDate", "location", "seriousness", "severity", "outcome", "coding", "system", "code", "value",
		"reference", "url", "valueCodeableConcept", "text", "event", "description", "contributor", "recorder",
		"contained", "resultingCondition", "suspectEntity", "subjectMedicalHistory", "referenceDocument", "study",
		"modifierExtension", "display", "type", "status":
		return true
	}
	return false
}
