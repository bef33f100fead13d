package incident

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Mapping says how the tables of one incident system are read. Its zero value reads tables with columns
// of our names, values of our words, and dates as 2026-03-05.
type Mapping struct {
	// Name tells incident systems apart, and their events in a snapshot. It is that of no other source.
	Name string `yaml:"name"`
	// Columns says under which header a column of ours stands in the table; one that is left out stands
	// under its own name.
	Columns map[Column]string `yaml:"columns"`
	// Values says what words of the table mean, by coded column: the word, then the code. An empty code
	// leaves the value out.
	Values map[Column]map[string]string `yaml:"values"`
	// DateFormat is one of DateFormats; "" means the first. YYYY-MM-DD is read besides.
	DateFormat string `yaml:"date_format"`
	// Timezone is that of times of day without an offset; "" means that of the configuration.
	Timezone string `yaml:"timezone"`
	// Ignore lists headers of columns that are passed over.
	Ignore []string `yaml:"ignore"`
}

// DefaultName is the source of events of an incident system that the configuration does not name.
const DefaultName = "incidents"

// Fault is what is wrong with one key of a Mapping.
type Fault struct{ Key, Reason string }

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// Faults returns everything that is wrong with a mapping, each with its key.
func (m *Mapping) Faults() []Fault {
	var out []Fault
	add := func(key, format string, args ...any) {
		out = append(out, Fault{Key: key, Reason: fmt.Sprintf(format, args...)})
	}
	if !nameForm.MatchString(m.Name) {
		add("name", "%q is not a name of letters, digits, hyphens and underscores", m.Name)
	}
	headers := map[string]Column{}
	for _, c := range slices.Sorted(maps.Keys(m.Columns)) {
		key := "columns." + string(c)
		if !slices.Contains(Columns(), c) {
			add(key, "is none of %s", names(Columns()))
			continue
		}
		header := fold(m.Columns[c])
		if header == "" {
			add(key, "names no header")
			continue
		}
		if why := personal(m.Columns[c]); why != "" {
			add(key, "the column %q %s", m.Columns[c], why)
		}
		if other, taken := headers[header]; taken {
			add(key, "%q is the header of %s already", m.Columns[c], other)
		}
		headers[header] = c
	}
	for _, c := range slices.Sorted(maps.Keys(m.Values)) {
		out = append(out, m.valueFaults(c)...)
	}
	if m.DateFormat != "" && !slices.Contains(DateFormats(), m.DateFormat) {
		add("date_format", "%q is none of %s", m.DateFormat, strings.Join(DateFormats(), ", "))
	}
	if _, err := time.LoadLocation(m.Timezone); err != nil {
		add("timezone", "%q is not a time zone such as America/New_York", m.Timezone)
	}
	for i, header := range m.Ignore {
		if why := personal(header); why != "" {
			add(fmt.Sprintf("ignore[%d]", i), "the column %q %s", header, why)
		}
	}
	return out
}

// valueFaults returns what is wrong with the words of a column.
func (m *Mapping) valueFaults(c Column) []Fault {
	key := "values." + string(c)
	if !c.Coded() {
		return []Fault{{key, "is none of the coded columns: " + names(codedColumns())}}
	}
	var out []Fault
	means := map[string]string{}
	for _, word := range slices.Sorted(maps.Keys(m.Values[c])) {
		code, folded := m.Values[c][word], fold(word)
		if before, ok := means[folded]; ok && before != code {
			out = append(out, Fault{key, fmt.Sprintf("%q has two meanings", word)})
		}
		means[folded] = code
		if code != "" && !slices.Contains(Codes(c), code) {
			out = append(out, Fault{key + "." + word,
				fmt.Sprintf("%q is none of %s", code, strings.Join(Codes(c), ", "))})
		}
	}
	return out
}

// header is the folded header under which a column is looked for.
func (m *Mapping) header(c Column) string {
	if own := m.Columns[c]; own != "" {
		return fold(own)
	}
	return fold(string(c))
}

// location is where times of day without an offset are, or nil where nobody says.
func (m *Mapping) location(other *time.Location) (*time.Location, error) {
	if m.Timezone == "" {
		return other, nil
	}
	zone, err := time.LoadLocation(m.Timezone)
	if err != nil {
		return nil, fmt.Errorf("timezone: %w", err)
	}
	return zone, nil
}

func names(columns []Column) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = string(c)
	}
	return strings.Join(out, ", ")
}
