package measure

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Period is a span of calendar days, both ends inclusive, held as midnights UTC.
type Period struct {
	Start time.Time
	End   time.Time
}

const dayLayout = "2006-01-02"

var (
	yearForm    = regexp.MustCompile(`^(\d{4})$`)
	quarterForm = regexp.MustCompile(`^(\d{4})-Q([1-4])$`)
	monthForm   = regexp.MustCompile(`^(\d{4})-(0[1-9]|1[0-2])$`)
	rangeForm   = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})/(\d{4}-\d{2}-\d{2})$`)
)

// ParsePeriod reads 2018, 2018-Q1, 2018-03 or 2018-01-01/2018-06-30.
func ParsePeriod(s string) (Period, error) {
	if m := yearForm.FindStringSubmatch(s); m != nil {
		return months(m[1], 1, 12), nil
	}
	if m := quarterForm.FindStringSubmatch(s); m != nil {
		quarter, _ := strconv.Atoi(m[2])
		return months(m[1], 3*quarter-2, 3), nil
	}
	if m := monthForm.FindStringSubmatch(s); m != nil {
		month, _ := strconv.Atoi(m[2])
		return months(m[1], month, 1), nil
	}
	if m := rangeForm.FindStringSubmatch(s); m != nil {
		start, err := time.Parse(dayLayout, m[1])
		if err != nil {
			return Period{}, fmt.Errorf("period %q: %q is not a day", s, m[1])
		}
		end, err := time.Parse(dayLayout, m[2])
		if err != nil {
			return Period{}, fmt.Errorf("period %q: %q is not a day", s, m[2])
		}
		if end.Before(start) {
			return Period{}, fmt.Errorf("period %q ends before it starts", s)
		}
		return Period{Start: start, End: end}, nil
	}
	return Period{}, fmt.Errorf("period %q is none of 2018, 2018-Q1, 2018-03, 2018-01-01/2018-06-30",
		s)
}

func months(year string, first, count int) Period {
	y, _ := strconv.Atoi(year)
	start := time.Date(y, time.Month(first), 1, 0, 0, 0, 0, time.UTC)
	return Period{Start: start, End: start.AddDate(0, count, -1)}
}

// String returns the form start/end.
func (p Period) String() string {
	return p.Start.Format(dayLayout) + "/" + p.End.Format(dayLayout)
}

// MarshalJSON writes {"start":"2018-01-01","end":"2018-12-31"}.
func (p Period) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Start string `json:"start"`
		End   string `json:"end"`
	}{p.Start.Format(dayLayout), p.End.Format(dayLayout)})
}

// UnmarshalJSON reads the same form.
func (p *Period) UnmarshalJSON(text []byte) error {
	var days struct{ Start, End string }
	if err := json.Unmarshal(text, &days); err != nil {
		return fmt.Errorf("read period: %w", err)
	}
	read, err := ParsePeriod(days.Start + "/" + days.End)
	if err != nil {
		return fmt.Errorf("read period: %w", err)
	}
	*p = read
	return nil
}
