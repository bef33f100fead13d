package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/facts"
)

const (
	// mostCodes and mostFixes bound what the page lists; the file has all.
	mostCodes = 100
	mostFixes = 20
	// skeletonFile is a ConceptMap of the codes that nobody has translated.
	skeletonFile = "unmapped.json"
	// targetsFigure is the table of everything that codes can be translated to.
	targetsFigure = "targets"
)

// issues are those of some kinds where the reader looks.
func (q *dataView) issues(ctx context.Context, limit int, kinds ...mapping.IssueKind) ([]facts.Issue, error) {
	list, _, err := q.snapshot.Facts().Issues(ctx, facts.IssueFilter{
		Source: q.source, Site: q.site, Kinds: kinds, Limit: limit,
	})
	if err != nil {
		return nil, fmt.Errorf("list the issues: %w", err)
	}
	return list, nil
}

// codes shows the codes that nobody has translated, and says how many there are.
func (q *dataView) codes(ctx context.Context, s *sheet, out *page.Quality) (int, error) {
	list, err := q.issues(ctx, 0, mapping.UnmappedCode)
	if err != nil {
		return 0, err
	}
	full := q.tell.Codes(list)
	s.figures = append(s.figures, full)
	shown := q.part(full)
	if len(list) > mostCodes {
		shown.Table.Rows = shown.Table.Rows[:mostCodes]
		shown.Notes = append(shown.Notes, q.words.Say("quality.codes.more", len(list)-mostCodes,
			q.words.Count(float64(len(list)-mostCodes))))
	}
	c := &page.Codes{Part: shown}
	out.Codes = c
	if len(list) == 0 {
		return 0, nil
	}
	s.extra = map[string]func() ([]byte, error){
		skeletonFile: func() ([]byte, error) { return q.skeleton(list) },
	}
	all := figure.Figure{ID: targetsFigure, Table: q.targetTable(q.words.Say("quality.targets"), nil)}
	elements := map[string]bool{}
	for _, i := range list {
		if i.Code == "" || len(mapping.Targets(i.Element)) == 0 {
			continue
		}
		kind := fieldOf(i.Element)
		if !elements[kind] {
			elements[kind] = true
			c.Targets = append(c.Targets, q.targets(i.Element))
			all.Table.Rows = append(all.Table.Rows, q.targetTable("", mapping.Targets(i.Element)).Rows...)
		}
		if len(c.Fixes) < mostFixes {
			c.Fixes = append(c.Fixes, q.fix(i))
		}
	}
	if len(c.Fixes) == 0 {
		return len(list), nil
	}
	s.figures = append(s.figures, all)
	if rest := len(list) - len(c.Fixes); rest > 0 {
		c.More = q.words.Say("quality.fix.more", rest, q.words.Count(float64(rest)))
	}
	c.Skeletons = q.skeletons()
	return len(list), nil
}

// fieldOf is the part of the path of an element by which its targets are told apart.
func fieldOf(element string) string {
	switch {
	case strings.Contains(element, "interpreter"):
		return mapping.DimensionInterpreter
	case strings.HasPrefix(element, "Patient.extension("):
		name, _, _ := strings.Cut(element, ")")
		return name
	}
	return element
}

// targetsID is the place of the targets of an element on the page.
func targetsID(element string) string {
	return "targets-" + strings.Trim(plainName(fieldOf(element)), "_-")
}

// fix is the entry that a code needs.
func (q *dataView) fix(i facts.Issue) page.Fix {
	text, err := indented(groupJSON{
		Source: i.System, Target: mapping.Targets(i.Element)[0].System,
		Element: []elementJSON{{Code: i.Code, Target: []targetJSON{{Code: new(string), Equivalence: "equivalent"}}}},
	})
	if err != nil { // Strings are always written.
		text = []byte(err.Error())
	}
	return page.Fix{
		Code: words.Plain(i.Code), JSON: string(text),
		Touches: q.words.Say("quality.fix.touches", int(i.People), q.words.Count(float64(i.People)), q.tell.Element(i.Element)),
		Target: page.Link{
			Text: q.words.Say("quality.fix.targets", q.tell.Element(i.Element)), URL: "#" + targetsID(i.Element),
		},
	}
}

// targets are what the codes of an element can be translated to.
func (q *dataView) targets(element string) page.Targets {
	list := mapping.Targets(element)
	var main []mapping.Target
	for _, t := range list {
		if t.Main {
			main = append(main, t)
		}
	}
	title := q.words.Say("quality.targets.of", q.tell.Element(element))
	out := page.Targets{ID: targetsID(element), Title: title, Table: q.targetTable(title, main)}
	if len(main) < len(list) {
		out.More = page.Link{
			Text: q.words.Say("quality.targets.all", len(list), q.words.Count(float64(len(list)))),
			URL:  q.file(targetsFigure + "." + endingCSV),
		}
	}
	return out
}

func (q *dataView) targetTable(caption string, list []mapping.Target) figure.Table {
	out := figure.Table{Caption: caption, Columns: []figure.Column{
		{Title: q.words.Say("quality.code")}, {Title: q.words.Say("quality.target.name")},
		{Title: q.words.Say("quality.system")},
	}}
	for _, t := range list {
		out.Rows = append(out.Rows, figure.TableRow{Cells: []figure.Cell{
			{Text: t.Code}, {Text: q.tell.Target(t)}, {Text: t.System},
		}})
	}
	return out
}

// skeletons are the files to be filled in: of the source that is looked at, or of each and of all.
func (q *dataView) skeletons() []page.Link {
	link := func(source, text string) page.Link {
		at := address{Path: QualityPath, Audience: q.Audience, Language: q.Language, More: map[string][]string{}}
		if source != "" {
			at.More[paramSource] = []string{source}
		}
		return page.Link{Text: text, URL: at.file(skeletonFile)}
	}
	list := q.sources()
	if q.source != "" {
		list = []string{q.source}
	}
	if len(list) == 1 {
		return []page.Link{link(q.source, skeletonFile)}
	}
	links := []page.Link{link("", skeletonFile)}
	for _, source := range list {
		links = append(links, link(source, q.words.Say("quality.fix.of", skeletonFile, short(source))))
	}
	return links
}

// The elements of a ConceptMap that a skeleton has. http://hl7.org/fhir/R4/conceptmap.html
type (
	conceptMapJSON struct {
		ResourceType string      `json:"resourceType"`
		Status       string      `json:"status"`
		Date         string      `json:"date"`
		Description  string      `json:"description"`
		Group        []groupJSON `json:"group"`
	}
	groupJSON struct {
		Source  string        `json:"source,omitempty"`
		Target  string        `json:"target"`
		Element []elementJSON `json:"element"`
	}
	elementJSON struct {
		Code   string       `json:"code"`
		Target []targetJSON `json:"target"`
	}
	targetJSON struct {
		Code        *string `json:"code,omitempty"`
		Equivalence string  `json:"equivalence"`
		Comment     string  `json:"comment,omitempty"`
	}
)

// skeleton is a ConceptMap of codes, without their targets. It is valid as it is, and translates nothing:
// so it can be filled in one by one.
func (q *dataView) skeleton(list []facts.Issue) ([]byte, error) {
	out := conceptMapJSON{
		ResourceType: "ConceptMap", Status: "draft",
		Date:        q.snapshot.Facts().Info.DataAsOf.UTC().Format("2006-01-02"),
		Description: q.words.Say("quality.fix.description"),
	}
	groups, elements := map[[2]string]int{}, map[[3]string]int{}
	for _, i := range list {
		targets := mapping.Targets(i.Element)
		if i.Code == "" || len(targets) == 0 {
			continue
		}
		at := [2]string{i.System, targets[0].System}
		g, ok := groups[at]
		if !ok {
			g = len(out.Group)
			groups[at] = g
			out.Group = append(out.Group, groupJSON{Source: i.System, Target: at[1]})
		}
		group := &out.Group[g]
		touches := i.Element + ": " + strconv.FormatInt(i.People, 10)
		if e, twice := elements[[3]string{at[0], at[1], i.Code}]; twice {
			target := &group.Element[e].Target[0]
			target.Comment += "; " + touches
			continue
		}
		elements[[3]string{at[0], at[1], i.Code}] = len(group.Element)
		group.Element = append(group.Element, elementJSON{
			Code: i.Code, Target: []targetJSON{{Equivalence: "unmatched", Comment: touches}},
		})
	}
	if len(out.Group) == 0 {
		return nil, errNotFound
	}
	return indented(out)
}

// indented writes JSON for people: what stands in it is text, and no markup.
func indented(what any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(what); err != nil {
		return nil, fmt.Errorf("write a ConceptMap: %w", err)
	}
	return escaped(out.Bytes()), nil
}

// escaped writes what would turn a text around, or what no screen shows, as JSON can: by its number. What is
// read of it is the same.
func escaped(text []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(text) {
		if r != '\n' && r <= 0xffff && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	return out.Bytes()
}
