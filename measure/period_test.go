package measure_test

import (
	"encoding/json"
	"testing"

	"github.com/equitylens/equitylens/measure"
)

func TestParsePeriod(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		// want is the span, or "" for an error.
		want string
	}{
		{"a year", "2018", "2018-01-01/2018-12-31"},
		{"the first quarter", "2018-Q1", "2018-01-01/2018-03-31"},
		{"the last quarter", "2018-Q4", "2018-10-01/2018-12-31"},
		{"a month", "2018-03", "2018-03-01/2018-03-31"},
		{"February", "2018-02", "2018-02-01/2018-02-28"},
		{"February of a leap year", "2020-02", "2020-02-01/2020-02-29"},
		{"February of 1900", "1900-02", "1900-02-01/1900-02-28"},
		{"December", "2018-12", "2018-12-01/2018-12-31"},
		{"a span", "2018-01-01/2018-06-30", "2018-01-01/2018-06-30"},
		{"a day", "2018-02-28/2018-02-28", "2018-02-28/2018-02-28"},
		{"a span over years", "2017-07-01/2018-06-30", "2017-07-01/2018-06-30"},
		{"nothing", "", ""},
		{"a quarter too many", "2018-Q5", ""},
		{"no quarter", "2018-Q0", ""},
		{"a month too many", "2018-13", ""},
		{"no month", "2018-00", ""},
		{"a day alone", "2018-01-01", ""},
		{"a day that does not exist", "2018-02-29/2018-03-01", ""},
		{"an end that does not exist", "2018-02-01/2018-02-30", ""},
		{"an end before the start", "2018-02-02/2018-02-01", ""},
		{"two digits", "18", ""},
		{"words", "last year", ""},
		{"space", " 2018", ""},
		{"a line end", "2018\n", ""},
		{"months as a span", "2018-01/2018-02", ""},
		{"a clock", "2018-01-01T00:00/2018-01-02T00:00", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, err := measure.ParsePeriod(test.in)
			if (err != nil) != (test.want == "") || err == nil && p.String() != test.want {
				t.Errorf("ParsePeriod(%q) = %v, %v; want %q", test.in, p, err, test.want)
			}
		})
	}
}

func TestPeriodAsJSON(t *testing.T) {
	t.Parallel()
	p, err := measure.ParsePeriod("2018-Q1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(p)
	if want := `{"start":"2018-01-01","end":"2018-03-31"}`; err != nil || string(got) != want {
		t.Errorf("JSON = %s, %v; want %s", got, err, want)
	}
}

// FuzzParsePeriod: what is accepted is a span that reads the same a second time.
func FuzzParsePeriod(f *testing.F) {
	for _, seed := range []string{"2018", "2018-Q1", "2018-03", "2018-01-01/2018-06-30", "0000",
		"9999-12",
		"0000-01-01/0000-01-01", "2020-02-29/2020-02-29"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := measure.ParsePeriod(text)
		if err != nil {
			return
		}
		again, err := measure.ParsePeriod(p.String())
		if err != nil || again != p || p.End.Before(p.Start) {
			t.Errorf("ParsePeriod(%q) = %s, read again as %s, %v", text, p, again, err)
		}
	})
}
