package report

import (
	"fmt"
	"strings"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	lpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/library_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// sqlType is the media type of RFC 6922, in which SQL on FHIR also ships its libraries.
const sqlType = "application/sql"

// LibraryURL is the canonical URL of the library of a measure, without its version.
func (b *Builder) LibraryURL(id string) string { return b.cfg.Canonical + "/Library/" + id }

// Library makes the Library of a definition: who is in which population, as SQL over the documented
// view of the unit. An imported measure has none, which is an error.
func (b *Builder) Library(d measure.Definition) (*lpb.Library, error) {
	if d.Imported {
		return nil, fmt.Errorf("make Library %q: the measure is imported and has no expressions", d.ID)
	}
	if !idForm.MatchString(d.ID) {
		return nil, fmt.Errorf("make Library %q: that is no id of a resource", d.ID)
	}
	return &lpb.Library{
		Id:           &dpb.Id{Value: d.ID},
		Url:          r4.URI(b.LibraryURL(d.ID)),
		Version:      r4.Text(d.Version),
		Name:         r4.Text(computable(d.ID)),
		Title:        r4.Text(d.Title),
		Status:       &lpb.Library_StatusCode{Value: cpb.PublicationStatusCode_ACTIVE},
		Experimental: &dpb.Boolean{Value: false},
		Type:         r4.Coded(systemLibraryType, "logic-library"),
		Publisher:    r4.Text(b.cfg.Organization),
		Description:  r4.Markdown(d.Says),
		Content: []*dpb.Attachment{{
			ContentType: &dpb.Attachment_ContentTypeCode{Value: sqlType},
			Data:        &dpb.Base64Binary{Value: []byte(statement(d))},
		}},
	}, nil
}

// statement is the membership of every population as SQL over the view of the unit: one statement a
// group, one column a population.
func statement(d measure.Definition) string {
	var text strings.Builder
	fmt.Fprintf(&text, "-- %s %s\n", d.ID, d.Version)
	for _, rate := range d.Rates() {
		of := criteria(d, rate)
		var columns []string
		for _, p := range populations() {
			if of[p] != "" {
				columns = append(columns, fmt.Sprintf("  (%s) AS %q", of[p], string(p)))
			}
			if d.Observe[p] != "" {
				columns = append(columns, fmt.Sprintf("  (%s) AS %q", d.Observe[p], observed(p)))
			}
		}
		fmt.Fprintf(&text, "-- group %s\nSELECT\n%s\nFROM %s;\n",
			rate.ID, strings.Join(columns, ",\n"), d.Unit)
	}
	return text.String()
}
