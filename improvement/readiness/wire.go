package readiness

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/store/decisions"
)

// wireFormat is the version of the form in which assessments are kept.
const wireFormat = 1

// wire is an assessment as it is kept: fields may be added, never changed.
type wire struct {
	Format        int             `json:"format"`
	Period        string          `json:"period"`
	Questionnaire string          `json:"questionnaire"`
	State         State           `json:"state"`
	Answers       []Answer        `json:"answers,omitempty"`
	Snapshot      string          `json:"snapshot,omitempty"`
	DataAsOf      *time.Time      `json:"data_as_of,omitempty"`
	Reopened      string          `json:"reopened,omitempty"`
	By            review.Reviewer `json:"by"`
}

func encode(a Assessment) ([]byte, error) {
	w := wire{
		Format: wireFormat, Period: a.Period, Questionnaire: a.Questionnaire, State: a.State,
		Snapshot: a.Snapshot, Reopened: a.Reopened, By: a.By,
	}
	if !a.DataAsOf.IsZero() {
		w.DataAsOf = &a.DataAsOf
	}
	for _, id := range slices.Sorted(maps.Keys(a.Answers)) {
		w.Answers = append(w.Answers, a.Answers[id])
	}
	body, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("encode assessment %s: %w", a.ID, err)
	}
	return body, nil
}

func read(d decisions.Document) (Assessment, error) {
	var w wire
	if err := json.Unmarshal(d.Body, &w); err != nil {
		return Assessment{}, fmt.Errorf("read assessment %s, version %d: %w", d.ID, d.Version, err)
	}
	if w.Format != wireFormat {
		return Assessment{}, fmt.Errorf("read assessment %s, version %d: format %d: %w", d.ID, d.Version, w.Format,
			decisions.ErrSchema)
	}
	a := Assessment{
		ID: d.ID, Period: w.Period, Questionnaire: w.Questionnaire, State: w.State,
		Answers: make(map[string]Answer, len(w.Answers)), Snapshot: w.Snapshot, Reopened: w.Reopened,
		At: d.At, By: w.By, Version: d.Version,
	}
	if w.DataAsOf != nil {
		a.DataAsOf = *w.DataAsOf
	}
	for _, one := range w.Answers {
		a.Answers[one.Item] = one
	}
	return a, nil
}
