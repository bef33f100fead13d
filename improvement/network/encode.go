package network

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// Encode writes a submission in the one form that it has: equal submissions give equal bytes. It
// checks nothing but that the measures are known.
func (c *Checker) Encode(s Submission) ([]byte, error) {
	resources := make([]any, 0, len(s.Reports)+len(s.Actions)+1)
	reports := slices.Clone(s.Reports)
	slices.SortFunc(reports, func(a, b Report) int { return strings.Compare(a.Measure, b.Measure) })
	for _, r := range reports {
		d, ok := c.definition(r.Measure)
		if !ok {
			return nil, fmt.Errorf("write submission: %w: %q", measure.ErrUnknownMeasure, r.Measure)
		}
		resources = append(resources, writeReport(d, r, s.Period))
	}
	if s.Adoption != nil {
		resources = append(resources, writeAdoption(*s.Adoption))
	}
	actions := slices.Clone(s.Actions)
	for i := range actions {
		actions[i].Groups = slices.Sorted(slices.Values(actions[i].Groups))
	}
	slices.SortFunc(actions, compareActions)
	for _, a := range actions {
		resources = append(resources, writeAction(a))
	}
	entries := make([]entryWire, len(resources)+1)
	manifest := manifestOf(s)
	for i, r := range resources {
		at := addressOf(s, i+1)
		manifest.Target = append(manifest.Target, targetWire{at})
		text, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("write submission: %w", err)
		}
		entries[i+1] = entryWire{FullURL: at, Resource: text}
	}
	text, err := json.Marshal(manifest)
	if err != nil {
		return nil, fmt.Errorf("write submission: %w", err)
	}
	entries[0] = entryWire{FullURL: addressOf(s, 0), Resource: text}
	out, err := json.Marshal(bundleWire{
		ResourceType: "Bundle", Identifier: identWire{systemFormat, format}, Type: "collection",
		Timestamp: instant(s.Created), Entry: entries,
	})
	if err != nil {
		return nil, fmt.Errorf("write submission: %w", err)
	}
	return out, nil
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// addressOf names the n-th resource of a submission.
func addressOf(s Submission, n int) string {
	name := fmt.Sprintf("%ssubmission\n%s\n%s\n%d", base, s.Member, s.Period, n)
	return "urn:uuid:" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String()
}

func manifestOf(s Submission) provenanceWire {
	author := namedWire{identWire{systemMember, s.Member}}
	program := namedWire{identWire{systemSoftware, s.Software}}
	return provenanceWire{
		ResourceType: "Provenance",
		Occurred:     periodOf(s.Period),
		Recorded:     instant(s.Created),
		Reason:       []conceptWire{concept(systemReason, string(s.Reason))},
		Agent: []agentWire{
			{Type: concept(systemAgent, "author"), Who: author},
			{Type: concept(systemAgent, "assembler"), Who: program},
		},
		Entity: []sourceWire{{Role: "source", What: namedWire{identWire{systemSnapshot, s.Snapshot}}}},
	}
}

func periodOf(p measure.Period) periodWire {
	return periodWire{Start: p.Start.Format(time.DateOnly), End: p.End.Format(time.DateOnly)}
}

func writeReport(d *measure.Definition, r Report, period measure.Period) reportWire {
	out := reportWire{
		ResourceType: "MeasureReport", Status: "complete", Type: "summary",
		Measure: measureURL + r.Measure + "|" + r.Version, Period: periodOf(period),
	}
	for _, rate := range r.Rates {
		g := groupWire{
			ID: rate.ID, Population: writeSizes(rate.Whole), MeasureScore: writeScore(d, rate.Whole),
			Stratifier: []stratifierWire{},
		}
		tables := slices.Clone(rate.Tables)
		slices.SortFunc(tables, func(a, b Table) int {
			return cmp.Compare(slices.Index(Dimensions(), a.By), slices.Index(Dimensions(), b.By))
		})
		for _, t := range tables {
			g.Stratifier = append(g.Stratifier, writeTable(d, t))
		}
		out.Group = append(out.Group, g)
	}
	return out
}

func writeTable(d *measure.Definition, t Table) stratifierWire {
	out := stratifierWire{
		Code: []conceptWire{concept(systemDimension, t.By)}, Stratum: []stratumWire{},
	}
	rows := slices.Clone(t.Rows)
	slices.SortFunc(rows, func(a, b Row) int { return compareKeys(a.Key, b.Key) })
	for _, row := range rows {
		out.Stratum = append(out.Stratum, stratumWire{
			Value:        conceptWire{[]codingWire{codingOf(t.By, row.Key)}},
			Population:   writeSizes(row.Figure),
			MeasureScore: writeScore(d, row.Figure),
		})
	}
	return out
}

// compareKeys puts groups in the order of their codes, and what is not known last.
func compareKeys(a, b string) int {
	unknown := func(key string) int {
		if strings.HasPrefix(key, stateMark) {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(unknown(a), unknown(b)), strings.Compare(a, b))
}

// stateMark stands before the state of a value that is not known.
const stateMark = "~"

func codingOf(dimension, key string) codingWire {
	if state, ok := strings.CutPrefix(key, stateMark); ok {
		return codingWire{mapping.SystemState, state}
	}
	return codingWire{mapping.SystemOf(dimension, key), key}
}

func writeSizes(f Figure) []populationWire {
	order := []measure.Population{
		measure.InitialPopulation, measure.Denominator, measure.DenominatorExclusion,
		measure.DenominatorException, measure.Numerator, measure.NumeratorExclusion,
	}
	var out []populationWire
	for _, p := range order {
		size, ok := f.Sizes[p]
		if !ok {
			continue
		}
		one := populationWire{Code: concept(systemPopulation, string(p)), Count: size}
		if size == nil {
			one.Hidden = &hiddenWire{[]reasonWire{{URL: r4.DataAbsentReason, ValueCode: masked}}}
		}
		out = append(out, one)
	}
	return out
}

// masked is the reason why a count that is hidden is absent.
const masked = "masked"

func writeScore(d *measure.Definition, f Figure) *scoreWire {
	if score := f.score(d.Per); score != nil {
		return &scoreWire{*score}
	}
	return nil
}

func writeAdoption(a Adoption) responseWire {
	out := responseWire{
		ResourceType: "QuestionnaireResponse", Questionnaire: readinessURL + "|" + a.Questionnaire,
		Status: "in-progress",
	}
	if a.Final {
		out.Status = "completed"
	}
	for _, item := range slices.Sorted(maps.Keys(a.Levels)) {
		code := codingWire{systemLevel, readiness.Level(a.Levels[item]).Code()}
		out.Item = append(out.Item, itemWire{LinkID: item, Answer: []answerWire{{code}}})
	}
	return out
}

func compareActions(a, b Action) int {
	return cmp.Or(
		strings.Compare(a.Measure, b.Measure), strings.Compare(a.Rate, b.Rate),
		strings.Compare(a.Dimension, b.Dimension), slices.Compare(a.Groups, b.Groups),
		strings.Compare(a.Start, b.Start), strings.Compare(string(a.Cause), string(b.Cause)),
		strings.Compare(string(a.State), string(b.State)), strings.Compare(a.Outcome, b.Outcome),
		compareBools(a.Demonstrated, b.Demonstrated),
	)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// The parts of a Task, codes of https://equitylens.org/fhir/CodeSystem/action-part.
const (
	partMeasure      = "measure"
	partRate         = "rate"
	partDimension    = "dimension"
	partGroup        = "group"
	partOutcome      = "outcome"
	partDemonstrated = "demonstrated"
)

func writeAction(a Action) taskWire {
	coded := func(part, code string) valueWire {
		return valueWire{Type: concept(systemPart, part), Code: code}
	}
	out := taskWire{
		ResourceType: "Task", Status: string(a.State), Intent: "plan",
		Code: concept(systemFactor, string(a.Cause)), Execution: periodWire{Start: a.Start},
		Input: []valueWire{
			{Type: concept(systemPart, partMeasure), Canonical: measureURL + a.Measure},
			coded(partRate, a.Rate), coded(partDimension, a.Dimension),
		},
	}
	for _, group := range a.Groups {
		out.Input = append(out.Input, coded(partGroup, group))
	}
	if a.Outcome != "" {
		out.Output = append(out.Output, coded(partOutcome, a.Outcome))
	}
	demonstrated := a.Demonstrated
	out.Output = append(out.Output,
		valueWire{Type: concept(systemPart, partDemonstrated), Boolean: &demonstrated})
	return out
}
