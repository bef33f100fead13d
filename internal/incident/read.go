package incident

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/equitylens/equitylens/internal/phi"
)

// World is what a table does not say of itself.
type World struct {
	// Zone is where times of day without an offset are, unless the mapping says; nil where nobody does.
	Zone *time.Location
	Now  time.Time
}

// Refusal says why a row is not taken, and what would be. It repeats no content, but for short words of
// coded columns.
type Refusal struct {
	// Row is the line of the file, the header being the first.
	Row int `json:"row"`
	// Column is the header of the column at fault, or "" for the row as a whole.
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
}

// Row is a good row.
type Row struct {
	// Line is the line of the file, the header being the first.
	Line  int
	Event Event
}

// Sheet is a table that was read.
type Sheet struct {
	// Source is the name of the incident system.
	Source string
	// Rows is how many there are, good or not, without the header.
	Rows    int
	Good    []Row
	Refused []Refusal
}

// Read reads a table by a mapping without faults. The error is about the table as a whole: what is no
// table, and columns that are missing, unknown or must not be there. Rows are read one by one, so that a
// Sheet names every fault of every row.
func Read(in io.Reader, m Mapping, world World) (Sheet, error) {
	zone, err := m.location(world.Zone)
	if err != nil {
		return Sheet{}, err
	}
	records, err := cut(in)
	if err != nil {
		return Sheet{}, err
	}
	if len(records) == 0 {
		return Sheet{}, fmt.Errorf("%w: the file is empty", ErrNoHeader)
	}
	head, err := m.head(records[0].cells)
	if err != nil {
		return Sheet{}, err
	}
	r := &reader{
		mapping: &m, head: head, width: len(records[0].cells), words: map[Column]vocabulary{}, numbers: map[string][]int{},
		calendar: calendar{format: m.DateFormat, zone: zone, now: world.Now},
		sheet:    Sheet{Source: m.Name, Rows: len(records) - 1},
	}
	for _, c := range codedColumns() {
		r.words[c] = vocabularyOf(c, m.Values[c])
	}
	for _, line := range records[1:] {
		r.row(line)
	}
	r.refuseTwice()
	slices.SortStableFunc(r.sheet.Refused, func(a, b Refusal) int { return cmp.Compare(a.Row, b.Row) })
	return r.sheet, nil
}

// head finds the columns in a header. Headers are repeated in an error only once it is sure that the
// line is a header and not somebody's row.
func (m *Mapping) head(cells []string) (map[Column]int, error) {
	if len(cells) > maxColumns {
		return nil, fmt.Errorf("the table has %d columns, %d at most are read", len(cells), maxColumns)
	}
	at := map[Column]int{}
	var faults []error
	var others []int
	for i, cell := range cells {
		folded := fold(cell)
		c := slices.IndexFunc(Columns(), func(c Column) bool { return m.header(c) == folded })
		if c < 0 {
			others = append(others, i)
			continue
		}
		if _, twice := at[Columns()[c]]; twice {
			faults = append(faults, fmt.Errorf("column %d: %q is there twice", i+1, cell))
		}
		at[Columns()[c]] = i
	}
	var missing []string
	for _, c := range []Column{ID, Patient, Date} {
		if _, ok := at[c]; !ok {
			missing = append(missing, m.name(c))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrNoHeader, strings.Join(missing, ", "))
	}
	_, actuality := at[Actuality]
	if _, harm := at[Harm]; !actuality && !harm {
		return nil, fmt.Errorf("%w: %s or %s", ErrNoHeader, m.name(Actuality), m.name(Harm))
	}
	for _, i := range others {
		if err := m.other(i, cells[i]); err != nil {
			faults = append(faults, err)
		}
	}
	return at, errors.Join(faults...)
}

// other judges a column that is none of ours.
func (m *Mapping) other(i int, header string) error {
	if why := personal(header); why != "" {
		return fmt.Errorf("column %d: %q %s", i+1, brief(header), why)
	}
	ignored := func(h string) bool { return fold(h) == fold(header) }
	if slices.ContainsFunc(m.Ignore, ignored) || header == "" {
		return nil
	}
	return fmt.Errorf("column %d: %q is not known: name it under columns, or list it under ignore", i+1,
		brief(header))
}

func brief(header string) string {
	const most = 40
	if runes := []rune(header); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return header
}

// name is the header under which people know a column.
func (m *Mapping) name(c Column) string { return cmp.Or(m.Columns[c], string(c)) }

// reader reads the rows of one table.
type reader struct {
	mapping  *Mapping
	head     map[Column]int
	width    int
	words    map[Column]vocabulary
	calendar calendar
	sheet    Sheet
	// numbers are the rows of each id, good or not, and repeated the ids that have several.
	numbers  map[string][]int
	repeated []string
}

// row reads one.
func (r *reader) row(line record) {
	if len(line.cells) > r.width {
		r.refuse(line, "", "has %d cells where the header has %d", len(line.cells), r.width)
		return
	}
	before := len(r.sheet.Refused)
	e := Event{Source: r.mapping.Name, Number: r.number(line)}
	if e.Withdrawn = r.code(line, Status) == statusWithdrawn; !e.Withdrawn {
		e.Patient, e.Encounter = r.id(line, Patient), r.id(line, Encounter)
		e.Date, e.Detected, e.Recorded = r.date(line, Date), r.date(line, Detected), r.date(line, Recorded)
		e.Actuality, e.Category, e.Severity = r.code(line, Actuality), r.code(line, Category), r.code(line, Severity)
		e.Seriousness, e.Outcome = r.code(line, Seriousness), r.code(line, Outcome)
		e.Harm, e.Detection, e.Site = r.code(line, Harm), detection(r.code(line, Detection)), r.site(line)
		if len(r.sheet.Refused) == before {
			if c, why := e.settle(); why != "" {
				r.refuse(line, c, "%s", why)
			}
		}
	}
	if len(r.sheet.Refused) == before {
		r.sheet.Good = append(r.sheet.Good, Row{Line: line.row, Event: e})
	}
}

func (r *reader) refuse(line record, c Column, format string, args ...any) {
	column := ""
	if c != "" {
		column = r.mapping.name(c)
	}
	r.sheet.Refused = append(r.sheet.Refused,
		Refusal{Row: line.row, Column: column, Reason: fmt.Sprintf(format, args...)})
}

// cell returns what stands in a column, "" where the row has none. What nobody could have typed is
// refused.
func (r *reader) cell(line record, c Column) string {
	i, ok := r.head[c]
	if !ok || i >= len(line.cells) {
		return ""
	}
	cell := line.cells[i]
	switch {
	case len(cell) > maxCell:
		r.refuse(line, c, "is longer than %d bytes", maxCell)
		return ""
	case strings.ContainsFunc(cell, odd):
		r.refuse(line, c, "holds a control character")
		return ""
	}
	return cell
}

// odd finds what nobody sees, so that two ids that look alike are alike.
func odd(x rune) bool { return unicode.IsControl(x) || unicode.Is(unicode.Cf, x) }

// number reads the id of the event, which is required. A letter with an accent is one sign or two,
// by the program that wrote the table; either way it is the same id.
func (r *reader) number(line record) string {
	const longest = 64
	number := norm.NFC.String(r.cell(line, ID))
	switch {
	case number == "":
		r.refuse(line, ID, "is missing: the id of the event in the incident system")
	case len([]rune(number)) > longest:
		r.refuse(line, ID, "is longer than %d characters", longest)
	default:
		r.numbers[number] = append(r.numbers[number], line.row)
		const twice = 2
		if len(r.numbers[number]) == twice {
			r.repeated = append(r.repeated, number)
		}
	}
	return number
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)

// id reads a FHIR id, with or without the type before it. That of the patient is required.
func (r *reader) id(line record, c Column) phi.ID {
	kind := map[Column]string{Patient: "Patient", Encounter: "Encounter"}[c]
	cell := strings.TrimPrefix(r.cell(line, c), kind+"/")
	switch {
	case cell == "" && c == Patient:
		r.refuse(line, c, "is missing: the FHIR id of the patient in the EHR")
	case cell != "" && !idForm.MatchString(cell):
		r.refuse(line, c, "is no FHIR id of a %s: 1 to 64 letters, digits, hyphens and dots", kind)
		return phi.ID{}
	}
	return phi.New(cell)
}

// date reads one, of which Date is required.
func (r *reader) date(line record, c Column) string {
	cell := r.cell(line, c)
	if cell == "" {
		if c == Date {
			r.refuse(line, c, "is missing: when it happened")
		}
		return ""
	}
	text, err := r.calendar.read(cell)
	if errors.Is(err, errNoDate) {
		r.refuse(line, c, "is no date such as %s, with or without a time of day",
			cmp.Or(r.mapping.DateFormat, DateFormats()[0]))
	} else if err != nil {
		r.refuse(line, c, "%v", err)
	}
	return text
}

// code reads a word of a coded column.
func (r *reader) code(line record, c Column) string {
	cell := r.cell(line, c)
	if cell == "" {
		return ""
	}
	code, ok := r.words[c][fold(cell)]
	if !ok {
		r.refuse(line, c, "%s means none of %s: say what it means under values.%s", shown(cell),
			strings.Join(Codes(c), ", "), c)
	}
	return code
}

var siteForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// site reads the code of one.
func (r *reader) site(line record) string {
	cell := r.cell(line, Site)
	if cell != "" && !siteForm.MatchString(cell) {
		r.refuse(line, Site, "is no code of a site: 1 to 64 letters, digits, hyphens, dots and underscores")
		return ""
	}
	return cell
}

// refuseTwice refuses every row whose id another row has too, good or not: which of them counts would be
// a guess.
func (r *reader) refuseTwice() {
	for _, number := range r.repeated {
		rows := r.numbers[number]
		for _, row := range rows {
			r.refuse(record{row: row}, ID, "is that of another row as well: %s", otherRows(rows, row))
		}
	}
	r.sheet.Good = slices.DeleteFunc(r.sheet.Good, func(row Row) bool {
		return len(r.numbers[row.Event.Number]) > 1
	})
}

// otherRows names the first of some rows without one of them, and says how many more there are. Where
// one id stands in every row of a table, to name all of them in each would fill the memory.
func otherRows(rows []int, but int) string {
	const most = 10
	var others []string
	for _, row := range rows {
		if row != but && len(others) < most {
			others = append(others, strconv.Itoa(row))
		}
	}
	said := strings.Join(others, ", ")
	if more := len(rows) - 1 - len(others); more > 0 {
		said += fmt.Sprintf(" and %d more", more)
	}
	return said
}
