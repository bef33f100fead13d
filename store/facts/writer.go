package facts

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

// Writer stages records of a run. It is for one goroutine; several Writers may stage at once. It
// copies what it is given, so a record may be overwritten once the call returns.
type Writer struct {
	conn       connection
	source     string
	patients   *duckdb.Appender
	encounters *duckdb.Appender
	events     *duckdb.Appender
	row        []driver.Value
	rows       int
	sites      map[string]string
	book       *issueBook
	// numbers are those of the book that this Writer has asked for.
	numbers map[issueKey]uint32
}

// Writer returns a new Writer of a run that has been staged.
func (r *Run) Writer(ctx context.Context) (*Writer, error) {
	conn, err := r.db.connector.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect a writer: %w", err)
	}
	w := &Writer{conn: conn.(connection), source: r.source, sites: map[string]string{}, book: r.book,
		numbers: map[issueKey]uint32{}}
	if err := w.exec(ctx, "BEGIN TRANSACTION"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	for table, appender := range map[string]**duckdb.Appender{
		"patient": &w.patients, "encounter": &w.encounters, "adverse_event": &w.events,
	} {
		*appender, err = duckdb.NewAppenderFromConn(w.conn.Conn, "base", table+"_staged")
		if err != nil {
			err = fmt.Errorf("stage %s: %w", table, err)
			return nil, errors.Join(err, w.closeAppenders(), conn.Close())
		}
	}
	return w, nil
}

// closeAppenders closes those that were opened, which stages what they hold back.
func (w *Writer) closeAppenders() error {
	var err error
	for _, appender := range []*duckdb.Appender{w.patients, w.encounters, w.events} {
		if appender != nil {
			err = errors.Join(err, appender.Close())
		}
	}
	return err
}

// exec runs a statement on the connection of this Writer.
func (w *Writer) exec(ctx context.Context, statement string) error {
	if _, err := w.conn.ExecContext(ctx, statement, nil); err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	return nil
}

// Close stages what is still held back. The Writer must be closed before the run is merged.
func (w *Writer) Close() error {
	err := w.closeAppenders()
	if err != nil {
		err = fmt.Errorf("stage: %w", err)
	} else {
		err = w.exec(context.Background(), "COMMIT")
	}
	return errors.Join(err, w.conn.Close())
}

// Patient stages a patient with what was odd in it. seq orders copies of equal version: the higher was
// read later.
func (w *Writer) Patient(p *mapping.Patient, seq int64, issues ...mapping.Issue) error {
	replaces := make([]string, len(p.Replaces))
	for i, id := range p.Replaces {
		replaces[i] = id.Reveal()
	}
	first, last := bounds(p.Birth)
	w.row = append(w.row[:0], p.ID.Reveal(), w.source, p.Version.Updated, p.Version.Number, seq,
		uint8(p.Races), uint8(p.SPD15),
		Key(p.Race), p.Race.From, Key(p.Ethnicity), p.Ethnicity.From, Key(p.RaceEthnicity),
		Key(p.Language), p.Language.From, Key(p.LanguageGroup),
		Key(p.InterpreterNeed), p.InterpreterNeed.From, string(p.LimitedEnglish),
		Key(p.Sex), first, last, p.Deceased, day(p.DeceasedDate),
		w.site(p.Site), optional(p.GeneralPractitioner), optional(p.ReplacedBy), optionalText(strings.Join(replaces, "\n")),
		w.issues("Patient", issues))
	return w.append(w.patients)
}

// Encounter stages an encounter, as Patient does a patient.
func (w *Writer) Encounter(e *mapping.Encounter, seq int64, issues ...mapping.Issue) error {
	w.row = append(w.row[:0], e.ID.Reveal(), w.source, e.Version.Updated, e.Version.Number, seq,
		optional(e.Patient), statusKey(e.Status), Key(e.Class), e.Telehealth, e.Modality,
		Key(e.Disposition), e.Elective,
		day(e.Start), instant(e.Start), day(e.End), instant(e.End),
		Key(e.InterpreterNeed), string(e.InterpreterUse), w.site(e.Site), optional(e.Practitioner),
		w.issues("Encounter", issues))
	return w.append(w.encounters)
}

// AdverseEvent stages an event, as Patient does a patient.
func (w *Writer) AdverseEvent(a *mapping.AdverseEvent, seq int64, issues ...mapping.Issue) error {
	w.row = append(w.row[:0], a.ID.Reveal(), w.source, a.Version.Updated, a.Version.Number, seq,
		optional(a.Patient), optional(a.Encounter), a.Actuality,
		day(a.Date), instant(a.Date), a.DateFrom, day(a.Detected), instant(a.Detected),
		Key(a.Category), Key(a.Severity), Key(a.Seriousness), Key(a.Outcome), Key(a.Inequity), w.issues("AdverseEvent", issues))
	return w.append(w.events)
}

// flushEvery is how many rows an appender holds back at most. It holds them outside DuckDB's memory
// limit, some 400 bytes a row.
const flushEvery = 1 << 15

// append hands the row on. Its cause may quote a value, so only the table is named.
func (w *Writer) append(to *duckdb.Appender) error {
	if err := to.AppendRow(w.row...); err != nil {
		return fmt.Errorf("stage a row: %w", withoutValues(err))
	}
	if w.rows++; w.rows%flushEvery != 0 {
		return nil
	}
	for _, appender := range []*duckdb.Appender{w.patients, w.encounters, w.events} {
		if err := appender.Flush(); err != nil {
			return fmt.Errorf("stage rows: %w", withoutValues(err))
		}
	}
	return nil
}

// errValue stands for a cause of the database that quotes a value of a record.
var errValue = errors.New("a value does not fit its column")

func withoutValues(err error) error {
	if strings.Contains(err.Error(), "IO Error") || strings.Contains(err.Error(), "Out of Memory") {
		return err
	}
	return errValue
}

// site returns the key of a site and remembers its name.
func (w *Writer) site(s mapping.Site) string {
	key := Key(s.Value)
	if s.Label == "" || s.State != mapping.Known {
		return key
	}
	if _, ok := w.sites[key]; !ok {
		w.sites[strings.Clone(key)] = strings.Clone(s.Label)
	}
	return key
}

// statusKey folds what is no R4 status into unknown; mapping has reported it.
func statusKey(status string) string {
	switch status {
	case "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled",
		"entered-in-error":
		return status
	}
	return "unknown"
}

func optional(id phi.ID) driver.Value {
	return optionalText(id.Reveal())
}

func optionalText(text string) driver.Value {
	if text == "" {
		return nil
	}
	return text
}

// day returns the calendar date, if it is written to the day.
func day(d fhir.DateTime) driver.Value {
	if d.Precision < fhir.Day {
		return nil
	}
	return d.Days
}

func instant(d fhir.DateTime) driver.Value {
	if !d.Zoned {
		return nil
	}
	return d.Micros
}

// bounds returns the first and the last day that a date of any precision may mean.
func bounds(d fhir.DateTime) (first, last driver.Value) {
	if d.Precision == fhir.NoDate {
		return nil, nil
	}
	return d.Days, d.LastDay()
}

// Sites returns the names of the organisations that were staged, by id.
func (w *Writer) Sites() map[string]string { return w.sites }
