package server

import (
	"net/http"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	capb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/capability_statement_go_proto"
	vpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/valuesets_go_proto"
	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

type (
	restProto        = capb.CapabilityStatement_Rest
	resourceProto    = capb.CapabilityStatement_Rest_Resource
	interactionProto = capb.CapabilityStatement_Rest_Resource_ResourceInteraction
	searchProto      = capb.CapabilityStatement_Rest_Resource_SearchParam
)

// capability says what the routes below /fhir do, and no more than they do.
func (s *Server) capability(*http.Request) (proto.Message, error) {
	return &capb.CapabilityStatement{
		Name:   r4.Text("EquityLens"),
		Title:  r4.Text("EquityLens: quality measures stratified by who the patients are"),
		Status: &capb.CapabilityStatement_StatusCode{Value: cpb.PublicationStatusCode_ACTIVE},
		Date:   r4.Moment(s.started),
		Kind: &capb.CapabilityStatement_KindCode{
			Value: cpb.CapabilityStatementKindCode_INSTANCE,
		},
		Software: &capb.CapabilityStatement_Software{
			Name: r4.Text("EquityLens"), Version: r4.Text(s.cfg.Version),
		},
		Implementation: &capb.CapabilityStatement_Implementation{
			Description: r4.Text("Measures of this organization"), Url: &dpb.Url{Value: s.cfg.BaseURL},
		},
		FhirVersion: &capb.CapabilityStatement_FhirVersionCode{Value: cpb.FHIRVersionCode_V_4_0_1},
		Format: []*capb.CapabilityStatement_FormatCode{
			{Value: "application/fhir+json"}, {Value: "json"},
		},
		Rest: []*restProto{{
			Mode:     &capb.CapabilityStatement_Rest_ModeCode{Value: cpb.RestfulCapabilityModeCode_SERVER},
			Security: security(),
			Resource: []*resourceProto{measureCapability()},
		}},
	}, nil
}

func security() *capb.CapabilityStatement_Rest_Security {
	return &capb.CapabilityStatement_Rest_Security{
		Service: []*dpb.CodeableConcept{r4.Coded(
			"http://terminology.hl7.org/CodeSystem/restful-security-service", "SMART-on-FHIR")},
		Description: r4.Markdown("OAuth 2.0 client credentials with private_key_jwt (SMART Backend " +
			"Services); see .well-known/smart-configuration."),
	}
}

func measureCapability() *resourceProto {
	interaction := func(code vpb.TypeRestfulInteractionValueSet_Value) *interactionProto {
		return &interactionProto{
			Code: &capb.CapabilityStatement_Rest_Resource_ResourceInteraction_CodeType{Value: code},
		}
	}
	search := func(name, definition string, kind cpb.SearchParamTypeCode_Value) *searchProto {
		return &searchProto{
			Name:       r4.Text(name),
			Definition: &dpb.Canonical{Value: "http://hl7.org/fhir/SearchParameter/" + definition},
			Type:       &capb.CapabilityStatement_Rest_Resource_SearchParam_TypeCode{Value: kind},
		}
	}
	return &resourceProto{
		Type: &capb.CapabilityStatement_Rest_Resource_TypeCode{Value: cpb.ResourceTypeCode_MEASURE},
		Interaction: []*interactionProto{
			interaction(vpb.TypeRestfulInteractionValueSet_READ),
			interaction(vpb.TypeRestfulInteractionValueSet_SEARCH_TYPE),
		},
		SearchParam: []*searchProto{
			search("_id", "Resource-id", cpb.SearchParamTypeCode_TOKEN),
			search("url", "Measure-url", cpb.SearchParamTypeCode_URI),
		},
		Operation: []*capb.CapabilityStatement_Rest_Resource_Operation{{
			Name: r4.Text("evaluate-measure"),
			Definition: &dpb.Canonical{
				Value: "http://hl7.org/fhir/OperationDefinition/Measure-evaluate-measure",
			},
			Documentation: r4.Markdown("reportType population only. The repeated parameter stratifier " +
				"names the dimensions of the report, two joined by * for a cross; without it every " +
				"dimension of the measure is answered."),
		}},
	}
}
