package page

import (
	"strconv"
	"time"

	"github.com/equitylens/equitylens/fhir"
)

// date writes a date as precisely as it is recorded, with the month in words: 3/4 is another day in
// another country. The time of day is left out. "" means that there is none.
func (w *words) date(d fhir.DateTime) string {
	if d.Precision == fhir.NoDate {
		return ""
	}
	const secondsPerDay = 86400
	year, month, day := time.Unix(int64(d.Days)*secondsPerDay, 0).UTC().Date()
	switch d.Precision {
	case fhir.Year:
		return strconv.Itoa(year)
	case fhir.Month:
		return w.say("date.month", w.month(month), strconv.Itoa(year))
	default:
		return w.day(year, month, day)
	}
}

func (w *words) day(year int, month time.Month, day int) string {
	return w.say("date.day", strconv.Itoa(day), w.month(month), strconv.Itoa(year))
}

func (w *words) month(m time.Month) string { return w.say("month." + strconv.Itoa(int(m))) }

// moment writes an instant with its time of day and the name of the zone.
func (w *words) moment(t time.Time) string {
	t = t.In(w.location)
	return w.say("date.moment", w.instantDay(t), t.Format(w.say("date.clock")), t.Format("MST"))
}

// instantDay writes the day of an instant.
func (w *words) instantDay(t time.Time) string {
	year, month, day := t.In(w.location).Date()
	return w.day(year, month, day)
}

// machine writes an instant for programs.
func machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }
