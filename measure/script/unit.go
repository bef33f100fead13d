package script

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

// loading is a cohort that is being written down.
type loading struct {
	*cohort
	// lines holds the words of each line about patients, and who they are.
	lines []patientLine
	// visits holds the encounters of each name.
	visits map[string][]visit
}

type patientLine struct {
	words words
	ids   []phi.ID
}

// visit is an encounter that events can name.
type visit struct{ id, patient phi.ID }

func newLoading(line int, asOf time.Time) *loading {
	return &loading{
		cohort: &cohort{line: line, asOf: asOf, people: map[string][]phi.ID{}},
		visits: map[string][]visit{},
	}
}

// words are the key=value pairs of a line.
type words map[string]string

// header is what lines about every kind of unit have in common.
type header struct {
	name string
	// times is the N of xN; 0 if it is not there.
	times int
	words words
}

var (
	nameForm  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
	timesForm = regexp.MustCompile(`^x(\d{1,6})$`)
)

// everybody is the word for all patients, or all strata.
const everybody = "all"

// unit reads a line of a load.
func (p *parser) unit(tokens []token) {
	kind := tokens[0].text
	keys := keysOf(kind)
	if keys == nil {
		p.fault("%q is none of patient, encounter, event", kind)
		return
	}
	h, err := parseHeader(kind, keys, tokens[1:])
	if err != nil {
		p.check(err)
		return
	}
	switch kind {
	case "patient":
		err = p.patients(h)
	case "encounter":
		err = p.encounters(h)
	default:
		err = p.events(h)
	}
	p.check(err)
}

// parseHeader reads the name, the pairs and the xN of a line.
func parseHeader(kind string, keys []string, tokens []token) (header, error) {
	h := header{words: words{}}
	for i, t := range tokens {
		key, value, pair := strings.Cut(t.text, "=")
		times := timesForm.FindStringSubmatch(t.text)
		switch {
		case pair && !slices.Contains(keys, key):
			return h, fmt.Errorf("%s lines have no %q; there are %s", kind, key, choices(keys))
		case pair && value == "":
			return h, fmt.Errorf("%s= is followed by nothing; leave out what is not recorded", key)
		case pair:
			if _, twice := h.words[key]; twice {
				return h, fmt.Errorf("%s is there twice", key)
			}
			h.words[key] = value
		case times != nil:
			n, _ := strconv.Atoi(times[1])
			if h.times != 0 || n == 0 {
				return h, fmt.Errorf("%s: a line has one xN, and N is at least 1", t.text)
			}
			h.times = n
		case i == 0 && nameForm.MatchString(t.text) && t.text != everybody:
			h.name = t.text
		default:
			return h, fmt.Errorf("%q is neither key=value nor xN, and a name is the first word after %s "+
				"and starts with a letter", t.text, kind)
		}
	}
	return h, nil
}

// room refuses more records than a script may have.
func (p *parser) room(n int) error {
	if p.units+n > mostUnits {
		return fmt.Errorf("more than %d records", mostUnits)
	}
	p.units += n
	return nil
}

// patients adds those of a line.
func (p *parser) patients(h header) error {
	template, err := p.patient(h.words)
	if err != nil {
		return err
	}
	n := max(1, h.times)
	if err := p.room(n); err != nil {
		return err
	}
	if h.name != "" && p.load.people[h.name] != nil {
		return fmt.Errorf("there is a patient %s already", h.name)
	}
	if survivor := h.words["replaced_by"]; survivor != "" {
		if err := p.replace(&template, survivor); err != nil {
			return err
		}
	}
	line := patientLine{words: h.words}
	for i := range n {
		template.ID = phi.New(fmt.Sprintf("p%d-%d", p.number, i+1))
		line.ids = append(line.ids, template.ID)
		p.load.patients = append(p.load.patients, template)
	}
	p.load.lines = append(p.load.lines, line)
	if h.name != "" {
		p.load.people[h.name] = line.ids
	}
	return nil
}

// replace points a retired record at its survivor.
func (p *parser) replace(retired *mapping.Patient, name string) error {
	ids := p.load.people[name]
	if len(ids) != 1 {
		return fmt.Errorf("replaced_by=%s names %d patients above; it has to name one", name, len(ids))
	}
	retired.ReplacedBy = ids[0]
	return nil
}

// chosen returns the patients that a word means: a name, key:value of their lines, or all.
func (l *loading) chosen(word string) ([]phi.ID, error) {
	key, value, pair := strings.Cut(word, ":")
	var ids []phi.ID
	switch {
	case !pair && word != everybody:
		ids = l.people[word]
	case pair && !slices.Contains(keysOf("patient"), key):
		return nil, fmt.Errorf("%q is nothing that is said of patients", key)
	default:
		for _, line := range l.lines {
			if !pair || line.words[key] == value {
				ids = append(ids, line.ids...)
			}
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("no patient above is %s", word)
	}
	return ids, nil
}

// dealt hands n units out in turn; without n each of the patients gets one.
func dealt[T any](to []T, n int) []T {
	if n == 0 {
		return to
	}
	out := make([]T, n)
	for i := range out {
		out[i] = to[i%len(to)]
	}
	return out
}

// encounters adds those of a line.
func (p *parser) encounters(h header) error {
	template, err := p.encounter(h.words)
	if err != nil {
		return err
	}
	patients, err := p.load.chosen(h.words["patient"])
	if err != nil {
		return err
	}
	if h.name != "" && p.load.visits[h.name] != nil {
		return fmt.Errorf("there is an encounter %s already", h.name)
	}
	if err := p.room(max(h.times, len(patients))); err != nil {
		return err
	}
	for i, patient := range dealt(patients, h.times) {
		template.ID, template.Patient = phi.New(fmt.Sprintf("e%d-%d", p.number, i+1)), patient
		p.load.encounters = append(p.load.encounters, template)
		if h.name != "" {
			p.load.visits[h.name] = append(p.load.visits[h.name], visit{template.ID, patient})
		}
	}
	return nil
}

// events adds those of a line: to encounters, to patients, or to patients of whom they name one
// encounter.
func (p *parser) events(h header) error {
	template, err := p.event(h.words)
	if err != nil {
		return err
	}
	targets, err := p.targets(h.words)
	if err != nil {
		return err
	}
	if h.name != "" {
		return fmt.Errorf("%q names an event, which nothing could refer to", h.name)
	}
	if err := p.room(max(h.times, len(targets))); err != nil {
		return err
	}
	for i, t := range dealt(targets, h.times) {
		template.ID = phi.New(fmt.Sprintf("a%d-%d", p.number, i+1))
		template.Patient, template.Encounter = t.patient, t.id
		p.load.events = append(p.load.events, template)
	}
	return nil
}

// targets returns whom an event befell, and in which encounter if it says.
func (p *parser) targets(of words) ([]visit, error) {
	name, in := of["encounter"]
	visits := p.load.visits[name]
	if in && visits == nil {
		return nil, fmt.Errorf("no encounter above is %s", name)
	}
	if _, said := of["patient"]; in && !said {
		return visits, nil
	}
	patients, err := p.load.chosen(of["patient"])
	if err != nil {
		return nil, err
	}
	if in && len(visits) != 1 {
		return nil, fmt.Errorf("%s names %d encounters; beside patient= it has to name one", name,
			len(visits))
	}
	var out []visit
	for _, id := range patients {
		v := visit{patient: id}
		if in {
			v.id = visits[0].id
		}
		out = append(out, v)
	}
	return out, nil
}
