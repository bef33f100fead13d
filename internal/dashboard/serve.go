package dashboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// errNotFound says that there is no such measure, rate or file.
var errNotFound = errors.New("there is no such page")

// errForbidden says that somebody has signed in, and that their roles do not open what they ask for.
var errForbidden = errors.New("their roles do not open it")

// errBusy says that too much is open at once.
var errBusy = errors.New("too many are open")

// rights are what the roles of somebody open here.
type rights struct {
	// Figures are the measures and their reports; Small those of small groups as well.
	Figures, Small bool
	// Sync is to run the sync, and to see what came of it.
	Sync bool
	// Review is to review harm events, Improve to keep actions: pages of others, to which these lead.
	Review, Improve bool
}

func rightsOf(roles []role.Role) rights {
	set := role.Scopes(roles...)
	covers := func(text string) bool {
		need, err := scope.Parse(text)
		return err == nil && set.Covers(need)
	}
	return rights{
		Figures: covers("user/MeasureReport.rs"), Small: covers(scope.Unsuppressed), Sync: covers(scope.Sync),
		Review: covers(scope.Review), Improve: covers(scope.Improve),
	}
}

// visit is one request of somebody who may see the page, while one snapshot is held.
type visit struct {
	address
	rights   rights
	snapshot Snapshot
	words    *words.Words
	tell     *figure.Teller
	// name is what stands in the path, such as the id of a measure.
	name string
	// stale says that the data are older than they should be.
	stale bool
	// network says that there is a page about a network.
	network bool
	// software is the version of the program.
	software string
	// calendar remembers the span of the data; nil asks for it each time.
	calendar *calendar
}

// key names the answer: of equal keys it is the same.
func (v *visit) key() string {
	return fmt.Sprintf("%s\n%v\n%v\n%t\n%s", v.snapshot.ID(), v.words.Tag(), v.rights, v.stale, v.address)
}

// sheet is a page before it is written, and all that its files are made of.
type sheet struct {
	figures []figure.Figure
	// results are what was counted, gaps what was found in it.
	results []measure.Result
	gaps    []gap.Gap
	// page writes the page.
	page func(w http.ResponseWriter, r *http.Request)
	// extra are files of the page that are made of something else, by their names.
	extra map[string]func() ([]byte, error)
	// passing says that the page tells of something that goes on, and so is not kept.
	passing bool
}

// builder makes a page of one kind.
type builder struct {
	// params are the parameters that the page knows beside those of all.
	params []string
	// open reports whether somebody may see it.
	open func(rights) bool
	make func(ctx context.Context, v *visit) (*sheet, error)
	// moves is what the page tells of beside the snapshot: of equal texts it tells the same. Nil is
	// nothing.
	moves func(ctx context.Context) string
}

// page serves the pages of a builder.
func (d *Dashboard) page(b builder) http.Handler {
	return d.serve(b, func(r *http.Request, _ *visit, s *sheet) (*written, error) {
		return writePage(r, s)
	})
}

// answering makes the answer of a sheet.
type answering func(r *http.Request, v *visit, s *sheet) (*written, error)

// serve answers those who may see what a builder makes.
func (d *Dashboard) serve(b builder, answer answering) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.cfg.Gate.Signed(w, r, func(s session.Session) {
			may, first := rightsOf(s.Person.Roles), r.URL.Path == OverviewPath
			switch {
			case first && !b.open(may) && may.Sync: // Who runs the sync has one page here.
				http.Redirect(w, r, QualityPath, http.StatusSeeOther)
				return
			case first && !b.open(may):
				d.cfg.Gate.Home(w, r)
				return
			}
			var made *written
			err := errForbidden
			if b.open(may) {
				made, err = d.answer(b, answer, r, may, s.ID)
			}
			if noted := d.note(w, r, s.Person, err); noted != nil {
				made, err = nil, noted
			}
			// A coordinator may have no data of its own.
			if first && errors.Is(err, measure.ErrNoSnapshot) && d.cfg.Network && may.Improve {
				http.Redirect(w, r, page.NetworkPath, http.StatusSeeOther)
				return
			}
			if err != nil {
				d.fail(w, r, err)
				return
			}
			made.send(w, r)
		})
	})
}

// answer finds the answer to a request, or makes it in the turn of a session.
func (d *Dashboard) answer(
	b builder, answer answering, r *http.Request, may rights, session string,
) (made *written, err error) {
	a, err := readAddress(r.URL.Path, r.URL.Query(), b.params...)
	if err != nil {
		return nil, err
	}
	if a.Audience == "" || !may.Small {
		a.Audience = release.Internal
		if !may.Small {
			a.Audience = release.Public
		}
	}
	ctx := r.Context()
	var key string
	err = d.cfg.Hold(func(snapshot Snapshot) error {
		key = b.key(ctx, d.visit(r, snapshot, a, may))
		made = d.kept.get(key)
		return nil
	})
	if err != nil || made != nil {
		return made, err
	}
	return d.kept.flights.do(ctx, key, func(ctx context.Context) (*written, error) {
		ctx, cancel := context.WithTimeout(ctx, longestMaking)
		defer cancel()
		leave, err := d.kept.line.enter(ctx, session)
		if err != nil {
			return nil, err
		}
		defer leave()
		return d.make(b, answer, r.WithContext(ctx), a, may)
	})
}

// longestMaking bounds the making of one answer, with the wait for its turn.
const longestMaking = time.Minute

// make makes the answer to a request from the snapshot that is live then, and keeps it.
func (d *Dashboard) make(
	b builder, answer answering, r *http.Request, a address, may rights,
) (made *written, err error) {
	ctx := r.Context()
	err = d.cfg.Hold(func(snapshot Snapshot) error {
		v := d.visit(r, snapshot, a, may)
		key := b.key(ctx, v) // Before the builder settles what the address leaves open.
		if made = d.kept.get(key); made != nil {
			return nil
		}
		s, err := b.make(ctx, v)
		if err != nil {
			return err
		}
		if made, err = answer(r, v, s); err != nil {
			return err
		}
		if !s.passing {
			d.kept.put(key, made)
		}
		return nil
	})
	return made, err
}

// visit is a request while a snapshot is held.
func (d *Dashboard) visit(r *http.Request, snapshot Snapshot, a address, may rights) *visit {
	said := d.cfg.Pages.Words(r)
	return &visit{
		address: a, rights: may, snapshot: snapshot, words: said, tell: figure.New(said),
		name:  r.PathValue(measureName),
		stale: d.cfg.Now().Sub(snapshot.Facts().Info.DataAsOf) > d.cfg.StaleAfter, software: d.cfg.Software,
		network:  d.cfg.Network,
		calendar: &d.calendar,
	}
}

// key names the answer to a visit: of equal keys it is the same.
func (b builder) key(ctx context.Context, v *visit) string {
	key := v.key()
	if b.moves != nil {
		key += "\n" + b.moves(ctx)
	}
	return key
}

// writePage writes the page of a sheet as it goes out.
func writePage(r *http.Request, s *sheet) (*written, error) {
	var out buffer
	s.page(&out, r)
	if out.status != http.StatusOK {
		return nil, fmt.Errorf("write a page: status %d", out.status)
	}
	made := &written{header: out.header, body: out.body.Bytes()}
	return made, made.zip()
}

// buffer is a ResponseWriter that keeps what is written.
type buffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (b *buffer) Header() http.Header {
	if b.header == nil {
		b.header = http.Header{}
	}
	return b.header
}

// WriteHeader implements http.ResponseWriter.
func (b *buffer) WriteHeader(status int) { b.status = status }

// Write implements http.ResponseWriter.
func (b *buffer) Write(text []byte) (int, error) { return b.body.Write(text) }

// requestID is the header with the id of a request, by which log, trail and page find each other.
const requestID = "X-Request-Id"

// note writes into the trail who looked at what, before they see it.
func (d *Dashboard) note(w http.ResponseWriter, r *http.Request, who session.Person, fault error) error {
	outcome := audit.Outcome{}
	if fault != nil {
		status := statusOf(fault)
		outcome = audit.Outcome{Grade: audit.Refused, Words: http.StatusText(status)}
		if status >= http.StatusInternalServerError {
			outcome.Grade = audit.Failed
		}
	}
	query := strings.TrimPrefix(r.URL.Path, "/")
	if r.URL.RawQuery != "" {
		query += "?" + r.URL.RawQuery
	}
	event, err := d.forms.event(d.cfg.Audit, audit.Access{
		Agent: d.cfg.Gate.Agent(r, who), Outcome: outcome, Interaction: audit.Search, Query: query,
		Request: w.Header().Get(requestID),
		Details: []audit.Detail{{Name: "route", Value: "dashboard"}},
	})
	if err == nil {
		err = d.cfg.Auditor.Note(context.WithoutCancel(r.Context()), event)
	}
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// statusOf is the status of a fault.
func statusOf(err error) int {
	switch {
	case errors.Is(err, errAddress), errors.Is(err, measure.ErrUnknownDimension),
		errors.Is(err, measure.ErrUnknownFilter), errors.Is(err, measure.ErrOverlapping),
		errors.Is(err, gap.ErrNoReference):
		return http.StatusBadRequest
	case errors.Is(err, errNotFound), errors.Is(err, measure.ErrUnknownMeasure),
		errors.Is(err, measure.ErrNotImported), errors.Is(err, gap.ErrUnknownRate):
		return http.StatusNotFound
	case errors.Is(err, server.ErrNotPublic), errors.Is(err, errForbidden):
		return http.StatusForbidden
	case errors.Is(err, errBusy):
		return http.StatusTooManyRequests
	case errors.Is(err, measure.ErrNoSnapshot), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// fail shows what went wrong. The cause of what is our fault is logged and stays here.
func (d *Dashboard) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // Nobody is there to be told.
	}
	status := statusOf(err)
	p := page.Problem{Reference: w.Header().Get(requestID), Again: OverviewPath}
	switch status {
	case http.StatusBadRequest:
		p.Kind = page.BadRequest
		if errors.Is(err, errAddress) {
			p.Detail = err.Error()
		}
	case http.StatusNotFound:
		p.Kind = page.NotFound
	case http.StatusForbidden:
		p.Kind, p.Detail = page.NotPublic, err.Error()
		if errors.Is(err, errForbidden) {
			p = page.Problem{Kind: page.Forbidden}
		}
	case http.StatusTooManyRequests:
		p.Kind = page.Busy
		w.Header().Set("Retry-After", "1")
	case http.StatusServiceUnavailable:
		p.Kind, p.Again = page.NoData, ""
		if errors.Is(err, context.DeadlineExceeded) {
			p.Kind = page.Busy
		}
	default:
		p.Kind = page.Internal
		d.cfg.Logger.ErrorContext(r.Context(), "a page of the dashboard was not made", slog.Any("cause", err))
	}
	d.problem(w, r, status, p)
}

func (d *Dashboard) problem(w http.ResponseWriter, r *http.Request, status int, p page.Problem) {
	d.cfg.Pages.Problem(w, r, status, p)
}
