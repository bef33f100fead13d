package bedside

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/client"
	"github.com/equitylens/equitylens/internal/dial"
	"github.com/equitylens/equitylens/internal/phi"
)

// inquiry is the reading of one chart.
type inquiry struct {
	*Reader
	access Access
	base   *url.URL
	client *http.Client
}

// inquire checks all that can be checked before anything is sent.
func (r *Reader) inquire(a Access) (*inquiry, error) {
	base, err := parseBase(a.BaseURL, a.AllowLoopback)
	if err != nil {
		return nil, err
	}
	if !usableID(a.Patient) {
		return nil, ErrNoPatient
	}
	if !allows(a.Scopes, "Patient", scope.Read) {
		return nil, fmt.Errorf("read Patient: %w: no scope covers it", ErrRefused)
	}
	to := line{
		loopback: a.AllowLoopback && dial.LoopbackName(base.Hostname()),
		private:  a.AllowPrivateNetworks, roots: a.RootCAs,
	}
	return &inquiry{Reader: r, access: a, base: base, client: r.lines.of(to)}, nil
}

// maxID is four times what R4 allows: some EHRs exceed 64.
const maxID = 256

// usableID reports whether an id of a launch context can be part of a path.
func usableID(id phi.ID) bool {
	text := id.Reveal()
	if text == "" || len(text) > maxID || text == "." || text == ".." {
		return false
	}
	return strings.IndexFunc(text, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune(`/\?#|%`, c)
	}) < 0
}

// allows reports whether the person behind the token may do actions on a type, in this chart or in
// any.
func allows(have scope.Set, kind string, actions scope.Actions) bool {
	for _, context := range []scope.Context{scope.Patient, scope.User} {
		if have.Covers(scope.Scope{Context: context, Type: kind, Actions: actions}) {
			return true
		}
	}
	return false
}

// address is base/type or base/type/id.
func (q *inquiry) address(kind string, id phi.ID) *url.URL {
	u := *q.base
	u.Path += "/" + kind
	if !id.Empty() {
		u.Path += "/" + id.Reveal()
	}
	return &u
}

// kindOf puts the failure of a type into the words of a notice.
func kindOf(err error) NoticeKind {
	var refused *refusal
	if !errors.As(err, &refused) {
		return Unreachable
	}
	switch refused.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return NoPermission
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusNotAcceptable, http.StatusGone, http.StatusUnprocessableEntity,
		http.StatusNotImplemented:
		return NotOffered
	}
	return Unreachable
}

// errorOf puts the failure to read one resource into the errors of this package. absent is what it
// means that the EHR does not have it.
func errorOf(err, absent error) error {
	var refused *refusal
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.status {
	case http.StatusUnauthorized:
		return fmt.Errorf("%w: %w", ErrRefused, ErrToken)
	case http.StatusForbidden:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case http.StatusNotFound, http.StatusGone:
		return absent
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// log tells the operator about a type that could not be read, unless nobody waits for it any more.
func (q *inquiry) log(ctx context.Context, kind string, err error) {
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return
	}
	q.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "a resource type of the chart could not be read",
		slog.String("tenant", q.access.Tenant), slog.String("resource", kind),
		slog.String("error", err.Error()))
}

// bundle is the part of a searchset that is read.
type bundle struct {
	ResourceType string `json:"resourceType"`
	Link         []struct {
		Relation string `json:"relation"`
		URL      string `json:"url"`
	} `json:"link"`
	Entry []struct {
		Resource json.RawMessage `json:"resource"`
		Search   struct {
			Mode string `json:"mode"`
		} `json:"search"`
	} `json:"entry"`
}

// found is how a search ended.
type found struct {
	// left says that the EHR holds more pages than were read.
	left bool
	// hidden says that the EHR itself left something out for want of permission.
	hidden bool
	// begun says that a page at least was read before err.
	begun bool
	err   error
}

// note is what the end of a search means to the view.
func (f found) note(ctx context.Context, q *inquiry, kind string, into notices) {
	if f.hidden {
		into.add(NoPermission, kind, 0)
	}
	if f.err == nil {
		return
	}
	notice := kindOf(f.err)
	if f.begun {
		notice = Unreachable // It was offered and allowed a moment ago.
	}
	into.add(notice, kind, 0)
	q.log(ctx, kind, f.err)
}

// search asks for the resources of one type in the first of several ways that the EHR understands,
// and hands over page after page until use has enough or maxPages are read. What ways differ in is
// which parameters an EHR knows; one that it does not know is answered 400 by strict servers.
func (q *inquiry) search(
	ctx context.Context, kind string, ways []url.Values, use func([]json.RawMessage) (enough bool),
) (out found) {
	var page bundle
	var at *url.URL
	for _, way := range ways {
		at = q.address(kind, phi.ID{})
		at.RawQuery = way.Encode()
		page, out.err = q.page(ctx, at)
		var refused *refusal
		if !errors.As(out.err, &refused) || refused.status != http.StatusBadRequest &&
			refused.status != http.StatusUnprocessableEntity {
			break
		}
	}
	for read := 1; out.err == nil; read++ {
		out.begun = true
		matches, hidden := page.matches(kind)
		out.hidden = out.hidden || hidden
		enough := use(matches)
		next := page.next(at)
		if next == nil {
			return out
		}
		// A next link to another origin, or back to this page, is one that cannot be followed.
		if enough || read == maxPages || dial.Origin(next) != dial.Origin(q.base) || *next == *at {
			out.left = true
			return out
		}
		at = next
		page, out.err = q.page(ctx, at)
	}
	return out
}

// maxPages bounds a search. With pageSize it is more encounters than all but a few patients have.
const (
	maxPages = 8
	pageSize = 50
)

// page reads one page of a search.
func (q *inquiry) page(ctx context.Context, at *url.URL) (page bundle, err error) {
	body, err := q.get(ctx, at, maxPage)
	if err != nil {
		return bundle{}, err
	}
	if json.Unmarshal(body, &page) != nil || page.ResourceType != "Bundle" {
		return bundle{}, fmt.Errorf("%w: not with a Bundle", ErrUnavailable)
	}
	return page, nil
}

// matches are the resources that were asked for. hidden says that an OperationOutcome among them
// speaks of something withheld: some EHRs answer a person without the right with 200 and no more
// than that.
func (b bundle) matches(kind string) (out []json.RawMessage, hidden bool) {
	for _, entry := range b.Entry {
		var head struct {
			ResourceType string `json:"resourceType"`
		}
		_ = json.Unmarshal(entry.Resource, &head) // What is no object has no type.
		switch {
		case head.ResourceType == "OperationOutcome":
			issues, _ := client.ParseOutcome(entry.Resource)
			hidden = hidden || withheld(issues)
		case entry.Search.Mode == "include" || head.ResourceType != kind:
		default:
			out = append(out, entry.Resource)
		}
	}
	return out, hidden
}

// withheld looks for the issue codes of http://hl7.org/fhir/R4/codesystem-issue-type.html that mean
// that there is something, and that this person may not see it.
func withheld(issues []client.Issue) bool {
	for _, issue := range issues {
		switch issue.Code {
		case "security", "login", "forbidden", "suppressed":
			return true
		}
	}
	return false
}

// next is the address of the next page; nil if there is none.
func (b bundle) next(at *url.URL) *url.URL {
	for _, l := range b.Link {
		if l.Relation != "next" || l.URL == "" {
			continue
		}
		ref, err := url.Parse(l.URL)
		if err != nil {
			return &url.URL{} // It is there, and of no origin.
		}
		return at.ResolveReference(ref)
	}
	return nil
}

// ways are the searches for what is about one patient, the best first: by what value which
// parameter names the patient, sorted and in pages where the EHR can do that.
func ways(patients ...[2]string) []url.Values {
	first := url.Values{"_sort": {"-date"}, "_count": {strconv.Itoa(pageSize)}}
	first.Set(patients[0][0], patients[0][1])
	out := []url.Values{first}
	for _, p := range patients {
		out = append(out, url.Values{p[0]: {p[1]}})
	}
	return out
}
