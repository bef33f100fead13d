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
	operationProto   = capb.CapabilityStatement_Rest_Resource_Operation
	systemProto      = capb.CapabilityStatement_Rest_SystemInteraction
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
			Security: s.security(),
			Resource: s.extended([]*resourceProto{
				measureCapability(), libraryCapability(), reportCapability(), trailCapability(),
			}),
			Interaction: []*systemProto{{
				Code: &capb.CapabilityStatement_Rest_SystemInteraction_CodeType{
					Value: vpb.SystemRestfulInteractionValueSet_BATCH,
				},
				Documentation: r4.Markdown("A batch of GETs, each for itself under the token of the batch."),
			}},
		}},
	}, nil
}

func (s *Server) security() *capb.CapabilityStatement_Rest_Security {
	return &capb.CapabilityStatement_Rest_Security{
		Cors: &dpb.Boolean{Value: len(s.cfg.Origins) > 0},
		Service: []*dpb.CodeableConcept{r4.Coded(
			"http://terminology.hl7.org/CodeSystem/restful-security-service", "SMART-on-FHIR")},
		Description: r4.Markdown("OAuth 2.0: client credentials with private_key_jwt (SMART Backend " +
			"Services) for programs, authorization code with PKCE for people, where they sign in; see .well-known/smart-configuration. A token without equitylens/unsuppressed gets " +
			"the public release; equitylens/patients covers reports that name patients, each of which is " +
			"audited; equitylens/import covers $import and AdverseEvents that are handed in; " +
			"equitylens/review, equitylens/narrative and equitylens/improve cover reviews, their free text " +
			"and actions. Of a person a scope user/X is taken where a " +
			"program needs system/X. Every access is audited; system/AuditEvent.rs reads the trail."),
	}
}

// ownOperation is the base of the operations that no standard names.
const ownOperation = "https://equitylens.org/fhir/OperationDefinition/"

func interaction(code vpb.TypeRestfulInteractionValueSet_Value) *interactionProto {
	return &interactionProto{
		Code: &capb.CapabilityStatement_Rest_Resource_ResourceInteraction_CodeType{Value: code},
	}
}

// searchable makes the capability of a type that can be read and searched.
func searchable(of cpb.ResourceTypeCode_Value) *resourceProto {
	return &resourceProto{
		Type: &capb.CapabilityStatement_Rest_Resource_TypeCode{Value: of},
		Interaction: []*interactionProto{
			interaction(vpb.TypeRestfulInteractionValueSet_READ),
			interaction(vpb.TypeRestfulInteractionValueSet_SEARCH_TYPE),
		},
	}
}

// parameter is a search parameter; definition is the id of that of R4, or empty for one of ours.
func parameter(name, definition string, kind cpb.SearchParamTypeCode_Value) *searchProto {
	p := &searchProto{
		Name: r4.Text(name),
		Type: &capb.CapabilityStatement_Rest_Resource_SearchParam_TypeCode{Value: kind},
	}
	if definition == "" {
		p.Documentation = r4.Markdown("Of this server; see docs/api.md.")
		return p
	}
	p.Definition = &dpb.Canonical{Value: "http://hl7.org/fhir/SearchParameter/" + definition}
	return p
}

const (
	tokenParameter = cpb.SearchParamTypeCode_TOKEN
	uriParameter   = cpb.SearchParamTypeCode_URI
	dateParameter  = cpb.SearchParamTypeCode_DATE
	textParameter  = cpb.SearchParamTypeCode_STRING
)

// canonicalSearch are the parameters of a Measure or a Library.
func canonicalSearch(of string) []*searchProto {
	return []*searchProto{
		parameter("_id", "Resource-id", tokenParameter),
		parameter("url", of+"-url", uriParameter),
		parameter("version", of+"-version", tokenParameter),
		parameter("title", of+"-title", textParameter),
		parameter("status", of+"-status", tokenParameter),
		parameter("date", of+"-date", dateParameter),
		parameter("effective", of+"-effective", dateParameter),
		parameter("period", "", dateParameter),
	}
}

func measureCapability() *resourceProto {
	out := searchable(cpb.ResourceTypeCode_MEASURE)
	out.SearchParam = canonicalSearch("Measure")
	out.Operation = []*operationProto{
		operation("evaluate-measure", "http://hl7.org/fhir/OperationDefinition/Measure-evaluate-measure",
			"reportType subject, subject-list or population, on the type and on an instance. Of ours are "+
				"the parameters stratifier (a dimension, or two or three joined by *; without it every "+
				"dimension is answered), racePolicy, bounds, reference, filter and audience. "+
				"Prefer: respond-async is honoured."),
		operation("evaluate", "http://hl7.org/fhir/uv/deqm/OperationDefinition/evaluate",
			"Several measures at once, by measureUrl, measure or measureId; the answer is a Parameters "+
				"of Bundles. Takes the parameters of ours too, and Prefer: respond-async."),
	}
	return out
}

func libraryCapability() *resourceProto {
	out := searchable(cpb.ResourceTypeCode_LIBRARY)
	out.SearchParam = canonicalSearch("Library")
	return out
}

func reportCapability() *resourceProto {
	out := searchable(cpb.ResourceTypeCode_MEASURE_REPORT)
	out.Documentation = r4.Markdown("The summary reports of the live snapshot that are stored.")
	out.SearchParam = []*searchProto{
		parameter("_id", "Resource-id", tokenParameter),
		parameter("measure", "MeasureReport-measure", cpb.SearchParamTypeCode_REFERENCE),
		parameter("period", "MeasureReport-period", dateParameter),
		parameter("date", "MeasureReport-date", dateParameter),
		parameter("status", "MeasureReport-status", tokenParameter),
		parameter("type", "", tokenParameter),
		parameter("audience", "", tokenParameter),
	}
	out.Operation = []*operationProto{operation("import", ownOperation+"import",
		"Takes individual MeasureReports that another engine made, as a Bundle, one a line or a single "+
			"one, and makes measures of them that can be stratified here.")}
	return out
}

func trailCapability() *resourceProto {
	out := searchable(cpb.ResourceTypeCode_AUDIT_EVENT)
	out.Documentation = r4.Markdown("The audit trail, the newest event first; the link next reads on.")
	out.SearchParam = []*searchProto{
		parameter("_id", "Resource-id", tokenParameter),
		parameter("date", "AuditEvent-date", dateParameter),
		parameter("agent", "", tokenParameter),
		parameter("patient", "AuditEvent-patient", cpb.SearchParamTypeCode_REFERENCE),
		parameter("type", "AuditEvent-type", tokenParameter),
		parameter("subtype", "AuditEvent-subtype", tokenParameter),
		parameter("action", "AuditEvent-action", tokenParameter),
		parameter("outcome", "AuditEvent-outcome", tokenParameter),
	}
	return out
}

func operation(name, definition, documentation string) *operationProto {
	return &operationProto{
		Name:          r4.Text(name),
		Definition:    &dpb.Canonical{Value: definition},
		Documentation: r4.Markdown(documentation),
	}
}
