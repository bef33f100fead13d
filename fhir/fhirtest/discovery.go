package fhirtest

import (
	"net/http"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// serveDiscovery is https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html.
func (s *Server) serveDiscovery(w http.ResponseWriter, r *http.Request) {
	if s.faults[RedirectingDiscovery] && s.filesURL() != "" {
		http.Redirect(w, r, s.filesURL()+r.URL.Path, http.StatusFound)
		return
	}
	body := s.endpoints(r)
	body["capabilities"] = []string{"launch-ehr", "launch-standalone", "authorize-post",
		"client-public", "client-confidential-symmetric", "client-confidential-asymmetric",
		"context-ehr-patient", "context-ehr-encounter", "context-banner", "context-style",
		"sso-openid-connect", "permission-patient", "permission-user", "permission-offline",
		"permission-online", "permission-v1", "permission-v2"}
	body["associated_endpoints"] = []object{}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	answer(w, http.StatusOK, "application/json", body)
}

// serveOpenID is https://openid.net/specs/openid-connect-discovery-1_0.html, section 3.
func (s *Server) serveOpenID(w http.ResponseWriter, r *http.Request) {
	body := s.endpoints(r)
	body["subject_types_supported"] = []string{"public"}
	body["id_token_signing_alg_values_supported"] = []string{string(jose.RS256)}
	body["claims_supported"] = []string{"sub", "iss", "aud", "fhirUser", "name", "preferred_username",
		"groups"}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	answer(w, http.StatusOK, "application/json", body)
}

// endpoints is what both documents of discovery say.
func (s *Server) endpoints(r *http.Request) object {
	methods := []string{PrivateKey, SecretBasic}
	challenges := []string{"S256"}
	if s.faults[DiscoveryWithoutS256] {
		challenges = []string{"plain"}
	}
	return object{
		"issuer":                                s.base(r),
		"jwks_uri":                              s.origin(r) + keysPath,
		"authorization_endpoint":                s.window(r) + authorizePath,
		"token_endpoint":                        s.origin(r) + tokenPath,
		"introspection_endpoint":                s.origin(r) + introspectPath,
		"token_endpoint_auth_methods_supported": append(methods, Public),
		"introspection_endpoint_auth_methods_supported":    methods,
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS384", "ES384"},
		"response_types_supported":                         []string{"code"},
		"grant_types_supported": []string{"authorization_code", "refresh_token",
			"client_credentials"},
		"scopes_supported": append(identityScopes(), "patient/*.rs", "patient/*.read", "user/*.rs",
			"user/*.read", "system/*.rs", "system/*.read"),
		"code_challenge_methods_supported":               challenges,
		"authorization_response_iss_parameter_supported": true,
	}
}

// offered lists the types that can be searched.
func (s *Server) offered() []population.Type {
	if s.faults[NoAdverseEvent] {
		return []population.Type{population.Patient, population.Encounter, population.Organization}
	}
	return population.Types()
}

// serveCapabilities is http://hl7.org/fhir/R4/capabilitystatement.html.
func (s *Server) serveCapabilities(w http.ResponseWriter, r *http.Request) {
	const definition = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"
	var resources []object
	for _, t := range s.offered() {
		resource := object{"type": t.String(),
			"interaction": []object{{"code": "read"}, {"code": "search-type"}},
			"searchParam": s.searchParams(t)}
		if t == population.Patient {
			resource["operation"] = []object{{"name": "export", "definition": definition + "patient-export"}}
		}
		resources = append(resources, resource)
	}
	resources = append(resources, object{"type": practitioner,
		"interaction": []object{{"code": "read"}}}, object{"type": "Group",
		"operation": []object{{"name": "export", "definition": definition + "group-export"}}})
	answer(w, http.StatusOK, fhirJSON, object{
		"resourceType": "CapabilityStatement", "status": "active", "kind": "instance",
		"date": s.now().UTC().Format("2006-01-02"), "fhirVersion": "4.0.1",
		"format":       []string{"json"},
		"software":     object{"name": "EquityLens fake EHR"},
		"instantiates": []string{"http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"},
		"implementation": object{"description": "Invented people; every name begins with " +
			population.CanaryName},
		"rest": []object{{"mode": "server", "resource": resources, "security": s.security(r),
			"operation": []object{{"name": "export", "definition": definition + "export"}}}},
	})
}

// searchParams lists what a type can be searched by.
func (s *Server) searchParams(t population.Type) []object {
	params := []object{{"name": "_id", "type": "token"}, {"name": "_lastUpdated", "type": "date"}}
	if t == population.Encounter || t == population.AdverseEvent {
		params = append(params, object{"name": "date", "type": "date",
			"documentation": "for _sort alone"})
	}
	for _, name := range s.subjectParams(t) {
		params = append(params, object{"name": name, "type": "reference"})
	}
	return params
}

// security says where to get a token, also in the older way, by the extension that
// smart-configuration has replaced.
func (s *Server) security(r *http.Request) object {
	return object{
		"service": []object{{"coding": []object{{
			"system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
			"code":   "SMART-on-FHIR"}}}},
		"extension": []object{{
			"url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
			"extension": []object{
				{"url": "authorize", "valueUri": s.window(r) + authorizePath},
				{"url": "token", "valueUri": s.origin(r) + tokenPath},
				{"url": "introspect", "valueUri": s.origin(r) + introspectPath},
			}}},
	}
}
