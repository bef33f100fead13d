package incident

import (
	"errors"
	"strings"
	"time"
)

// DateFormats lists how dates may be written. A time of day may follow, on 24 hours or with AM and PM.
func DateFormats() []string {
	return []string{"YYYY-MM-DD", "MM/DD/YYYY", "DD/MM/YYYY", "DD.MM.YYYY", "YYYY/MM/DD", "YYYYMMDD"}
}

// layout is a format as package time has it; digits of a day and a month may be one.
func layout(format string) string {
	switch format {
	case "MM/DD/YYYY":
		return "1/2/2006"
	case "DD/MM/YYYY":
		return "2/1/2006"
	case "DD.MM.YYYY":
		return "2.1.2006"
	case "YYYY/MM/DD":
		return "2006/1/2"
	case "YYYYMMDD":
		return "20060102"
	}
	return "2006-1-2"
}

var (
	errNoDate = errors.New("is no date")
	errNoZone = errors.New("has a time of day, and nobody says in which time zone: name one by timezone in " +
		"the configuration, or leave the time out")
	errNoSuchTime = errors.New("is a time that the clock of the time zone left out when it was put forward")
	errFuture     = errors.New("lies in the future")
	errPast       = errors.New("lies before 1901, which is what systems write for none")
)

// calendar reads dates.
type calendar struct {
	format string
	zone   *time.Location
	now    time.Time
}

// read returns a FHIR date or dateTime. A time that the clock showed twice is the first of the two.
func (c calendar) read(text string) (string, error) {
	text = strings.ToUpper(strings.Join(strings.Fields(text), " "))
	moment, timed, err := c.parse(text)
	if err != nil {
		return "", err
	}
	const firstYear, aDay = 1901, 24 * time.Hour
	switch {
	case moment.Year() < firstYear:
		return "", errPast
	case timed && moment.After(c.now), moment.After(c.now.Add(aDay)):
		// A day without a clock may be that of a time zone that is ahead of ours.
		return "", errFuture
	case timed:
		return moment.Format(time.RFC3339), nil
	}
	return moment.Format(time.DateOnly), nil
}

// parse reads a date with or without a time of day, in the format of the table or in that of ISO 8601.
func (c calendar) parse(text string) (moment time.Time, timed bool, err error) {
	for _, date := range []string{layout(c.format), layout("")} {
		if moment, err := time.Parse(date, text); err == nil {
			return moment, false, nil
		}
		for _, divider := range []string{" ", "T"} {
			for _, clock := range []string{"15:04:05Z07:00", "15:04Z07:00", "15:04:05 Z07:00"} {
				if moment, err := time.Parse(date+divider+clock, text); err == nil {
					return moment, true, nil
				}
			}
			for _, clock := range []string{"15:04", "15:04:05", "3:04 PM", "3:04:05 PM", "3:04PM", "3:04:05PM"} {
				moment, err := c.local(date+divider+clock, text)
				if err == nil || !errors.Is(err, errNoDate) {
					return moment, true, err
				}
			}
		}
	}
	return time.Time{}, false, errNoDate
}

// local places a time of day without an offset.
func (c calendar) local(form, text string) (time.Time, error) {
	wall, err := time.Parse(form, text)
	if err != nil {
		return wall, errNoDate
	}
	if c.zone == nil {
		return wall, errNoZone
	}
	moment := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, c.zone)
	const clock = "2006-01-02 15:04:05"
	if moment.Format(clock) != wall.Format(clock) {
		return moment, errNoSuchTime
	}
	for _, shift := range []time.Duration{2 * time.Hour, time.Hour, time.Hour / 2} {
		if earlier := moment.Add(-shift); earlier.Format(clock) == wall.Format(clock) {
			return earlier, nil
		}
	}
	return moment, nil
}
