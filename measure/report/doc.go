// Package report turns measures, their results and their members into FHIR R4, and reads what other
// engines report.
//
// Out go: a Definition as a Measure and a Library of its SQL; a Result as a summary MeasureReport;
// members as individual MeasureReports and subject lists, the only two that name people; several
// reports as a Bundle, and Bundles as Parameters. In come individual MeasureReports of other engines,
// which become memberships that are stratified like our own.
//
// A MeasureReport follows R4 4.0.1 and the rules deqm-0 to deqm-9 of the profiles of Data Exchange
// for Quality Measures (http://hl7.org/fhir/uv/deqm). It does not claim them in meta.profile: the
// profiles bind the direction of improvement to increase and decrease, and a figure that is neither
// good nor bad by itself has no such direction.
//
// What R4 has no element for stands in extensions of our own, which docs/conformance.md lists, and in
// words in a contained OperationOutcome.
package report
