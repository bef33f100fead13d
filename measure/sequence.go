package measure

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNoSequence says that the units of a rate have no order in time, or no events.
var ErrNoSequence = errors.New("no sequence of events")

// Sequence is the order in which units of one stratum counted in a proportion: what a chart of the
// units between events is made of. It names nobody.
type Sequence struct {
	// Coding is the stratum; the zero value is everybody.
	Coding
	// Days are in order; a day on which nobody counted is left out.
	Days []DayCount
}

// DayCount is what a rate counts of one day: below the line and above it, exclusions and exceptions
// taken off.
type DayCount struct {
	Day           time.Time
	Units, Events int64
}

// Events numbers the units of the denominator from 1 on, and returns the numbers of those with the
// event, or where failures is set of those without, and the day of each. Within a day nothing is known
// of the order: the others come first.
func (s Sequence) Events(failures bool) (numbers []int64, days []time.Time) {
	before := int64(0)
	for _, d := range s.Days {
		n := d.Events
		if failures {
			n = d.Units - d.Events
		}
		before += d.Units
		for i := before - n + 1; i <= before; i++ {
			numbers, days = append(numbers, i), append(days, d.Day)
		}
	}
	return numbers, days
}

// Sequences counts a rate day by day: of everybody, and of each stratum of the one dimension in By. An
// empty rate is the first one. It fails as Evaluate does, or with ErrNoSequence where the score is no
// proportion, where units are patients, who have no day, and where another engine counted. What was
// never loaded has no sequences.
func (e *Engine) Sequences(ctx context.Context, q Question, rate string) ([]Sequence, error) {
	a, err := e.ask(q)
	if err != nil {
		return nil, err
	}
	g := slices.IndexFunc(a.rates, func(d GroupDefinition) bool { return rate == "" || d.ID == rate })
	switch {
	case a.roster != nil:
		return nil, fmt.Errorf("%w: another engine counted %s", ErrNoSequence, a.d.ID)
	case a.d.Scoring != Proportion || a.d.Unit == PatientUnit:
		return nil, fmt.Errorf("%w: %s is a %s of the unit %s", ErrNoSequence, a.d.ID, a.d.Scoring, a.d.Unit)
	case g < 0:
		return nil, fmt.Errorf("%w: %s has no rate %q", ErrNoSequence, a.d.ID, rate)
	case len(a.query.by) != 1 || len(a.query.by[0].axes) != 1:
		return nil, fmt.Errorf("%w: a sequence is by one dimension", ErrUnknownDimension)
	}
	if _, absent := e.outline(a, q.Period); absent {
		return nil, nil
	}
	if a.query.source, _, err = e.source(ctx, a); err != nil {
		return nil, fmt.Errorf("list the days of %s: %w", a.d.ID, err)
	}
	l := newDayLister(&a.query)
	s := l.statement(g)
	if err := e.snapshot.Query(ctx, s.text, l.row, s.args...); err != nil {
		return nil, fmt.Errorf("list the days of %s: %w", a.d.ID, err)
	}
	return l.sequences(), nil
}

// dayLister gathers the rows of a query into sequences.
type dayLister struct {
	q    *query
	axis axis
	all  Sequence
	// strata are by the key of the stratum.
	strata map[string]*Sequence

	day  time.Time
	keys []string
	n    DayCount
	scan []any
}

func newDayLister(q *query) *dayLister {
	l := &dayLister{q: q, axis: q.by[0].axes[0], strata: map[string]*Sequence{}}
	l.keys = make([]string, len(l.axis.columns))
	l.scan = append(l.scan, &l.day)
	for i := range l.keys {
		l.scan = append(l.scan, &l.keys[i])
	}
	l.scan = append(l.scan, &l.n.Units, &l.n.Events)
	return l
}

// statement counts the units of each day by the columns of the dimension.
func (l *dayLister) statement(g int) statement {
	members, kept := l.q.source.members(), l.q.kept()
	columns := ""
	for _, name := range l.axis.columns {
		columns += ", " + name
	}
	return statement{
		fmt.Sprintf(`WITH member AS (
  %[1]s),
counted AS (
  SELECT stratum, day, count(*) AS units, count_if(n%[2]d AND NOT y%[2]d) AS events
  FROM member WHERE d%[2]d AND NOT x%[2]d AND NOT e%[2]d GROUP BY ALL)
SELECT day%[3]s, sum(units)::BIGINT, sum(events)::BIGINT
FROM counted %[4]s
%[5]s
GROUP BY ALL
ORDER BY day`, members.text, g, columns, l.q.strata("counted"), kept.text),
		append(slices.Clone(members.args), kept.args...),
	}
}

func (l *dayLister) row(rows *sql.Rows) error {
	if err := rows.Scan(l.scan...); err != nil {
		return err
	}
	l.n.Day = l.day.UTC()
	l.all.count(l.n)
	for _, key := range l.axis.of(l.keys) {
		s := l.strata[key]
		if s == nil {
			s = &Sequence{Coding: l.q.words.coding(l.axis.dimension, key)}
			l.strata[key] = s
		}
		s.count(l.n)
	}
	return nil
}

// count adds to the last day, or begins a day.
func (s *Sequence) count(n DayCount) {
	last := len(s.Days) - 1
	if last < 0 || !s.Days[last].Day.Equal(n.Day) {
		s.Days = append(s.Days, n)
		return
	}
	s.Days[last].Units += n.Units
	s.Days[last].Events += n.Events
}

// sequences are everybody and the strata, in the order of a result.
func (l *dayLister) sequences() []Sequence {
	strata := make([]Sequence, 0, len(l.strata))
	for _, s := range l.strata {
		strata = append(strata, *s)
	}
	slices.SortFunc(strata, func(a, b Sequence) int {
		return compareCodings(l.axis.dimension, a.Coding, b.Coding)
	})
	return append([]Sequence{l.all}, strata...)
}
