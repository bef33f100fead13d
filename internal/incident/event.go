package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

// Event is one harm event of an incident system. Codes are those that Codes lists, dates FHIR dates or
// dateTimes; what is not known is empty.
type Event struct {
	// Source is the name of the incident system, Number the id of the event there.
	Source string
	Number string
	// Patient and Encounter are ids in the EHR.
	Patient   phi.ID
	Encounter phi.ID

	Date, Detected, Recorded                            string
	Actuality, Category, Severity, Seriousness, Outcome string
	// Harm is the step of a scale that the incident system uses, by which what is empty above was filled.
	Harm      string
	Detection review.Detection
	// Site is the code of a site in the incident system.
	Site string
	// Inequity is what the incident system itself has on record.
	Inequity string
	// Withdrawn: the report was taken back, so that the event is no more.
	Withdrawn bool
}

// IDOf is the id of an event: of its document, and of its AdverseEvent. It is a digest, so that it tells
// nothing of the number and cannot be that of an event of an EHR.
func IDOf(source, number string) string {
	sum := sha256.Sum256([]byte(strconv.Quote(source) + strconv.Quote(number)))
	const length = 20
	return hex.EncodeToString(sum[:length])
}

// Extensions and identifiers of ours on an AdverseEvent.
const (
	systemNumber       = "https://equitylens.org/fhir/incident-system/"
	extensionDetection = "https://equitylens.org/fhir/StructureDefinition/event-detection"
	extensionHarm      = "https://equitylens.org/fhir/StructureDefinition/event-harm"
	extensionFactor    = "http://hl7.org/fhir/5.0/StructureDefinition/extension-AdverseEvent.contributingFactor"
)

// The elements of an AdverseEvent that are written; the names are those of FHIR.
type (
	adverseEvent struct {
		ResourceType string `json:"resourceType"`
		ID           string `json:"id"`
		// Meta is what others write; it is not kept.
		Meta         json.RawMessage `json:"meta,omitempty"`
		Extension    []extension     `json:"extension,omitempty"`
		Identifier   identifier      `json:"identifier"`
		Actuality    string          `json:"actuality"`
		Category     []concept       `json:"category,omitempty"`
		Subject      reference       `json:"subject"`
		Encounter    *reference      `json:"encounter,omitempty"`
		Date         string          `json:"date,omitempty"`
		Detected     string          `json:"detected,omitempty"`
		RecordedDate string          `json:"recordedDate,omitempty"`
		Location     *located        `json:"location,omitempty"`
		Seriousness  *concept        `json:"seriousness,omitempty"`
		Severity     *concept        `json:"severity,omitempty"`
		Outcome      *concept        `json:"outcome,omitempty"`
	}
	extension struct {
		URL       string      `json:"url"`
		Extension []extension `json:"extension,omitempty"`
		Value     *concept    `json:"valueCodeableConcept,omitempty"`
	}
	identifier struct {
		System string `json:"system,omitempty"`
		Value  string `json:"value"`
	}
	reference struct {
		Reference string `json:"reference"`
	}
	located struct {
		Identifier identifier `json:"identifier"`
	}
	concept struct {
		Coding []coding `json:"coding"`
	}
	coding struct {
		System  string `json:"system"`
		Code    string `json:"code"`
		Display string `json:"display,omitempty"`
	}
)

// Resource writes the event as a FHIR R4 AdverseEvent, the same bytes for the same event. It holds no
// meta.lastUpdated: when a table was brought in says nothing of how new the data of the EHR are.
func (e *Event) Resource() ([]byte, error) {
	out := adverseEvent{
		ResourceType: "AdverseEvent", ID: IDOf(e.Source, e.Number),
		Identifier: identifier{System: systemNumber + e.Source, Value: e.Number},
		Actuality:  e.Actuality, Subject: reference{"Patient/" + e.Patient.Reveal()},
		Date: e.Date, Detected: e.Detected, RecordedDate: e.Recorded,
		Seriousness: coded(Seriousness, e.Seriousness), Severity: coded(Severity, e.Severity),
		Outcome: coded(Outcome, e.Outcome),
	}
	if c := coded(Category, e.Category); c != nil {
		out.Category = []concept{*c}
	}
	if !e.Encounter.Empty() {
		out.Encounter = &reference{"Encounter/" + e.Encounter.Reveal()}
	}
	if e.Site != "" {
		out.Location = &located{identifier{Value: e.Site}}
	}
	one := func(system, code, display string) *concept { return &concept{[]coding{{system, code, display}}} }
	if e.Detection != "" {
		out.Extension = append(out.Extension,
			extension{URL: extensionDetection, Value: one(review.SystemDetection, string(e.Detection), "")})
	}
	if x, ok := extentOf(e.Harm); ok {
		out.Extension = append(out.Extension, extension{URL: extensionHarm, Value: one(x.system, x.of, x.display)})
	}
	if e.Inequity != "" {
		out.Extension = append(out.Extension, extension{URL: extensionFactor, Extension: []extension{
			{URL: "item", Value: one(mapping.SystemInequity, e.Inequity, "")},
		}})
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("write the AdverseEvent of an incident: %w", err)
	}
	return text, nil
}

// coded is a code of a column, or nil.
func coded(c Column, code string) *concept {
	if code == "" {
		return nil
	}
	return &concept{[]coding{{System: c.system(), Code: code}}}
}
