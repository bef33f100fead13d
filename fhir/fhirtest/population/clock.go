package population

import "time"

// minute is a wall-clock minute of the hospitals, counted from 1970-01-01T00:00 there. They all lie
// in Arizona, which keeps UTC-07:00 all year, so that a difference of minutes is a difference of
// instants and a configured time zone of America/Phoenix changes no calendar date.
type minute int64

// day is a calendar date in days since 1970-01-01.
type day int32

const (
	minutesPerDay = 24 * 60
	secondsPerDay = 24 * 3600
	zoneOffset    = "-07:00"
	// zoneMinutes is what is added to a wall-clock minute to reach UTC.
	zoneMinutes = 7 * 60
	// never lies before every date; as a minute of an occurrence it means that there is none.
	never minute = -1 << 40
	// noDay is the date of a unit that no period holds.
	noDay day = -1 << 30
)

func (m minute) day() day {
	d := m / minutesPerDay
	if m%minutesPerDay < 0 {
		d--
	}
	return day(d) // #nosec G115 -- years 1850 to 2200
}

func (m minute) seconds() int64 { return (int64(m) + zoneMinutes) * 60 }

func (d day) at(hour, min int) minute { return minute(d)*minutesPerDay + minute(hour*60+min) }

func dayOf(t time.Time) day {
	y, m, d := t.Date()
	return day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay) // #nosec G115 -- years
}

func (d day) time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// civil returns year, month and day of month, by the inverse of the era method in Howard Hinnant's
// "chrono-compatible low-level date algorithms" (public domain).
func (d day) civil() (year, month, dayOfMonth int) {
	z := int(d) + 719468
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	dayOfMonth = doy - (153*mp+2)/5 + 1
	month = mp + 3
	if month > 12 {
		month -= 12
	}
	year = yoe + era*400
	if month <= 2 {
		year++
	}
	return year, month, dayOfMonth
}

// civilDay is the day of a date; a month of 13 is January of the next year.
func civilDay(year, month, dayOfMonth int) day {
	return dayOf(time.Date(year, time.Month(month), dayOfMonth, 0, 0, 0, 0, time.UTC))
}

// yearsSince returns the completed years from birth to d. Someone born on 29 February is a year
// older on 1 March of a common year.
func (d day) yearsSince(birth day) int {
	by, bm, bd := birth.civil()
	y, m, dd := d.civil()
	years := y - by
	if m < bm || (m == bm && dd < bd) {
		years--
	}
	return years
}

func appendTwo(buf []byte, n int) []byte {
	return append(buf, byte('0'+n/10), byte('0'+n%10)) // #nosec G115 -- two digits
}

func appendDay(buf []byte, d day) []byte {
	y, m, dd := d.civil()
	buf = append(buf, byte('0'+y/1000), byte('0'+y/100%10)) // #nosec G115 -- digits
	buf = appendTwo(buf, y%100)
	buf = append(buf, '-')
	buf = appendTwo(buf, m)
	buf = append(buf, '-')
	return appendTwo(buf, dd)
}

func appendClock(buf []byte, m minute) []byte {
	d := m.day()
	buf = appendDay(buf, d)
	left := int(m - minute(d)*minutesPerDay)
	buf = append(buf, 'T')
	buf = appendTwo(buf, left/60)
	buf = append(buf, ':')
	return appendTwo(buf, left%60)
}

// appendLocal writes a dateTime with the hospitals' offset.
func appendLocal(buf []byte, m minute) []byte {
	buf = appendClock(buf, m)
	return append(buf, ":00"+zoneOffset...)
}

// appendUTC writes the same moment as an instant in UTC.
func appendUTC(buf []byte, m minute) []byte {
	buf = appendClock(buf, m+zoneMinutes)
	return append(buf, ":00Z"...)
}
