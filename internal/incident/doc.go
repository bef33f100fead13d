// Package incident brings in harm events that an institution keeps outside the EHR: in an incident
// reporting system, which rarely speaks FHIR but can always write a table.
//
//	Read            bytes of a CSV -> rows that are good, and why the others are not; by a Mapping
//	Event.Resource  a row -> a FHIR R4 AdverseEvent
//	Intake          what an import would do, and doing it: documents in the store of decisions
//	Source          those documents -> a source of the sync, so that they walk as any event does
//
// An event is known by its id in the incident system, so that importing a file twice changes nothing.
// Who a patient is comes from the EHR alone: a file names patients by the FHIR id, never by a name or a
// medical record number, and holds no free text. What is refused is told by row, column and reason, and
// not by what stands there, unless that is a short word of a coded column.
package incident
