package reviewing

import (
	"cmp"
	"strings"
	"time"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/facts"
)

// teller says what reviews hold, in the language of the reader.
type teller struct {
	*words.Words
	// sites names sites by their keys.
	sites map[string]string
}

func tellerOf(v *room.Visit, sites map[string]string) *teller { return &teller{v.Words, sites} }

// in says a text of the code tables.
func (t *teller) in(w review.Words) string { return w.In(t.Tag().String()) }

// value says a key: the words of a code of a family, or those of a state. A key that is empty is missing.
func (t *teller) value(family, key string) string {
	v := facts.ValueOf(key)
	switch {
	case v.State != mapping.Known:
		return t.Label("state", string(v.State))
	case v.Code == "":
		return t.Say("state.missing")
	}
	return t.Label(family, v.Code)
}

// known reports whether a key is a code.
func known(key string) bool { return key != "" && !strings.HasPrefix(key, "~") }

// group names the group of a dimension by its key.
func (t *teller) group(dimension, key string) string {
	v := facts.ValueOf(key)
	c := measure.Coding{Code: v.Code, State: string(v.State)}
	switch {
	case key == "":
		c = measure.Coding{State: string(mapping.Missing)}
	case dimension == mapping.DimensionSite:
		c.Label = t.sites[key]
	}
	return t.Group(dimension, c)
}

// date says a day such as 2026-03-01, or that there is none.
func (t *teller) date(text string) string {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t.Say("review.undated")
	}
	return t.Day(day.Date())
}

// midnight says the day of a midnight UTC; "" of the zero time.
func (t *teller) midnight(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return t.Day(at.UTC().Date())
}

// concept finds a code in a table; one that is none says itself.
func concept(table []review.Concept, code string) review.Concept {
	for _, c := range table {
		if c.Code == code {
			return c
		}
	}
	plain := words.Plain(code)
	return review.Concept{Code: code, Display: review.Words{English: plain, Spanish: plain}}
}

func (t *teller) answer(a review.Answer) string {
	return t.in(concept(review.Answers(), string(a)).Display)
}

func (t *teller) factor(f review.Factor) string {
	return t.in(concept(review.Factors(), string(f)).Display)
}

func (t *teller) factors(all []review.Factor) []string {
	out := make([]string, len(all))
	for i, f := range all {
		out[i] = t.factor(f)
	}
	return out
}

func (t *teller) detection(d review.Detection) string {
	return t.in(concept(review.Detections(), string(d)).Display)
}

func (t *teller) state(s review.State) string { return t.Label("review.state", string(s)) }

// who says a reviewer to their colleagues.
func (t *teller) who(r review.Reviewer, reader string) string {
	name := words.Plain(cmp.Or(r.Name, r.Subject))
	if r.Subject == reader {
		return t.Say("review.you", name)
	}
	return name
}

// chosen says an answer with its factors in one line.
func (t *teller) chosen(a review.Answer, factors []review.Factor) string {
	said := t.answer(a)
	if len(factors) > 0 {
		said += " (" + strings.Join(t.factors(factors), ", ") + ")"
	}
	return said
}
