package form

import (
	"strconv"
	"time"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

// Writer writes resources. Its zero value writes no free text.
type Writer struct {
	// Organization is the institution whose goals and actions these are, by its name.
	Organization string
	// Narrative says that free text is written. Without it an element that would hold some says that
	// it is masked.
	Narrative bool
}

// masked is the reason for which free text is kept back.
const masked = "masked"

// organization refers to the institution. One that has no name is still one.
func (w Writer) organization() *dpb.Reference {
	name := w.Organization
	if name == "" {
		name = "This organization"
	}
	return r4.Named("Organization", name)
}

// words is a text that may name people; nil of "".
func (w Writer) words(text string) *dpb.String {
	switch {
	case text == "":
		return nil
	case w.Narrative:
		return r4.Text(text)
	}
	return &dpb.String{Extension: r4.Absent(masked)}
}

// markdown is words as a markdown text.
func (w Writer) markdown(text string) *dpb.Markdown {
	switch {
	case text == "":
		return nil
	case w.Narrative:
		return r4.Markdown(text)
	}
	return &dpb.Markdown{Extension: r4.Absent(masked)}
}

// meta is the version of a resource and when it was written.
func meta(version int, at time.Time) *dpb.Meta {
	m := &dpb.Meta{VersionId: &dpb.Id{Value: strconv.Itoa(version)}}
	if !at.IsZero() {
		m.LastUpdated = instant(at)
	}
	return m
}

// date reads a day as actions and conditions write it; nil of what is none.
func date(day string) *dpb.Date {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return nil
	}
	return &dpb.Date{ValueUs: at.UnixMicro(), Timezone: "UTC", Precision: dpb.Date_DAY}
}

// period is from one day to another, both inside; an end that is none is open. Nil where neither is
// a day.
func period(start, end string) *dpb.Period {
	from, to := dayTime(start), dayTime(end)
	if from == nil && to == nil {
		return nil
	}
	return &dpb.Period{Start: from, End: to}
}

// dayTime is a day as a dateTime; nil of what is none.
func dayTime(day string) *dpb.DateTime {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return nil
	}
	return r4.Day(at)
}
