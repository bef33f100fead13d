package form

import (
	"time"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	fpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/flag_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/action"
)

// DeclaredCondition is the category of the Flag of a declared condition: a code of SystemFlag.
const DeclaredCondition = "declared-condition"

// Flag writes a declared condition, as it stands on a day. Its subject is the site, or the
// institution where it holds for all sites. The name says what was declared and is no free text
// about anybody, yet somebody typed it: it is written where free text is.
func (w Writer) Flag(c *action.Condition, on time.Time) *fpb.Flag {
	out := &fpb.Flag{
		Id: &dpb.Id{Value: c.ID}, Meta: meta(c.Version, time.Time{}),
		Status:   &fpb.Flag_StatusCode{Value: flagStatus(c, on)},
		Category: []*dpb.CodeableConcept{own(SystemFlag, DeclaredCondition)},
		Code:     &dpb.CodeableConcept{Text: w.words(c.Name)},
		Subject:  w.organization(),
		Period:   period(c.Start, c.End),
	}
	if c.Site != "" {
		out.Subject = &dpb.Reference{
			Type: r4.URI("Organization"), Identifier: &dpb.Identifier{Value: r4.Text(c.Site)},
		}
	}
	return out
}

func flagStatus(c *action.Condition, on time.Time) cpb.FlagStatusCode_Value {
	day := on.UTC().Format(time.DateOnly)
	switch {
	case c.Withdrawn:
		return cpb.FlagStatusCode_ENTERED_IN_ERROR
	case day < c.Start || c.End != "" && day > c.End:
		return cpb.FlagStatusCode_INACTIVE
	}
	return cpb.FlagStatusCode_ACTIVE
}

// FlagStatus is the status of the Flag of a condition on a day, as a code of R4.
func FlagStatus(c *action.Condition, on time.Time) string {
	switch flagStatus(c, on) {
	case cpb.FlagStatusCode_ENTERED_IN_ERROR:
		return "entered-in-error"
	case cpb.FlagStatusCode_ACTIVE:
		return "active"
	default:
		return "inactive"
	}
}
