package room

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// Visit is one request of somebody who has signed in and may see the page. It is used by one goroutine.
type Visit struct {
	Request *http.Request
	Person  session.Person
	// Words are those of the reader's language.
	Words *words.Words
	Now   time.Time

	room     *Room
	writer   http.ResponseWriter
	agent    audit.Agent
	may      scope.Set
	outcome  audit.Outcome
	deed     Deed
	patients []phi.ID
	details  []audit.Detail
}

// Deed is what a form did.
type Deed struct {
	// Code says what was done, in one word with hyphens; Display in a few.
	Code, Display string
	// Resource is what it was done to, as Type/id of the API; Version the one that came of it, if any.
	Resource string
	Version  int
}

// Context is that of the request.
func (v *Visit) Context() context.Context { return v.Request.Context() }

// May reports whether the roles of the reader cover a scope; everybody may "".
func (v *Visit) May(need string) bool { return covers(v.may, need) }

// Who is the reader as reviews and actions know them: the pseudonym of the audit trail, and a name for
// colleagues.
func (v *Visit) Who() review.Reviewer {
	return review.Reviewer{Subject: v.agent.Subject, Name: v.agent.Name}
}

// Path returns what stands at a place of the path.
func (v *Visit) Path(name string) string { return v.Request.PathValue(name) }

// About says whose record is shown or changed: the audit trail names them.
func (v *Visit) About(patients ...phi.ID) {
	for _, id := range patients {
		if !id.Empty() && !slices.Contains(v.patients, id) {
			v.patients = append(v.patients, id)
		}
	}
}

// Detail is written into the trail beside the visit. It names nobody.
func (v *Visit) Detail(name, value string) {
	v.details = append(v.details, audit.Detail{Name: name, Value: value})
}

// Did says what a form is about, as early as that is known, and what came of it.
func (v *Visit) Did(d Deed) { v.deed = d }

// Refused says that a form was answered without having done what it asks for, in words that name nobody.
func (v *Visit) Refused(words string) {
	v.outcome = audit.Outcome{Grade: audit.Refused, Words: words}
}

// changes reports whether the visit may change something.
func (v *Visit) changes() bool {
	return v.Request.Method != http.MethodGet && v.Request.Method != http.MethodHead
}

// reference is the id of the request.
func (v *Visit) reference() string { return v.writer.Header().Get(requestID) }

// paramLanguage is by which an address asks for a language, and languageTag what one can be called.
const paramLanguage = "lang"

var languageTag = regexp.MustCompile(`^[A-Za-z0-9-]{1,35}$`)

// To writes the address of a page of ours, in the language that this address asks for.
func (v *Visit) To(path string, query url.Values) string {
	out := url.Values{}
	for name, values := range query {
		if kept := slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "" }); len(kept) > 0 {
			out[name] = kept
		}
	}
	if lang := v.Request.URL.Query().Get(paramLanguage); languageTag.MatchString(lang) {
		out.Set(paramLanguage, lang)
	}
	if q := out.Encode(); q != "" {
		return path + "?" + q
	}
	return path
}

// longestQuery bounds the parameters of an address, in bytes.
const longestQuery = 4 << 10

// Query reads the parameters of the address, of which only those are known that are named, and the
// language. One that is there twice is refused unless its name ends in an asterisk among the known.
func (v *Visit) Query(known ...string) (url.Values, error) {
	if len(v.Request.URL.RawQuery) > longestQuery {
		return nil, &InputError{Why: fmt.Sprintf("the address is longer than %d bytes", longestQuery)}
	}
	all, err := url.ParseQuery(v.Request.URL.RawQuery)
	if err != nil {
		return nil, &InputError{Why: "the parameters of the address cannot be read"}
	}
	out := url.Values{}
	for name, values := range all {
		switch {
		case slices.Contains(known, name+"*"), slices.Contains(known, name) && len(values) == 1:
			out[name] = values
		case slices.Contains(known, name):
			return nil, &InputError{Field: name, Why: "stands in the address twice"}
		case name != paramLanguage:
			return nil, &InputError{Why: "the address has a parameter that the page does not know"}
		}
	}
	return out, nil
}

// See leads to a page, after a form.
func See(address string) Show {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", address)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusSeeOther)
	}
}

// figures is what somebody needs who sees figures.
const figures = "user/MeasureReport.rs"

// Board is what a page has in common with all others. Here is the path of the place that it belongs to.
func (v *Visit) Board(title, here string) page.Board {
	places := page.Places{
		Figures: v.May(figures), Data: v.May(figures) || v.May(scope.Sync), Reviews: v.May(scope.Review),
		Improve: v.May(scope.Improve), Network: v.room.cfg.Network,
	}
	to := func(path string) string { return v.To(path, nil) }
	return page.Board{Title: title, Nav: places.Nav(v.Words, here, to)}
}
