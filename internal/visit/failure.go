package visit

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/cache"
)

// errNoRole means that somebody proved who they are and may do nothing here.
var errNoRole = errors.New("visit: the person has no role")

// errNoPatient means that an EHR launched the page without a patient.
var errNoPatient = errors.New("visit: the launch names no patient")

// failures is what becomes of an error: the first that it is decides. None of them is told to the browser
// in more words than those of the page.
var failures = []struct {
	is     error
	status int
	kind   page.Kind
	grade  audit.Grade
}{
	// Our own store: it stands first, because a server of others that cannot be asked is another matter.
	{cache.ErrUnavailable, http.StatusServiceUnavailable, page.Busy, audit.Failed},
	{cache.ErrFull, http.StatusServiceUnavailable, page.Busy, audit.Failed},
	{bedside.ErrToken, http.StatusUnauthorized, page.Ended, audit.Refused},
	{session.ErrNone, http.StatusUnauthorized, page.Ended, audit.Refused},
	{errNoRole, http.StatusForbidden, page.Forbidden, audit.Refused},
	{errNoPatient, http.StatusBadRequest, page.Launch, audit.Refused},
	{smart.ErrUnknownIssuer, http.StatusForbidden, page.UnknownEHR, audit.Refused},
	{smart.ErrUnknownTenant, http.StatusNotFound, page.NotFound, audit.Refused},
	{smart.ErrRequest, http.StatusBadRequest, page.BadRequest, audit.Refused},
	{smart.ErrState, http.StatusBadRequest, page.Launch, audit.Refused},
	{smart.ErrDenied, http.StatusForbidden, page.Declined, audit.Refused},
	{smart.ErrIdentity, http.StatusForbidden, page.Launch, audit.Refused},
	{smart.ErrUnavailable, http.StatusBadGateway, page.EHR, audit.Failed},
	{smart.ErrDiscovery, http.StatusBadGateway, page.EHR, audit.Failed},
	{smart.ErrAnswer, http.StatusBadGateway, page.EHR, audit.Failed},
	{bedside.ErrRefused, http.StatusForbidden, page.Declined, audit.Refused},
	{bedside.ErrNoPatient, http.StatusNotFound, page.EHR, audit.Refused},
	{bedside.ErrOtherPatient, http.StatusBadGateway, page.EHR, audit.Failed},
	{bedside.ErrUnavailable, http.StatusBadGateway, page.EHR, audit.Failed},
	{bedside.ErrUnreadable, http.StatusBadGateway, page.EHR, audit.Failed},
}

// judge returns what becomes of an error; what is not in the table is a fault of ours.
func judge(err error) (status int, kind page.Kind, grade audit.Grade) {
	for _, f := range failures {
		if errors.Is(err, f.is) {
			return f.status, f.kind, f.grade
		}
	}
	return http.StatusInternalServerError, page.Internal, audit.Failed
}

// fail shows what happened. Ancestors may show the page in a frame; again is where to try again.
func (d *Desk) fail(
	w http.ResponseWriter, r *http.Request, what string, err error, ancestors []string, again string,
) {
	status, kind, _ := judge(err)
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	d.cfg.Logger.LogAttrs(r.Context(), level, what, slog.String("request_id", reference(w)),
		slog.String("kind", string(kind)), slog.Any("cause", err))
	d.cfg.Pages.Problem(w, r, status, page.Problem{
		Kind: kind, Reference: reference(w), FrameAncestors: ancestors, Again: again,
	})
}

// outcomeOf is an error in the audit trail.
func outcomeOf(err error) audit.Outcome {
	if err == nil {
		return audit.Outcome{}
	}
	_, kind, grade := judge(err)
	return audit.Outcome{Grade: grade, Words: string(kind)}
}
