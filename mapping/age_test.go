package mapping

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir"
)

func TestAgeAtNeedsABirthday(t *testing.T) {
	t.Parallel()
	on := day(t, "2018-06-01").Days
	for _, birth := range []string{"", "1980", "1980-06", "2018-06-02"} {
		if years, ok := AgeAt(day(t, birth), on); ok {
			t.Errorf("AgeAt(%q) = %d, true", birth, years)
		}
	}
	if years, ok := AgeAt(day(t, "2018-06-01"), on); !ok || years != 0 {
		t.Errorf("AgeAt on the day of birth = %d, %t", years, ok)
	}
}

func TestAgeBand(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, birth, on string
		state           State
		code            string
	}{
		{"the day before the eighteenth birthday", "2000-06-02", "2018-06-01", Known, Age0To17},
		{"the eighteenth birthday", "2000-06-01", "2018-06-01", Known, Age18To44},
		{"the oldest band", "1930-01-01", "2018-06-01", Known, Age85Up},
		{"born on a leap day, on 28 February", "2004-02-29", "2022-02-28", Known, Age0To17},
		{"born on a leap day, on 1 March", "2004-02-29", "2022-03-01", Known, Age18To44},
		{"a year within one band", "1990", "2018-06-01", Known, Age18To44},
		{"a year across two bands", "2000", "2018-06-01", Unknown, ""},
		{"a year all of whose days are past the bound", "2000", "2018-12-31", Known, Age18To44},
		{"a month across two bands", "2000-06", "2018-06-15", Unknown, ""},
		{"a month within one band", "2000-05", "2018-06-15", Known, Age18To44},
		{"the year itself", "2018", "2018-06-01", Known, Age0To17},
		{"a birth after the day", "2018-06-02", "2018-06-01", Unknown, ""},
		{"a year after the day", "2019", "2018-06-01", Unknown, ""},
		{"no birth date", "", "2018-06-01", Missing, ""},
	}
	for _, tt := range tests {
		got := AgeBand(day(t, tt.birth), day(t, tt.on).Days)
		if got.State != tt.state || got.Code != tt.code {
			t.Errorf("%s: AgeBand(%s, %s) = %+v, want %s %s", tt.name, tt.birth, tt.on, got, tt.state, tt.code)
		}
	}
	if !BornAfter(day(t, "2018-06-02"), day(t, "2018-06-01").Days) ||
		BornAfter(day(t, "2018"), day(t, "2018-06-01").Days) ||
		BornAfter(fhir.DateTime{}, 0) {
		t.Error("BornAfter does not tell a birth after the day")
	}
}

// TestAgeCountsBirthdays holds AgeAt against counting one birthday after the other with package time,
// which moves 29 February to 1 March.
func TestAgeCountsBirthdays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		birth := rapid.Int32Range(-43000, 25000).Draw(t, "birth")
		on := rapid.Int32Range(birth, birth+43000).Draw(t, "on")
		born := time.Unix(int64(birth)*86400, 0).UTC()
		then := time.Unix(int64(on)*86400, 0).UTC()
		want := 0
		for !born.AddDate(want+1, 0, 0).After(then) {
			want++
		}
		got, ok := AgeAt(fhir.DateTime{Precision: fhir.Day, Days: birth}, on)
		if !ok || got != want {
			t.Fatalf("AgeAt(%s, %s) = %d, %t, want %d",
				born.Format(time.DateOnly), then.Format(time.DateOnly), got, ok, want)
		}
	})
}
