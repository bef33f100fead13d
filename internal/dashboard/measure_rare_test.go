package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/facts/factstest"
)

// seldomBetween are the visits of those who speak Spanish from one that is long to the next.
func seldomBetween() []int {
	return []int{4, 9, 6, 20, 3, 12, 8, 15, 5, 11, 7, 10, 2, 90, 8}
}

// seldom is a world in which fifteen emergency visits of those who speak Spanish are long, each on a day of
// its own, so that a month holds one or two. Of those who speak English a quarter are, and of those who speak
// Chinese one in all.
var seldom = sync.OnceValues(func() (*world, error) {
	asOf := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	batch := factstest.Batch{}
	for code, group := range map[string]string{"es": "spanish", "en": "english", "zh": "chinese"} {
		batch.Patients = append(batch.Patients, factstest.Patient(code, func(p *mapping.Patient) {
			p.Language, p.LanguageGroup = factstest.Known(code), factstest.Known(group)
		}))
	}
	visits := map[string]int{}
	add := func(who string, day time.Time, long bool) {
		end := day.Add(time.Hour)
		if long {
			end = day.Add(10 * time.Hour)
		}
		visits[who]++
		batch.Encounters = append(batch.Encounters, factstest.Encounter(fmt.Sprint(who, visits[who]), who, "EMER",
			day.Format(time.RFC3339), end.Format(time.RFC3339)))
	}
	next, i := seldomBetween(), 0
	for day := time.Date(2025, 1, 1, 8, 0, 0, 0, time.UTC); day.Year() < 2026; day = day.AddDate(0, 0, 1) {
		if day.YearDay()%3 > 0 {
			long := i < len(next) && next[i] == 0
			if long {
				i++
			} else if i < len(next) {
				next[i]--
			}
			add("es", day, long)
		}
		for n := range 2 {
			add("en", day, n == 0 && day.Day()%2 == 0)
		}
		if day.Day() < 4 {
			add("zh", day, day.Month() == time.May && day.Day() == 2)
		}
	}
	batch.Merge.Loads = factstest.Full(factstest.Source)
	for i := range batch.Merge.Loads {
		batch.Merge.Loads[i].TransactionTime = asOf
	}
	return newWorld(asOf, func(ctx context.Context, dir *facts.Dir, _ []measure.Definition) error {
		_, err := factstest.TryLoad(ctx, dir, batch)
		return err
	})
})

func TestRareEventsAreChartedOneByOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, seldom)
	const at = "/measures/ed-stay-over-8h?by=language_group&group=spanish&period=2025"
	l := r.open(t, at)
	l.sound()
	l.resolves(r)
	part := l.part("time-spanish")
	if text := said(part); !strings.Contains(text, "case by case: Spanish") ||
		!strings.Contains(text, "90 visits without a case, above the upper limit") {
		t.Errorf("of rare events the page says %s", text)
	}
	var between []string
	for _, row := range rows(part) {
		between = append(between, row[2])
	}
	var want []string
	for _, n := range seldomBetween()[1:] {
		want = append(want, strconv.Itoa(n))
	}
	if diff := cmp.Diff(want, between); diff != "" {
		t.Errorf("the table (-planted +page):\n%s", diff)
	}
	if text := said(l.part("time-chinese")); !strings.Contains(text, "one case among 36 visits, too few for a chart") ||
		!strings.Contains(text, "month by month") {
		t.Errorf("of two events the page says %s", text)
	}
	if text := said(l.part("time-english")); strings.Contains(text, "case by case") {
		t.Errorf("of many events the page says %s", text)
	}
	for lang, axis := range map[string]string{
		"en": "Visits without a case, from one case to the next",
		"es": "Visitas sin ningún caso, de un caso al siguiente",
	} {
		file := strings.Replace(at, "?", "/files/time-spanish.svg?lang="+lang+"&", 1)
		if got := r.get(file); got.status != http.StatusOK || !strings.Contains(got.body, axis) {
			t.Errorf("GET %s: status %d: %.200s", file, got.status, got.body)
		}
	}
}

// What lies between single events is for those inside alone.
func TestRareEventsAreNotPublic(t *testing.T) {
	t.Parallel()
	r := newRig(t, seldom)
	l := r.open(t, "/measures/ed-stay-over-8h?by=language_group&period=2025&audience=public")
	if text := l.text(); strings.Contains(text, "case by case") || strings.Contains(text, "among 36 visits") {
		t.Errorf("the page tells of single events: %s", text)
	}
}

// What the page is filtered by filters the single events too.
func TestRareEventsAreThoseOfTheFilter(t *testing.T) {
	t.Parallel()
	r := newRig(t, seldom)
	l := r.open(t, "/measures/ed-stay-over-8h?by=sex&period=2025&where.language_group=spanish")
	found := false
	for _, part := range []string{"time", "time-male", "time-female", "time-~missing", "time-unknown"} {
		n := l.id(part)
		if n == nil || !strings.Contains(said(n), "case by case") {
			continue
		}
		found = true
		if got := len(rows(n)); got != len(seldomBetween())-1 {
			t.Errorf("the part %s has %d points, want %d", part, got, len(seldomBetween())-1)
		}
	}
	if !found {
		t.Errorf("no part is case by case: %s", l.text())
	}
}
