package readiness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/decisions"
)

// Records keeps what people decide; decisions.Store is one.
type Records interface {
	Get(ctx context.Context, kind decisions.Kind, id string) (decisions.Document, error)
	History(ctx context.Context, kind decisions.Kind, id string) ([]decisions.Document, error)
	Find(ctx context.Context, q decisions.Query) ([]decisions.Document, error)
	Write(ctx context.Context, changes ...decisions.Change) ([]decisions.Document, error)
}

// Config is what a Register needs. Records and Now must be set.
type Config struct {
	Records Records
	// Questionnaire is the one that ships if it is nil.
	Questionnaire *Questionnaire
	Now           func() time.Time
}

// Register keeps the assessments of an institution. It is safe for concurrent use.
type Register struct {
	records       Records
	questionnaire *Questionnaire
	now           func() time.Time
}

// New returns a Register.
func New(cfg Config) (*Register, error) {
	if cfg.Records == nil || cfg.Now == nil {
		return nil, errors.New("readiness: a register needs records and a clock")
	}
	if cfg.Questionnaire == nil {
		q, err := Shipped()
		if err != nil {
			return nil, fmt.Errorf("readiness: %w", err)
		}
		cfg.Questionnaire = q
	}
	return &Register{records: cfg.Records, questionnaire: cfg.Questionnaire, now: cfg.Now}, nil
}

// Questionnaire is what is asked.
func (r *Register) Questionnaire() *Questionnaire { return r.questionnaire }

// Get returns the assessment of an id. It fails with decisions.ErrNotFound.
func (r *Register) Get(ctx context.Context, id string) (Assessment, error) {
	document, err := r.records.Get(ctx, decisions.Assessment, id)
	if err != nil {
		return Assessment{}, fmt.Errorf("get assessment %s: %w", id, err)
	}
	return read(document)
}

// Of returns the assessment of a period: an empty draft of version 0 where there is none yet.
func (r *Register) Of(ctx context.Context, p measure.Period) (Assessment, error) {
	name, id, err := Name(p)
	if err != nil {
		return Assessment{}, err
	}
	a, err := r.Get(ctx, id)
	if errors.Is(err, decisions.ErrNotFound) {
		return Assessment{
			ID: id, Period: name, Questionnaire: r.questionnaire.Version, State: Draft, Answers: map[string]Answer{},
		}, nil
	}
	return a, err
}

// List lists the assessments, the earliest period first; of periods that begin on one day the longer one
// first.
func (r *Register) List(ctx context.Context) ([]Assessment, error) {
	documents, err := r.records.Find(ctx, decisions.Query{Kind: decisions.Assessment})
	if err != nil {
		return nil, fmt.Errorf("list assessments: %w", err)
	}
	list := make([]Assessment, 0, len(documents))
	for _, d := range documents {
		a, err := read(d)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b Assessment) int {
		x, errX := measure.ParsePeriod(a.Period)
		y, errY := measure.ParsePeriod(b.Period)
		if errX != nil || errY != nil {
			return strings.Compare(a.Period, b.Period)
		}
		return cmp.Or(x.Start.Compare(y.Start), y.End.Compare(x.End))
	})
	return list, nil
}

// Before returns the assessment of the period of the same length just before another one's. It fails with
// decisions.ErrNotFound.
func (r *Register) Before(ctx context.Context, a Assessment) (Assessment, error) {
	p, err := measure.ParsePeriod(a.Period)
	if err != nil {
		return Assessment{}, fmt.Errorf("find the period before %s: %w", a.Period, ErrPeriod)
	}
	months := 0
	for day := p.Start; day.Before(p.End); day = day.AddDate(0, 1, 0) {
		months++
	}
	p = measure.Period{Start: p.Start.AddDate(0, -months, 0), End: p.Start.AddDate(0, 0, -1)}
	_, id, err := Name(p)
	if err != nil {
		return Assessment{}, err
	}
	return r.Get(ctx, id)
}

// History lists every version of an assessment, the oldest first.
func (r *Register) History(ctx context.Context, id string) ([]Assessment, error) {
	documents, err := r.records.History(ctx, decisions.Assessment, id)
	if err != nil {
		return nil, fmt.Errorf("read the history of assessment %s: %w", id, err)
	}
	list := make([]Assessment, 0, len(documents))
	for _, d := range documents {
		a, err := read(d)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// Reply is what somebody says to one item.
type Reply struct {
	Item string
	// Level must be absent of an item from data. Of another one, absent takes the answer back.
	Level   *Level
	Comment string
}

// Reply writes replies into the draft of a period: all or none. Version is that which was read, 0 where
// there was none. It fails with decisions.ErrConflict where somebody else has written in the meantime.
func (r *Register) Reply(
	ctx context.Context, p measure.Period, version int, who review.Reviewer, replies ...Reply,
) (Assessment, error) {
	a, err := r.at(ctx, p, version)
	if err != nil {
		return Assessment{}, err
	}
	if a.State == Final {
		return Assessment{}, fmt.Errorf("answer assessment %s: %w", a.ID, ErrFinal)
	}
	a.Answers = maps.Clone(a.Answers)
	now := r.instant()
	for _, reply := range replies {
		if err := r.check(reply); err != nil {
			return Assessment{}, fmt.Errorf("answer assessment %s: %w", a.ID, err)
		}
		if reply.Level == nil && reply.Comment == "" {
			delete(a.Answers, reply.Item)
			continue
		}
		a.Answers[reply.Item] = Answer{
			Item: reply.Item, Level: reply.Level, Comment: reply.Comment, By: who, At: now,
		}
	}
	return r.write(ctx, a, who)
}

// Finish makes a draft final: the figures of the day are kept in it. People must have answered every item
// that is theirs; a figure that is missing is kept as missing.
func (r *Register) Finish(
	ctx context.Context, p measure.Period, version int, who review.Reviewer, data Data,
) (Assessment, error) {
	a, err := r.at(ctx, p, version)
	if err != nil {
		return Assessment{}, err
	}
	if a.State == Final {
		return Assessment{}, fmt.Errorf("finish assessment %s: %w", a.ID, ErrFinal)
	}
	a = r.questionnaire.Lay(a, FiguresOf(data))
	var waiting []string
	for _, open := range r.questionnaire.Unanswered(a) {
		if open.Missing == "" {
			waiting = append(waiting, open.Item)
		}
	}
	if len(waiting) > 0 {
		return Assessment{}, fmt.Errorf("finish assessment %s: %w: %s", a.ID, ErrUnanswered,
			strings.Join(waiting, ", "))
	}
	a.State, a.Snapshot, a.DataAsOf = Final, data.Snapshot, data.DataAsOf.UTC()
	return r.write(ctx, a, who)
}

// Reopen makes a final assessment a draft again; its figures are then again those of the day.
func (r *Register) Reopen(
	ctx context.Context, p measure.Period, version int, who review.Reviewer, why string,
) (Assessment, error) {
	a, err := r.at(ctx, p, version)
	if err != nil {
		return Assessment{}, err
	}
	if a.State != Final {
		return Assessment{}, fmt.Errorf("reopen assessment %s: %w", a.ID, ErrNotFinal)
	}
	if strings.TrimSpace(why) == "" {
		return Assessment{}, fmt.Errorf("reopen assessment %s: %w: say why", a.ID, ErrText)
	}
	if err := checkText("the reason", why); err != nil {
		return Assessment{}, fmt.Errorf("reopen assessment %s: %w", a.ID, err)
	}
	a.State, a.Snapshot, a.DataAsOf, a.Reopened = Draft, "", time.Time{}, why
	a.Answers = maps.Clone(a.Answers)
	for id, one := range a.Answers {
		if one.Figure == nil {
			continue
		}
		if one.Comment == "" {
			delete(a.Answers, id)
			continue
		}
		one.Level, one.Figure = nil, nil
		a.Answers[id] = one
	}
	return r.write(ctx, a, who)
}

// at returns the assessment of a period if it is at a version.
func (r *Register) at(ctx context.Context, p measure.Period, version int) (Assessment, error) {
	a, err := r.Of(ctx, p)
	if err != nil {
		return Assessment{}, err
	}
	if a.Version != version {
		return Assessment{}, fmt.Errorf("assessment %s is at version %d, not %d: %w", a.ID, a.Version, version,
			decisions.ErrConflict)
	}
	return a, nil
}

func (r *Register) check(reply Reply) error {
	item, _, ok := r.questionnaire.Item(reply.Item)
	switch {
	case !ok:
		return fmt.Errorf("%w: %q", ErrItem, reply.Item)
	case item.FromData() && reply.Level != nil:
		return fmt.Errorf("%w: %s", ErrFromData, item.ID)
	case reply.Level != nil && (*reply.Level < NotBegun || *reply.Level > Routine):
		return fmt.Errorf("%w: %d of %s", ErrLevel, *reply.Level, item.ID)
	}
	return checkText("the comment on "+item.ID, reply.Comment)
}

// longestComment is how many bytes a comment may have.
const longestComment = 8 << 10

// checkText refuses what is too long, and characters that are no text or turn other text around. The
// error does not repeat the text.
func checkText(name, text string) error {
	switch {
	case len(text) > longestComment:
		return fmt.Errorf("%w: %s has %d bytes, more than %d", ErrText, name, len(text), longestComment)
	case !utf8.ValidString(text):
		return fmt.Errorf("%w: %s is not UTF-8", ErrText, name)
	}
	for _, c := range text {
		turns := c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069'
		if turns || unicode.IsControl(c) && c != '\n' && c != '\r' && c != '\t' {
			return fmt.Errorf("%w: %s holds the character %U", ErrText, name, c)
		}
	}
	return nil
}

// instant is the time as the store keeps it.
func (r *Register) instant() time.Time { return r.now().UTC().Truncate(time.Microsecond) }

func (r *Register) write(ctx context.Context, a Assessment, who review.Reviewer) (Assessment, error) {
	a.At, a.By = r.instant(), who
	body, err := encode(a)
	if err != nil {
		return Assessment{}, err
	}
	written, err := r.records.Write(ctx, decisions.Change{
		Document: decisions.Document{
			Kind: decisions.Assessment, ID: a.ID, At: a.At, By: who.Subject, Body: body,
			Terms: map[string]string{"period": a.Period, "state": string(a.State)},
		},
		Expect: a.Version,
	})
	if err != nil {
		return Assessment{}, fmt.Errorf("write assessment %s: %w", a.ID, err)
	}
	return read(written[0])
}
