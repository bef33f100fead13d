package action

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/store/decisions"
)

// wireFormat is the form of the stored bodies; one that a program does not know is not read.
const wireFormat = 1

// wireAction is the body of a stored action. It is kept for years: fields may be added, never changed.
type wireAction struct {
	Format  int         `json:"format"`
	Title   string      `json:"title"`
	What    string      `json:"what,omitempty"`
	Cause   string      `json:"cause"`
	Owner   string      `json:"owner"`
	Finding wireFinding `json:"finding"`
	Aim     wireAim     `json:"aim"`
	Start   string      `json:"start"`
	Due     string      `json:"due"`
	State   string      `json:"state"`
	Result  *wireResult `json:"result,omitempty"`
	Created time.Time   `json:"created"`
	Looked  *time.Time  `json:"looked,omitempty"`
}

// wireFinding is a stored Finding.
type wireFinding struct {
	Kind     string   `json:"kind"`
	Snapshot string   `json:"snapshot,omitempty"`
	Period   string   `json:"period,omitempty"`
	Reviews  []string `json:"reviews,omitempty"`
}

// wireAim is a stored Aim.
type wireAim struct {
	Measure   string   `json:"measure"`
	Rate      string   `json:"rate,omitempty"`
	Dimension string   `json:"dimension"`
	Groups    []string `json:"groups"`
	Reference string   `json:"reference,omitempty"`
	Sites     []string `json:"sites,omitempty"`
	Target    *float64 `json:"target,omitempty"`
}

// wireResult is a stored Result.
type wireResult struct {
	Outcome  string     `json:"outcome"`
	Summary  string     `json:"summary"`
	At       time.Time  `json:"at"`
	By       wirePerson `json:"by"`
	Snapshot string     `json:"snapshot,omitempty"`
}

// wirePerson is a stored Reviewer.
type wirePerson struct {
	Subject string `json:"subject"`
	Name    string `json:"name,omitempty"`
}

// wireCondition is the body of a stored condition.
type wireCondition struct {
	Format    int    `json:"format"`
	Name      string `json:"name"`
	Site      string `json:"site,omitempty"`
	Start     string `json:"start"`
	End       string `json:"end,omitempty"`
	Withdrawn bool   `json:"withdrawn,omitempty"`
}

func bodyOf(a *Action) ([]byte, error) {
	w := wireAction{
		Format: wireFormat, Title: a.Title, What: a.What, Cause: string(a.Cause), Owner: a.Owner,
		Finding: wireFinding{Kind: string(a.Finding.Kind), Snapshot: a.Finding.Snapshot,
			Period: a.Finding.Period, Reviews: a.Finding.Reviews},
		Aim:   wireAim(a.Aim),
		Start: a.Start, Due: a.Due, State: string(a.State), Created: a.Created, Looked: a.Looked,
	}
	if res := a.Result; res != nil {
		w.Result = &wireResult{Outcome: string(res.Outcome), Summary: res.Summary, At: res.At,
			By: wirePerson(res.By), Snapshot: res.Snapshot}
	}
	body, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write action: %w", err)
	}
	return body, nil
}

// readAction reads a stored action. What it holds was checked when it was written.
func readAction(doc decisions.Document) (Action, error) {
	var w wireAction
	if err := read(doc, &w); err != nil {
		return Action{}, err
	}
	if w.Format != wireFormat {
		return Action{}, formatError(doc, w.Format)
	}
	a := Action{
		ID: doc.ID, Title: w.Title, What: w.What, Cause: review.Factor(w.Cause), Owner: w.Owner,
		Finding: Finding{Kind: FindingKind(w.Finding.Kind), Snapshot: w.Finding.Snapshot,
			Period: w.Finding.Period, Reviews: w.Finding.Reviews},
		Aim:   Aim(w.Aim),
		Start: w.Start, Due: w.Due, State: State(w.State), Created: w.Created, Looked: w.Looked,
		Changed: doc.At, Version: doc.Version,
	}
	if res := w.Result; res != nil {
		a.Result = &Result{Outcome: Outcome(res.Outcome), Summary: res.Summary, At: res.At,
			By: review.Reviewer(res.By), Snapshot: res.Snapshot}
	}
	return a, nil
}

func conditionBody(c *Condition) ([]byte, error) {
	body, err := json.Marshal(wireCondition{Format: wireFormat, Name: c.Name, Site: c.Site,
		Start: c.Start, End: c.End, Withdrawn: c.Withdrawn})
	if err != nil {
		return nil, fmt.Errorf("write condition: %w", err)
	}
	return body, nil
}

// readCondition reads a stored condition.
func readCondition(doc decisions.Document) (Condition, error) {
	var w wireCondition
	if err := read(doc, &w); err != nil {
		return Condition{}, err
	}
	if w.Format != wireFormat {
		return Condition{}, formatError(doc, w.Format)
	}
	return Condition{ID: doc.ID, Name: w.Name, Site: w.Site, Start: w.Start, End: w.End,
		Withdrawn: w.Withdrawn, Version: doc.Version}, nil
}

func read(doc decisions.Document, to any) error {
	if err := json.Unmarshal(doc.Body, to); err != nil {
		return fmt.Errorf("read %s %s, version %d: %w", doc.Kind, doc.ID, doc.Version, err)
	}
	return nil
}

func formatError(doc decisions.Document, format int) error {
	return fmt.Errorf("read %s %s, version %d: form %d: %w", doc.Kind, doc.ID, doc.Version, format,
		decisions.ErrSchema)
}
