package review

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/equitylens/equitylens/store/decisions"
)

// SettledAnswer is what the next sync lays over an event.
type SettledAnswer struct {
	Key Key
	// Review is the id of the review.
	Review    string
	Answer    Answer
	Factors   []Factor
	Detection Detection
	At        time.Time
}

// Answers lists the answers of all settled reviews, by the ids of the reviews. It needs no snapshot. A
// review that was opened again has none until it is settled once more.
func (d *Desk) Answers(ctx context.Context) ([]SettledAnswer, error) {
	return SettledAnswers(ctx, d.cfg.Records)
}

// SettledAnswers is Desk.Answers for who has no Desk.
func SettledAnswers(ctx context.Context, records Records) ([]SettledAnswer, error) {
	documents, err := records.Find(ctx, decisions.Query{
		Kind: decisions.Review, Terms: map[string][]string{TermState: {string(Settled)}},
	})
	if err != nil {
		return nil, fmt.Errorf("find settled reviews: %w", err)
	}
	out := make([]SettledAnswer, 0, len(documents))
	for i := range documents {
		r, err := read(&documents[i])
		if err != nil {
			return nil, err
		}
		if s := r.Settlement; s != nil {
			out = append(out, SettledAnswer{
				Key: r.Key, Review: r.ID, Answer: s.Answer, Factors: slices.Clone(s.Factors), Detection: s.Detection,
				At: s.At,
			})
		}
	}
	return out, nil
}
