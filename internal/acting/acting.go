package acting

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/facts"
)

// Snapshot answers from one snapshot; a live.View is one.
type Snapshot interface {
	ID() string
	Facts() *facts.Snapshot
	Definitions() []measure.Definition
	// Answer fails as measure.Engine.Evaluate does.
	Answer(ctx context.Context, asked measure.Question, audience release.Audience) (measure.Result, error)
	Months(ctx context.Context, asked measure.Question) ([]measure.Result, error)
}

// Register is where actions are kept; an *action.Register is one. Its methods fail as those do.
type Register interface {
	Keeper
	Mover
	Declarer
}

// Keeper reads and writes actions.
type Keeper interface {
	Get(ctx context.Context, id string) (action.Action, error)
	List(ctx context.Context, f action.Filter) ([]action.Action, error)
	Reminders(ctx context.Context, day time.Time) ([]action.Reminder, error)
	History(ctx context.Context, id string) ([]action.Version, error)
	Save(ctx context.Context, a action.Action, who review.Reviewer) (action.Action, error)
}

// Mover takes an action from state to state.
type Mover interface {
	Start(ctx context.Context, id string, version int, who review.Reviewer) (action.Action, error)
	Close(ctx context.Context, id string, version int, result action.Result) (action.Action, error)
	Reopen(ctx context.Context, id string, version int, who review.Reviewer) (action.Action, error)
	Look(ctx context.Context, id string, version int, who review.Reviewer) (action.Action, error)
}

// Declarer keeps conditions.
type Declarer interface {
	Conditions(ctx context.Context) ([]action.Condition, error)
	SaveCondition(ctx context.Context, c action.Condition, who review.Reviewer) (action.Condition, error)
	EndCondition(
		ctx context.Context, id string, version int, last string, who review.Reviewer,
	) (action.Condition, error)
	WithdrawCondition(
		ctx context.Context, id string, version int, who review.Reviewer,
	) (action.Condition, error)
}

// Config is what the pages need. Room, Register and Hold must be set.
type Config struct {
	Room     *room.Room
	Register Register
	// Hold calls use with the snapshot that is live now, or fails with measure.ErrNoSnapshot.
	Hold func(use func(Snapshot) error) error
	// Bundle writes the evidence of an action as a FHIR Bundle; nil offers none.
	Bundle func(ctx context.Context, e Evidence) ([]byte, error)
	// Software is the version of the program, for files.
	Software string
}

// Pages serves the pages of actions. It is safe for concurrent use.
type Pages struct{ cfg Config }

// New makes the pages.
func New(cfg Config) (*Pages, error) {
	if cfg.Room == nil || cfg.Register == nil || cfg.Hold == nil {
		return nil, errors.New("acting: Room, Register and Hold are required")
	}
	return &Pages{cfg}, nil
}

// The addresses of the pages. An action stands below ListPath, at its id.
const (
	ListPath       = page.ActionsPath
	NewPath        = ListPath + "/new"
	ConditionsPath = ListPath + "/conditions"
)

// The places of a path: the id of an action or a condition, and the name of a file.
const (
	idName   = "id"
	fileName = "file"
)

// Faults says what becomes of the errors of the register, for the room of the pages.
func Faults() []room.Fault {
	return []room.Fault{
		{Is: action.ErrClosed, Status: http.StatusConflict, Kind: page.Conflict},
		{Is: action.ErrState, Status: http.StatusConflict, Kind: page.Conflict},
	}
}

// Routes are the addresses of the pages, for the server's table.
func (p *Pages) Routes() []server.Page {
	const id = "{" + idName + ":[A-Za-z0-9]{8,64}}"
	const one = ListPath + "/" + id
	route := func(method, path string, handle room.Handler) server.Page {
		return p.cfg.Room.Route(method, path, scope.Improve, handle)
	}
	return []server.Page{
		route(http.MethodGet, ListPath, p.list),
		route(http.MethodGet, NewPath, p.draft),
		route(http.MethodPost, NewPath, p.write),
		route(http.MethodGet, ConditionsPath, p.conditions),
		route(http.MethodPost, ConditionsPath, p.declare),
		route(http.MethodGet, ConditionsPath+"/"+id, p.changed),
		route(http.MethodPost, ConditionsPath+"/"+id, p.end),
		route(http.MethodGet, one, p.show),
		route(http.MethodPost, one, p.move),
		route(http.MethodGet, one+"/edit", p.edit),
		route(http.MethodPost, one+"/edit", p.rewrite),
		route(http.MethodGet, one+"/effect", p.evidence),
		route(http.MethodGet, one+"/effect/files/{"+fileName+":[A-Za-z0-9_.~-]{1,160}}", p.file),
	}
}
