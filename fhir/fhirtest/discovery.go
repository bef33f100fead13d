package fhirtest

import (
	"net/http"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// serveDiscovery is https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html.
func (s *Server) serveDiscovery(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, "application/json", object{
		"token_endpoint":                                   origin(r) + tokenPath,
		"token_endpoint_auth_methods_supported":            []string{"private_key_jwt"},
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS384", "ES384"},
		"grant_types_supported":                            []string{"client_credentials"},
		"scopes_supported":                                 []string{"system/*.rs", "system/*.read"},
		"code_challenge_methods_supported":                 []string{"S256"},
		"capabilities": []string{"client-confidential-asymmetric",
			"permission-v1", "permission-v2"},
	})
}

// offered lists the types that can be searched.
func (s *Server) offered() []population.Type {
	if s.faults[NoAdverseEvent] {
		return []population.Type{population.Patient, population.Encounter, population.Organization}
	}
	return population.Types()
}

// serveCapabilities is http://hl7.org/fhir/R4/capabilitystatement.html.
func (s *Server) serveCapabilities(w http.ResponseWriter, _ *http.Request) {
	const definition = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"
	var resources []object
	for _, t := range s.offered() {
		resource := object{"type": t.String(),
			"interaction": []object{{"code": "read"}, {"code": "search-type"}},
			"searchParam": []object{{"name": "_id", "type": "token"},
				{"name": "_lastUpdated", "type": "date"}}}
		if t == population.Patient {
			resource["operation"] = []object{{"name": "export", "definition": definition + "patient-export"}}
		}
		resources = append(resources, resource)
	}
	resources = append(resources, object{"type": "Group",
		"operation": []object{{"name": "export", "definition": definition + "group-export"}}})
	answer(w, http.StatusOK, fhirJSON, object{
		"resourceType": "CapabilityStatement", "status": "active", "kind": "instance",
		"date": s.now().UTC().Format("2006-01-02"), "fhirVersion": "4.0.1",
		"format":       []string{"json"},
		"software":     object{"name": "EquityLens fake EHR"},
		"instantiates": []string{"http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"},
		"implementation": object{"description": "Invented people; every name begins with " +
			population.CanaryName},
		"rest": []object{{"mode": "server", "resource": resources,
			"security": object{"service": []object{{"coding": []object{{
				"system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
				"code":   "SMART-on-FHIR"}}}}},
			"operation": []object{{"name": "export", "definition": definition + "export"}}}},
	})
}
