package incident_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/review"
	. "github.com/equitylens/equitylens/internal/incident"
	"github.com/equitylens/equitylens/internal/phi"
)

// now is later than every date of the tables.
var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// world is one with a time zone that changes its clock.
func world(t testing.TB) World {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return World{Zone: zone, Now: now}
}

// plain is a mapping of a table with our own names.
var plain = Mapping{Name: "safety"}

const header = "id,patient,encounter,date,actuality,category,severity,outcome,harm,detection,site,status\n"

// read reads a table that is one.
func read(t *testing.T, text string, m Mapping) Sheet {
	t.Helper()
	sheet, err := Read(strings.NewReader(text), m, world(t))
	if err != nil {
		t.Fatalf("Read = %v", err)
	}
	return sheet
}

func TestARowBecomesAnEvent(t *testing.T) {
	t.Parallel()
	base := Event{Source: "safety", Number: "7", Patient: phi.New("p1"), Date: "2026-03-05", Actuality: "actual"}
	changed := func(change func(*Event)) Event {
		e := base
		change(&e)
		return e
	}
	cases := []struct {
		name, in string
		want     Event
	}{
		{"the least that is asked", "7,p1,,2026-03-05,actual,,,,,,,", base},
		{"everything", "7,Patient/p1,Encounter/e1,2026-03-05 14:30,near miss,Wrong Patient,moderate,recovering,," +
			"trigger,H-1,closed", changed(func(e *Event) {
			e.Encounter, e.Date, e.Actuality = phi.New("e1"), "2026-03-05T14:30:00-05:00", "potential"
			e.Category, e.Severity, e.Outcome = "wrong-patient", "moderate", "recovering"
			e.Detection, e.Site = review.Triggered, "H-1"
		})},
		{"harm says what the rest leaves open", "7,p1,,2026-03-05,,,,,I,,,", changed(func(e *Event) {
			e.Harm, e.Severity, e.Seriousness, e.Outcome = "I", "severe", "SeriousResultsInDeath", "fatal"
		})},
		{"what did not reach the patient is potential", "7,p1,,2026-03-05,,,,,b,,,", changed(func(e *Event) {
			e.Harm, e.Actuality = "B", "potential"
		})},
		{"what reached without harm is actual", "7,p1,,2026-03-05,,,,,C,,,", changed(func(e *Event) { e.Harm = "C" })},
		{"an extent of harm by its LOINC code", "7,p1,,2026-03-05,,,,,LA20749-0,,,", changed(func(e *Event) {
			e.Harm, e.Severity = "moderate-harm", "moderate"
		})},
		{"what the row says itself goes before harm", "7,p1,,2026-03-05,actual,,mild,,F,,,", changed(func(e *Event) {
			e.Harm, e.Severity, e.Seriousness = "F", "mild", "SeriousResultsInHospitalization"
		})},
		{"a formula that an export has defused", "'-7,p1,,2026-03-05,actual,,,,,,,", changed(func(e *Event) {
			e.Number = "-7"
		})},
		{"a number in quotes with what divides cells", `"7, a ""b""",p1,,2026-03-05,actual,,,,,,,`,
			changed(func(e *Event) { e.Number = `7, a "b"` })},
		{"spaces around what is said", " 7 ,\u00a0p1 ,, 2026-03-05 ,ACTUAL,,,,,,,", base},
		{"a row that ends early", "7,p1,,2026-03-05,actual", base},
		{"one that was taken back need say nothing else", "7,,,,,,,,,,,Entered in error",
			Event{Source: "safety", Number: "7", Withdrawn: true}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sheet := read(t, header+c.in+"\n", plain)
			if d := cmp.Diff([]Row{{Line: 2, Event: c.want}}, sheet.Good, cmp.AllowUnexported(phi.ID{})); d != "" {
				t.Errorf("Read(%s) (-want +got):\n%s%v", c.in, d, sheet.Refused)
			}
		})
	}
}

func TestRowsThatAreRefused(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, in, column, says string }{
		{"no id", ",p1,,2026-03-05,actual", "id", "is missing"},
		{"a long id", strings.Repeat("x", 65) + ",p1,,2026-03-05,actual", "id", "longer than 64"},
		{"no patient", "7,,,2026-03-05,actual", "patient", "FHIR id of the patient"},
		{"a name for a patient", "7,Maria Lopez,,2026-03-05,actual", "patient", "no FHIR id of a Patient"},
		{"another type for a patient", "7,Group/p1,,2026-03-05,actual", "patient", "no FHIR id"},
		{"an encounter that is no id", "7,p1,e 1,2026-03-05,actual", "encounter", "no FHIR id of a Encounter"},
		{"no date", "7,p1,,,actual", "date", "is missing: when"},
		{"a date of another order", "7,p1,,03/05/2026,actual", "date", "such as YYYY-MM-DD"},
		{"a day that is none", "7,p1,,2026-02-30,actual", "date", "is no date"},
		{"a month alone", "7,p1,,2026-03,actual", "date", "is no date"},
		{"a serial number of a spreadsheet", "7,p1,,46086,actual", "date", "is no date"},
		{"tomorrow's tomorrow", "7,p1,,2026-06-03,actual", "date", "future"},
		{"later today", "7,p1,,2026-06-01 18:00,actual", "date", "future"},
		{"a date that means none", "7,p1,,1900-01-01,actual", "date", "before 1901"},
		{"a time that the clock left out", "7,p1,,2026-03-08 02:30,actual", "date", "left out"},
		{"neither actuality nor harm", "7,p1,,2026-03-05,", "actuality", "actual or potential"},
		{"an extent of harm that leaves it open", "7,p1,,2026-03-05,,,,,no harm", "actuality", "is missing"},
		{"a word that nobody knows", "7,p1,,2026-03-05,actual,Fall", "category", `"Fall" means none of product-problem`},
		{"a sentence in a coded column", "7,p1,,2026-03-05,actual,Mrs Lopez fell out of bed at night again", "category",
			"the value means none of"},
		{"a number in a coded column", "7,p1,,2026-03-05,actual,,,4711", "outcome", "the value means none of"},
		{"an unknown status", "7,p1,,2026-03-05,actual,,,,,,,limbo", "status", "none of active, withdrawn"},
		{"a letter beyond the scale", "7,p1,,2026-03-05,,,,,K", "harm", `"K" means none of A, B`},
		{"harm of what did not happen", "7,p1,,2026-03-05,potential,,,,G", "harm", "only might have"},
		{"death that was survived", "7,p1,,2026-03-05,actual,,,resolved,I", "harm", "died"},
		{"a site in words", "7,p1,,2026-03-05,actual,,,,,,3 West", "site", "no code of a site"},
		{"more cells than headers", "7,p1,,2026-03-05,actual,,,,,,,,x,y", "", "14 cells where the header has 12"},
		{"a control character", "7,p\x011,,2026-03-05,actual", "patient", "control character"},
		{"letters that turn the line around", "7\u202e,p1,,2026-03-05,actual", "id", "control character"},
		{"a cell without end", "7,p1,,2026-03-05," + strings.Repeat("a", 2000), "actuality", "longer than 1024"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sheet := read(t, header+"1,p9,,2026-03-01,actual\n"+c.in+"\n", plain)
			if len(sheet.Good) != 1 || len(sheet.Refused) == 0 {
				t.Fatalf("Read(%s) = %d good, %v", c.in, len(sheet.Good), sheet.Refused)
			}
			got := sheet.Refused[0]
			if got.Row != 3 || got.Column != c.column || !strings.Contains(got.Reason, c.says) {
				t.Errorf("Read(%s) refuses %+v, want row 3, column %s, %q", c.in, got, c.column, c.says)
			}
		})
	}
}

func TestEveryFaultOfARowIsNamed(t *testing.T) {
	t.Parallel()
	sheet := read(t, header+",bad id,,never,maybe,Fall\n", plain)
	var columns []string
	for _, r := range sheet.Refused {
		columns = append(columns, r.Column)
	}
	if d := cmp.Diff([]string{"id", "patient", "date", "actuality", "category"}, columns); d != "" {
		t.Errorf("columns (-want +got):\n%s", d)
	}
}

func TestOneIDInTwoRows(t *testing.T) {
	t.Parallel()
	sheet := read(t, header+"7,p1,,2026-03-05,actual\n8,p1,,2026-03-05,actual\n7,p1,,2026-03-06,actual\n7,,,,,,,,,,,void\n"+
		"9,p1,,2026-03-05,actual\n9,p1,,never,actual\n", plain)
	if len(sheet.Good) != 1 || sheet.Good[0].Line != 3 {
		t.Errorf("good rows are %+v, want row 3 alone", sheet.Good)
	}
	got := map[int]string{}
	for _, r := range sheet.Refused {
		if r.Column == "id" {
			got[r.Row] = r.Reason
		}
	}
	const twice = "is that of another row as well: "
	want := map[int]string{2: twice + "4, 5", 4: twice + "2, 5", 5: twice + "2, 4", 6: twice + "7", 7: twice + "6"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("refusals (-want +got):\n%s", d)
	}
}

// A table that holds one id in every row is refused in words of the size of the table.
func TestOneIDInEveryRow(t *testing.T) {
	t.Parallel()
	const rows = 5000
	sheet := read(t, header+strings.Repeat("7,p1,,2026-03-05,actual\n", rows), plain)
	if len(sheet.Good) != 0 || len(sheet.Refused) != rows {
		t.Fatalf("%d rows are good and %d refused, want 0 and %d", len(sheet.Good), len(sheet.Refused), rows)
	}
	const want = "is that of another row as well: 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 4989 more"
	if got := sheet.Refused[0].Reason; got != want {
		t.Errorf("the first row is refused because it %q, want %q", got, want)
	}
}

// One id that two programs write with other signs, of which a reader sees nothing, is one id.
func TestIDsThatLookAlikeAreAlike(t *testing.T) {
	t.Parallel()
	sheet := read(t, header+"Ñ-1,p1,,2026-03-05,actual\nN\u0303-1,p1,,2026-03-05,actual\n", plain)
	if len(sheet.Good) != 0 {
		t.Errorf("%d rows are good, want none: the two are one event", len(sheet.Good))
	}
	one := read(t, header+"N\u0303-1,p1,,2026-03-05,actual\n", plain)
	if len(one.Good) != 1 || one.Good[0].Event.Number != "Ñ-1" {
		t.Errorf("good rows are %+v, want one of the id Ñ-1", one.Good)
	}
}

func TestAMappingReadsAnotherTable(t *testing.T) {
	t.Parallel()
	m := Mapping{
		Name: "rl", DateFormat: "MM/DD/YYYY", Timezone: "America/Chicago",
		Columns: map[Column]string{ID: "File ID", Patient: "FHIR Patient", Date: "EventDate", Harm: "Severity Level",
			Category: "General Event Type"},
		Values: map[Column]map[string]string{
			Category: {"Medication/Fluid": "medication-mishap", "Fall": ""},
			Harm:     {"Level 5": "E", "Level 2": "B"},
		},
		Ignore: []string{"Unit", "Shift"},
	}
	sheet := read(t, "File_ID;FHIR Patient;EventDate;Severity Level;General Event Type;unit;SHIFT\r\n"+
		"1;p1;3/5/2026 2:30 PM;Level 5;Medication/Fluid;3W;night\r\n"+
		"2;p2;03/06/2026;level-2;fall;;\r\n\r\n;;;;;;\r\n3;p3;2026-03-07;E;wrong-dose;;\r\n", m)
	want := []Row{
		{2, Event{Source: "rl", Number: "1", Patient: phi.New("p1"), Date: "2026-03-05T14:30:00-06:00",
			Actuality: "actual", Category: "medication-mishap", Severity: "mild", Harm: "E"}},
		{3, Event{Source: "rl", Number: "2", Patient: phi.New("p2"), Date: "2026-03-06", Actuality: "potential", Harm: "B"}},
		{6, Event{Source: "rl", Number: "3", Patient: phi.New("p3"), Date: "2026-03-07", Actuality: "actual",
			Category: "wrong-dose", Severity: "mild", Harm: "E"}},
	}
	if d := cmp.Diff(want, sheet.Good, cmp.AllowUnexported(phi.ID{})); d != "" || sheet.Rows != 3 {
		t.Errorf("%d rows (-want +got):\n%s%v", sheet.Rows, d, sheet.Refused)
	}
}

func TestTablesThatAreRefused(t *testing.T) {
	t.Parallel()
	utf16 := "\xff\xfei\x00d\x00"
	cases := []struct {
		name, in string
		want     error
		says     []string
	}{
		{"nothing", "", ErrNoHeader, []string{"empty"}},
		{"UTF-16", utf16, ErrEncoding, []string{"UTF-16", "save it as CSV UTF-8"}},
		{"zero bytes", "id,patient\x00", ErrEncoding, []string{"zero bytes"}},
		{"Latin 1", header + "7,p1,,2026-03-05,actual,M\xfcller", ErrEncoding, []string{"line 2"}},
		{"no header", "Lopez Maria,p1,2026-03-05\n", ErrNoHeader, []string{"id, patient, date"}},
		{"no way to tell the actuality", "id,patient,date\n", ErrNoHeader, []string{"actuality or harm"}},
		{"a column twice", "id,patient,date,harm,ID\n", nil, []string{`column 5: "ID" is there twice`}},
		{"a column that nobody knows", "id,patient,date,harm,Ward\n", nil, []string{`column 5: "Ward" is not known`, "ignore"}},
		{"a name", "id,patient,date,harm,Patient Name,MRN\n", nil,
			[]string{`column 5: "Patient Name" looks as if it named a person`, `column 6: "MRN"`, "leave it out"}},
		{"free text", "id,patient,date,harm,EventDescription\n", nil, []string{"looks like free text", "in the review"}},
		{"quotes that do not pair", header + "7,\"p1,,2026-03-05,actual\n", nil, []string{"line", "quotes"}},
		{"too many columns", strings.Repeat("a,", 300) + "\n", nil, []string{"301 columns"}},
		{"too many rows", header + strings.Repeat("1\n", 200_001), ErrTooLarge, []string{"divide it"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(strings.NewReader(c.in), plain, world(t))
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("Read = %v, want %v", err, c.want)
			}
			for _, words := range c.says {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("Read = %v, which lacks %q", err, words)
				}
			}
			if strings.Contains(err.Error(), "Lopez") {
				t.Errorf("the error repeats what may be a row: %v", err)
			}
		})
	}
}

func TestHowATableIsWritten(t *testing.T) {
	t.Parallel()
	const rows = "id,patient,date,harm\n7,p1,2026-03-05,E\n8,p2,2026-03-06,A\n"
	want := read(t, rows, plain).Good
	for name, in := range map[string]string{
		"with a byte order mark":     "\ufeff" + rows,
		"with CRLF":                  strings.ReplaceAll(rows, "\n", "\r\n"),
		"with semicolons":            strings.ReplaceAll(rows, ",", ";"),
		"with tabs":                  strings.ReplaceAll(rows, ",", "\t"),
		"with everything in quotes":  `"` + strings.NewReplacer(",", `","`, "\n", "\"\n\"").Replace(strings.TrimSpace(rows)) + "\"\n",
		"without an end of line":     strings.TrimSpace(rows),
		"with a comma in the header": strings.Replace(strings.ReplaceAll(rows, ",", ";"), "harm", `"harm"`, 1),
		"in capitals and with humps": strings.Replace(rows, "id,patient,date", "ID,PATIENT,Date", 1),
		"with the columns in a knot": "harm,date,patient,id\nE,2026-03-05,p1,7\nA,2026-03-06,p2,8\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(want, read(t, in, plain).Good, cmp.AllowUnexported(phi.ID{})); d != "" {
				t.Errorf("Read (-want +got):\n%s", d)
			}
		})
	}
	said := read(t, "sep=;\r\n"+strings.ReplaceAll(rows, ",", ";"), plain)
	if len(said.Good) != 2 || said.Good[0].Line != 3 || said.Good[0].Event != want[0].Event {
		t.Errorf("with a line that says what divides: %+v", said.Good)
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, format, in, want string }{
		{"a day", "", "2026-03-05", "2026-03-05"},
		{"a day without zeros", "", "2026-3-5", "2026-03-05"},
		{"ISO with an offset", "", "2026-03-05T14:30:15+01:00", "2026-03-05T14:30:15+01:00"},
		{"ISO in universal time", "", "2026-03-05T14:30Z", "2026-03-05T14:30:00Z"},
		{"a time of the site", "", "2026-03-05 14:30", "2026-03-05T14:30:00-05:00"},
		{"in summer", "", "2025-07-05T14:30:07", "2025-07-05T14:30:07-04:00"},
		{"a fraction of a second", "", "2025-07-05 14:30:07.250", "2025-07-05T14:30:07-04:00"},
		{"a time that came twice is the first", "", "2025-11-02 01:30", "2025-11-02T01:30:00-04:00"},
		{"American", "MM/DD/YYYY", "3/5/2026", "2026-03-05"},
		{"American with a time", "MM/DD/YYYY", "03/05/2026 2:30 pm", "2026-03-05T14:30:00-05:00"},
		{"midnight", "MM/DD/YYYY", "03/05/2026 12:00 AM", "2026-03-05T00:00:00-05:00"},
		{"British", "DD/MM/YYYY", "05/03/2026", "2026-03-05"},
		{"German", "DD.MM.YYYY", "5.3.2026 14:30", "2026-03-05T14:30:00-05:00"},
		{"with slashes", "YYYY/MM/DD", "2026/03/05", "2026-03-05"},
		{"packed", "YYYYMMDD", "20260305", "2026-03-05"},
		{"ISO in a table of another format", "DD.MM.YYYY", "2026-03-05", "2026-03-05"},
		{"the year in two digits", "MM/DD/YYYY", "03/05/26", ""},
		{"an hour that is none", "", "2026-03-05 25:00", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := plain
			m.DateFormat = c.format
			sheet := read(t, "id,patient,date,harm\n7,p1,"+c.in+",E\n", m)
			got := ""
			if len(sheet.Good) == 1 {
				got = sheet.Good[0].Event.Date
			}
			if got != c.want {
				t.Errorf("%s in %q is %q, want %q: %v", c.in, c.format, got, c.want, sheet.Refused)
			}
		})
	}
}

func TestATimeNeedsAZone(t *testing.T) {
	t.Parallel()
	const table = "id,patient,date,harm\n7,p1,2026-03-05 14:30,E\n8,p1,2026-03-05,E\n"
	sheet, err := Read(strings.NewReader(table), plain, World{Now: now})
	if err != nil || len(sheet.Good) != 1 || len(sheet.Refused) != 1 {
		t.Fatalf("Read = %+v, %v", sheet, err)
	}
	if got := sheet.Refused[0]; got.Row != 2 || !strings.Contains(got.Reason, "time zone") {
		t.Errorf("refused is %+v", got)
	}
}

func TestFaultsOfAMapping(t *testing.T) {
	t.Parallel()
	m := Mapping{
		Name:       "a b",
		Columns:    map[Column]string{"colour": "c", ID: "No", Patient: "MRN", Date: " ", Harm: "no"},
		Values:     map[Column]map[string]string{Date: {"x": "y"}, Harm: {"x": "Z", "One": "A", "one": "B"}},
		DateFormat: "DD-MM", Timezone: "Mars/Olympus", Ignore: []string{"Unit", "Notes"},
	}
	var got []string
	for _, f := range m.Faults() {
		got = append(got, f.Key)
	}
	want := []string{"name", "columns.colour", "columns.date", "columns.id", "columns.patient", "values.date",
		"values.harm", "values.harm.x", "date_format", "timezone", "ignore[1]"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Faults (-want +got):\n%s%v", d, m.Faults())
	}
	good := Mapping{Name: "rl", Columns: map[Column]string{ID: "No"}, Values: map[Column]map[string]string{Harm: {"x": ""}},
		DateFormat: "MM/DD/YYYY", Timezone: "Europe/Berlin", Ignore: []string{"Unit"}}
	for _, m := range []Mapping{good, {Name: DefaultName}} {
		if faults := m.Faults(); len(faults) > 0 {
			t.Errorf("Faults(%s) = %v", m.Name, faults)
		}
	}
}

func TestColumnsThatMustNotBeThere(t *testing.T) {
	t.Parallel()
	for header, refused := range map[string]bool{
		"Name": true, "PatientName": true, "patient_mrn": true, "MRN": true, "Medical Record #": true, "DOB": true,
		"Date of Birth": true, "SSN": true, "Reported By": true, "Narrative": true, "Event Description": true,
		"Comments": true, "LAST-NAME": true, "E-Mail": true,
		"Facility Name": false, "Unit": false, "Event Type": false, "Date Reported": false, "Shift": false, "Denoted": false,
	} {
		_, err := Read(strings.NewReader("id,patient,date,harm,"+header+"\n"),
			Mapping{Name: "s", Ignore: []string{header}}, World{Now: now})
		if (err != nil) != refused {
			t.Errorf("a column %q: %v, want refused %t", header, err, refused)
		}
	}
}

func TestCodesAreWordsOfTheirColumns(t *testing.T) {
	t.Parallel()
	for _, c := range Columns() {
		if !c.Coded() {
			continue
		}
		if len(Codes(c)) < 2 {
			t.Errorf("%s has the codes %v", c, Codes(c))
		}
		for _, code := range Codes(c) {
			for _, word := range []string{code, strings.ToUpper(code), strings.ToLower(code)} {
				row := map[Column]string{ID: "1", Patient: "p", Date: "2026-01-01", Actuality: "actual"}
				row[c] = word
				var heads, cells []string
				for k, v := range row {
					heads, cells = append(heads, string(k)), append(cells, v)
				}
				sheet := read(t, strings.Join(heads, ",")+"\n"+strings.Join(cells, ",")+"\n", plain)
				contradicts := c == Harm && len(code) == 1
				if len(sheet.Good) != 1 && !contradicts {
					t.Errorf("%s %s is refused: %v", c, word, sheet.Refused)
				}
			}
		}
	}
}
