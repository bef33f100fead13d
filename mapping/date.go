package mapping

import (
	"time"

	"github.com/equitylens/equitylens/fhir"
)

const microsPerDay = int64(24 * time.Hour / time.Microsecond)

// date reads a dateTime. What is no date, and what says "none" by an implausible one, is left out.
func (m *Mapper) date(text, element string, issues []Issue) (fhir.DateTime, []Issue) {
	d, issues := plausible(text, element, issues)
	if m.location != nil {
		d = d.AssumeZone(m.location).In(m.location)
	}
	return d, issues
}

// plausible reads a date as it is written.
func plausible(text, element string, issues []Issue) (fhir.DateTime, []Issue) {
	if text == "" {
		return fhir.DateTime{}, issues
	}
	d, err := fhir.ParseDateTime(text)
	if err != nil {
		return fhir.DateTime{}, append(issues, Issue{Kind: NotADate, Element: element})
	}
	if !d.Plausible() {
		return fhir.DateTime{}, append(issues, Issue{Kind: ImplausibleDate, Element: element})
	}
	return d, issues
}

// birth reads Patient.birthDate, which is a calendar date and no instant: a clock that a server
// adds is dropped, and no time zone moves it.
func birth(text string, issues []Issue) (fhir.DateTime, []Issue) {
	d, issues := plausible(text, "Patient.birthDate", issues)
	if d.Precision == fhir.Minute {
		d = fhir.DateTime{Precision: fhir.Day, Days: d.Days}
	}
	return d, issues
}

// period reads Encounter.period.
func (m *Mapper) period(p fhir.Period, issues []Issue) (start, end fhir.DateTime, _ []Issue) {
	start, issues = m.date(p.Start, "Encounter.period.start", issues)
	end, issues = m.date(p.End, "Encounter.period.end", issues)
	if before(end, start) {
		end = fhir.DateTime{}
		issues = append(issues, Issue{Kind: EndBeforeStart, Element: "Encounter.period.end"})
	}
	return start, end, issues
}

// before reports whether a certainly lies before b: by instants where both have one, else by the
// clock where both have one, else by the days that each may mean.
func before(a, b fhir.DateTime) bool {
	switch {
	case a.Precision == fhir.NoDate || b.Precision == fhir.NoDate:
		return false
	case a.Zoned && b.Zoned:
		return a.Micros < b.Micros
	case a.Precision == fhir.Minute && b.Precision == fhir.Minute && a.Days == b.Days:
		return !a.Zoned && !b.Zoned && a.Clock < b.Clock
	}
	return a.LastDay() < b.Days
}

// version reads meta. A lastUpdated without an offset is taken as UTC where the mapper has no
// location: it only orders the copies of one server.
func (m *Mapper) version(meta fhir.Meta, element string, issues []Issue) (Version, []Issue) {
	v := Version{Number: wholeNumber(meta.VersionID)}
	d, issues := plausible(meta.LastUpdated, element, issues)
	if m.location != nil {
		d = d.AssumeZone(m.location)
	}
	switch {
	case d.Zoned:
		v.Updated = d.Micros
	case d.Precision != fhir.NoDate:
		v.Updated = int64(d.Days)*microsPerDay + d.Clock
	}
	return v, issues
}

// wholeNumber reads a version id that counts, and returns 0 for one that does not.
func wholeNumber(s string) int64 {
	const longest = 18
	if len(s) > longest {
		return 0
	}
	n := int64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n
}
