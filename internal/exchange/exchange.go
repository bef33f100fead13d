package exchange

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server"
)

// Reviews is where harm events are reviewed; a *review.Desk is one.
type Reviews interface {
	Worklist(ctx context.Context, f review.Filter) (review.List, error)
	Review(ctx context.Context, id string) (review.Review, error)
	Reviews(ctx context.Context, ids ...string) (map[string]review.Review, error)
	History(ctx context.Context, id, subject string) ([]review.Review, error)
	Answer(ctx context.Context, id string, version int, o review.Opinion) (review.Review, error)
	Settle(ctx context.Context, id string, version int, s review.Settlement) (review.Review, error)
}

// Actions reads actions and conditions; a *action.Register is one.
type Actions interface {
	Get(ctx context.Context, id string) (action.Action, error)
	List(ctx context.Context, f action.Filter) ([]action.Action, error)
	History(ctx context.Context, id string) ([]action.Version, error)
	Condition(ctx context.Context, id string) (action.Condition, error)
	Conditions(ctx context.Context) ([]action.Condition, error)
}

// Acts changes actions; a *action.Register is one.
type Acts interface {
	Save(ctx context.Context, a action.Action, who review.Reviewer) (action.Action, error)
	Start(ctx context.Context, id string, version int, who review.Reviewer) (action.Action, error)
	Close(ctx context.Context, id string, version int, result action.Result) (action.Action, error)
	Reopen(ctx context.Context, id string, version int, who review.Reviewer) (action.Action, error)
}

// Assessments keeps the answers to the readiness questionnaire; a *readiness.Register is one.
type Assessments interface {
	Questionnaire() *readiness.Questionnaire
	Of(ctx context.Context, p measure.Period) (readiness.Assessment, error)
	List(ctx context.Context) ([]readiness.Assessment, error)
	Reply(ctx context.Context, p measure.Period, version int, who review.Reviewer,
		replies ...readiness.Reply) (readiness.Assessment, error)
	Finish(ctx context.Context, p measure.Period, version int, who review.Reviewer,
		data readiness.Data) (readiness.Assessment, error)
}

// Incidents takes in harm events that an incident system hands in by itself.
type Incidents interface {
	// Accept keeps the event of an AdverseEvent, known by its identifier. The error is an
	// *incident.ElementError where the resource is at fault.
	Accept(ctx context.Context, by string, resource []byte) (Accepted, error)
}

// Accepted is what became of an event that was handed in.
type Accepted struct {
	// Key names it as the next snapshot will.
	Key review.Key
	// Created and Changed are both false where it was there already as it is.
	Created, Changed bool
}

// Config is what an Exchange works with. BaseURL and Now must be set; without Reviews, Actions or
// Assessments, or Incidents, their routes are not there.
type Config struct {
	Reviews Reviews
	// Hold calls use with the events of the live snapshot, as that of review.Config. It must be set
	// with Reviews.
	Hold func(use func(review.Events) error) error
	// Actions and Acts are set together.
	Actions     Actions
	Acts        Acts
	Assessments Assessments
	// Figures are what answers the items from data of the assessment of a period. Nil leaves them
	// without an answer, and no assessment can be finished here.
	Figures   func(ctx context.Context, p measure.Period) (readiness.Data, error)
	Incidents Incidents

	// BaseURL is the public address of the FHIR API, without a slash at its end.
	BaseURL string
	// Organization is the institution, by its name.
	Organization string
	// Now is the clock.
	Now func() time.Time
}

// Exchange answers the routes.
type Exchange struct{ cfg Config }

// New makes an Exchange.
func New(cfg Config) (*Exchange, error) {
	var faults []error
	if cfg.BaseURL == "" || cfg.Now == nil {
		faults = append(faults, errors.New("BaseURL and Now must be set"))
	}
	if (cfg.Reviews == nil) != (cfg.Hold == nil) {
		faults = append(faults, errors.New("Reviews and Hold are set together"))
	}
	if (cfg.Actions == nil) != (cfg.Acts == nil) {
		faults = append(faults, errors.New("Actions and Acts are set together"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("make exchange: %w", err)
	}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	return &Exchange{cfg: cfg}, nil
}

// writer writes for a caller: free text of reviews where the token covers it.
func (e *Exchange) writer(ctx context.Context) form.Writer {
	return form.Writer{
		Organization: e.cfg.Organization, Narrative: server.Caller(ctx).Covers(scope.Narrative),
	}
}

// open writes what is for everybody who may see it at all.
func (e *Exchange) open() form.Writer {
	return form.Writer{Organization: e.cfg.Organization, Narrative: true}
}

// who is the caller as those are known who decide something.
func who(ctx context.Context) review.Reviewer {
	caller := server.Caller(ctx)
	return review.Reviewer{Subject: cmp.Or(caller.Subject, caller.Client)}
}

// address is that of a resource.
func (e *Exchange) address(kind, id string) string { return e.cfg.BaseURL + "/" + kind + "/" + id }

// local is the id in a reference to a resource here, which may be absolute or a bare id.
func (e *Exchange) local(value, kind string) string {
	value = strings.TrimPrefix(value, e.cfg.BaseURL+"/")
	return strings.TrimPrefix(value, kind+"/")
}
