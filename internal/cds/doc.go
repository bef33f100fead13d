// Package cds is a CDS Hooks service for the hook patient-view: when a chart is opened within an
// encounter whose patient needs an interpreter, and none is documented for that encounter, it
// answers with one card; else with none.
//
// A call without an encounter is answered with no card: whether an interpreter was documented can
// only be asked of an encounter, and a reminder whenever any chart is opened would soon be clicked
// away.
//
// Every call but discovery carries a JWT of a registered EHR, which is good once. Data comes from
// the prefetch, or from the EHR's registered FHIR base with the token of the call, which goes
// nowhere else. Advice may be absent, the work of a clinician may not wait for it: an EHR that is
// slow or silent gets an empty answer in time.
//
// https://cds-hooks.hl7.org/2.0/
package cds
