package form

import (
	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	cspb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/code_system_go_proto"
	vspb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/value_set_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/review"
)

// TerminologyVersion is that of the code systems and value sets: it changes when a code is added,
// or when what one means is said otherwise. No code ever changes what it means.
const TerminologyVersion = "1.0.0"

// valueSets is the base of our value sets.
const valueSets = "https://equitylens.org/fhir/ValueSet/"

// spanish is the language of the second designation.
const spanish = "es"

// Properties of a concept. An example is an event, made up, to which the code applies.
const (
	propertyDefinitionSpanish = "definition-es"
	propertyExample           = "example"
	propertyExampleSpanish    = "example-es"
)

// CodeSystems writes our code systems, in an order that stays.
func CodeSystems() []*cspb.CodeSystem {
	var all []*cspb.CodeSystem
	for _, t := range tables() {
		all = append(all, t.codeSystem())
	}
	return all
}

// ValueSets writes a value set for each of our code systems: all of its codes.
func ValueSets() []*vspb.ValueSet {
	var all []*vspb.ValueSet
	for _, t := range tables() {
		all = append(all, t.valueSet())
	}
	return all
}

func (t table) codeSystem() *cspb.CodeSystem {
	terms := t.terms()
	out := &cspb.CodeSystem{
		Id: &dpb.Id{Value: t.id()}, Url: r4.URI(t.url), Version: r4.Text(TerminologyVersion),
		Name: r4.Text(t.name), Title: r4.Text(t.title.English),
		Status:        &cspb.CodeSystem_StatusCode{Value: cpb.PublicationStatusCode_ACTIVE},
		Experimental:  &dpb.Boolean{Value: false},
		Publisher:     r4.Text("EquityLens"),
		Description:   r4.Markdown(t.about),
		CaseSensitive: &dpb.Boolean{Value: true},
		ValueSet:      &dpb.Canonical{Value: valueSets + t.id()},
		Content:       &cspb.CodeSystem_ContentCode{Value: cpb.CodeSystemContentModeCode_COMPLETE},
		Count:         &dpb.UnsignedInt{Value: uint32(len(terms))}, // #nosec G115 -- a few.
	}
	used := map[string]bool{}
	for _, c := range terms {
		made := concept(c)
		out.Concept = append(out.Concept, made)
		for _, p := range made.Property {
			used[p.GetCode().GetValue()] = true
		}
	}
	for _, one := range []struct{ code, about string }{
		{propertyDefinitionSpanish, "The definition in Spanish."},
		{propertyExample, "An event, made up, to which the code applies."},
		{propertyExampleSpanish, "The example in Spanish."},
	} {
		if used[one.code] {
			out.Property = append(out.Property, &cspb.CodeSystem_Property{
				Code: r4.Code(one.code), Description: r4.Text(one.about),
				Type: &cspb.CodeSystem_Property_TypeCode{Value: cpb.PropertyTypeCode_STRING},
			})
		}
	}
	return out
}

type (
	conceptProto     = cspb.CodeSystem_ConceptDefinition
	designationProto = cspb.CodeSystem_ConceptDefinition_Designation
	propertyProto    = cspb.CodeSystem_ConceptDefinition_ConceptProperty
	propertyValue    = cspb.CodeSystem_ConceptDefinition_ConceptProperty_ValueX
	propertyString   = cspb.CodeSystem_ConceptDefinition_ConceptProperty_ValueX_StringValue
)

// concept writes a code with its words in both languages. A designation without a use is another
// display; R4 has no place for a definition in another language.
func concept(c review.Concept) *conceptProto {
	out := &conceptProto{
		Code: r4.Code(c.Code), Display: r4.Text(c.Display.English),
		Definition: r4.Text(c.Definition.English),
	}
	if c.Display.Spanish != "" {
		out.Designation = []*designationProto{{
			Language: r4.Code(spanish), Value: r4.Text(c.Display.Spanish),
		}}
	}
	for _, one := range []struct{ code, text string }{
		{propertyDefinitionSpanish, c.Definition.Spanish},
		{propertyExample, c.Example.English}, {propertyExampleSpanish, c.Example.Spanish},
	} {
		if one.text != "" {
			out.Property = append(out.Property, &propertyProto{
				Code:  r4.Code(one.code),
				Value: &propertyValue{Choice: &propertyString{StringValue: r4.Text(one.text)}},
			})
		}
	}
	return out
}

func (t table) valueSet() *vspb.ValueSet {
	return &vspb.ValueSet{
		Id: &dpb.Id{Value: t.id()}, Url: r4.URI(valueSets + t.id()), Version: r4.Text(TerminologyVersion),
		Name: r4.Text(t.name), Title: r4.Text(t.title.English),
		Status:       &vspb.ValueSet_StatusCode{Value: cpb.PublicationStatusCode_ACTIVE},
		Experimental: &dpb.Boolean{Value: false},
		Publisher:    r4.Text("EquityLens"),
		Description:  r4.Markdown("All codes of " + t.url + "."),
		Immutable:    &dpb.Boolean{Value: false},
		Compose: &vspb.ValueSet_Compose{Include: []*vspb.ValueSet_Compose_ConceptSet{{
			System: r4.URI(t.url),
		}}},
	}
}
