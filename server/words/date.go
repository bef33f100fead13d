package words

import (
	"strconv"
	"time"

	"github.com/equitylens/equitylens/fhir"
)

// Date writes a date as precisely as it is recorded, with the month in words: 3/4 is another day in
// another country. The time of day is left out. "" means that there is none.
func (w *Words) Date(d fhir.DateTime) string {
	if d.Precision == fhir.NoDate {
		return ""
	}
	const secondsPerDay = 86400
	year, month, day := time.Unix(int64(d.Days)*secondsPerDay, 0).UTC().Date()
	switch d.Precision {
	case fhir.Year:
		return strconv.Itoa(year)
	case fhir.Month:
		return w.Say("date.month", w.Month(month), strconv.Itoa(year))
	default:
		return w.Day(year, month, day)
	}
}

// Day writes a day.
func (w *Words) Day(year int, month time.Month, day int) string {
	return w.Say("date.day", strconv.Itoa(day), w.Month(month), strconv.Itoa(year))
}

// Month writes the name of a month, as within a date.
func (w *Words) Month(m time.Month) string { return w.Say("month." + strconv.Itoa(int(m))) }

// Moment writes an instant with its time of day and the name of the zone.
func (w *Words) Moment(t time.Time) string {
	t = t.In(w.location)
	return w.Say("date.moment", w.DayOf(t), t.Format(w.Say("date.clock")), t.Format("MST"))
}

// DayOf writes the day of an instant.
func (w *Words) DayOf(t time.Time) string {
	year, month, day := t.In(w.location).Date()
	return w.Day(year, month, day)
}

// Machine writes an instant for programs.
func Machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }
