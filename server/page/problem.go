package page

import (
	"net/http"

	"github.com/equitylens/equitylens/server/words"
)

// Kind says what went wrong, as far as a reader can do something about it.
type Kind string

// The kinds of problems.
const (
	// BadRequest: what was sent is no request that means anything.
	BadRequest Kind = "bad-request"
	// Ended: there is no session, or it has ended.
	Ended Kind = "signed-out"
	// Forbidden: the person has no role that allows it.
	Forbidden Kind = "forbidden"
	// NotFound: there is no such page.
	NotFound Kind = "not-found"
	// UnknownEHR: a launch came from an issuer that is not registered.
	UnknownEHR Kind = "unknown-ehr"
	// Launch: a launch or a sign-in could not be completed.
	Launch Kind = "launch"
	// Declined: the EHR refused a launch, or its user did.
	Declined Kind = "declined"
	// EHR: the EHR did not answer, or gave no answer that can be used.
	EHR Kind = "ehr"
	// Client: an authorization request came from a program that is not registered, or would lead to an
	// address that is not.
	Client Kind = "client"
	// Conflict: somebody else has changed in the meantime what a form was about.
	Conflict Kind = "conflict"
	// TooLarge: more was sent than is read.
	TooLarge Kind = "too-large"
	// Busy: there were too many requests, of this caller or of all.
	Busy Kind = "busy"
	// NoData: nothing has been pulled from the EHR yet.
	NoData Kind = "no-data"
	// NotPublic: what was asked for is not part of what is made public.
	NotPublic Kind = "not-public"
	// Internal: the fault is ours.
	Internal Kind = "internal"
)

// Kinds lists the kinds of problems.
func Kinds() []Kind {
	return []Kind{
		BadRequest, Ended, Forbidden, NotFound, UnknownEHR, Launch, Declined, EHR, Client, Conflict,
		TooLarge, Busy, NoData, NotPublic, Internal,
	}
}

// Problem is a page about something that went wrong.
type Problem struct {
	Kind Kind
	// Reference finds the request in the log; "" leaves it out.
	Reference string
	// Detail is a sentence in English for those who set up a program. It may be shown to anybody, so it
	// holds nothing from inside; "" leaves it out.
	Detail string
	// Again is where to try again; "" leaves the link out.
	Again string
	// FrameAncestors are the origins that may show the page in a frame: those of the registered EHRs,
	// where a launch fails; none elsewhere.
	FrameAncestors []string
}

// KindOf returns the kind of an error that an authorization endpoint shows rather than sends on, by its
// status and its code of RFC 6749.
func KindOf(status int, code string) Kind {
	switch code {
	case "access_denied":
		return Forbidden
	case "invalid_client", "unauthorized_client":
		return Client
	case "server_error":
		return Internal
	case "temporarily_unavailable":
		return Busy
	case "login_required":
		return Ended
	}
	switch {
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return NotFound
	case status == http.StatusUnauthorized:
		return Ended
	case status == http.StatusForbidden:
		return Forbidden
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return Busy
	case status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		return EHR
	case status >= http.StatusInternalServerError:
		return Internal
	}
	return BadRequest
}

// Problem writes what happened and what to do, without a word about the inside.
func (p *Pages) Problem(w http.ResponseWriter, r *http.Request, status int, problem Problem) {
	key := "problem." + string(problem.Kind)
	if !p.editions[0].words.Has(key + ".title") {
		key = "problem." + string(Internal)
	}
	p.send(w, r, status, sheet{
		name:   "problem",
		policy: policy{ancestors: problem.FrameAncestors},
		title:  func(w *voice) string { return w.Say(key + ".title") },
		page: func(w *voice) any {
			return struct{ Title, Happened, Do, Reference, Detail, Again string }{
				Title: w.Say(key + ".title"), Happened: w.Say(key + ".happened"), Do: w.Say(key + ".do"),
				Reference: words.Plain(problem.Reference), Detail: words.Plain(problem.Detail), Again: problem.Again,
			}
		},
	})
}
