package room

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/decisions"
)

var (
	// ErrForbidden says that somebody has signed in, and that their roles do not open what they ask for.
	ErrForbidden = errors.New("their roles do not open it")
	// ErrNotFound says that there is no such page.
	ErrNotFound = errors.New("there is no such page")
)

// InputError is an address or a form that means nothing here. What it says may be shown to anybody: it
// repeats nothing of what was sent.
type InputError struct {
	// Field is the name of the field or of the parameter, one of those that the page knows; "" is none.
	Field string
	Why   string
}

// Error implements error.
func (e *InputError) Error() string {
	if e.Field == "" {
		return e.Why
	}
	return e.Field + ": " + e.Why
}

// Fault is what becomes of an error: an answer with a status, and a page of a kind.
type Fault struct {
	Is     error
	Status int
	Kind   page.Kind
}

// faults is what becomes of the errors of this package and of what lies below the pages: the first that
// an error is decides.
func faults() []Fault {
	return []Fault{
		{ErrForbidden, http.StatusForbidden, page.Forbidden},
		{ErrNotFound, http.StatusNotFound, page.NotFound},
		{decisions.ErrNotFound, http.StatusNotFound, page.NotFound},
		{decisions.ErrConflict, http.StatusConflict, page.Conflict},
		{decisions.ErrSchema, http.StatusServiceUnavailable, page.Busy},
		{measure.ErrNoSnapshot, http.StatusServiceUnavailable, page.NoData},
		{context.DeadlineExceeded, http.StatusServiceUnavailable, page.Busy},
	}
}

// judge returns what becomes of an error; what is in no table is a fault of ours.
func (m *Room) judge(err error) (int, page.Kind) {
	for _, table := range [][]Fault{m.cfg.Faults, faults()} {
		for _, f := range table {
			if errors.Is(err, f.Is) {
				return f.Status, f.Kind
			}
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return http.StatusRequestEntityTooLarge, page.TooLarge
	}
	var input *InputError
	if errors.As(err, &input) {
		return http.StatusBadRequest, page.BadRequest
	}
	return http.StatusInternalServerError, page.Internal
}

// fail shows what went wrong. The cause of what is our fault is logged and stays here.
func (m *Room) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // Nobody is there to be told.
	}
	status, kind := m.judge(err)
	p := page.Problem{Kind: kind, Reference: w.Header().Get(requestID)}
	var input *InputError
	switch {
	case errors.As(err, &input):
		p.Detail = words.Plain(input.Error())
	case status >= http.StatusInternalServerError:
		m.cfg.Logger.ErrorContext(r.Context(), "a page was not made",
			slog.String("request_id", p.Reference), slog.Any("cause", err))
	}
	if kind != page.Forbidden && kind != page.NotFound {
		p.Again = r.URL.RequestURI()
	}
	m.cfg.Pages.Problem(w, r, status, p)
}
