package network

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
)

// Bounds of a submission. That of twelve measures by eight dimensions is below 1 MiB.
const (
	maxBytes   = 3 << 20
	maxEntries = 300
)

// Decode reads the form of a submission and nothing else: every element is in the list of what is
// allowed, and the bytes are those that Encode gives for what was read. It fails with a *RefusedError.
// What the content says is not judged; Check does that.
func (c *Checker) Decode(text []byte) (Submission, error) {
	if len(text) > maxBytes {
		return Submission{}, refused("", "it is longer than %d bytes", maxBytes)
	}
	s, bundle, err := c.parse(text)
	if err != nil {
		return Submission{}, err
	}
	if err := r4valid(text); err != nil {
		return Submission{}, err
	}
	return s, c.canonical(text, bundle, s)
}

// parse reads the elements alone, which is enough of what was checked before it was kept.
func (c *Checker) parse(text []byte) (Submission, bundleWire, error) {
	bundle, err := strict[bundleWire](text, bundlePath)
	if err != nil {
		return Submission{}, bundle, err
	}
	if bundle.ResourceType != "Bundle" || bundle.Identifier != (identWire{systemFormat, format}) {
		return Submission{}, bundle, refused(bundlePath, "it is not a Bundle of the form %s", format)
	}
	if n := len(bundle.Entry); n == 0 || n > maxEntries {
		return Submission{}, bundle, refused(bundlePath+".entry", "there are none, or more than %d", maxEntries)
	}
	r := reading{checker: c}
	for i, entry := range bundle.Entry {
		r.path = fmt.Sprintf("%s.entry[%d].resource", bundlePath, i)
		if err := r.resource(i, entry.Resource); err != nil {
			return Submission{}, bundle, err
		}
	}
	r.submission.Actions = r.actions
	return r.submission, bundle, nil
}

const bundlePath = "Bundle"

// canonical refuses a submission that is not written as Encode writes it.
func (c *Checker) canonical(text []byte, got bundleWire, s Submission) error {
	again, err := c.Encode(s)
	if err != nil {
		return refused("", "it cannot be written again")
	}
	if bytes.Equal(text, again) {
		return nil
	}
	want, err := strict[bundleWire](again, bundlePath)
	if err != nil {
		return err
	}
	for i := range got.Entry {
		if i >= len(want.Entry) || got.Entry[i].FullURL != want.Entry[i].FullURL ||
			!bytes.Equal(got.Entry[i].Resource, want.Entry[i].Resource) {
			return refused(fmt.Sprintf("%s.entry[%d]", bundlePath, i),
				"it is not in the form of a submission: an order, a score that is not that of its counts, "+
					"or a value that is written otherwise")
		}
	}
	return refused(bundlePath, "it is not in the form of a submission")
}

// r4valid holds a submission against the rules of R4 itself, too.
func r4valid(text []byte) error {
	reader, err := r4.NewReader()
	if err != nil {
		return err
	}
	_, elements := reader.Read(text)
	var f faults
	for _, e := range elements {
		f.add(e.Path, "%s", e.Cause)
	}
	return f.err()
}

// strict reads JSON whose every element is known; no name may be there twice.
func strict[T any](text []byte, path string) (T, error) {
	var out T
	err := json.Unmarshal(text, &out, json.RejectUnknownMembers(true))
	if err == nil {
		return out, nil
	}
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		return out, refused(pathAt(path, syntax.JSONPointer), "it is not well-formed JSON, or has a name twice")
	case errors.As(err, &semantic) && errors.Is(err, json.ErrUnknownName):
		return out, refused(pathAt(path, semantic.JSONPointer), "no submission has this element")
	case errors.As(err, &semantic):
		return out, refused(pathAt(path, semantic.JSONPointer), "it is not of the kind that this element has")
	}
	return out, refused(path, "it cannot be read")
}

// elementName is what the name of an element looks like; anything else is text of the sender.
var elementName = regexp.MustCompile(`^_?[a-z][A-Za-z]{1,24}$`)

// pathAt is a pointer into JSON as a path of elements. Names that FHIR cannot have are left out, for
// they are text of the sender.
func pathAt(path string, pointer jsontext.Pointer) string {
	var out strings.Builder
	_, _ = out.WriteString(path)
	for token := range pointer.Tokens() {
		switch {
		case token != "" && strings.Trim(token, "0123456789") == "":
			_, _ = fmt.Fprintf(&out, "[%s]", token)
		case elementName.MatchString(token):
			_, _ = out.WriteString("." + token)
		default:
			return out.String()
		}
	}
	return out.String()
}

// reading builds a Submission of its resources.
type reading struct {
	checker    *Checker
	submission Submission
	actions    []Action
	path       string
}

// resource reads the i-th one.
func (r *reading) resource(i int, text jsontext.Value) error {
	var kind kindWire
	if json.Unmarshal(text, &kind) != nil {
		return refused(r.path, "it is not a resource")
	}
	if (i == 0) != (kind.ResourceType == "Provenance") {
		return refused(r.path, "the first resource is a Provenance, and no other one is")
	}
	switch kind.ResourceType {
	case "Provenance":
		return readAs(r, text, r.manifest)
	case "MeasureReport":
		return readAs(r, text, r.report)
	case "QuestionnaireResponse":
		return readAs(r, text, r.adoption)
	case "Task":
		return readAs(r, text, r.action)
	}
	return refused(r.path, "no submission has a resource of this type")
}

func readAs[T any](r *reading, text jsontext.Value, then func(T) error) error {
	wire, err := strict[T](text, r.path)
	if err != nil {
		return err
	}
	return then(wire)
}

func (r *reading) no(element, format string, args ...any) error {
	return refused(r.path+element, format, args...)
}

func (r *reading) manifest(w provenanceWire) error {
	if len(w.Agent) != 2 || len(w.Entity) != 1 || len(w.Reason) != 1 {
		return r.no("", "it has two agents, one entity and one reason")
	}
	period, err := measure.ParsePeriod(w.Occurred.Start + "/" + w.Occurred.End)
	if err != nil {
		return r.no(".occurredPeriod", "it is not two days")
	}
	created, err := time.Parse(time.RFC3339, w.Recorded)
	if err != nil {
		return r.no(".recorded", "it is not an instant")
	}
	reason, _ := w.Reason[0].code(systemReason)
	r.submission = Submission{
		Member: w.Agent[0].Who.Identifier.Value, Period: period, Created: created,
		Reason: Reason(reason), Software: w.Agent[1].Who.Identifier.Value,
		Snapshot: w.Entity[0].What.Identifier.Value,
	}
	return nil
}

func (r *reading) report(w reportWire) error {
	name, ok := strings.CutPrefix(w.Measure, measureURL)
	id, version, found := strings.Cut(name, "|")
	if _, known := r.checker.definition(id); !ok || !found || !known {
		return r.no(".measure", "it is not a measure of the network with its version")
	}
	out := Report{Measure: id, Version: version}
	for i, g := range w.Group {
		at := fmt.Sprintf(".group[%d]", i)
		rate := Rate{ID: g.ID}
		var err error
		if rate.Whole, err = r.sizes(at, g.Population); err != nil {
			return err
		}
		for j, s := range g.Stratifier {
			t, err := r.table(fmt.Sprintf("%s.stratifier[%d]", at, j), s)
			if err != nil {
				return err
			}
			rate.Tables = append(rate.Tables, t)
		}
		out.Rates = append(out.Rates, rate)
	}
	r.submission.Reports = append(r.submission.Reports, out)
	return nil
}

func (r *reading) table(at string, w stratifierWire) (Table, error) {
	if len(w.Code) != 1 {
		return Table{}, r.no(at+".code", "it is not one code")
	}
	by, ok := w.Code[0].code(systemDimension)
	if !ok || !slices.Contains(Dimensions(), by) {
		return Table{}, r.no(at+".code", "it is not a dimension of a submission")
	}
	t := Table{By: by}
	for i, s := range w.Stratum {
		place := fmt.Sprintf("%s.stratum[%d]", at, i)
		if len(s.Value.Coding) != 1 {
			return t, r.no(place+".value", "it is not one code")
		}
		key := s.Value.Coding[0].Code
		if s.Value.Coding[0].System == codingOf(by, stateMark).System {
			key = stateMark + key
		}
		figure, err := r.sizes(place, s.Population)
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, Row{Key: key, Figure: figure})
	}
	return t, nil
}

func (r *reading) sizes(at string, all []populationWire) (Figure, error) {
	f := Figure{Sizes: map[measure.Population]*int64{}}
	for i, w := range all {
		code, ok := w.Code.code(systemPopulation)
		if !ok || f.Sizes[measure.Population(code)] != nil || (w.Count == nil) == (w.Hidden == nil) {
			return f, r.no(fmt.Sprintf("%s.population[%d]", at, i),
				"it is not a population of its own with either a count or the reason why it has none")
		}
		f.Sizes[measure.Population(code)] = w.Count
	}
	return f, nil
}

func (r *reading) adoption(w responseWire) error {
	version, ok := strings.CutPrefix(w.Questionnaire, readinessURL+"|")
	if !ok || r.submission.Adoption != nil {
		return r.no("", "it is not the one answer to the readiness questionnaire")
	}
	a := Adoption{Questionnaire: version, Final: w.Status == "completed", Levels: map[string]int{}}
	for i, item := range w.Item {
		at := fmt.Sprintf(".item[%d]", i)
		if len(item.Answer) != 1 || item.Answer[0].ValueCoding.System != systemLevel {
			return r.no(at, "it is not answered by one level")
		}
		level, err := readiness.ParseLevel(item.Answer[0].ValueCoding.Code)
		if _, twice := a.Levels[item.LinkID]; err != nil || twice {
			return r.no(at, "it is not answered by one level")
		}
		a.Levels[item.LinkID] = int(level)
	}
	r.submission.Adoption = &a
	return nil
}

func (r *reading) action(w taskWire) error {
	cause, _ := w.Code.code(systemFactor)
	a := Action{Cause: review.Factor(cause), Start: w.Execution.Start, State: ActionState(w.Status)}
	for _, in := range w.Input {
		switch part, _ := in.Type.code(systemPart); part {
		case partMeasure:
			a.Measure = strings.TrimPrefix(in.Canonical, measureURL)
		case partRate:
			a.Rate = in.Code
		case partDimension:
			a.Dimension = in.Code
		case partGroup:
			a.Groups = append(a.Groups, in.Code)
		default:
			return r.no(".input", "it is no part of an action")
		}
	}
	for _, out := range w.Output {
		switch part, _ := out.Type.code(systemPart); part {
		case partOutcome:
			a.Outcome = out.Code
		case partDemonstrated:
			a.Demonstrated = out.Boolean != nil && *out.Boolean
		default:
			return r.no(".output", "it is no part of an action")
		}
	}
	r.actions = append(r.actions, a)
	return nil
}
