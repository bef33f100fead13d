package action

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/equitylens/equitylens/improvement/review"
)

// Wrong is what is wrong with a field.
type Wrong string

// What can be wrong.
const (
	// Absent: it has to be there.
	Absent Wrong = "absent"
	// TooLong: it has more than Fault.Most letters, or entries.
	TooLong Wrong = "too-long"
	// Unprintable: it holds a control character, or one that turns the direction of writing.
	Unprintable Wrong = "unprintable"
	// NoDay: it is no day such as 2026-03-01.
	NoDay Wrong = "no-day"
	// BeforeStart: it is earlier than the start.
	BeforeStart Wrong = "before-start"
	// NotOne: it is none of the values that the field may have.
	NotOne Wrong = "not-one-of"
	// Twice: a value is there twice.
	Twice Wrong = "twice"
	// NotAllowed: there may be none here.
	NotAllowed Wrong = "not-allowed"
	// NotThere: the measures that there are know nothing of it.
	NotThere Wrong = "not-there"
)

// Fault is one thing that is wrong with what was to be written. It never holds what was written there.
type Fault struct {
	// Field is the field as JSON names it: title, aim.groups, result.summary.
	Field string
	Wrong Wrong
	// Most is the bound, of TooLong.
	Most int
	// Says is what is known besides, of NotThere; in English, and free of what people wrote.
	Says string
}

// String is the fault in English.
func (f Fault) String() string {
	text := map[Wrong]string{
		Absent: "is missing", Unprintable: "holds a character that cannot be shown",
		NoDay: "is no day such as 2026-03-01", BeforeStart: "is before the start",
		NotOne: "is none of the values there are", Twice: "holds a value twice",
		NotAllowed: "may not be given here", NotThere: "is not known",
		TooLong: fmt.Sprintf("is longer than %d", f.Most),
	}[f.Wrong]
	if f.Says != "" {
		text += " (" + f.Says + ")"
	}
	return f.Field + " " + text
}

// InvalidError lists everything that is wrong.
type InvalidError struct{ Faults []Fault }

func (e *InvalidError) Error() string {
	texts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		texts[i] = f.String()
	}
	return strings.Join(texts, "; ")
}

// The bounds of what people write, in letters.
const (
	MostTitle   = 200
	MostText    = 4000
	MostOwner   = 60
	mostCode    = 64
	mostGroups  = 20
	mostSites   = 50
	mostReviews = 200
)

// checker collects faults.
type checker struct{ faults []Fault }

func (c *checker) add(field string, wrong Wrong) {
	c.faults = append(c.faults, Fault{Field: field, Wrong: wrong})
}

func (c *checker) err() error {
	if len(c.faults) == 0 {
		return nil
	}
	return &InvalidError{Faults: c.faults}
}

// text checks what somebody wrote; lines says that it may have several.
func (c *checker) text(field, text string, most int, needed, lines bool) {
	switch {
	case needed && strings.TrimSpace(text) == "":
		c.add(field, Absent)
	case utf8.RuneCountInString(text) > most:
		c.faults = append(c.faults, Fault{Field: field, Wrong: TooLong, Most: most})
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
		return unprintable(r) && (!lines || r != '\n' && r != '\r' && r != '\t')
	}):
		c.add(field, Unprintable)
	}
}

// unprintable reports control characters, those that turn the direction of writing, which can make a
// line read as another than it is, and those outside of every script.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError ||
		r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

// day checks a date; ok says that it can be compared.
func (c *checker) day(field, text string) (ok bool) {
	if t, err := time.Parse(time.DateOnly, text); err != nil || t.Year() < 1900 {
		c.add(field, NoDay)
		return false
	}
	return true
}

// token is an id of FHIR, as those of snapshots, reviews and sites are.
var token = regexp.MustCompile(`^[A-Za-z0-9\-._]{1,64}$`)

// period is the form of measure.ParsePeriod, without its meaning.
var period = regexp.MustCompile(`^[0-9Q/\-]{4,21}$`)

// tokens checks a list of ids.
func (c *checker) tokens(field string, list []string, most int) {
	switch {
	case len(list) > most:
		c.faults = append(c.faults, Fault{Field: field, Wrong: TooLong, Most: most})
	case slices.ContainsFunc(list, func(s string) bool { return !token.MatchString(s) }):
		c.add(field, NotOne)
	case repeated(list):
		c.add(field, Twice)
	}
}

func repeated(list []string) bool {
	sorted := slices.Sorted(slices.Values(list))
	return len(slices.Compact(sorted)) < len(list)
}

// one checks a code of a closed set.
func one[T cmp.Ordered](c *checker, field string, value T, of []T) {
	if !slices.Contains(of, value) {
		c.add(field, NotOne)
	}
}

// factors are the root causes that an action can address.
func factors() []review.Factor {
	return []review.Factor{review.LanguageAccess, review.DigitalAccess, review.Bias, review.Transport,
		review.Policy, review.Discrimination, review.Data, review.OtherFactor}
}

// check says everything that is wrong with an action that is about to be written.
func (r *Register) check(a *Action, who review.Reviewer) error {
	c := &checker{}
	c.text("title", a.Title, MostTitle, true, false)
	c.text("what", a.What, MostText, false, true)
	c.text("owner", a.Owner, MostOwner, true, false)
	if who.Subject == "" {
		c.add("who", Absent)
	}
	one(c, "cause", a.Cause, factors())
	one(c, "state", a.State, States())
	start, due := c.day("start", a.Start), c.day("due", a.Due)
	if start && due && a.Due < a.Start {
		c.add("due", BeforeStart)
	}
	c.finding(a.Finding)
	c.aim(a.Aim, r.c.CheckAim)
	c.result(a)
	return c.err()
}

// finding checks what an action answers: a cluster is of reviews, all else of a figure.
func (c *checker) finding(f Finding) {
	one(c, "finding.kind", f.Kind, FindingKinds())
	if f.Snapshot != "" && !token.MatchString(f.Snapshot) {
		c.add("finding.snapshot", NotOne)
	}
	if f.Period != "" && !period.MatchString(f.Period) {
		c.add("finding.period", NotOne)
	}
	c.tokens("finding.reviews", f.Reviews, mostReviews)
	switch {
	case f.Kind == Cluster && len(f.Reviews) == 0:
		c.add("finding.reviews", Absent)
	case f.Kind != Cluster && len(f.Reviews) > 0:
		c.add("finding.reviews", NotAllowed)
	}
}

// aim checks which figure is to be moved. What the measures know of it is asked only of an aim that
// is whole.
func (c *checker) aim(a Aim, known func(Aim) error) {
	before := len(c.faults)
	for _, f := range []struct {
		field, value string
		needed       bool
	}{
		{"aim.measure", a.Measure, true}, {"aim.rate", a.Rate, false},
		{"aim.dimension", a.Dimension, true}, {"aim.reference", a.Reference, false},
	} {
		c.text(f.field, f.value, mostCode, f.needed, false)
	}
	for _, code := range a.Groups {
		c.text("aim.groups", code, mostCode, true, false)
	}
	switch {
	case len(a.Groups) == 0:
		c.add("aim.groups", Absent)
	case len(a.Groups) > mostGroups:
		c.faults = append(c.faults, Fault{Field: "aim.groups", Wrong: TooLong, Most: mostGroups})
	case repeated(a.Groups):
		c.add("aim.groups", Twice)
	case slices.Contains(a.Groups, a.Reference):
		c.add("aim.reference", Twice)
	}
	c.tokens("aim.sites", a.Sites, mostSites)
	if a.Target != nil && (math.IsNaN(*a.Target) || math.IsInf(*a.Target, 0)) {
		c.add("aim.target", NotOne)
	}
	if len(c.faults) > before {
		return
	}
	if err := known(a); err != nil {
		c.faults = append(c.faults, Fault{Field: "aim", Wrong: NotThere, Says: err.Error()})
	}
}

// result checks that what is closed has a result and that what is open has none.
func (c *checker) result(a *Action) {
	res := a.Result
	switch {
	case a.Closed() && res == nil:
		c.add("result", Absent)
		return
	case !a.Closed() && res != nil:
		c.add("result", NotAllowed)
		return
	case res == nil:
		return
	}
	one(c, "result.outcome", res.Outcome, Outcomes())
	if (res.Outcome == NotDone) != (a.State == Cancelled) {
		c.add("result.outcome", NotAllowed)
	}
	c.text("result.summary", res.Summary, MostText, true, true)
	if res.Snapshot != "" && !token.MatchString(res.Snapshot) {
		c.add("result.snapshot", NotOne)
	}
	c.text("result.by", res.By.Name, MostTitle, false, false)
	if res.By.Subject == "" {
		c.add("result.by", Absent)
	}
}
