package institution

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
)

// Register is where assessments are kept; a *readiness.Register is one. Its methods fail as those do.
type Register interface {
	Reader
	Writer
}

// Reader reads assessments.
type Reader interface {
	Questionnaire() *readiness.Questionnaire
	// Of returns an empty draft of version 0 where there is none yet.
	Of(ctx context.Context, p measure.Period) (readiness.Assessment, error)
	Before(ctx context.Context, a readiness.Assessment) (readiness.Assessment, error)
	List(ctx context.Context) ([]readiness.Assessment, error)
	History(ctx context.Context, id string) ([]readiness.Assessment, error)
}

// Writer writes answers.
type Writer interface {
	Reply(
		ctx context.Context, p measure.Period, version int, who review.Reviewer, replies ...readiness.Reply,
	) (readiness.Assessment, error)
	Finish(
		ctx context.Context, p measure.Period, version int, who review.Reviewer, data readiness.Data,
	) (readiness.Assessment, error)
	Reopen(
		ctx context.Context, p measure.Period, version int, who review.Reviewer, why string,
	) (readiness.Assessment, error)
}

// Figures is what the data answer for a period.
type Figures func(ctx context.Context, p measure.Period) (readiness.Data, error)

// Overview reads a period of the network, by network.UsualDimensions.
type Overview func(ctx context.Context, p measure.Period) (network.Overview, error)

// Config is what the pages need. Room, Register and Figures must be set.
type Config struct {
	Room     *room.Room
	Register Register
	Figures  Figures
	// AsOf is the moment of the data of the live snapshot; zero where there is none. Nil knows none.
	AsOf func() time.Time
	// Definitions are the measures that the program knows, for their words.
	Definitions []measure.Definition
	// Coordinated reads our own store, where we are the coordinator; Fetched asks the coordinator, where we
	// are a member, and what it answers is kept for a while. Where both are nil there is no network.
	Coordinated, Fetched Overview
	// Logger hears why the coordinator could not be asked; nil means silence.
	Logger *slog.Logger
}

// Pages serves the pages. It is safe for concurrent use.
type Pages struct {
	cfg  Config
	kept *keeper
}

// New makes the pages.
func New(cfg Config) (*Pages, error) {
	if cfg.Room == nil || cfg.Register == nil || cfg.Figures == nil {
		return nil, errors.New("institution: Room, Register and Figures are required")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.AsOf == nil {
		cfg.AsOf = func() time.Time { return time.Time{} }
	}
	return &Pages{cfg: cfg, kept: newKeeper(cfg.Fetched)}, nil
}

// Faults says what becomes of the errors of the registers, for the room of the pages.
func Faults() []room.Fault {
	return []room.Fault{
		{Is: readiness.ErrFinal, Status: http.StatusConflict, Kind: page.Conflict},
		{Is: readiness.ErrNotFinal, Status: http.StatusConflict, Kind: page.Conflict},
		{Is: network.ErrNoMember, Status: http.StatusForbidden, Kind: page.Forbidden},
	}
}

// Routes are the addresses of the pages, for the server's table.
func (p *Pages) Routes() []server.Page {
	route := func(method, path string, handle room.Handler) server.Page {
		return p.cfg.Room.Route(method, path, scope.Improve, handle)
	}
	return []server.Page{
		route(http.MethodGet, page.ReadinessPath, p.readiness),
		route(http.MethodPost, page.ReadinessPath, p.write),
		route(http.MethodGet, page.NetworkPath, p.network),
	}
}

// paramPeriod is the period that a page is about.
const paramPeriod = "period"

// periodOf is the period of an address, which is a calendar one, or the year that other lies in; and its
// name, as addresses have it.
func periodOf(text string, other time.Time) (period measure.Period, name string, err error) {
	if text == "" {
		start := time.Date(other.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
		period = measure.Period{Start: start, End: start.AddDate(1, 0, -1)}
	} else {
		period, err = measure.ParsePeriod(text)
	}
	if err == nil {
		name, _, err = readiness.Name(period)
	}
	if err != nil {
		err = &room.InputError{Field: paramPeriod, Why: "want a year, a quarter or a month, such as 2026-Q1"}
	}
	return period, name, err
}

// latest is the moment of the data, or now where there are none.
func (p *Pages) latest(v *room.Visit) time.Time {
	if at := p.cfg.AsOf(); !at.IsZero() {
		return at
	}
	return v.Now
}
