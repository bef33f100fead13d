package server

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	ppb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/parameters_go_proto"

	"google.golang.org/protobuf/types/known/anypb"

	"github.com/equitylens/equitylens/fhir/r4"
)

// parameters are those of an operation, by name, each as text.
type parameters map[string][]string

// inlineMember is the name under which readBody keeps the members of a Group that is given as a
// resource. No parameter can be called so.
const inlineMember = "subjectGroup.member"

// one returns the value of a parameter that may be given once; "" where it is not given.
func (p parameters) one(name string) (string, error) {
	switch values := p[name]; len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", repeated(name)
}

// given reports whether there is any value.
func (p parameters) given(name string) bool { return len(p[name]) > 0 }

// commonParameters are what both operations take: R4's own, DEQM's and ours. Any other is refused:
// a misspelt stratifier that is passed over gives an answer to another question.
func commonParameters() []string {
	return []string{
		"periodStart", "periodEnd", "measure", "reportType", "subject", "practitioner",
		"lastReceivedOn", "stratifier", "racePolicy", "bounds", "reference", "filter", "audience",
	}
}

// readParameters reads the query of a GET, or the query and the Parameters of a POST.
func readParameters(r *http.Request, known []string) (parameters, error) {
	asked := parameters{}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformedQuery()
	}
	for name, values := range query {
		if name == "_format" || name == "_pretty" {
			continue
		}
		if !slices.Contains(known, name) {
			return nil, unknownParameter(name)
		}
		asked[name] = append(asked[name], values...)
	}
	if r.Method == http.MethodPost {
		return asked, readBody(r, asked, known)
	}
	return asked, nil
}

func readBody(r *http.Request, asked parameters, known []string) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (kind != "application/fhir+json" && kind != "application/json") {
		return errMedia
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read parameters: %w", err)
	}
	resource, err := r4.Unmarshal(text)
	if err != nil {
		return fmt.Errorf("read parameters: %w", err)
	}
	body := resource.GetParameters()
	if body == nil {
		return notParameters()
	}
	for _, parameter := range body.Parameter {
		name := parameter.GetName().GetValue()
		if !slices.Contains(known, name) {
			return unknownParameter(name)
		}
		if name == "subjectGroup" && parameter.Resource != nil {
			if err := readGroup(parameter.Resource, asked); err != nil {
				return err
			}
			continue
		}
		text, ok := valueText(parameter.GetValue())
		if !ok {
			return malformedValue(name)
		}
		asked[name] = append(asked[name], text)
	}
	return nil
}

// readGroup takes the members of a Group that stands in the body itself.
func readGroup(packed *anypb.Any, asked parameters) error {
	if asked.given(inlineMember) {
		return repeated("subjectGroup")
	}
	var resource rpb.ContainedResource
	if err := packed.UnmarshalTo(&resource); err != nil {
		return malformedValue("subjectGroup")
	}
	for _, member := range resource.GetGroup().GetMember() {
		if member.GetInactive().GetValue() {
			continue
		}
		id := member.GetEntity().GetPatientId().GetValue()
		if id == "" {
			return malformedValue("subjectGroup")
		}
		asked[inlineMember] = append(asked[inlineMember], "Patient/"+id)
	}
	if !asked.given(inlineMember) {
		return malformedValue("subjectGroup")
	}
	return nil
}

// valueText is the value of a parameter as the query of a GET would write it, for the types that
// the operations use.
func valueText(value *ppb.Parameters_Parameter_ValueX) (text string, ok bool) {
	switch v := value.GetChoice().(type) {
	case *ppb.Parameters_Parameter_ValueX_Date:
		return dateText(v.Date), true
	case *ppb.Parameters_Parameter_ValueX_DateTime:
		return dateTimeText(v.DateTime), true
	case *ppb.Parameters_Parameter_ValueX_Boolean:
		return strconv.FormatBool(v.Boolean.GetValue()), true
	case *ppb.Parameters_Parameter_ValueX_StringValue:
		text = v.StringValue.GetValue()
	case *ppb.Parameters_Parameter_ValueX_Code:
		text = v.Code.GetValue()
	case *ppb.Parameters_Parameter_ValueX_Id:
		text = v.Id.GetValue()
	case *ppb.Parameters_Parameter_ValueX_Canonical:
		text = v.Canonical.GetValue()
	case *ppb.Parameters_Parameter_ValueX_Uri:
		text = v.Uri.GetValue()
	case *ppb.Parameters_Parameter_ValueX_Reference:
		text = referenceText(v.Reference)
	}
	return text, text != ""
}

// referenceText writes a reference back, for the types that a parameter may refer to.
func referenceText(r *dpb.Reference) string {
	for kind, id := range map[string]string{
		"Patient":      r.GetPatientId().GetValue(),
		"Group":        r.GetGroupId().GetValue(),
		"Practitioner": r.GetPractitionerId().GetValue(),
		"Measure":      r.GetMeasureId().GetValue(),
	} {
		if id != "" {
			return kind + "/" + id
		}
	}
	return r.GetUri().GetValue()
}

func dateText(date *dpb.Date) string {
	layout := map[dpb.Date_Precision]string{
		dpb.Date_YEAR: "2006", dpb.Date_MONTH: "2006-01", dpb.Date_DAY: "2006-01-02",
	}[date.GetPrecision()]
	return time.UnixMicro(date.GetValueUs()).UTC().Format(layout)
}

func dateTimeText(moment *dpb.DateTime) string {
	layout, ok := map[dpb.DateTime_Precision]string{
		dpb.DateTime_YEAR: "2006", dpb.DateTime_MONTH: "2006-01", dpb.DateTime_DAY: "2006-01-02",
	}[moment.GetPrecision()]
	if !ok {
		layout = time.RFC3339
	}
	return time.UnixMicro(moment.GetValueUs()).UTC().Format(layout)
}
