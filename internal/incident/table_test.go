package incident_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/review"
	. "github.com/equitylens/equitylens/internal/incident"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

// export writes events as an incident system would: a column each, in the order given.
func export(t testing.TB, events []Event, columns []Column, comma rune, guard bool) string {
	t.Helper()
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.Comma = comma
	var head []string
	for _, c := range columns {
		head = append(head, string(c))
	}
	lines := [][]string{head}
	for _, e := range events {
		status := "active"
		if e.Withdrawn {
			status = "withdrawn"
		}
		cells := map[Column]string{
			ID: e.Number, Patient: e.Patient.Reveal(), Encounter: e.Encounter.Reveal(), Date: e.Date,
			Detected: e.Detected, Recorded: e.Recorded, Actuality: e.Actuality, Category: e.Category,
			Severity: e.Severity, Seriousness: e.Seriousness, Outcome: e.Outcome, Harm: e.Harm,
			Detection: string(e.Detection), Site: e.Site, Status: status,
		}
		var line []string
		for _, c := range columns {
			cell := cells[c]
			if guard && cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				cell = "'" + cell
			}
			line = append(line, cell)
		}
		lines = append(lines, line)
	}
	if err := w.WriteAll(lines); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// anEvent draws one as a table can tell it.
func anEvent(t *rapid.T, number string) Event {
	optional := func(c Column) string {
		return rapid.SampledFrom(append([]string{""}, Codes(c)...)).Draw(t, string(c))
	}
	id := rapid.StringMatching(`[A-Za-z0-9.\-]{1,64}`)
	day := rapid.Custom(func(t *rapid.T) string {
		at := now.Add(-time.Duration(rapid.IntRange(26*3600, 40_000_000).Draw(t, "ago")) * time.Second)
		if rapid.Bool().Draw(t, "timed") {
			return at.Format(time.RFC3339)
		}
		return at.Format(time.DateOnly)
	})
	return Event{
		Source: "safety", Number: number, Patient: phi.New(id.Draw(t, "patient")),
		Encounter: phi.New(rapid.OneOf(rapid.Just(""), id).Draw(t, "encounter")),
		Date:      day.Draw(t, "date"), Detected: rapid.OneOf(rapid.Just(""), day).Draw(t, "detected"),
		Recorded:  rapid.OneOf(rapid.Just(""), day).Draw(t, "recorded"),
		Actuality: rapid.SampledFrom(Codes(Actuality)).Draw(t, "actuality"),
		Category:  optional(Category), Severity: optional(Severity), Seriousness: optional(Seriousness),
		Outcome: optional(Outcome), Detection: review.Detection(optional(Detection)),
		Site: rapid.StringMatching(`([A-Za-z0-9][A-Za-z0-9._\-]{0,20})?`).Draw(t, "site"),
	}
}

// someEvents draws events with ids of their own.
func someEvents(t *rapid.T) []Event {
	numbers := rapid.SliceOfNDistinct(rapid.StringMatching(`[=+\-@A-Za-z0-9"',;]{1,20}`), 1, 8, rapid.ID[string]).
		Draw(t, "numbers")
	events := make([]Event, 0, len(numbers))
	for _, n := range numbers {
		if strings.HasPrefix(n, "'") {
			n = "x" + n // What begins with a quote reads as one that was put before a formula.
		}
		events = append(events, anEvent(t, fmt.Sprint(n, len(events))))
	}
	return events
}

func TestWhatIsExportedIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		events := someEvents(rt)
		columns := rapid.Permutation(Columns()).Draw(rt, "columns")
		comma := rapid.SampledFrom([]rune(",;\t")).Draw(rt, "comma")
		text := export(t, events, columns, comma, rapid.Bool().Draw(rt, "guard"))
		sheet, err := Read(strings.NewReader(text), plain, World{Now: now})
		if err != nil || len(sheet.Refused) > 0 {
			rt.Fatalf("Read = %v, %v", err, sheet.Refused)
		}
		var got []Event
		for _, row := range sheet.Good {
			got = append(got, row.Event)
		}
		if d := cmp.Diff(events, got, cmp.AllowUnexported(phi.ID{})); d != "" {
			rt.Errorf("events (-exported +read):\n%s", d)
		}
	})
}

// TestAnEventIsAnAdverseEvent holds what is written against the rules of R4, and against what the sync
// makes of it.
func TestAnEventIsAnAdverseEvent(t *testing.T) {
	t.Parallel()
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		t.Fatal(err)
	}
	validator, err := r4.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		e := anEvent(rt, "7")
		e.Harm = rapid.SampledFrom(append([]string{""}, Codes(Harm)...)).Draw(rt, "harm")
		e.Inequity = rapid.SampledFrom([]string{"", "yes", "no", "undetermined"}).Draw(rt, "inequity")
		text, err := e.Resource()
		if err != nil {
			rt.Fatal(err)
		}
		if err := validator.Validate(text); err != nil {
			rt.Fatalf("it breaks a rule of R4: %v\n%s", err, text)
		}
		resource, err := fhir.NewDecoder().Decode(text)
		if err != nil {
			rt.Fatal(err)
		}
		got, issues := mapper.AdverseEvent(resource.AdverseEvent, nil)
		if len(issues) > 0 {
			rt.Errorf("issues: %v\n%s", issues, text)
		}
		code := func(v mapping.Value) string {
			if v.State == mapping.Unknown {
				return "unknown"
			}
			return v.Code
		}
		same := map[string][2]string{
			"id": {IDOf("safety", "7"), got.ID.Reveal()}, "patient": {e.Patient.Reveal(), got.Patient.Reveal()},
			"encounter": {e.Encounter.Reveal(), got.Encounter.Reveal()}, "actuality": {e.Actuality, got.Actuality},
			"category": {e.Category, code(got.Category)}, "severity": {e.Severity, code(got.Severity)},
			"seriousness": {e.Seriousness, code(got.Seriousness)}, "outcome": {e.Outcome, code(got.Outcome)},
			"inequity": {e.Inequity, code(got.Inequity)}, "dated by": {"AdverseEvent.date", got.DateFrom},
		}
		for what, pair := range same {
			if pair[0] != pair[1] {
				rt.Errorf("%s is %q, want %q\n%s", what, pair[1], pair[0], text)
			}
		}
	})
}

func TestIDsTellNothing(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, pair := range [][2]string{{"a", "1"}, {"a1", ""}, {"", "a1"}, {"a", "2"}, {"b", "1"}, {`a"`, `"1`}} {
		id := IDOf(pair[0], pair[1])
		if seen[id] || len(id) != 40 {
			t.Errorf("IDOf(%s, %s) = %s, which is another's or no digest", pair[0], pair[1], id)
		}
		seen[id] = true
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte(header + "7,p1,,2026-03-05,actual\n"))
	f.Add([]byte("\ufeffid;patient;date;harm\r\n\"7\";p1;2026-03-05 14:30;E\r\n7;p1;;\r\n"))
	f.Add([]byte("sep=\t\nid\tpatient\tdate\tharm\n'=1\tp1\t2026-03-05T10:00:00Z\tI\n"))
	f.Add([]byte("\xff\xfei\x00d\x00"))
	f.Add([]byte("id,patient,date,harm,Name\n\"a"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		sheet, err := Read(bytes.NewReader(raw), plain, World{Zone: time.UTC, Now: now})
		if err != nil {
			return
		}
		rows := map[int]bool{}
		for _, r := range sheet.Refused {
			rows[r.Row] = true
			if r.Row < 2 || r.Reason == "" {
				t.Errorf("a refusal says nothing: %+v", r)
			}
		}
		for _, r := range sheet.Good {
			if rows[r.Line] {
				t.Errorf("row %d is good and refused", r.Line)
			}
			rows[r.Line] = true
			text, err := r.Event.Resource()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fhir.NewDecoder().Decode(text); err != nil && !r.Event.Withdrawn {
				t.Errorf("a good row is no AdverseEvent: %v\n%s", err, text)
			}
		}
		if len(rows) > sheet.Rows {
			t.Errorf("%d rows are good or refused of %d", len(rows), sheet.Rows)
		}
	})
}
