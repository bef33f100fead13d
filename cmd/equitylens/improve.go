package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/acting"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/exchange"
	"github.com/equitylens/equitylens/internal/incident"
	"github.com/equitylens/equitylens/internal/institution"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/internal/reviewing"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/internal/visit"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/trail"
)

// improving is what people decide, over one store: the services that the pages and the API share.
type improving struct {
	store     decisions.Store
	reviews   *review.Desk
	actions   *action.Register
	readiness *readiness.Register
	// network is nil where we coordinate nobody.
	network *network.Desk
}

// improve opens the store of decisions, which outlives everything that answers from it.
func (a *api) improve(ctx context.Context, list []measure.Definition) error {
	p := a.program
	if !hasDecisions(a.cfg) { // Which somebody should hear of who expects one to be there.
		a.logger.InfoContext(ctx, "there is no store of decisions yet, and one is made")
	}
	store, err := p.decisions(ctx, a.cfg)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, store)
	a.improving = &improving{store: store}
	a.improving.reviews, err = review.New(reviewConfig(a.cfg, review.Config{
		Records: store, Hold: a.holdEvents, Now: p.now,
	}))
	if err != nil {
		return err
	}
	a.improving.actions = p.actionRegister(store, list)
	a.improving.readiness, err = readiness.New(readiness.Config{Records: store, Now: p.now})
	if err != nil {
		return err
	}
	a.improving.network, err = p.networkDesk(a.cfg, store, a.logger)
	return err
}

// holdEvents calls use with the events of the live snapshot.
func (a *api) holdEvents(use func(review.Events) error) error {
	return a.live.Hold(func(v *live.View) error { return use(v.Facts()) })
}

// resources are the routes of the API about what people decide.
func (a *api) resources() ([]server.Resource, error) {
	m, err := mapper(a.cfg)
	if err != nil {
		return nil, err
	}
	in := a.improving
	e, err := exchange.New(exchange.Config{
		Reviews: in.reviews, Hold: a.holdEvents, Actions: in.actions, Acts: in.actions,
		Assessments: in.readiness, Figures: a.readinessData,
		Incidents: &intake{records: in.store, mapper: m, now: a.program.now},
		BaseURL:   a.url + "/fhir", Organization: a.cfg.Server.Organization, Now: a.program.now,
	})
	if err != nil {
		return nil, err
	}
	all := e.Resources()
	if in.network != nil {
		all = append(all, in.network.Resources()...)
	}
	return all, nil
}

// readinessData is what the data answer of an institution for a period.
func (a *api) readinessData(ctx context.Context, period measure.Period) (readiness.Data, error) {
	return gatherReadiness(ctx, a.improving.actions, period, a.program.now(), func(use func(readable) error) error {
		return a.live.Hold(func(v *live.View) error {
			return use(readable{v.Facts().Info, v.Definitions(), func(
				ctx context.Context, asked measure.Question,
			) (measure.Result, error) {
				return v.Answer(ctx, asked, release.Internal)
			}})
		})
	})
}

// intake takes in harm events that an incident system hands in by itself, as the source of those that
// the configuration does not name.
type intake struct {
	records incident.Records
	mapper  *mapping.Mapper
	now     func() time.Time
}

// Accept implements exchange.Incidents.
func (i *intake) Accept(ctx context.Context, by string, resource []byte) (exchange.Accepted, error) {
	in := incident.Intake{Records: i.records, By: by}
	receipt, err := in.Accept(ctx, incident.DefaultName, i.mapper, resource, i.now())
	if err != nil {
		return exchange.Accepted{}, err
	}
	return exchange.Accepted{Created: receipt.Created, Changed: receipt.Changed,
		Key: review.Key{Source: incident.DefaultName, ID: phi.New(receipt.ID)}}, nil
}

// rooms are the pages of reviews and actions, for the server's table.
func (a *api) rooms(
	desk *visit.Desk, pages *page.Pages, events audit.Builder, auditor *trail.Trail,
) ([]server.Page, error) {
	r, err := room.New(room.Config{
		Gate: desk, Pages: pages, Audit: events, Auditor: auditor, Network: hasNetwork(a.cfg),
		Faults: append(acting.Faults(), institution.Faults()...), Now: a.program.now, Logger: a.logger,
	})
	if err != nil {
		return nil, err
	}
	in := a.improving
	reviews, err := reviewing.New(reviewing.Config{
		Room: r, Desk: in.reviews, Hold: a.holdEvents,
		TwoPerson: a.cfg.Reviews.TwoPerson != "" && a.cfg.Reviews.TwoPerson != config.NoTwoPerson,
	})
	if err != nil {
		return nil, fmt.Errorf("make the pages of reviews: %w", err)
	}
	actions, err := acting.New(acting.Config{
		Room: r, Register: in.actions, Bundle: a.evidenceBundle, Software: a.program.version,
		Hold: func(use func(acting.Snapshot) error) error {
			return a.live.Hold(func(v *live.View) error { return use(v) })
		},
	})
	if err != nil {
		return nil, fmt.Errorf("make the pages of actions: %w", err)
	}
	whole, err := a.institution(r)
	if err != nil {
		return nil, fmt.Errorf("make the pages of the institution: %w", err)
	}
	return slices.Concat(reviews.Routes(), actions.Routes(), whole.Routes()), nil
}

// institution are the pages of the self-assessment and of the network.
func (a *api) institution(r *room.Room) (*institution.Pages, error) {
	list, err := definitions(a.cfg)
	if err != nil {
		return nil, err
	}
	in := a.improving
	cfg := institution.Config{
		Room: r, Register: in.readiness, Figures: a.readinessData, AsOf: a.dataAsOf, Definitions: list,
		Logger: a.logger,
	}
	switch {
	case in.network != nil:
		cfg.Coordinated = func(ctx context.Context, p measure.Period) (network.Overview, error) {
			return in.network.Overview(ctx, p, network.Viewer{Coordinator: true}, network.UsualDimensions()...)
		}
	case a.cfg.Network.Coordinator.URL != "":
		cfg.Fetched = func(ctx context.Context, p measure.Period) (network.Overview, error) {
			name, _, err := readiness.Name(p)
			if err != nil {
				return network.Overview{}, err
			}
			return a.program.fetchOverview(ctx, a.cfg, networkFlags{period: name, by: network.UsualDimensions()})
		}
	}
	return institution.New(cfg)
}

// dataAsOf is the moment of the data of the live snapshot; zero where there is none.
func (a *api) dataAsOf() (at time.Time) {
	_ = a.live.Hold(func(v *live.View) error { // Without a snapshot there is no such moment.
		at = v.Facts().Info.DataAsOf
		return nil
	})
	return at
}

// hasNetwork reports whether there is anything to show of a network.
func hasNetwork(cfg *config.Config) bool {
	return len(cfg.Network.Members) > 0 || cfg.Network.Coordinator.URL != ""
}
