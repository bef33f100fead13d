package report

import (
	"bytes"
	"encoding/json"
	"fmt"

	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/r4"
)

// reading is one input on its way to Imports.
type reading struct {
	cfg    ReadConfig
	reader *r4.Reader
	faults *faults
	found  int
	// batches are the reports of one measure and period each.
	batches map[batchKey]*batch
	// units counts the members that were made of counts, which cost nothing to claim.
	units int
}

// documents reads the whole input as one resource, or each of its lines as one where the first line
// is a value by itself.
func (r *reading) documents(text []byte) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	whole := bytes.TrimSpace(text)
	first, rest, _ := bytes.Cut(whole, []byte("\n"))
	if len(bytes.TrimSpace(rest)) == 0 || !json.Valid(first) {
		r.document(Place{}, whole, nil)
		return
	}
	line := 0
	for one := range bytes.Lines(text) {
		line++
		if one = bytes.TrimSpace(one); len(one) > 0 {
			r.document(Place{Line: line}, one, nil)
		}
	}
}

// bundleOutline and parametersOutline are containers without what they hold being read.
type bundleOutline struct {
	Type  string `json:"type"`
	Entry []struct {
		FullURL  string          `json:"fullUrl"`
		Resource json.RawMessage `json:"resource"`
	} `json:"entry"`
}

type parametersOutline struct {
	Parameter []struct {
		Resource json.RawMessage `json:"resource"`
	} `json:"parameter"`
}

// kindOutline is the type of a resource, and its id.
type kindOutline struct {
	ResourceType string `json:"resourceType"`
	ID           string `json:"id"`
}

// document reads one resource. What holds no report is passed over: the patients and organizations
// that travel with the reports. patients are the ids by which a Bundle names its Patients.
func (r *reading) document(at Place, text []byte, patients map[string]string) {
	var kind kindOutline
	if err := json.Unmarshal(text, &kind); err != nil {
		cause := "that is no JSON"
		if json.Valid(text) {
			cause = "that is no resource"
		}
		r.faults.add(at, "", cause)
		return
	}
	switch kind.ResourceType {
	case "":
		r.faults.add(at, "resourceType", "there is none")
	case "MeasureReport":
		r.measureReport(at, text, patients)
	case "Bundle":
		r.bundle(at, text)
	case "Parameters":
		r.parameters(at, text)
	}
}

func (r *reading) parameters(at Place, text []byte) {
	var o parametersOutline
	if at.Entry > 0 || at.Parameter > 0 || json.Unmarshal(text, &o) != nil {
		r.faults.add(at, "Parameters", "that is no list of parameters, or is in another container")
		return
	}
	for i, p := range o.Parameter {
		if p.Resource != nil {
			r.document(Place{Line: at.Line, Parameter: i + 1}, p.Resource, nil)
		}
	}
}

func (r *reading) bundle(at Place, text []byte) {
	var o bundleOutline
	if at.Entry > 0 || json.Unmarshal(text, &o) != nil {
		r.faults.add(at, "Bundle", "that is no list of entries, or is in another Bundle")
		return
	}
	switch o.Type {
	case "collection", "transaction", "batch", "searchset", "document", "message":
	default:
		r.faults.add(at, "Bundle.type", "one of collection, transaction, batch and searchset is wanted")
		return
	}
	patients := map[string]string{}
	for _, entry := range o.Entry {
		var p kindOutline
		if json.Unmarshal(entry.Resource, &p) == nil && p.ResourceType == "Patient" && p.ID != "" {
			patients[entry.FullURL] = p.ID
		}
	}
	for i, entry := range o.Entry {
		if entry.Resource != nil {
			r.document(Place{Line: at.Line, Parameter: at.Parameter, Entry: i + 1}, entry.Resource, patients)
		}
	}
}

func (r *reading) measureReport(at Place, text []byte, patients map[string]string) {
	r.found++
	resource, faults := r.reader.Read(text)
	for _, fault := range faults {
		r.faults.add(at, fault.Path, fault.Cause)
	}
	if resource == nil {
		return
	}
	s := &subject{at: at, faults: r.faults, report: resource.GetMeasureReport(), patients: patients}
	if s.read(r.cfg) {
		r.keep(s)
	}
}

// resolve finds the type and id of what a reference names. A urn of a Bundle is the id of the Patient
// under it.
func resolve(reference string, patients map[string]string) (resourceType, id string) {
	if id, ok := patients[reference]; ok {
		return "Patient", id
	}
	return fhir.Reference{Reference: reference}.Target()
}

// groupPath names a group, and what follows, in a fault.
func groupPath(group int, format string, args ...any) string {
	return fmt.Sprintf("MeasureReport.group[%d]", group) + fmt.Sprintf(format, args...)
}

type groupProto = mrpb.MeasureReport_Group
