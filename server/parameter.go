package server

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	ppb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/parameters_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

// parameters are those of $evaluate-measure, by name, each as text.
type parameters map[string][]string

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

// known lists the parameters that are understood or answered with a reason. Any other is refused: a
// misspelt stratifier that is passed over gives an answer to another question.
func known(name string) bool {
	switch name {
	case "periodStart", "periodEnd", "measure", "reportType", "subject", "practitioner",
		"lastReceivedOn", "stratifier":
		return true
	}
	return false
}

// readParameters reads the query of a GET, or the query and the Parameters of a POST.
func readParameters(r *http.Request) (parameters, error) {
	asked := parameters{}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformedQuery()
	}
	for name, values := range query {
		if name == "_format" || name == "_pretty" {
			continue
		}
		if !known(name) {
			return nil, unknownParameter(name)
		}
		asked[name] = append(asked[name], values...)
	}
	if r.Method == http.MethodPost {
		return asked, readBody(r, asked)
	}
	return asked, nil
}

func readBody(r *http.Request, asked parameters) error {
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
		if !known(name) {
			return unknownParameter(name)
		}
		text, ok := valueText(parameter.GetValue())
		if !ok {
			return malformedValue(name)
		}
		asked[name] = append(asked[name], text)
	}
	return nil
}

// valueText is the value of a parameter as the query of a GET would write it, for the types that
// the operation uses.
func valueText(value *ppb.Parameters_Parameter_ValueX) (text string, ok bool) {
	switch v := value.GetChoice().(type) {
	case *ppb.Parameters_Parameter_ValueX_Date:
		return dateText(v.Date), true
	case *ppb.Parameters_Parameter_ValueX_StringValue:
		text = v.StringValue.GetValue()
	case *ppb.Parameters_Parameter_ValueX_Code:
		text = v.Code.GetValue()
	case *ppb.Parameters_Parameter_ValueX_Canonical:
		text = v.Canonical.GetValue()
	case *ppb.Parameters_Parameter_ValueX_Uri:
		text = v.Uri.GetValue()
	case *ppb.Parameters_Parameter_ValueX_DateTime:
		// No parameter that we answer is a dateTime; its presence is what counts.
		return "dateTime", true
	}
	return text, text != ""
}

func dateText(date *dpb.Date) string {
	layout := map[dpb.Date_Precision]string{
		dpb.Date_YEAR: "2006", dpb.Date_MONTH: "2006-01", dpb.Date_DAY: "2006-01-02",
	}[date.GetPrecision()]
	return time.UnixMicro(date.GetValueUs()).UTC().Format(layout)
}
