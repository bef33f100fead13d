package facts_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// aged is a birth and a day that may be near a birthday.
type aged struct{ birth, on fhir.DateTime }

func drawAged(d *rand.Rand) aged {
	born := time.Date(1880+d.IntN(150), time.January, 1+d.IntN(366), 0, 0, 0, 0, time.UTC)
	if d.IntN(5) == 0 {
		born = time.Date(born.Year()/4*4, time.February, 29, 0, 0, 0, 0, time.UTC)
	}
	layouts := []string{"2006", "2006-01", time.DateOnly, time.DateOnly}
	ages := []int{0, 1, 17, 18, 44, 45, 64, 65, 74, 75, 84, 85, 120}
	off := d.IntN(801) - 400
	if d.IntN(2) == 0 {
		off = d.IntN(5) - 2
	}
	on := born.AddDate(ages[d.IntN(len(ages))], 0, off)
	return aged{At(born.Format(layouts[d.IntN(len(layouts))])), At(on.Format(time.DateOnly))}
}

// TestAgeBandIsThatOfTheMapping draws births of every precision, and asks both for the band.
func TestAgeBandIsThatOfTheMapping(t *testing.T) {
	t.Parallel()
	s, err := facts.Scratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	d := rand.New(rand.NewPCG(29, 2)) // #nosec G404 -- a test's dice
	var drawn []aged
	var values []string
	for i := range 5000 {
		a := drawAged(d)
		drawn = append(drawn, a)
		values = append(values, fmt.Sprintf("(%d, %d, %d, %d)", i, a.birth.Days, a.birth.LastDay(),
			a.on.Days))
	}
	got := Rows(t, s, `SELECT band(age_no(f, l, d)) || CASE
			WHEN age_no(f, l, d) = age_no_by(f, turns(f, 18), turns(f, 45), turns(f, 65), turns(f, 75), turns(f, 85),
				turns(l, 18), turns(l, 45), turns(l, 65), turns(l, 75), turns(l, 85), d)
			THEN '' ELSE ', but another by the days of turning' END
		FROM (SELECT i, DATE '1970-01-01' + f AS f, DATE '1970-01-01' + l AS l, DATE '1970-01-01' + d AS d
			FROM (VALUES `+strings.Join(values, ", ")+`) AS t(i, f, l, d)) ORDER BY i`)
	bands := map[string]int{}
	for i, a := range drawn {
		want := facts.Key(mapping.AgeBand(a.birth, a.on.Days))
		bands[want]++
		if got[i] != want {
			t.Errorf("birth %+v on day %d: %s, want %s", a.birth, a.on.Days, got[i], want)
		}
	}
	if len(bands) != 7 {
		t.Errorf("the draws reach %v, want six bands and unknown", bands)
	}
	for name, want := range map[string]string{
		"band(age_no(NULL::DATE, NULL::DATE, DATE '2026-01-01'))":               "~missing",
		"band(age_no(DATE '2026-01-01', DATE '2026-01-01', NULL::DATE))":        "~missing",
		"completed_years(DATE '2004-02-29', DATE '2023-02-28')":                 "18",
		"completed_years(DATE '2004-02-29', DATE '2023-03-01')":                 "19",
		"band(age_no(DATE '2008-02-29', DATE '2008-02-29', DATE '2026-02-28'))": "0-17",
		"band(age_no(DATE '2008-02-29', DATE '2008-02-29', DATE '2026-03-01'))": "18-44",
	} {
		if got := Rows(t, s, "SELECT "+name)[0]; got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}
