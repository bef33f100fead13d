package network

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/equitylens/equitylens/fhir/r4"
)

// What follows is every element that a submission may have, and no other: these types are the list of
// what is allowed. There is no subject, no text, no contained resource, no display, and no extension
// but for one reason why a count is hidden.

// bundleWire is the Bundle.
type bundleWire struct {
	ResourceType string      `json:"resourceType"`
	Identifier   identWire   `json:"identifier"`
	Type         string      `json:"type"`
	Timestamp    string      `json:"timestamp"`
	Entry        []entryWire `json:"entry"`
}

// entryWire holds a resource under the address by which the Provenance names it.
type entryWire struct {
	FullURL  string         `json:"fullUrl"`
	Resource jsontext.Value `json:"resource"`
}

// kindWire is the type of a resource, read before the rest of it.
type kindWire struct {
	ResourceType string `json:"resourceType"`
}

type identWire struct {
	System string `json:"system"`
	Value  string `json:"value"`
}

type conceptWire struct {
	Coding []codingWire `json:"coding"`
}

type codingWire struct {
	System string `json:"system"`
	Code   string `json:"code"`
}

type periodWire struct {
	Start string `json:"start"`
	End   string `json:"end,omitempty"`
}

// reportWire is a MeasureReport.
type reportWire struct {
	ResourceType string      `json:"resourceType"`
	Status       string      `json:"status"`
	Type         string      `json:"type"`
	Measure      string      `json:"measure"`
	Period       periodWire  `json:"period"`
	Group        []groupWire `json:"group"`
}

type groupWire struct {
	ID           string           `json:"id"`
	Population   []populationWire `json:"population"`
	MeasureScore *scoreWire       `json:"measureScore,omitempty"`
	Stratifier   []stratifierWire `json:"stratifier"`
}

type stratifierWire struct {
	Code    []conceptWire `json:"code"`
	Stratum []stratumWire `json:"stratum"`
}

type stratumWire struct {
	Value        conceptWire      `json:"value"`
	Population   []populationWire `json:"population"`
	MeasureScore *scoreWire       `json:"measureScore,omitempty"`
}

// populationWire has a count, or says by its extension that it is hidden.
type populationWire struct {
	Code   conceptWire `json:"code"`
	Count  *int64      `json:"count,omitempty"`
	Hidden *hiddenWire `json:"_count,omitempty"`
}

type hiddenWire struct {
	Extension []reasonWire `json:"extension"`
}

type reasonWire struct {
	URL       string `json:"url"`
	ValueCode string `json:"valueCode"`
}

type scoreWire struct {
	Value float64 `json:"value"`
}

// responseWire is the QuestionnaireResponse.
type responseWire struct {
	ResourceType  string     `json:"resourceType"`
	Questionnaire string     `json:"questionnaire"`
	Status        string     `json:"status"`
	Item          []itemWire `json:"item,omitempty"`
}

type itemWire struct {
	LinkID string       `json:"linkId"`
	Answer []answerWire `json:"answer"`
}

type answerWire struct {
	ValueCoding codingWire `json:"valueCoding"`
}

// taskWire is the Task of an action.
type taskWire struct {
	ResourceType string      `json:"resourceType"`
	Status       string      `json:"status"`
	Intent       string      `json:"intent"`
	Code         conceptWire `json:"code"`
	Execution    periodWire  `json:"executionPeriod"`
	Input        []valueWire `json:"input"`
	Output       []valueWire `json:"output"`
}

// valueWire is an input or an output of a Task: one of the values is set.
type valueWire struct {
	Type      conceptWire `json:"type"`
	Canonical string      `json:"valueCanonical,omitempty"`
	Code      string      `json:"valueCode,omitempty"`
	Boolean   *bool       `json:"valueBoolean,omitempty"`
}

// provenanceWire is the manifest: whose submission it is, of what and by what it was made.
type provenanceWire struct {
	ResourceType string        `json:"resourceType"`
	Target       []targetWire  `json:"target"`
	Occurred     periodWire    `json:"occurredPeriod"`
	Recorded     string        `json:"recorded"`
	Reason       []conceptWire `json:"reason"`
	Agent        []agentWire   `json:"agent"`
	Entity       []sourceWire  `json:"entity"`
}

type targetWire struct {
	Reference string `json:"reference"`
}

type agentWire struct {
	Type conceptWire `json:"type"`
	Who  namedWire   `json:"who"`
}

type namedWire struct {
	Identifier identWire `json:"identifier"`
}

type sourceWire struct {
	Role string    `json:"role"`
	What namedWire `json:"what"`
}

// Systems of what stands in a submission.
const (
	base             = "https://equitylens.org/fhir/"
	systemFormat     = base + "NamingSystem/network-submission"
	systemMember     = base + "NamingSystem/network-member"
	systemSoftware   = base + "NamingSystem/software-version"
	systemSnapshot   = base + "NamingSystem/snapshot-digest"
	measureURL       = base + "Measure/"
	readinessURL     = base + "Questionnaire/readiness"
	systemReason     = r4.OwnSystem + "submission-reason"
	systemLevel      = r4.OwnSystem + "readiness-level"
	systemFactor     = r4.OwnSystem + "inequity-factor"
	systemPart       = r4.OwnSystem + "action-part"
	systemDimension  = r4.OwnSystem + "dimension"
	systemPopulation = "http://terminology.hl7.org/CodeSystem/measure-population"
	systemAgent      = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
)

// format is the version of the form of a submission. It changes with every change of it.
const format = "1"

func concept(system, code string) conceptWire {
	return conceptWire{Coding: []codingWire{{System: system, Code: code}}}
}

// code is the code of a concept of one coding of a system.
func (c conceptWire) code(system string) (string, bool) {
	if len(c.Coding) != 1 || c.Coding[0].System != system {
		return "", false
	}
	return c.Coding[0].Code, true
}
