package readiness

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
)

//go:embed questionnaire.yaml
var shipped []byte

// Text is what people read, by the subtag of its language.
type Text map[string]string

// In returns the text in a language, in English where it is not said in that one.
func (t Text) In(language string) string {
	if said := t[language]; said != "" {
		return said
	}
	return t["en"]
}

// Level is how far something has grown.
type Level int

// The levels.
const (
	NotBegun Level = iota
	Begun
	Established
	Routine
)

// Levels lists the levels, the lowest first.
func Levels() []Level { return []Level{NotBegun, Begun, Established, Routine} }

// Code is the level as a code of https://equitylens.org/fhir/CodeSystem/readiness-level.
func (l Level) Code() string {
	switch l {
	case NotBegun:
		return "not-begun"
	case Begun:
		return "begun"
	case Established:
		return "established"
	case Routine:
		return "routine"
	}
	return ""
}

// ParseLevel reads a level as its number or its code.
func ParseLevel(text string) (Level, error) {
	for _, l := range Levels() {
		if text == l.Code() || text == fmt.Sprint(int(l)) {
			return l, nil
		}
	}
	return 0, fmt.Errorf("%w: %q is none of 0, 1, 2, 3", ErrLevel, text)
}

// Questionnaire is what an institution is asked.
type Questionnaire struct {
	// Version changes with every change of what an answer means; its first number with every change by
	// which answers can no longer be compared.
	Version string `yaml:"version"`
	Title   Text   `yaml:"title"`
	Purpose Text   `yaml:"purpose"`
	// Names are the names of the levels, by their codes.
	Names map[string]Text `yaml:"levels"`
	// Ranges say a range of figures in words, by the unit of a Rule; Reasons say why a figure is not
	// there.
	Ranges  map[Unit]Ranges `yaml:"ranges"`
	Reasons map[Reason]Text `yaml:"reasons"`
	Domains []Domain        `yaml:"domains"`
}

// Domain is one side of readiness.
type Domain struct {
	ID    string `yaml:"id"`
	Title Text   `yaml:"title"`
	About Text   `yaml:"about"`
	Items []Item `yaml:"items"`
}

// Item is one question. Its ID is the linkId of its FHIR form.
type Item struct {
	ID string `yaml:"id"`
	// Asks is the question, Evidence what would show a third person that the answer holds.
	Asks     Text `yaml:"asks"`
	Evidence Text `yaml:"evidence"`
	// From is data, or empty where people answer.
	From string `yaml:"from"`
	// Rule makes the level of an item from data.
	Rule *Rule `yaml:"rule"`
	// Steps are the levels, the lowest first.
	Steps []Grade `yaml:"steps"`
	// Cause is the root cause that an action of this item addresses, and Owner the role that it would
	// fall to.
	Cause review.Factor `yaml:"cause"`
	Owner Text          `yaml:"owner"`
	// Aim is the figure that such an action would move, where there is one.
	Aim *Aim `yaml:"aim"`
}

// Aim names a figure of the catalogue.
type Aim struct {
	Measure   string `yaml:"measure" json:"measure"`
	Rate      string `yaml:"rate" json:"rate,omitempty"`
	Dimension string `yaml:"dimension" json:"dimension"`
}

// Grade is one level of an item: what has to be so, and what to do next. Items from data have no Means
// in the file; Means of the Questionnaire says their range.
type Grade struct {
	Means Text `yaml:"means"`
	Next  Text `yaml:"next"`
}

// FromData reports whether figures answer the item.
func (i Item) FromData() bool { return i.From == fromData }

const fromData = "data"

// Ranges say the ranges of a unit, as within a sentence. Each holds {low} and {high} where it needs them.
type Ranges struct {
	Below   Text `yaml:"below"`
	Between Text `yaml:"between"`
	From    Text `yaml:"from"`
}

// Shipped returns the questionnaire of this version of the program. An error is a fault of the build.
func Shipped() (*Questionnaire, error) { return Parse(shipped) }

// Parse reads a questionnaire and says everything that is wrong with it.
func Parse(text []byte) (*Questionnaire, error) {
	var q Questionnaire
	if err := yaml.UnmarshalWithOptions(text, &q, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read the questionnaire: %s", strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if err := errors.Join(q.faults()...); err != nil {
		return nil, fmt.Errorf("read the questionnaire: %w", err)
	}
	return &q, nil
}

// Items lists the items of all domains in their order.
func (q *Questionnaire) Items() []Item {
	var items []Item
	for _, d := range q.Domains {
		items = append(items, d.Items...)
	}
	return items
}

// Item returns the item of an id, and the domain that it is of.
func (q *Questionnaire) Item(id string) (Item, Domain, bool) {
	for _, d := range q.Domains {
		for _, i := range d.Items {
			if i.ID == id {
				return i, d, true
			}
		}
	}
	return Item{}, Domain{}, false
}

// Name names a level.
func (q *Questionnaire) Name(l Level, language string) string { return q.Names[l.Code()].In(language) }

// Means says what has to be so for an item to be at a level.
func (q *Questionnaire) Means(i Item, l Level, language string) string {
	if l < NotBegun || int(l) >= len(i.Steps) {
		return ""
	}
	if i.Rule == nil {
		return i.Steps[l].Means.In(language)
	}
	return i.Rule.Says.In(language) + ": " + q.Ranges[i.Rule.Unit].says(*i.Rule, l, language) + "."
}

// Stands says where an item stands: what its level means, and of an item from data the figure itself.
func (q *Questionnaire) Stands(i Item, a Answer, language string) string {
	switch {
	case a.Figure != nil && a.Figure.Missing != "":
		return i.Rule.Says.In(language) + ": " + q.Reasons[a.Figure.Missing].In(language) + "."
	case a.Level == nil:
		return ""
	case i.Rule == nil || a.Figure == nil:
		return q.Means(i, *a.Level, language)
	}
	return i.Rule.Says.In(language) + ": " + i.Rule.Write(*a.Figure, language) + " (" +
		q.Ranges[i.Rule.Unit].says(*i.Rule, *a.Level, language) + ")."
}

var itemID = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// faults says everything that is wrong with a questionnaire.
func (q *Questionnaire) faults() []error {
	var c checker
	c.fault(!version.MatchString(q.Version), "version: %q is not three numbers", q.Version)
	c.text("title", q.Title)
	c.text("purpose", q.Purpose)
	for _, l := range Levels() {
		c.text("levels."+l.Code(), q.Names[l.Code()])
	}
	c.fault(len(q.Names) != len(Levels()), "levels: %d are named, not %d", len(q.Names), len(Levels()))
	for _, r := range Reasons() {
		c.text("reasons."+string(r), q.Reasons[r])
	}
	for _, u := range units() {
		c.text("ranges."+string(u)+".below", q.Ranges[u].Below)
		c.text("ranges."+string(u)+".between", q.Ranges[u].Between)
		c.text("ranges."+string(u)+".from", q.Ranges[u].From)
	}
	c.fault(len(q.Domains) == 0, "domains: missing")
	seen := map[string]bool{}
	for _, d := range q.Domains {
		c.id(d.ID, seen)
		c.text(d.ID+".title", d.Title)
		c.text(d.ID+".about", d.About)
		c.fault(len(d.Items) == 0, "%s: it has no items", d.ID)
		for _, i := range d.Items {
			c.id(i.ID, seen)
			c.item(i)
		}
	}
	return c.faults
}

var version = regexp.MustCompile(`^\d+\.\d+\.\d+$`)

// checker gathers what is wrong.
type checker struct{ faults []error }

func (c *checker) fault(bad bool, format string, args ...any) {
	if bad {
		c.faults = append(c.faults, fmt.Errorf(format, args...))
	}
}

// text asks for a text in every language, and in no other.
func (c *checker) text(place string, t Text) {
	for _, language := range measure.Languages() {
		c.fault(strings.TrimSpace(t[language]) == "", "%s: it is not said in %s", place, language)
	}
	for language := range t {
		c.fault(!slices.Contains(measure.Languages(), language), "%s: %q is none of our languages", place, language)
	}
}

func (c *checker) id(id string, seen map[string]bool) {
	c.fault(!itemID.MatchString(id), "id: %q is not lower-case words joined by hyphens", id)
	c.fault(seen[id], "id: %s is there twice", id)
	seen[id] = true
}

func (c *checker) item(i Item) {
	c.text(i.ID+".asks", i.Asks)
	c.text(i.ID+".evidence", i.Evidence)
	c.text(i.ID+".owner", i.Owner)
	c.fault(i.Cause == "", "%s.cause: missing", i.ID)
	c.fault(i.From != "" && !i.FromData(), "%s.from: %q is not data", i.ID, i.From)
	c.fault(i.FromData() != (i.Rule != nil), "%s: an item from data has a rule, and no other one has", i.ID)
	c.fault(len(i.Steps) != len(Levels()), "%s.steps: there are %d, not %d", i.ID, len(i.Steps), len(Levels()))
	for n, s := range i.Steps {
		place := fmt.Sprintf("%s.steps[%d]", i.ID, n)
		c.text(place+".next", s.Next)
		if i.FromData() {
			c.fault(s.Means != nil, "%s.means: the rule says it", place)
			continue
		}
		c.text(place+".means", s.Means)
	}
	if i.Rule != nil {
		c.rule(i.ID, *i.Rule)
	}
}
