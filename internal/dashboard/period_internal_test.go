package dashboard

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure"
)

func day(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestThePeriodsThatDataCover(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, first, asOf string
		length            int
		want              []string
		usual             string
	}{
		{"years", "2023-11-01", "2026-02-01", monthsInYear, []string{"2026", "2025", "2024", "2023"}, "2025"},
		{"quarters", "2025-05-01", "2026-02-01", monthsInQuarter, []string{
			"2026-Q1", "2025-Q4", "2025-Q3", "2025-Q2",
		}, "2025"},
		{"months", "2025-11-01", "2026-01-31", 1, []string{"2026-01", "2025-12", "2025-11"}, "2025"},
		{"a year that ends with the data is over", "2025-03-01", "2026-01-01", monthsInYear,
			[]string{"2026", "2025"}, "2025"},
		{"the first year is not over", "2025-03-01", "2025-12-31", monthsInYear, []string{"2025"}, "2025"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := span{first: day(t, c.first), asOf: day(t, c.asOf)}
			var got []string
			for _, p := range s.periods(c.length) {
				got = append(got, periodName(p))
				if months(p) != c.length {
					t.Errorf("%s has %d months, want %d", p, months(p), c.length)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("periods (-want +got):\n%s", diff)
			}
			if got := periodName(s.usual()); got != c.usual {
				t.Errorf("the usual period is %s, want %s", got, c.usual)
			}
		})
	}
}

// Every period is written so that the address that holds it is read as the same.
func TestTheNameOfAPeriodIsReadAsIt(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"2025", "2025-Q3", "2025-03", "2024-02", "2025-02-01/2025-04-30", "2025-01-01/2026-12-31",
		"2025-03-04/2025-03-04",
	} {
		p, err := measure.ParsePeriod(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := periodName(p); got != text {
			t.Errorf("%s is written as %s", text, got)
		}
		if again, err := measure.ParsePeriod(periodName(p)); err != nil || again != p {
			t.Errorf("%s is read as %s, %v", periodName(p), again, err)
		}
	}
}

func TestDecimalsOfAThreshold(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]int{7: 0, 0.5: 1, 0.25: 2, 1.0 / 3: 2, 1200: 0} {
		if got := decimalsOf(x); got != want {
			t.Errorf("%v has %d digits after the point, want %d", x, got, want)
		}
	}
}
