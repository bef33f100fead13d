package readiness

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
)

var (
	// ErrLevel says that a level is none.
	ErrLevel = errors.New("unknown level")
	// ErrItem says that the questionnaire has no such item.
	ErrItem = errors.New("unknown item")
	// ErrFromData says that figures answer the item, so that only a comment is taken.
	ErrFromData = errors.New("the data answer this item")
	// ErrPeriod says that a period is none that is assessed: a year, a quarter or a month.
	ErrPeriod = errors.New("not a year, a quarter or a month")
	// ErrFinal says that the assessment is final; it has to be reopened first.
	ErrFinal = errors.New("the assessment is final")
	// ErrNotFinal says that there is nothing to be reopened.
	ErrNotFinal = errors.New("the assessment is not final")
	// ErrUnanswered says that people have not answered all items that are theirs.
	ErrUnanswered = errors.New("items are unanswered")
	// ErrText says that a text is too long, or holds what is no text.
	ErrText = errors.New("not a text that can be kept")
)

// State is where an assessment stands.
type State string

// The states. A draft is answered by the data of the day on which it is read; a final one keeps the
// figures that stood when it became final.
const (
	Draft State = "draft"
	Final State = "final"
)

// Answer is the answer to one item.
type Answer struct {
	Item string `json:"item"`
	// Level is absent where nobody has answered, or where the figure is missing.
	Level *Level `json:"level,omitempty"`
	// Figure is what answered an item from data.
	Figure *Figure `json:"figure,omitempty"`
	// Comment is free text.
	Comment string `json:"comment,omitempty"`
	// By and At are of the person who answered or commented last; empty where none has.
	By review.Reviewer `json:"by,omitzero"`
	At time.Time       `json:"at,omitzero"`
}

// Assessment is the answers of an institution for one period.
type Assessment struct {
	// ID is readiness- and the name of the period.
	ID string
	// Period is its name: 2026, 2026-Q1 or 2026-03.
	Period string
	// Questionnaire is the version that was answered.
	Questionnaire string
	State         State
	// Answers are by item. One that is not there is unanswered.
	Answers map[string]Answer
	// Snapshot and DataAsOf are of the figures of a final one.
	Snapshot string
	DataAsOf time.Time
	// Reopened is why it was reopened last, if it was; free text.
	Reopened string
	// At is when it was changed last, and By who did.
	At time.Time
	By review.Reviewer
	// Version is that of the document in the store; 0 for a new one.
	Version int
}

// Name returns the name of a period, and the id of its assessment, or ErrPeriod.
func Name(p measure.Period) (name, id string, err error) {
	start, next := p.Start, p.End.AddDate(0, 0, 1)
	const monthsOfQuarter, monthsOfYear = 3, 12
	first := start.Day() == 1
	month := int(start.Month())
	switch {
	case first && month == 1 && next.Equal(start.AddDate(0, monthsOfYear, 0)):
		name = start.Format("2006")
	case first && month%monthsOfQuarter == 1 && next.Equal(start.AddDate(0, monthsOfQuarter, 0)):
		name = fmt.Sprintf("%s-Q%d", start.Format("2006"), month/monthsOfQuarter+1)
	case first && next.Equal(start.AddDate(0, 1, 0)):
		name = start.Format("2006-01")
	default:
		return "", "", fmt.Errorf("name period %s: %w", p, ErrPeriod)
	}
	return name, "readiness-" + name, nil
}

// Lay answers the items from data by figures and returns the whole. Comments stay. A final assessment
// keeps the figures that it has.
func (q *Questionnaire) Lay(a Assessment, figures Figures) Assessment {
	if a.State == Final {
		return a
	}
	a.Answers = maps.Clone(a.Answers)
	if a.Answers == nil {
		a.Answers = map[string]Answer{}
	}
	for _, one := range q.FromData(figures) {
		kept := a.Answers[one.Item]
		one.Comment, one.By, one.At = kept.Comment, kept.By, kept.At
		a.Answers[one.Item] = one
	}
	return a
}

// FromData answers the items from data, in their order. One whose figure is missing has no level, and a
// figure that says why.
func (q *Questionnaire) FromData(figures Figures) []Answer {
	var answers []Answer
	for _, i := range q.Items() {
		if i.Rule == nil {
			continue
		}
		f, ok := figures[i.Rule.Figure]
		if !ok {
			f.Missing = NoMeasure
		}
		one := Answer{Item: i.ID, Figure: &f}
		if f.Missing == "" {
			level := i.Rule.Level(f.Value)
			one.Level = &level
		}
		answers = append(answers, one)
	}
	return answers
}
