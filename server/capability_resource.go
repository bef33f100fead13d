package server

import (
	"strings"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	capb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/capability_statement_go_proto"
	vpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/valuesets_go_proto"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/fhir/r4"
)

// resourceType finds a type by its name: CodeSystem is CODE_SYSTEM.
func resourceType(name string) (cpb.ResourceTypeCode_Value, bool) {
	var text strings.Builder
	for i, c := range name {
		if i > 0 && c >= 'A' && c <= 'Z' {
			text.WriteByte('_')
		}
		text.WriteRune(c)
	}
	value, ok := cpb.ResourceTypeCode_Value_value[strings.ToUpper(text.String())]
	return cpb.ResourceTypeCode_Value(value), ok && value != 0
}

// searchKind finds the kind of a search parameter by its code.
func searchKind(name string) (cpb.SearchParamTypeCode_Value, bool) {
	value, ok := cpb.SearchParamTypeCode_Value_value[strings.ToUpper(name)]
	return cpb.SearchParamTypeCode_Value(value), ok && value != 0
}

// interactionCode is what a route does in the words of the CapabilityStatement; false for what is
// listed there otherwise.
func interactionCode(does audit.Interaction) (vpb.TypeRestfulInteractionValueSet_Value, bool) {
	code, ok := map[audit.Interaction]vpb.TypeRestfulInteractionValueSet_Value{
		audit.Read:   vpb.TypeRestfulInteractionValueSet_READ,
		audit.Search: vpb.TypeRestfulInteractionValueSet_SEARCH_TYPE,
		audit.Create: vpb.TypeRestfulInteractionValueSet_CREATE,
		audit.Delete: vpb.TypeRestfulInteractionValueSet_DELETE,
		Update:       vpb.TypeRestfulInteractionValueSet_UPDATE,
		History:      vpb.TypeRestfulInteractionValueSet_HISTORY_INSTANCE,
	}[does]
	return code, ok
}

// extended adds what the routes of Config.Resources do to the resources of the CapabilityStatement.
func (s *Server) extended(all []*resourceProto) []*resourceProto {
	of := map[cpb.ResourceTypeCode_Value]*resourceProto{}
	for _, one := range all {
		of[one.GetType().GetValue()] = one
	}
	for _, route := range s.cfg.Resources {
		kind, known := resourceType(route.Type)
		if !known {
			continue
		}
		if of[kind] == nil {
			of[kind] = &resourceProto{
				Type: &capb.CapabilityStatement_Rest_Resource_TypeCode{Value: kind},
			}
			all = append(all, of[kind])
		}
		take(of[kind], route)
	}
	return all
}

// take adds one route to what is said of its type.
func take(p *resourceProto, route Resource) {
	if route.Documentation != "" {
		p.Documentation = r4.Markdown(route.Documentation)
	}
	if code, ok := interactionCode(route.Does); ok {
		p.Interaction = append(p.Interaction, interaction(code))
	}
	if _, name, ok := strings.Cut(route.Path, "/$"); ok && route.Does == audit.Operation {
		p.Operation = append(p.Operation, operation(name, ownOperation+name, route.Documentation))
	}
	if route.Does == Update {
		p.Versioning = &capb.CapabilityStatement_Rest_Resource_VersioningCode{
			Value: cpb.ResourceVersionPolicyCode_VERSIONED_UPDATE,
		}
	}
	for _, one := range route.Search {
		kind, _ := searchKind(one.Kind)
		p.SearchParam = append(p.SearchParam, parameter(one.Name, one.Definition, kind))
	}
}
