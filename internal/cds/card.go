package cds

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/mapping"
)

// card is https://cds-hooks.hl7.org/2.0/#card-attributes, as far as we use it.
type card struct {
	UUID      string   `json:"uuid"`
	Summary   string   `json:"summary"`
	Detail    string   `json:"detail"`
	Indicator string   `json:"indicator"`
	Source    origin   `json:"source"`
	Reasons   []reason `json:"overrideReasons"`
	Links     []link   `json:"links"`
}

// origin says who gives the advice.
type origin struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}

// reason is a reason for which a card can be put aside.
type reason struct {
	Code    string `json:"code"`
	System  string `json:"system"`
	Display string `json:"display"`
}

// link leads from a card to an application.
type link struct {
	Label string `json:"label"`
	URL   string `json:"url"`
	Type  string `json:"type"`
}

// ReasonSystem is the code system of the override reasons.
const ReasonSystem = mapping.SystemOwn + "interpreter-override"

// The override reasons, in the order in which a card offers them.
const (
	ReasonPresent   = "present-not-documented"
	ReasonDeclined  = "patient-declined"
	ReasonFluent    = "clinician-assessed-fluent"
	ReasonNotNeeded = "not-needed-today"
	// ReasonOther stands in a record for what is none of ours.
	ReasonOther = "other"
)

// Reasons lists the codes that a card offers.
func Reasons() []string {
	return []string{ReasonPresent, ReasonDeclined, ReasonFluent, ReasonNotNeeded}
}

// indicator is "warning": care without an interpreter is a hazard and, for those whom 45 CFR 92.201
// covers, unlawful, and it can be mended at once; so it is more than information. It stops nobody
// and is no emergency, which "critical" is for. A hospital that finds it too loud can filter by
// source.
const indicator = "warning"

// maxSummary is what CDS Hooks bounds a summary to: fewer than 140 characters.
const maxSummary = 140

// card makes the card. It names where things are recorded and never who the patient is.
func (s *Service) card(n bedside.Need, in tongue) (card, error) {
	id, err := uuid.NewRandomFromReader(s.cfg.Random)
	if err != nil {
		return card{}, fmt.Errorf("draw an id of a card: %w", err)
	}
	w := wordsOf(in)
	out := card{
		UUID: id.String(), Summary: w.summary, Indicator: indicator, Detail: detail(n, in),
		Source: origin{Label: "EquityLens", URL: s.cfg.BaseURL},
		Links:  []link{{Label: w.open, URL: s.cfg.LaunchURL, Type: "smart"}},
	}
	if name := languageName(n.Language, in); name != "" {
		if with := fmt.Sprintf(w.summaryIn, name); utf8.RuneCountInString(with) < maxSummary {
			out.Summary = with
		}
	}
	for _, code := range Reasons() {
		out.Reasons = append(out.Reasons, reason{code, ReasonSystem, w.reasons[code]})
	}
	return out, nil
}

// detail is GitHub Flavored Markdown.
func detail(n bedside.Need, in tongue) string {
	w := wordsOf(in)
	var b strings.Builder
	fmt.Fprintf(&b, "**%s:** %s\n\n", w.need, valueIn(n.Value, w))
	language := languageName(n.Language, in)
	if language == "" {
		language = w.states[n.Language.State]
	}
	fmt.Fprintf(&b, "**%s:** %s\n\n**%s:** %s\n\n%s\n\n", w.language, language, w.documented, w.none,
		w.recorded)
	for i, source := range n.Sources {
		if i == maxSources {
			break
		}
		writeSource(&b, source, w)
	}
	return strings.TrimSpace(b.String())
}

// maxSources keeps a card to what fits a screen.
const maxSources = 8

func writeSource(b io.Writer, s bedside.Source, w words) {
	changed := ""
	if !s.Updated.IsZero() {
		changed = fmt.Sprintf(w.changed, s.Updated.Format("2006-01-02"))
	}
	_, _ = fmt.Fprintf(b, "- %s (`%s`): %s%s\n", w.places[s.Resource], s.Element, valueIn(s.Value, w), changed)
}

// valueIn puts a value of need into words.
func valueIn(v mapping.Value, w words) string {
	switch {
	case v.State != mapping.Known:
		return w.states[v.State]
	case v.Code == mapping.Yes:
		return w.yes
	}
	return w.no
}
