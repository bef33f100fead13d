// Package audit makes the FHIR R4 AuditEvents of what is done here: who asked, through which
// program, what for, about whom, and what came of it.
//
// The events of requests to the FHIR API have the shapes of IHE's Basic Audit Log Patterns
// (https://profiles.ihe.net/ITI/BALP/): Read, Query, Create and Delete, each with a patient or
// without, and within them the agents of OAUTHaccessTokenUse.Comprehensive, because every such
// request carries a token. An operation such as $evaluate-measure is a Query whose subtype is
// operation. The patterns are for what succeeded; an event of what was refused or failed has the
// same shape and claims no pattern.
//
// Signing in and out, the opening of a chart, tokens and acts of administration have no pattern at
// IHE beside that of a token; they follow the types that DICOM has for them.
//
// An event holds ids of patients and of people. It is for the audit trail, and for nothing else.
package audit
