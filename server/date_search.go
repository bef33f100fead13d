package server

import (
	"time"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"

	"github.com/equitylens/equitylens/fhir"
)

// span is a stretch of time: from its first instant to the first that is no longer part of it.
type span struct{ from, to time.Time }

// forever is after every date that FHIR can write.
func forever() time.Time { return time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }

// whole reports whether s holds all of other.
func (s span) whole(other span) bool {
	return !other.from.Before(s.from) && !other.to.After(s.to)
}

// dateMatches compares what a resource says with a date of a search, as
// http://hl7.org/fhir/R4/search.html#date has it: a partial date stands for the whole of what it
// names. Without a prefix the resource has to lie within it.
func dateMatches(name, value string, have span) (bool, error) {
	prefix := "eq"
	if len(value) > 2 && value[0] >= 'a' && value[0] <= 'z' {
		prefix, value = value[:2], value[2:]
	}
	asked, ok := spanOf(value)
	if !ok {
		return false, malformedSearchDate(name)
	}
	within := asked.whole(have)
	switch prefix {
	case "eq":
		return within, nil
	case "ne":
		return !within, nil
	case "gt":
		return have.to.After(asked.to), nil
	case "ge":
		return have.to.After(asked.to) || within, nil
	case "lt":
		return have.from.Before(asked.from), nil
	case "le":
		return have.from.Before(asked.from) || within, nil
	case "sa":
		return !have.from.Before(asked.to), nil
	case "eb":
		return !have.to.After(asked.from), nil
	case "ap":
		return have.from.Before(asked.to) && have.to.After(asked.from), nil
	}
	return false, malformedSearchDate(name)
}

// spanOf is what a date or dateTime stands for.
func spanOf(text string) (span, bool) {
	date, err := fhir.ParseDateTime(text)
	if err != nil {
		return span{}, false
	}
	if date.Precision != fhir.Minute {
		return span{midnight(date.Days), midnight(date.LastDay() + 1)}, true
	}
	at := time.UnixMicro(date.AssumeZone(time.UTC).Micros).UTC().Truncate(time.Second)
	return span{at, at.Add(time.Second)}, true
}

// daysSpan is a period of calendar days, both inclusive.
func daysSpan(start, end time.Time) span { return span{start, end.AddDate(0, 0, 1)} }

// momentSpan is what a dateTime of a resource stands for; false if there is none.
func momentSpan(moment *dpb.DateTime) (span, bool) {
	if moment == nil {
		return span{}, false
	}
	return spanOf(dateTimeText(moment))
}
