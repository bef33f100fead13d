package r4

import (
	"strconv"
	"time"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
)

// SystemUCUM is the code system of units of measure.
const SystemUCUM = "http://unitsofmeasure.org"

// Text makes a string; nil of "", because FHIR has no empty strings.
func Text(s string) *dpb.String {
	if s == "" {
		return nil
	}
	return &dpb.String{Value: s}
}

// Markdown makes a markdown text; nil of "".
func Markdown(s string) *dpb.Markdown {
	if s == "" {
		return nil
	}
	return &dpb.Markdown{Value: s}
}

// URI makes a uri; nil of "".
func URI(s string) *dpb.Uri {
	if s == "" {
		return nil
	}
	return &dpb.Uri{Value: s}
}

// Code makes a code; nil of "".
func Code(s string) *dpb.Code {
	if s == "" {
		return nil
	}
	return &dpb.Code{Value: s}
}

// Concept makes a CodeableConcept of one coding. What is "" is left out; a code of "" leaves out
// the coding, so that only the text stands.
func Concept(system, code, display string) *dpb.CodeableConcept {
	concept := &dpb.CodeableConcept{Text: Text(display)}
	if code != "" {
		concept.Coding = []*dpb.Coding{Coding(system, code, display)}
	}
	return concept
}

// Coding makes a coding; what is "" is left out.
func Coding(system, code, display string) *dpb.Coding {
	return &dpb.Coding{System: URI(system), Code: Code(code), Display: Text(display)}
}

// Coded makes a CodeableConcept of a coding alone, without display or text.
func Coded(system, code string) *dpb.CodeableConcept {
	return &dpb.CodeableConcept{Coding: []*dpb.Coding{Coding(system, code, "")}}
}

// Decimal writes v with every digit that tells it from its neighbours and without an exponent.
func Decimal(v float64) *dpb.Decimal {
	return &dpb.Decimal{Value: strconv.FormatFloat(v, 'f', -1, 64)}
}

// Unit is what a Quantity counts. Code is a UCUM code, or "" where UCUM has none.
type Unit struct {
	Text string
	Code string
}

func (u Unit) system() *dpb.Uri {
	if u.Code == "" {
		return nil
	}
	return URI(SystemUCUM)
}

// Quantity makes a quantity of v. The zero Unit is left out.
func Quantity(v float64, u Unit) *dpb.Quantity {
	return &dpb.Quantity{Value: Decimal(v), Unit: Text(u.Text), System: u.system(), Code: Code(u.Code)}
}

// Range makes a range whose ends have one unit.
func Range(low, high float64, u Unit) *dpb.Range {
	end := func(v float64) *dpb.SimpleQuantity {
		return &dpb.SimpleQuantity{
			Value: Decimal(v), Unit: Text(u.Text), System: u.system(), Code: Code(u.Code),
		}
	}
	return &dpb.Range{Low: end(low), High: end(high)}
}

// Day makes a dateTime of day precision from the calendar date of t in UTC.
func Day(t time.Time) *dpb.DateTime {
	year, month, day := t.UTC().Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	return &dpb.DateTime{
		ValueUs: midnight.UnixMicro(), Timezone: "UTC", Precision: dpb.DateTime_DAY,
	}
}

// Moment makes a dateTime of second precision in UTC.
func Moment(t time.Time) *dpb.DateTime {
	return &dpb.DateTime{
		ValueUs: t.Truncate(time.Second).UnixMicro(), Timezone: "Z", Precision: dpb.DateTime_SECOND,
	}
}

// Days makes a period of day precision, both ends inclusive.
func Days(start, end time.Time) *dpb.Period {
	return &dpb.Period{Start: Day(start), End: Day(end)}
}
