package facts

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

// EventKey names an event: the source that gave it and its id there.
type EventKey struct {
	Source string
	ID     phi.ID
}

// EventFilter says which events are meant. Its zero value means all.
type EventFilter struct {
	// From and To are days, both inside; the zero time is no bound. An event without a date is in no
	// bounded span, unless Undated asks for it.
	From, To time.Time
	Undated  bool
	// Actuality is actual or potential, Category and Sites are keys; empty means any.
	Actuality string
	Category  string
	Sites     []string
	// Keys are the events that are meant; nil means all, and an empty list none.
	Keys []EventKey
	// After is the last event of the page before; Limit 0 is without bound.
	After EventKey
	Limit int
}

// EventHead is what a list shows of an event. Values are keys: the code, or "~" and a state.
type EventHead struct {
	Source string
	ID     phi.ID
	// Actuality is actual or potential; "" where the source does not say.
	Actuality string
	// Date is when it happened, as a midnight UTC, the zero time if nobody knows; DateFrom is the element
	// that says so, which may be that of the detection. Detected is zero where it is not recorded.
	Date     time.Time
	DateFrom string
	Detected time.Time

	Category    string
	Severity    string
	Seriousness string
	Outcome     string
	// Recorded is the answer about inequity that came with the event.
	Recorded string
	// Site is that of the encounter that it belongs to.
	Site string
}

// Key names the event.
func (h *EventHead) Key() EventKey { return EventKey{Source: h.Source, ID: h.ID} }

// Event is one event as measures see it.
type Event struct {
	EventHead
	// Patient is who counts for whom the event names: the survivor of merged records. Known says whether
	// they are here; of somebody who is not, no group is known, and no measure counts the event.
	Patient phi.ID
	Known   bool
	// Encounter is that which the event belongs to, if it is Linked, else the one that it names, which is
	// not here or is somebody else's. What follows is of a linked one.
	Encounter  phi.ID
	Linked     bool
	Class      string
	Start, End time.Time
	Telehealth bool
	// Need is the need for an interpreter that held in the encounter, without one that of the patient, as
	// a key; NeedFrom is the element that settled it, or Encounter. Use is how an interpreter was
	// documented there, empty if the event is not linked.
	Need     string
	NeedFrom string
	Use      mapping.InterpreterUse
	// Groups holds the key of each of EventDimensions, From the element that settled it, where that is
	// kept.
	Groups map[string]string
	From   map[string]string
}

// EventDimensions lists the dimensions of which an event has a group.
func EventDimensions() []string {
	return []string{
		mapping.DimensionRace, mapping.DimensionEthnicity, mapping.DimensionRaceEthnicity,
		mapping.DimensionLanguage, mapping.DimensionLanguageGroup, mapping.DimensionInterpreter,
		mapping.DimensionSex, mapping.DimensionAgeBand, mapping.DimensionSite,
	}
}

// where writes the filter as a condition on base.adverse_event a and unit.stratum s.
func (f *EventFilter) where() (condition string, args []any) {
	parts := []string{"true"}
	add := func(part string, values ...any) {
		parts = append(parts, part)
		args = append(args, values...)
	}
	undated := ""
	if f.Undated {
		undated = " OR a.date IS NULL"
	}
	if !f.From.IsZero() {
		add("(a.date >= ?"+undated+")", dayNumber(f.From))
	}
	if !f.To.IsZero() {
		add("(a.date <= ?"+undated+")", dayNumber(f.To))
	}
	if f.Actuality != "" {
		add("a.actuality = ?", f.Actuality)
	}
	if f.Category != "" {
		add("a.category = ?", f.Category)
	}
	if len(f.Sites) > 0 {
		add("list_contains(?::VARCHAR[], coalesce(s.site, '~missing'))", f.Sites)
	}
	if f.Keys != nil {
		sources, ids := make([]string, len(f.Keys)), make([]string, len(f.Keys))
		for i, k := range f.Keys {
			sources[i], ids[i] = k.Source, k.ID.Reveal()
		}
		add("(a.source, a.id) IN (SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]))", sources, ids)
	}
	if f.After != (EventKey{}) {
		add("(a.source, a.id) > (?, ?)", f.After.Source, f.After.ID.Reveal())
	}
	return strings.Join(parts, " AND "), args
}

const secondsPerDay = 24 * 60 * 60

// dayNumber counts days from 1970-01-01, as the tables of base do.
func dayNumber(day time.Time) int64 {
	at := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC).Unix()
	if at < 0 {
		at -= secondsPerDay - 1
	}
	return at / secondsPerDay
}

// dayOf is the inverse of dayNumber; the zero time of a NULL.
func dayOf(number sql.NullInt64) time.Time {
	if !number.Valid {
		return time.Time{}
	}
	return time.Unix(number.Int64*secondsPerDay, 0).UTC()
}

// headColumns are those of an EventHead.
const headColumns = `a.source, a.id, a.actuality, a.date::BIGINT, a.date_from, a.detected::BIGINT,
	a.category, a.severity, a.seriousness, a.outcome, a.inequity, coalesce(s.site, '~missing')`

const headTables = ` FROM base.adverse_event a
	LEFT JOIN unit.event v ON v.no = a.rowid
	LEFT JOIN unit.stratum s ON s.stratum = v.stratum`

// headScan receives the columns of an EventHead.
type headScan struct {
	id             string
	actuality      sql.NullString
	date, detected sql.NullInt64
}

func (h *headScan) targets(out *EventHead) []any {
	return []any{
		&out.Source, &h.id, &h.actuality, &h.date, &out.DateFrom, &h.detected,
		&out.Category, &out.Severity, &out.Seriousness, &out.Outcome, &out.Recorded, &out.Site,
	}
}

func (h *headScan) fill(out *EventHead) {
	out.ID, out.Actuality = phi.New(h.id), h.actuality.String
	out.Date, out.Detected = dayOf(h.date), dayOf(h.detected)
}

// order makes pages: by source and id.
func (f *EventFilter) order() string {
	text := " ORDER BY a.source, a.id"
	if f.Limit > 0 {
		text += fmt.Sprintf(" LIMIT %d", f.Limit)
	}
	return text
}

// EventHeads returns the events that a filter means, those of whom nobody knows the patient included, by
// source and id.
func (s *Snapshot) EventHeads(ctx context.Context, f EventFilter) ([]EventHead, error) {
	condition, args := f.where()
	// #nosec G202 -- the condition is made of words of our own.
	query := "SELECT " + headColumns + headTables + " WHERE " + condition + f.order()
	var out []EventHead
	err := s.each(ctx, query, func(rows *sql.Rows) error {
		var head EventHead
		var scan headScan
		if err := rows.Scan(scan.targets(&head)...); err != nil {
			return err
		}
		scan.fill(&head)
		out = append(out, head)
		return nil
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return out, nil
}

// eventColumns are those of an Event after those of its head.
const eventColumns = `, u.no IS NOT NULL, coalesce(b.id, a.patient, ''), v.linked,
	CASE WHEN v.linked THEN c.id ELSE coalesce(a.encounter, '') END,
	coalesce(e.class::VARCHAR, ''), (e.start_date - DATE '1970-01-01')::BIGINT,
	(e.end_date - DATE '1970-01-01')::BIGINT, coalesce(e.telehealth, false),
	coalesce(e.stated_need::VARCHAR, '~missing'), coalesce(e.interpreter_use::VARCHAR, ''),
	coalesce(u.own_need::VARCHAR, '~missing'), coalesce(b.interpreter_need_from, ''),
	coalesce(b.race_from, ''), coalesce(b.ethnicity_from, ''), coalesce(b.language_from, ''),
	s.race, s.ethnicity, s.race_ethnicity, s.language, s.language_group, s.interpreter_need, s.sex,
	s.age_band, s.site`

const eventTables = headTables + `
	LEFT JOIN unit.patient u ON u.no = v.patient_no
	LEFT JOIN base.patient b ON b.rowid = u.no
	LEFT JOIN unit.encounter e ON e.no = v.encounter_no
	LEFT JOIN base.encounter c ON c.rowid = e.no`

// Events returns the events that a filter means with who they happened to, by source and id.
func (s *Snapshot) Events(ctx context.Context, f EventFilter) ([]Event, error) {
	condition, args := f.where()
	// #nosec G202 -- the condition is made of words of our own.
	query := "SELECT " + headColumns + eventColumns + eventTables + " WHERE " + condition + f.order()
	var out []Event
	err := s.each(ctx, query, func(rows *sql.Rows) error {
		event, err := scanEvent(rows)
		out = append(out, event)
		return err
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return out, nil
}

func scanEvent(rows *sql.Rows) (Event, error) {
	var out Event
	var head headScan
	var patient, encounter, stated, use, own, ownFrom, race, ethnicity, language string
	var linked sql.NullBool
	var start, end sql.NullInt64
	dimensions := EventDimensions()
	keys := make([]sql.NullString, len(dimensions))
	targets := append(head.targets(&out.EventHead), &out.Known, &patient, &linked, &encounter, &out.Class,
		&start, &end, &out.Telehealth, &stated, &use, &own, &ownFrom, &race, &ethnicity, &language)
	for i := range keys {
		targets = append(targets, &keys[i])
	}
	if err := rows.Scan(targets...); err != nil {
		return Event{}, err
	}
	head.fill(&out.EventHead)
	out.Patient, out.Encounter, out.Linked = phi.New(patient), phi.New(encounter), linked.Bool
	out.Start, out.End, out.Use = dayOf(start), dayOf(end), mapping.InterpreterUse(use)
	need := resolved(stated, own, ownFrom)
	out.Need, out.NeedFrom = Key(need), need.From
	if !out.Known {
		return out, nil
	}
	out.Groups, out.From = map[string]string{}, map[string]string{}
	for i, d := range dimensions {
		out.Groups[d] = keys[i].String
	}
	for d, from := range map[string]string{
		mapping.DimensionRace: race, mapping.DimensionRaceEthnicity: race,
		mapping.DimensionEthnicity: ethnicity, mapping.DimensionLanguage: language,
		mapping.DimensionLanguageGroup: language, mapping.DimensionInterpreter: need.From,
	} {
		if from != "" {
			out.From[d] = from
		}
	}
	return out, nil
}

// resolved is the need for an interpreter in an encounter, as the units have it, and where it stands.
func resolved(stated, own, ownFrom string) mapping.Value {
	encounter, patient := ValueOf(stated), ValueOf(own)
	encounter.From, patient.From = "Encounter", ownFrom
	return mapping.ResolveNeed(encounter, patient)
}

// Alike counts the events of one group that are like a given one.
type Alike struct {
	Dimension string
	// Key is the group: the code, or "~" and a state.
	Key string
	// Answered is of how many somebody has said whether inequity contributed; of those Yes said that it
	// did.
	Events, Answered, Yes int
}

// monthsAround is how far events that are alike may be apart, to either side: twelve months in all.
const monthsAround = 6

// Alike counts the events like one of this snapshot, which is not among them: of its category and
// actuality, at most six months before or after it, whose patients are known, by every group of
// EventDimensions that occurs. To an event without a date or a category none is alike. Answers are
// those that measures see.
func (s *Snapshot) Alike(ctx context.Context, of EventKey) ([]Alike, error) {
	dimensions := EventDimensions()
	columns := make([]string, len(dimensions))
	for i, d := range dimensions {
		columns[i] = "s." + d
	}
	// #nosec G202 -- the names of dimensions are ours.
	query := `WITH here AS (
			SELECT rowid AS no, actuality, category, DATE '1970-01-01' + date AS day FROM base.adverse_event
			WHERE source = ? AND id = ? AND date IS NOT NULL AND NOT starts_with(category, '~')),
		pair AS (
			SELECT v.inequity, unnest(?::VARCHAR[]) AS dimension, unnest([` + strings.Join(columns, ", ") + `]) AS key
			FROM here h JOIN unit.event v ON v.actuality = h.actuality AND v.category = h.category AND v.no <> h.no
				AND v.date BETWEEN h.day - to_months(?) AND h.day + to_months(?)
			JOIN unit.stratum s ON s.stratum = v.stratum)
		SELECT dimension, key, count(*), count(*) FILTER (inequity IN ('yes', 'no', 'undetermined')),
			count(*) FILTER (inequity = 'yes')
		FROM pair GROUP BY dimension, key ORDER BY list_position(?::VARCHAR[], dimension), key`
	var out []Alike
	err := s.each(ctx, query, func(rows *sql.Rows) error {
		var a Alike
		err := rows.Scan(&a.Dimension, &a.Key, &a.Events, &a.Answered, &a.Yes)
		out = append(out, a)
		return err
	}, of.Source, of.ID.Reveal(), dimensions, monthsAround, monthsAround, dimensions)
	if err != nil {
		return nil, fmt.Errorf("count events that are alike: %w", err)
	}
	return out, nil
}

// SiteLabels names organisations by the keys of their sites.
func (s *Snapshot) SiteLabels() map[string]string { return s.Sites }
