package reviewing

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/page"
)

// The parameters of a list.
const (
	paramState     = "state"
	paramActuality = "actuality"
	paramCategory  = "category"
	paramSeverity  = "severity"
	paramSite      = "site"
	paramFrom      = "from"
	paramTo        = "to"
	paramDetection = "detection"
	paramAnswer    = "answer"
	paramAfter     = "after"
	paramLeast     = "least"
)

// filterParams are those of a filter, but for the state.
func filterParams() []string {
	return []string{
		paramActuality, paramCategory, paramSeverity, paramSite, paramFrom, paramTo, paramDetection,
		paramAnswer,
	}
}

// states of a value that can be looked for in a list.
func absences() []string {
	return []string{"~" + string(mapping.Missing), "~" + string(mapping.Unmapped), "~" + string(mapping.TextOnly)}
}

// codesOf lists the codes of an element, in the order of their table.
func codesOf(element string) []string {
	var out []string
	for _, target := range mapping.Targets(element) {
		if target.State == mapping.Known {
			out = append(out, target.Code)
		}
	}
	return out
}

const (
	categoryElement = "AdverseEvent.category"
	severityElement = "AdverseEvent.severity"
)

// siteKey is what the key of a site may look like in an address; an id of the review is a cursor.
var (
	siteKey = regexp.MustCompile(`^[^\x00-\x1f\x7f]{1,200}$`)
	cursor  = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// readFilter reads the parameters of a list. What is there and cannot be is refused.
func readFilter(q url.Values) (review.Filter, error) {
	f := review.Filter{
		Actuality: q.Get(paramActuality), Detection: review.Detection(q.Get(paramDetection)),
		Answer: review.Answer(q.Get(paramAnswer)), After: q.Get(paramAfter),
	}
	oneOf := func(name string, among []string) error {
		if value := q.Get(name); value != "" && !slices.Contains(among, value) {
			return &room.InputError{Field: name, Why: "want one of " + strings.Join(among, ", ")}
		}
		return nil
	}
	for name, among := range map[string][]string{
		paramState: stateCodes(), paramActuality: {mapping.Actual, mapping.Potential},
		paramCategory:  append(codesOf(categoryElement), absences()...),
		paramSeverity:  append(codesOf(severityElement), absences()...),
		paramDetection: codes(review.Detections()), paramAnswer: codes(review.Answers()),
	} {
		if err := oneOf(name, among); err != nil {
			return f, err
		}
	}
	if state := q.Get(paramState); state != "" {
		f.States = []review.State{review.State(state)}
	}
	for name, into := range map[string]*[]string{
		paramCategory: &f.Categories, paramSeverity: &f.Severities, paramSite: &f.Sites,
	} {
		if value := q.Get(name); value != "" {
			*into = []string{value}
		}
	}
	if site := q.Get(paramSite); site != "" && !siteKey.MatchString(site) {
		return f, &room.InputError{Field: paramSite, Why: "is no key of a site"}
	}
	if f.After != "" && !cursor.MatchString(f.After) {
		return f, &room.InputError{Field: paramAfter, Why: "is no place in the list"}
	}
	for name, into := range map[string]*time.Time{paramFrom: &f.From, paramTo: &f.To} {
		text := strings.TrimSpace(q.Get(name))
		if text == "" {
			continue
		}
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return f, &room.InputError{Field: name, Why: "want a day such as 2026-03-01"}
		}
		*into = day
	}
	return f, nil
}

func stateCodes() []string {
	var out []string
	for _, s := range review.States() {
		out = append(out, string(s))
	}
	return out
}

func codes(table []review.Concept) []string {
	out := make([]string, len(table))
	for i, c := range table {
		out[i] = c.Code
	}
	return out
}

// choices is the form of a list; sites are all there are, by their keys.
func (t *teller) choices(v *room.Visit, q url.Values, path string, kept ...string) *page.Form {
	field := func(name string, values []string, label func(string) string) page.Field {
		f := page.Field{Name: name, Label: t.Label("review.by", name), Value: q.Get(name)}
		f.Options = append(f.Options, page.Option{Label: t.Say("review.any"), Chosen: f.Value == ""})
		for _, value := range values {
			f.Options = append(f.Options, page.Option{Value: value, Label: label(value), Chosen: value == f.Value})
		}
		return f
	}
	in := func(family string) func(string) string {
		return func(key string) string { return t.value(family, key) }
	}
	day := func(name string) page.Field {
		return page.Field{
			Name: name, Label: t.Label("review.by", name), Value: q.Get(name), Help: t.Say("review.day"),
		}
	}
	form := &page.Form{Action: path, Clear: v.To(path, nil)}
	for _, name := range append(kept, "lang") {
		if value := v.Request.URL.Query().Get(name); value != "" {
			form.Hidden = append(form.Hidden, page.Term{Name: name, Value: value})
		}
	}
	form.Fields = []page.Field{
		field(paramActuality, []string{mapping.Actual, mapping.Potential}, in("actuality")),
		field(paramSeverity, append(codesOf(severityElement), absences()...), in("severity")),
		field(paramCategory, append(codesOf(categoryElement), absences()...), in("category")),
		field(paramSite, t.siteKeys(q.Get(paramSite)), func(key string) string {
			return t.group(mapping.DimensionSite, key)
		}),
	}
	form.More = []page.Field{
		day(paramFrom), day(paramTo),
		field(paramDetection, codes(review.Detections()), func(code string) string {
			return t.detection(review.Detection(code))
		}),
		field(paramAnswer, codes(review.Answers()), func(code string) string {
			return t.answer(review.Answer(code))
		}),
	}
	return form
}

// siteKeys lists the sites by their names, and the one that is chosen even if nobody has named it.
func (t *teller) siteKeys(chosen string) []string {
	keys := make([]string, 0, len(t.sites)+1)
	for key := range t.sites {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return strings.Compare(t.sites[a]+"\x00"+a, t.sites[b]+"\x00"+b)
	})
	if chosen != "" && !slices.Contains(keys, chosen) {
		keys = append(keys, chosen)
	}
	return keys
}

// without is a copy of parameters without some of them.
func without(q url.Values, names ...string) url.Values {
	out := url.Values{}
	for name, values := range q {
		if !slices.Contains(names, name) {
			out[name] = values
		}
	}
	return out
}
