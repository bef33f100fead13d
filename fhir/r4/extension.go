package r4

import (
	"slices"
	"time"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
)

// Own is the base of the extensions that no standard names; docs/conformance.md lists them.
const Own = "https://equitylens.org/fhir/StructureDefinition/"

// OwnSystem is the base of the code systems that no standard names.
const OwnSystem = "https://equitylens.org/fhir/CodeSystem/"

// DataAbsentReason is the extension that says why an element has no value.
const DataAbsentReason = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

// noValue marks a primitive without a value for jsonformat, which writes the other extensions
// alone.
const noValue = "https://g.co/fhir/StructureDefinition/primitiveHasNoValue"

// Absent makes the extensions of a primitive that has no value for a reason of the code system
// http://terminology.hl7.org/CodeSystem/data-absent-reason.
func Absent(reason string) []*dpb.Extension {
	return []*dpb.Extension{
		BoolExtension(noValue, true), CodeExtension(DataAbsentReason, reason),
	}
}

// Complex makes an extension whose value is its parts.
func Complex(url string, parts ...*dpb.Extension) *dpb.Extension {
	return &dpb.Extension{Url: URI(url), Extension: parts}
}

// TextExtension makes an extension with a valueString.
func TextExtension(url, value string) *dpb.Extension {
	return extension(url, &dpb.Extension_ValueX{
		Choice: &dpb.Extension_ValueX_StringValue{StringValue: &dpb.String{Value: value}},
	})
}

// CodeExtension makes an extension with a valueCode.
func CodeExtension(url, value string) *dpb.Extension {
	return extension(url, &dpb.Extension_ValueX{
		Choice: &dpb.Extension_ValueX_Code{Code: &dpb.Code{Value: value}},
	})
}

// BoolExtension makes an extension with a valueBoolean.
func BoolExtension(url string, value bool) *dpb.Extension {
	return extension(url, &dpb.Extension_ValueX{
		Choice: &dpb.Extension_ValueX_Boolean{Boolean: &dpb.Boolean{Value: value}},
	})
}

// DecimalExtension makes an extension with a valueDecimal.
func DecimalExtension(url string, value float64) *dpb.Extension {
	return extension(url, &dpb.Extension_ValueX{
		Choice: &dpb.Extension_ValueX_Decimal{Decimal: Decimal(value)},
	})
}

// MomentExtension makes an extension with a valueDateTime of second precision.
func MomentExtension(url string, value time.Time) *dpb.Extension {
	return extension(url, &dpb.Extension_ValueX{
		Choice: &dpb.Extension_ValueX_DateTime{DateTime: Moment(value)},
	})
}

// ConceptExtension makes an extension with a valueCodeableConcept.
func ConceptExtension(url string, value *dpb.CodeableConcept) *dpb.Extension {
	return extension(url, &dpb.Extension_ValueX{
		Choice: &dpb.Extension_ValueX_CodeableConcept{CodeableConcept: value},
	})
}

// QuantityExtension makes an extension with a valueQuantity.
func QuantityExtension(url string, value *dpb.Quantity) *dpb.Extension {
	return extension(url, &dpb.Extension_ValueX{
		Choice: &dpb.Extension_ValueX_Quantity{Quantity: value},
	})
}

// RangeExtension makes an extension with a valueRange.
func RangeExtension(url string, value *dpb.Range) *dpb.Extension {
	return extension(url, &dpb.Extension_ValueX{
		Choice: &dpb.Extension_ValueX_Range{Range: value},
	})
}

// ReferenceExtension makes an extension with a valueReference.
func ReferenceExtension(url string, value *dpb.Reference) *dpb.Extension {
	return extension(url, &dpb.Extension_ValueX{
		Choice: &dpb.Extension_ValueX_Reference{Reference: value},
	})
}

// CanonicalExtension makes an extension with a valueCanonical.
func CanonicalExtension(url, value string) *dpb.Extension {
	return extension(url, &dpb.Extension_ValueX{
		Choice: &dpb.Extension_ValueX_Canonical{Canonical: &dpb.Canonical{Value: value}},
	})
}

// MarkdownExtension makes an extension with a valueMarkdown.
func MarkdownExtension(url, value string) *dpb.Extension {
	return extension(url, &dpb.Extension_ValueX{
		Choice: &dpb.Extension_ValueX_Markdown{Markdown: &dpb.Markdown{Value: value}},
	})
}

// HasNoValue reports whether a primitive with these extensions has no value, as one of Absent.
func HasNoValue(extensions []*dpb.Extension) bool {
	return slices.ContainsFunc(extensions, func(e *dpb.Extension) bool {
		return e.GetUrl().GetValue() == noValue && e.GetValue().GetBoolean().GetValue()
	})
}

func extension(url string, value *dpb.Extension_ValueX) *dpb.Extension {
	return &dpb.Extension{Url: URI(url), Value: value}
}
