package figure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/facts"
)

// Element names an element by its path, as a title; the path itself where there are no words for it.
func (t *Teller) Element(path string) string {
	key := path
	switch {
	case strings.HasPrefix(path, "Patient.extension(us-core-race)"):
		return t.w.DimensionTitle(mapping.DimensionRace)
	case strings.HasPrefix(path, "Patient.extension(us-core-ethnicity)"):
		return t.w.DimensionTitle(mapping.DimensionEthnicity)
	case strings.Contains(path, "extension(us-core-interpreter-needed)"),
		strings.Contains(path, "extension(patient-interpreterRequired)"):
		return t.w.DimensionTitle(mapping.DimensionInterpreter)
	case strings.HasPrefix(path, "Patient.communication"):
		return t.w.DimensionTitle(mapping.DimensionLanguage)
	case path == "Patient.gender":
		return t.w.DimensionTitle(mapping.DimensionSex)
	case path == "Patient.managingOrganization", path == "Encounter.serviceProvider":
		return t.w.DimensionTitle(mapping.DimensionSite)
	}
	return t.w.Label("quality.element", key)
}

// element is a cell with the name of an element and its path.
func (t *Teller) element(path string) Cell {
	c := Cell{Text: t.Element(path), Note: words.Plain(path)}
	if c.Text == c.Note {
		c.Note = ""
	}
	return c
}

// Codes lists the codes that neither the tables nor the site's ConceptMaps hold, those first that touch
// most people.
func (t *Teller) Codes(issues []facts.Issue) Figure {
	f := Figure{ID: "codes", Title: t.w.Say("quality.codes")}
	f.Table = Table{Caption: t.w.Say("quality.codes.caption"), Columns: []Column{
		{Title: t.w.Say("quality.code")}, {Title: t.w.Say("quality.system")}, {Title: t.w.Say("quality.element")},
		{Title: t.w.Say("quality.records"), Number: true}, {Title: t.w.Say("quality.people"), Number: true},
	}}
	for _, i := range issues {
		f.Table.Rows = append(f.Table.Rows, TableRow{Cells: []Cell{
			t.code(i.Code), t.system(i.System), t.element(i.Element), {Text: t.w.Count(float64(i.Count))},
			{Text: t.w.Count(float64(i.People))},
		}})
	}
	if len(issues) == 0 {
		f.Sentences = []string{t.w.Say("quality.codes.none")}
		return f
	}
	first := issues[0]
	f.Sentences = []string{
		t.w.Say("quality.codes.says", len(issues), t.w.Count(float64(len(issues)))),
		t.w.Say("quality.codes.first", int(first.People), t.w.Count(float64(first.People)), t.code(first.Code).Text,
			t.Element(first.Element)),
	}
	f.Notes = []string{t.w.Say("quality.people.note")}
	return f
}

// code is a cell with a code. What had not the shape of one is not repeated.
func (t *Teller) code(code string) Cell {
	if code == "" {
		return Cell{Text: t.w.Say("quality.code.none")}
	}
	return Cell{Text: words.Plain(code)}
}

func (t *Teller) system(system string) Cell {
	if system == "" {
		return Cell{Text: t.w.Say("quality.system.none")}
	}
	return Cell{Text: words.Plain(system)}
}

// urgency orders kinds of issues: by whom an answer is lost, then what somebody should look at, then what
// calls for nothing.
func urgency(k mapping.IssueKind) int {
	switch k { //nolint:exhaustive // The others are all alike.
	case mapping.ContradictoryCodes, mapping.TextWithoutCode, mapping.NotAsked, mapping.PreferenceUnsettled:
		return 0
	case mapping.LegacySystem, mapping.ImplausibleDate:
		return 2
	}
	return 1
}

// Odd lists everything else that is odd in resources, with what is to be done about each: first that by
// which an answer is lost, and of those what touches most people.
func (t *Teller) Odd(issues []facts.Issue) Figure {
	issues = slices.Clone(issues)
	slices.SortStableFunc(issues, func(a, b facts.Issue) int {
		return cmp.Or(urgency(a.Kind)-urgency(b.Kind), cmp.Compare(b.People, a.People))
	})
	f := Figure{ID: "issues", Title: t.w.Say("quality.odd")}
	f.Table = Table{Caption: t.w.Say("quality.odd.caption"), Columns: []Column{
		{Title: t.w.Say("quality.kind")}, {Title: t.w.Say("quality.element")},
		{Title: t.w.Say("quality.records"), Number: true}, {Title: t.w.Say("quality.people"), Number: true},
		{Title: t.w.Say("quality.do")},
	}}
	for _, i := range issues {
		f.Table.Rows = append(f.Table.Rows, TableRow{Cells: []Cell{
			{Text: t.w.Label("quality.issue", string(i.Kind))}, t.element(i.Element),
			{Text: t.w.Count(float64(i.Count))}, {Text: t.w.Count(float64(i.People))},
			{Text: t.w.Label("quality.issue.do", string(i.Kind))},
		}})
	}
	if len(issues) == 0 {
		f.Sentences = []string{t.w.Say("quality.odd.none")}
		return f
	}
	f.Sentences = []string{t.w.Say("quality.odd.says", int(issues[0].People), t.w.Count(float64(issues[0].People)),
		t.w.Label("quality.issue", string(issues[0].Kind)), t.Element(issues[0].Element))}
	f.Notes = []string{t.w.Say("quality.people.note"), t.w.Say("quality.odd.words")}
	return f
}

// Target names what a code can be translated to.
func (t *Teller) Target(target mapping.Target) string {
	if target.State != mapping.Known {
		name := words.Capital(t.state(target.State))
		if key := "quality.null." + target.Code; t.w.Has(key) {
			name = t.w.Say(key)
		}
		return name
	}
	switch target.System {
	case mapping.SystemCDCREC:
		return t.named(mapping.DimensionRace, target.Code, "", "")
	case mapping.SystemBCP47:
		return words.Capital(t.w.Language(target.Code))
	case mapping.SystemInterpreter:
		return t.w.Label("need", target.Code)
	case mapping.SystemGender:
		return t.w.Label("sex", target.Code)
	case mapping.SystemInequity:
		return t.w.Label("inequity", target.Code)
	}
	for _, family := range []string{
		"class", "category", "severity", "outcome", "actuality", "quality.target",
	} {
		if key := family + "." + target.Code; t.w.Has(key) {
			return t.w.Say(key)
		}
	}
	return words.Plain(target.Code)
}
