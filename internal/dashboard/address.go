package dashboard

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/words"
)

// errAddress says that an address asks for something that there is not. What follows it may be shown.
var errAddress = errors.New("the address asks for something that there is not")

// The parameters of an address.
const (
	paramPeriod    = "period"
	paramRate      = "rate"
	paramBy        = "by"
	paramReference = "reference"
	paramGroup     = "group"
	paramPolicy    = "policy"
	paramAudience  = "audience"
	paramLanguage  = "lang"
	paramMeasure   = "measure"
	// paramWhere begins the name of a filter: where.site=a.
	paramWhere = "where."
)

// address is what the parameters of an address ask for. Empty fields are chosen by the page.
type address struct {
	Path   string
	Period string
	Rate   string
	By     string
	// Reference is a rule or a code; Group is the code of the group that is looked at.
	Reference gap.Reference
	Group     string
	Policy    mapping.Policy
	Where     measure.Filter
	Audience  release.Audience
	// Language is that of the address; empty leaves it to the browser.
	Language string
	// More holds the parameters that one page alone knows.
	More url.Values
}

// languageTag is what a language can be called in an address (RFC 5646), or nothing.
var languageTag = regexp.MustCompile(`^[A-Za-z0-9-]{0,35}$`)

// longestQuery bounds the parameters of an address, in bytes: every link of a page repeats them, and an
// answer is kept under them.
const longestQuery = 4 << 10

// readAddress reads a path and its parameters. Which further ones the page knows is its own to say.
func readAddress(path string, query url.Values, known ...string) (address, error) {
	a := address{Path: path, Where: measure.Filter{}, More: url.Values{}}
	if len(query.Encode()) > longestQuery {
		return a, fmt.Errorf("%w: it is longer than %d bytes", errAddress, longestQuery)
	}
	for name, values := range query {
		value := values[0]
		key, isWhere := strings.CutPrefix(name, paramWhere)
		switch {
		case isWhere:
			if kept := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" }); len(kept) > 0 {
				a.Where[key] = kept
			}
		case len(values) > 1 && !slices.Contains(known, name):
			return a, fmt.Errorf("%w: %s stands there twice", errAddress, short(name))
		case name == paramPeriod:
			a.Period = value
		case name == paramRate:
			a.Rate = value
		case name == paramBy:
			a.By = value
		case name == paramReference:
			a.Reference = gap.Reference(value)
		case name == paramGroup:
			a.Group = value
		case name == paramPolicy:
			a.Policy = mapping.Policy(value)
		case name == paramAudience:
			a.Audience = release.Audience(value)
		case name == paramLanguage:
			a.Language = value
		case slices.Contains(known, name):
			a.More[name] = values
		default:
			return a, fmt.Errorf("%w: no parameter is called %s", errAddress, short(name))
		}
	}
	if a.Period != "" {
		if _, err := measure.ParsePeriod(a.Period); err != nil {
			return a, fmt.Errorf("%w: period: want a year, a quarter, a month or two days, such as 2025, "+
				"2025-Q1, 2025-03 or 2025-01-01/2025-06-30", errAddress)
		}
	}
	if !languageTag.MatchString(a.Language) {
		return a, fmt.Errorf("%w: lang: want a language, such as en or es", errAddress)
	}
	if a.Policy != "" && !slices.Contains(mapping.Policies(), a.Policy) {
		return a, fmt.Errorf("%w: policy: want one of %v", errAddress, mapping.Policies())
	}
	if a.Audience != "" && !slices.Contains(release.Audiences(), a.Audience) {
		return a, fmt.Errorf("%w: audience: want one of %v", errAddress, release.Audiences())
	}
	if err := a.Where.Check(a.Policy); err != nil {
		return a, fmt.Errorf("%w: the filter names no group that there is", errAddress)
	}
	return a, nil
}

// query writes the parameters in one order, so that equal questions have equal addresses.
func (a address) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		paramPeriod: a.Period, paramRate: a.Rate, paramBy: a.By, paramReference: string(a.Reference),
		paramGroup: a.Group, paramPolicy: string(a.Policy), paramAudience: string(a.Audience),
		paramLanguage: a.Language,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for key, values := range a.Where {
		q[paramWhere+key] = slices.Compact(slices.Sorted(slices.Values(values)))
	}
	for name, values := range a.More {
		q[name] = values
	}
	return q
}

// String writes the address.
func (a address) String() string {
	if q := a.query().Encode(); q != "" {
		return a.Path + "?" + q
	}
	return a.Path
}

// to returns the address of another page about the same period, audience and language.
func (a address) to(path string) address {
	return address{Path: path, Period: a.Period, Audience: a.Audience, Language: a.Language}
}

// file returns the address of a file of the page.
func (a address) file(name string) string {
	a.Path = strings.TrimSuffix(a.Path, "/") + "/files/" + name
	return a.String()
}

// short cuts a name of somebody else's to what can be shown in a sentence, without what would turn the
// sentence around.
func short(text string) string {
	const most = 40
	text = words.Plain(text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
