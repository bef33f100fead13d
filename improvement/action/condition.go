package action

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/store/decisions"
)

// The terms by which a condition is found.
const (
	termSite  = "site"
	termStart = "start"
)

// terms are what a condition is found by.
func (c *Condition) terms() map[string]string {
	terms := map[string]string{termStart: c.Start}
	if c.Site != "" {
		terms[termSite] = c.Site
	}
	return terms
}

// ConditionVersion is one version of a condition, who wrote it and when.
type ConditionVersion struct {
	Condition
	At time.Time
	// By is the pseudonym of the audit trail.
	By string
}

// SaveCondition writes a condition: a new one where its ID is empty, else the next version of that
// which was read as c.Version. It fails with *InvalidError and decisions.ErrConflict.
func (r *Register) SaveCondition(
	ctx context.Context, c Condition, who review.Reviewer,
) (Condition, error) {
	if c.ID == "" {
		id, err := r.id()
		if err != nil {
			return Condition{}, fmt.Errorf("declare condition: %w", err)
		}
		c.ID, c.Version = id, 0
	} else if _, err := r.conditionAt(ctx, c.ID, c.Version); err != nil {
		return Condition{}, fmt.Errorf("declare condition: %w", err)
	}
	saved, err := r.writeCondition(ctx, c, who)
	if err != nil {
		return Condition{}, fmt.Errorf("declare condition: %w", err)
	}
	return saved, nil
}

// EndCondition says which day was its last.
func (r *Register) EndCondition(
	ctx context.Context, id string, version int, last string, who review.Reviewer,
) (Condition, error) {
	return r.changeCondition(ctx, "end", id, version, who, func(c *Condition) { c.End = last })
}

// WithdrawCondition takes back a condition that was declared by mistake.
func (r *Register) WithdrawCondition(
	ctx context.Context, id string, version int, who review.Reviewer,
) (Condition, error) {
	return r.changeCondition(ctx, "withdraw", id, version, who,
		func(c *Condition) { c.Withdrawn = true })
}

// Condition returns one as it stands, a withdrawn one too, or decisions.ErrNotFound.
func (r *Register) Condition(ctx context.Context, id string) (Condition, error) {
	doc, err := r.c.Records.Get(ctx, decisions.Condition, id)
	if err != nil {
		return Condition{}, fmt.Errorf("read condition: %w", err)
	}
	return readCondition(doc)
}

// Conditions returns those that were not withdrawn, by their start.
func (r *Register) Conditions(ctx context.Context) ([]Condition, error) {
	docs, err := r.c.Records.Find(ctx, decisions.Query{Kind: decisions.Condition})
	if err != nil {
		return nil, fmt.Errorf("list conditions: %w", err)
	}
	out := make([]Condition, 0, len(docs))
	for _, doc := range docs {
		c, err := readCondition(doc)
		if err != nil {
			return nil, err
		}
		if !c.Withdrawn {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Condition) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// ConditionHistory returns every version of a condition, the oldest first.
func (r *Register) ConditionHistory(ctx context.Context, id string) ([]ConditionVersion, error) {
	docs, err := r.c.Records.History(ctx, decisions.Condition, id)
	if err != nil {
		return nil, fmt.Errorf("read history of condition: %w", err)
	}
	out := make([]ConditionVersion, len(docs))
	for i, doc := range docs {
		c, err := readCondition(doc)
		if err != nil {
			return nil, err
		}
		out[i] = ConditionVersion{Condition: c, At: doc.At, By: doc.By}
	}
	return out, nil
}

func (r *Register) conditionAt(ctx context.Context, id string, version int) (Condition, error) {
	c, err := r.Condition(ctx, id)
	if err != nil {
		return Condition{}, err
	}
	if c.Version != version {
		return Condition{}, decisions.ErrConflict
	}
	return c, nil
}

func (r *Register) changeCondition(
	ctx context.Context, deed, id string, version int, who review.Reviewer, change func(*Condition),
) (Condition, error) {
	c, err := r.conditionAt(ctx, id, version)
	if err == nil {
		change(&c)
		c, err = r.writeCondition(ctx, c, who)
	}
	if err != nil {
		return Condition{}, fmt.Errorf("%s condition: %w", deed, err)
	}
	return c, nil
}

// writeCondition checks a condition and writes it as the version after c.Version.
func (r *Register) writeCondition(
	ctx context.Context, c Condition, who review.Reviewer,
) (Condition, error) {
	if err := checkCondition(&c, who); err != nil {
		return Condition{}, err
	}
	body, err := conditionBody(&c)
	if err != nil {
		return Condition{}, err
	}
	docs, err := r.c.Records.Write(ctx, decisions.Change{
		Document: decisions.Document{
			Kind: decisions.Condition, ID: c.ID, At: r.now(), By: who.Subject,
			Terms: c.terms(), Body: body,
		},
		Expect: c.Version,
	})
	if err != nil {
		return Condition{}, err
	}
	if len(docs) != 1 {
		return Condition{}, fmt.Errorf("the store wrote %d documents for one", len(docs))
	}
	return readCondition(docs[0])
}

// checkCondition says everything that is wrong with a condition.
func checkCondition(condition *Condition, who review.Reviewer) error {
	c := &checker{}
	c.text("name", condition.Name, MostTitle, true, false)
	if condition.Site != "" && !token.MatchString(condition.Site) {
		c.add("site", NotOne)
	}
	if who.Subject == "" {
		c.add("who", Absent)
	}
	start := c.day("start", condition.Start)
	if condition.End != "" && c.day("end", condition.End) && start && condition.End < condition.Start {
		c.add("end", BeforeStart)
	}
	return c.err()
}
