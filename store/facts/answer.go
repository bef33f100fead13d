package facts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/equitylens/equitylens/internal/phi"
)

// Answer is what a review of an event came to: whether inequity was a contributing factor.
type Answer struct {
	// Source and ID name the event, as it was loaded.
	Source string
	ID     phi.ID
	// Answer is one of AnswerCodes.
	Answer string
}

// AnswerCodes are what a review can come to.
func AnswerCodes() []string { return []string{"yes", "no", "undetermined"} }

var (
	// ErrAnswer: an answer is none of AnswerCodes, or does not say of which event it is.
	ErrAnswer = errors.New("an answer is not yes, no or undetermined, or is of no event")
	// ErrTwoAnswers: one event has two answers.
	ErrTwoAnswers = errors.New("an event has two answers")
)

// SetAnswers replaces every answer that the snapshot holds. Those of events that are not in the snapshot
// do nothing, until the event is. A run that is staged and not told keeps the answers of the live
// snapshot.
//
// An answer wins over what the source has on record of the same event, because it was given later and by
// somebody who was asked this question. What the source has on record stays in base.adverse_event.
func (r *Run) SetAnswers(ctx context.Context, answers []Answer) error {
	if r.db == nil {
		return ErrNotStaged
	}
	seen := make(map[Answer]bool, len(answers))
	var sources, ids, codes []string
	for _, a := range answers {
		if a.Source == "" || a.ID.Empty() || !slices.Contains(AnswerCodes(), a.Answer) {
			return fmt.Errorf("take over the answers of reviews: %w", ErrAnswer)
		}
		event := Answer{Source: a.Source, ID: a.ID}
		if seen[event] {
			return fmt.Errorf("take over the answers of reviews: %w", ErrTwoAnswers)
		}
		seen[event] = true
		sources, ids, codes = append(sources, a.Source), append(ids, a.ID.Reveal()), append(codes, a.Answer)
	}
	if _, err := r.db.ExecContext(ctx, `DELETE FROM base.answer`); err != nil {
		return fmt.Errorf("take over the answers of reviews: %w", err)
	}
	if len(answers) == 0 {
		return nil
	}
	_, err := r.db.ExecContext(ctx, `INSERT INTO base.answer
		SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[])`, sources, ids, codes)
	if err != nil {
		return fmt.Errorf("take over the answers of reviews: %w", withoutValues(err))
	}
	return nil
}

// ErrNotStaged: the run has no working copy yet.
var ErrNotStaged = errors.New("nothing has been staged in this run")

// Whom is whom an event names.
type Whom struct {
	Patient phi.ID
	// Encounter may be empty.
	Encounter phi.ID
}

// Unknown says of each, in their order, whether the patient is not in the snapshot, under no record that
// was merged into another either, and whether an encounter is named that is not. The views leave out
// events of patients who are not there.
func (s *Snapshot) Unknown(ctx context.Context, of []Whom) (patients, encounters []bool, err error) {
	people, visits := make([]string, len(of)), make([]string, len(of))
	for i, w := range of {
		people[i], visits[i] = w.Patient.Reveal(), w.Encounter.Reveal()
	}
	const missingPatients = `SELECT DISTINCT id FROM (SELECT unnest(?::VARCHAR[]) AS id)
		WHERE id NOT IN (SELECT id FROM base.patient)
		AND id NOT IN (SELECT unnest(string_split(replaces, chr(10))) FROM base.patient WHERE replaces IS NOT NULL)`
	if patients, err = s.absent(ctx, missingPatients, people); err != nil {
		return nil, nil, fmt.Errorf("look for patients: %w", err)
	}
	const missingEncounters = `SELECT DISTINCT id FROM (SELECT unnest(?::VARCHAR[]) AS id)
		WHERE id <> '' AND id NOT IN (SELECT id FROM base.encounter)`
	if encounters, err = s.absent(ctx, missingEncounters, visits); err != nil {
		return nil, nil, fmt.Errorf("look for encounters: %w", err)
	}
	return patients, encounters, nil
}

// absent runs a query that returns those of the ids that are not there.
func (s *Snapshot) absent(ctx context.Context, query string, ids []string) ([]bool, error) {
	out := make([]bool, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	gone := map[string]bool{}
	err := s.each(ctx, query, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		gone[id] = true
		return err
	}, ids)
	if err != nil {
		return nil, withoutValues(err)
	}
	for i, id := range ids {
		out[i] = gone[id]
	}
	return out, nil
}
