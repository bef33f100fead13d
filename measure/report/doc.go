// Package report turns measures and their results into FHIR R4: a Definition into a Measure with
// its SQL as a contained Library, a Result into a summary MeasureReport, several into a Bundle.
//
// A MeasureReport follows R4 4.0.1 and the rules deqm-0 to deqm-9 of the summary profile of Data
// Exchange for Quality Measures (http://hl7.org/fhir/uv/deqm). It does not claim that profile in
// meta.profile: the profile binds the direction of improvement to increase and decrease, and a
// figure that is neither good nor bad by itself has no such direction.
//
// What R4 has no element for stands in extensions of our own: the interval, other statistics, the
// snapshot, whether the data were complete, and how many units had no usable date.
package report
