package reviewing

import (
	"context"
	"errors"
	"net/http"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
)

// Desk is where harm events are reviewed; a *review.Desk is one.
type Desk interface {
	Cases
	Lists
}

// Cases is about one review. Its methods fail as those of review.Desk do.
type Cases interface {
	Case(ctx context.Context, id, subject string) (review.Case, error)
	History(ctx context.Context, id, subject string) ([]review.Review, error)
	Answer(ctx context.Context, id string, version int, o review.Opinion) (review.Review, error)
	Settle(ctx context.Context, id string, version int, s review.Settlement) (review.Review, error)
	Reopen(ctx context.Context, id string, version int, by review.Reviewer, reason string) (review.Review, error)
}

// Lists is about many of them.
type Lists interface {
	Survey(ctx context.Context, f review.Filter) (review.Survey, error)
	Tally(ctx context.Context, f review.Filter) (review.Tally, error)
	Clusters(ctx context.Context, f review.Filter, least int) ([]review.Cluster, error)
}

// Config is what the pages need. Room, Desk and Hold must be set.
type Config struct {
	Room *room.Room
	Desk Desk
	// Hold calls use with the events of the live snapshot, as that of review.Config does: the worklist
	// shows the groups of the patients of a page.
	Hold func(use func(review.Events) error) error
	// TwoPerson says that some events are reviewed by two people, so that their agreement is shown.
	TwoPerson bool
	// PerPage is how many reviews stand on a page of the worklist; 0 is 25.
	PerPage int
}

const defaultPerPage = 25

// Pages serves the pages of reviews. It is safe for concurrent use.
type Pages struct{ cfg Config }

// New makes the pages.
func New(cfg Config) (*Pages, error) {
	if cfg.Room == nil || cfg.Desk == nil || cfg.Hold == nil {
		return nil, errors.New("reviewing: Room, Desk and Hold are required")
	}
	if cfg.PerPage <= 0 {
		cfg.PerPage = defaultPerPage
	}
	return &Pages{cfg}, nil
}

// The addresses of the pages. A review stands below ListPath, at its id.
const (
	ListPath     = page.ReviewsPath
	ClustersPath = ListPath + "/clusters"
	CodesPath    = ListPath + "/codes"
	// newActionPath is where an action begins.
	newActionPath = page.ActionsPath + "/new"
)

// idName is the place of the path that holds the id of a review: as many hexadecimal digits as
// review.IDOf gives.
const idName = "id"

// Routes are the addresses of the pages, for the server's table.
func (p *Pages) Routes() []server.Page {
	const one = ListPath + "/{" + idName + ":[0-9a-f]{40}}"
	route := func(method, path string, handle room.Handler) server.Page {
		return p.cfg.Room.Route(method, path, scope.Review, handle)
	}
	return []server.Page{
		route(http.MethodGet, ListPath, p.worklist),
		route(http.MethodGet, ClustersPath, p.clusters),
		route(http.MethodGet, CodesPath, p.codes),
		route(http.MethodGet, one, p.show),
		route(http.MethodPost, one, p.write),
	}
}
