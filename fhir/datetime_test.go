package fhir_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir"
)

// days counts from 1970-01-01 by the standard library.
func days(year int, month time.Month, day int) int32 {
	return int32(time.Date(year, month, day, 0, 0, 0, 0,
		time.UTC).Unix() / 86400) // #nosec G115 -- a test
}

const (
	second = int64(time.Second / time.Microsecond)
	minute = 60 * second
	hour   = 60 * minute
)

func TestParseDateTime(t *testing.T) {
	t.Parallel()
	at := func(text string) int64 {
		moment, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment.UnixMicro()
	}
	cases := []struct {
		in   string
		want fhir.DateTime
	}{
		{"", fhir.DateTime{}},
		{"2018", fhir.DateTime{Precision: fhir.Year, Days: days(2018, 1, 1)}},
		{"2018-02", fhir.DateTime{Precision: fhir.Month, Days: days(2018, 2, 1)}},
		{"2018-02-28", fhir.DateTime{Precision: fhir.Day, Days: days(2018, 2, 28)}},
		{"2020-02-29", fhir.DateTime{Precision: fhir.Day, Days: days(2020, 2, 29)}},
		{"2000-02-29", fhir.DateTime{Precision: fhir.Day, Days: days(2000, 2, 29)}},
		{"1969-12-31", fhir.DateTime{Precision: fhir.Day, Days: -1}},
		{"0001-01-01", fhir.DateTime{Precision: fhir.Day, Days: -719162}},
		{"9999-12-31", fhir.DateTime{Precision: fhir.Day, Days: 2932896}},
		{"2018-03-04T05:06:07Z", fhir.DateTime{
			Precision: fhir.Minute, Days: days(2018, 3, 4), Clock: 5*hour + 6*minute + 7*second, Zoned: true,
			Micros: at("2018-03-04T05:06:07Z"),
		}},
		{"2018-03-04T05:06:07.123456789+14:00", fhir.DateTime{
			Precision: fhir.Minute, Days: days(2018, 3,
				4), Clock: 5*hour + 6*minute + 7*second + 123456, Zoned: true,
			Micros: at("2018-03-04T05:06:07.123456+14:00"),
		}},
		{"2018-12-31T23:30:00-05:00", fhir.DateTime{
			Precision: fhir.Minute, Days: days(2018, 12, 31), Clock: 23*hour + 30*minute, Zoned: true,
			Micros: at("2019-01-01T04:30:00Z"),
		}},
		{"2018-03-04T05:06", fhir.DateTime{Precision: fhir.Minute, Days: days(2018, 3, 4), Clock: 5*hour +
			6*minute}},
		{"2018-03-04T05:06:07.5", fhir.DateTime{
			Precision: fhir.Minute, Days: days(2018, 3, 4), Clock: 5*hour + 6*minute + 7*second + second/2,
		}},
		{"2016-12-31T23:59:60Z", fhir.DateTime{
			Precision: fhir.Minute, Days: days(2017, 1, 1), Zoned: true, Micros: at("2017-01-01T00:00:00Z"),
		}},
		{"2018-03-04T05:06:60+00:00", fhir.DateTime{
			Precision: fhir.Minute, Days: days(2018, 3, 4), Clock: 5*hour + 7*minute, Zoned: true,
			Micros: at("2018-03-04T05:07:00Z"),
		}},
	}
	for _, c := range cases {
		got, err := fhir.ParseDateTime(c.in)
		if err != nil {
			t.Errorf("ParseDateTime(%q) = %v", c.in, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("ParseDateTime(%q) differs (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestParseDateTimeRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		" ", "18", "0000", "0000-01-01", "2018-", "2018-1", "2018-00", "2018-13", "2018-02-",
		"2018-02-00", "2018-02-30",
		"2019-02-29", "1900-02-29", "2018-04-31", "20180304", "2018/03/04", "2018-03-04 05:06:07Z",
		"2018-03-04T",
		"2018-03-04T05", "2018-03-04T24:00:00Z", "2018-03-04T05:60:00Z", "2018-03-04T05:06:61Z",
		"2018-03-04T05:06:07.Z",
		"2018-03-04T05:06:07z", "2018-03-04T05:06:07+15:00", "2018-03-04T05:06:07+05",
		"2018-03-04T05:06:07+0500",
		"2018-03-04T05:06:07+05:60", "2018-03-04T05:06:07ZZ", "2018-03T05:06", "2018T05:06", "-2018",
		"+2018", "12018-01-01",
		"2018-03-04T05:06:07Z ", "２０１８", "today",
	} {
		got, err := fhir.ParseDateTime(in)
		if !errors.Is(err, fhir.ErrDate) || got != (fhir.DateTime{}) {
			t.Errorf("ParseDateTime(%q) = %+v, %v, want ErrDate", in, got, err)
		}
	}
}

func parseDate(t *testing.T, text string) fhir.DateTime {
	t.Helper()
	d, err := fhir.ParseDateTime(text)
	if err != nil {
		t.Fatalf("ParseDateTime(%q) = %v", text, err)
	}
	return d
}

func TestPlausible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"0001-01-01": false, "1753-01-01": false, "1849-12-31": false, "1850-01-01": true,
		"1900-01-01":           true,
		"2026-07-01T10:00:00Z": true, "2200-12-31": true, "2201-01-01": false, "9999-12-31": false,
		"9999-12-31T23:59:59Z": false,
	} {
		if got := parseDate(t, in).Plausible(); got != want {
			t.Errorf("Plausible(%s) = %v, want %v", in, got, want)
		}
	}
}

func TestLastDay(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int32{
		"2018": days(2018, 12, 31), "2018-02": days(2018, 2, 28), "2020-02": days(2020, 2,
			29), "2018-12": days(2018, 12, 31),
		"2018-03-04": days(2018, 3, 4), "1969": days(1969, 12, 31), "1900-02": days(1900, 2,
			28), "0001": days(1, 12, 31),
		"9999": days(9999, 12, 31), "2018-12-31T23:30:00-05:00": days(2018, 12, 31),
	} {
		if got := parseDate(t, in).LastDay(); got != want {
			t.Errorf("LastDay(%s) = %d, want %d", in, got, want)
		}
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Skipf("this machine does not know the time zone %s", name)
	}
	return loc
}

// TestInAcrossDST reads instants around both changes of the clock: row 14.
func TestInAcrossDST(t *testing.T) {
	t.Parallel()
	york := zone(t, "America/New_York")
	cases := []struct {
		in    string
		days  int32
		clock int64
	}{
		{"2025-03-09T06:59:59Z", days(2025, 3, 9), 1*hour + 59*minute + 59*second},
		{"2025-03-09T07:00:00Z", days(2025, 3, 9), 3 * hour},
		{"2025-11-02T05:30:00Z", days(2025, 11, 2), 1*hour + 30*minute},
		{"2025-11-02T06:30:00Z", days(2025, 11, 2), 1*hour + 30*minute},
		{"2025-01-01T04:59:00Z", days(2024, 12, 31), 23*hour + 59*minute},
		{"2025-07-01T03:59:00Z", days(2025, 6, 30), 23*hour + 59*minute},
		{"1965-01-01T03:00:00Z", days(1964, 12, 31), 22 * hour},
	}
	for _, c := range cases {
		before := parseDate(t, c.in)
		got := before.In(york)
		if got.Days != c.days || got.Clock != c.clock || got.Micros != before.Micros {
			t.Errorf("In(%s) = day %d, clock %d, want %d, %d", c.in, got.Days, got.Clock, c.days, c.clock)
		}
	}
	for _, in := range []string{"2025", "2025-03-09", "2025-03-09T06:59:59"} {
		before := parseDate(t, in)
		if got := before.In(york); got != before {
			t.Errorf("In(%s) = %+v: what is no instant was moved", in, got)
		}
	}
}

func TestAssumeZone(t *testing.T) {
	t.Parallel()
	york := zone(t, "America/New_York")
	for in, want := range map[string]string{
		"2025-01-15T08:00": "2025-01-15T13:00:00Z", "2025-07-15T08:00:30": "2025-07-15T12:00:30Z",
		"2025-03-09T03:00:00": "2025-03-09T07:00:00Z",
	} {
		got := parseDate(t, in).AssumeZone(york)
		if !got.Zoned || got.Micros != parseDate(t, want).Micros || got.Days != parseDate(t, in).Days {
			t.Errorf("AssumeZone(%s) = %+v, want the instant %s", in, got, want)
		}
	}
	for _, in := range []string{"2025", "2025-07", "2025-07-15", "2025-07-15T08:00:00Z"} {
		before := parseDate(t, in)
		if got := before.AssumeZone(york); got != before {
			t.Errorf("AssumeZone(%s) = %+v, want no change", in, got)
		}
	}
}

// TestParseDateTimeAgreesWithTime holds every instant against the standard library.
func TestParseDateTimeAgreesWithTime(t *testing.T) {
	t.Parallel()
	first := time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC).Unix()
	last := time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC).Unix()
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.IntRange(-12*60, 14*60).Draw(t, "offset")
		moment := time.Unix(rapid.Int64Range(first, last).Draw(t, "seconds"),
			rapid.Int64Range(0, 999_999).Draw(t, "micros")*1000).
			In(time.FixedZone("", offset*60))
		text := moment.Format("2006-01-02T15:04:05.000000Z07:00")
		got, err := fhir.ParseDateTime(text)
		if err != nil {
			t.Fatalf("ParseDateTime(%q) = %v", text, err)
		}
		midnight := time.Date(moment.Year(), moment.Month(), moment.Day(), 0, 0, 0, 0, time.UTC)
		if got.Micros != moment.UnixMicro() || int64(got.Days)*86400 != midnight.Unix() {
			t.Errorf("ParseDateTime(%q) = %+v, want %d, day %d", text, got, moment.UnixMicro(),
				midnight.Unix()/86400)
		}
		if again := got.In(time.FixedZone("", offset*60)); again != got {
			t.Errorf("In its own zone %q becomes %+v", text, again)
		}
	})
}

func FuzzParseDateTime(f *testing.F) {
	for _, seed := range []string{
		"", "2018", "2018-02", "2018-02-28", "2018-03-04T05:06:07.123Z", "2018-03-04T05:06:60+14:00",
		"0001-01-01", "9999-12-31T23:59:60-12:00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := fhir.ParseDateTime(text)
		if err != nil {
			if d != (fhir.DateTime{}) {
				t.Errorf("ParseDateTime(%q) = %+v beside an error", text, d)
			}
			return
		}
		if (d.Precision == fhir.NoDate) != (text == "") {
			t.Errorf("ParseDateTime(%q) has precision %d", text, d.Precision)
		}
		if d.Precision != fhir.NoDate && d.LastDay() < d.Days {
			t.Errorf("ParseDateTime(%q) ends on %d before it begins on %d", text, d.LastDay(), d.Days)
		}
		if d.Clock < 0 || d.Clock >= 24*hour || (d.Zoned && d.Precision != fhir.Minute) {
			t.Errorf("ParseDateTime(%q) = %+v", text, d)
		}
	})
}
