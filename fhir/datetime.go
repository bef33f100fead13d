package fhir

import (
	"errors"
	"time"
)

// Precision is how much of a FHIR date or dateTime was written down.
type Precision uint8

// The precisions of http://hl7.org/fhir/R4/datatypes.html#dateTime. A zero Precision means that
// there is no value.
const (
	NoDate Precision = iota
	Year
	Month
	Day
	Minute
)

// DateTime is a FHIR date, dateTime or instant as it was written: the calendar date in its own
// offset, and the instant where it names one. The zero DateTime means that there is none.
type DateTime struct {
	// Precision says which of the fields below mean anything.
	Precision Precision
	// Days is the calendar date that the text carries, in days since 1970-01-01. Of a Year or a Month
	// it is the first day.
	Days int32
	// Clock is the time of day in microseconds since midnight; with Minute precision only. A leap
	// second (:60) is the following second.
	Clock int64
	// Zoned says that the text carried an offset, so that Micros is an instant.
	Zoned bool
	// Micros is the instant in microseconds since 1970-01-01T00:00:00Z, if Zoned.
	Micros int64
}

// ErrDate is the cause of every refusal by ParseDateTime. The text itself is not repeated.
var ErrDate = errors.New("not a FHIR date, dateTime or instant")

// Implausible dates are servers' ways of saying "none": the two ends of what SQL Server and Java hold,
// and whatever lies beyond a human life and a planned appointment.
const (
	firstPlausibleDay = -43829 // 1850-01-01
	lastPlausibleDay  = 84370  // 2200-12-31
)

// Plausible reports whether the date can be that of a living person's care. 0001-01-01 and
// 9999-12-31 are how some servers write "none".
func (d DateTime) Plausible() bool {
	return d.Days >= firstPlausibleDay && d.Days <= lastPlausibleDay
}

const (
	secondsPerDay = 86400
	microsPerDay  = secondsPerDay * 1_000_000
)

// In returns d with its calendar date and clock as read in loc. A value that is not an instant is
// returned as it is.
func (d DateTime) In(loc *time.Location) DateTime {
	if !d.Zoned {
		return d
	}
	_, offset := time.UnixMicro(d.Micros).In(loc).Zone()
	local := d.Micros + int64(offset)*1_000_000
	d.Days, d.Clock = splitDay(local)
	return d
}

// AssumeZone returns d as an instant in loc if it has a clock but no offset. FHIR forbids such a
// value; real servers send it.
func (d DateTime) AssumeZone(loc *time.Location) DateTime {
	if d.Zoned || d.Precision != Minute {
		return d
	}
	wall := time.UnixMicro(int64(d.Days)*microsPerDay + d.Clock).UTC()
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), loc)
	d.Zoned, d.Micros = true, at.UnixMicro()
	return d
}

// LastDay returns the last calendar day that d covers, in days since 1970-01-01: of 2018-02 it is
// 2018-02-28.
func (d DateTime) LastDay() int32 {
	first := time.Unix(int64(d.Days)*secondsPerDay, 0).UTC()
	switch d.Precision {
	case Year:
		return int32(first.AddDate(1, 0, -1).Unix() / secondsPerDay) // #nosec G115 -- years 1 to 9999
	case Month:
		return int32(first.AddDate(0, 1, -1).Unix() / secondsPerDay) // #nosec G115 -- years 1 to 9999
	case NoDate, Day, Minute:
	}
	return d.Days
}

func splitDay(micros int64) (days int32, clock int64) {
	day := micros / microsPerDay
	clock = micros % microsPerDay
	if clock < 0 {
		day, clock = day-1, clock+microsPerDay
	}
	return int32(day), clock // #nosec G115 -- years 1 to 9999
}

// ParseDateTime reads a FHIR date, dateTime or instant: YYYY, YYYY-MM, YYYY-MM-DD, or a date with
// Thh:mm[:ss[.fff]] and an offset. Seconds may be left out and the offset may be missing, as real
// servers do; :60 is allowed as in the R4 pattern. The empty string is no value and no error.
func ParseDateTime(s string) (DateTime, error) {
	p := dateParser{rest: s}
	if s == "" {
		return DateTime{}, nil
	}
	year := p.digits(4)
	month, day, precision := 1, 1, Year
	if p.take('-') {
		month, precision = p.digits(2), Month
		if p.take('-') {
			day, precision = p.digits(2), Day
		}
	}
	if p.bad || year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return DateTime{}, ErrDate
	}
	d := DateTime{Precision: precision, Days: civilDays(year, month, day)}
	if p.rest == "" {
		return d, nil
	}
	if precision != Day || !p.take('T') {
		return DateTime{}, ErrDate
	}
	clock := p.clock()
	offset, zoned := p.offset()
	if p.bad || p.rest != "" {
		return DateTime{}, ErrDate
	}
	wall := int64(d.Days)*microsPerDay + clock
	d.Precision, d.Zoned = Minute, zoned
	d.Days, d.Clock = splitDay(wall)
	if zoned {
		d.Micros = wall - offset
	}
	return d, nil
}

type dateParser struct {
	rest string
	bad  bool
}

func (p *dateParser) take(c byte) bool {
	if p.rest != "" && p.rest[0] == c {
		p.rest = p.rest[1:]
		return true
	}
	return false
}

func (p *dateParser) digits(n int) int {
	if len(p.rest) < n {
		p.bad = true
		return 0
	}
	v := 0
	for i := range n {
		c := p.rest[i]
		if c < '0' || c > '9' {
			p.bad = true
			return 0
		}
		v = v*10 + int(c-'0')
	}
	p.rest = p.rest[n:]
	return v
}

// clock reads hh:mm[:ss[.fff]] in microseconds; digits beyond the sixth are dropped.
func (p *dateParser) clock() int64 {
	hour := p.digits(2)
	p.bad = p.bad || !p.take(':')
	minute := p.digits(2)
	second, micros := 0, int64(0)
	if p.take(':') {
		second = p.digits(2)
		if p.take('.') {
			micros = p.fraction()
		}
	}
	if hour > 23 || minute > 59 || second > 60 {
		p.bad = true
	}
	return int64(hour*3600+minute*60+second)*1_000_000 + micros
}

func (p *dateParser) fraction() int64 {
	n, v := 0, int64(0)
	for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
		if n < 6 {
			v = v*10 + int64(p.rest[n]-'0')
		}
		n++
	}
	p.bad = p.bad || n == 0
	p.rest = p.rest[n:]
	for ; n < 6; n++ {
		v *= 10
	}
	return v
}

// offset reads Z or ±hh:mm in microseconds east of UTC.
func (p *dateParser) offset() (micros int64, zoned bool) {
	if p.rest == "" {
		return 0, false
	}
	if p.take('Z') {
		return 0, true
	}
	sign := int64(1)
	switch {
	case p.take('+'):
	case p.take('-'):
		sign = -1
	default:
		p.bad = true
		return 0, false
	}
	hour := p.digits(2)
	p.bad = p.bad || !p.take(':')
	minute := p.digits(2)
	if hour > 14 || minute > 59 {
		p.bad = true
	}
	return sign * int64(hour*3600+minute*60) * 1_000_000, true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// civilDays counts days since 1970-01-01 in the proleptic Gregorian calendar, by the era method of
// Howard Hinnant's "chrono-compatible low-level date algorithms" (public domain).
func civilDays(year, month, day int) int32 {
	if month <= 2 {
		year--
	}
	era := year / 400
	yearOfEra := year - era*400
	shifted := (month + 9) % 12
	dayOfYear := (153*shifted+2)/5 + day - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return int32(era*146097 + dayOfEra - 719468) // #nosec G115 -- years 1 to 9999
}
