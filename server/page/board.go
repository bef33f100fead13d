package page

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"

	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// Board is what every page of the dashboard shows beside what it is about. All texts are in the language
// of the reader already (see Words); all addresses are relative to the origin.
type Board struct {
	Title string
	// Lead is the sentence below the title; Crumbs lead to the pages above this one.
	Lead   string
	Crumbs []Link
	// Nav are the pages of the dashboard.
	Nav     []Link
	Notices []Notice
	// Form is what the reader can choose; nil where there is no choice.
	Form *Form
	// Files are what can be taken along of the whole page.
	Files []Link
	// Provenance says where the figures come from: measure and version, period, snapshot and so on.
	Provenance []Term
}

// Link leads somewhere.
type Link struct {
	Text, URL string
	// Current says that it leads to this page.
	Current bool
}

// Notice is something to know before reading the figures. Tone is note, check or act.
type Notice struct{ Tone, Text string }

// Term is a name and what it is.
type Term struct{ Name, Value string }

// Form is a set of choices that are sent by GET, so that their answer has an address.
type Form struct {
	Action string
	// Hidden are the parameters that the form keeps as they are.
	Hidden []Term
	Fields []Field
	// More are choices that are seldom made; they stand behind a word.
	More []Field
	// Clear leads to the page without any choice; "" leaves it out.
	Clear string
}

// Field is one choice. Where Options is empty a text is asked for, which is Value now.
type Field struct {
	Name, Label, Help string
	Value             string
	Options           []Option
	// Many says that several of the options may be chosen at once.
	Many bool
}

// Option is one of the answers to a choice.
type Option struct {
	Value, Label string
	Chosen       bool
}

// Part is a figure of a page, with its files.
type Part struct {
	figure.Figure
	Files []Link
	// Folded says that the figure stands behind its title until somebody opens it.
	Folded bool
}

// Words says everything in the language of the reader of a request.
func (p *Pages) Words(r *http.Request) *words.Words { return p.editions[p.choose(r)].words.Words }

// The widths of pictures, in user units; the style sheet shows the one that fits.
const (
	wideWidth   = 720
	narrowWidth = 340
)

// picture is a chart at one width as an element of the page. The renderer escapes what is written in it.
func picture(c chart.Chart, width int) (template.HTML, error) {
	var out bytes.Buffer
	if err := chart.SVG(&out, c, chart.Options{Width: width}); err != nil {
		return "", fmt.Errorf("draw a picture: %w", err)
	}
	return template.HTML(out.String()), nil // #nosec G203 -- every text in it is escaped by chart
}

// wide and narrow are picture for templates.
func wide(c chart.Chart) (template.HTML, error)   { return picture(c, wideWidth) }
func narrow(c chart.Chart) (template.HTML, error) { return picture(c, narrowWidth) }

// boardPage writes a page of the dashboard. What is in it has been settled: the template adds markup.
func (p *Pages) boardPage(
	w http.ResponseWriter, r *http.Request, status int, name string, b Board, content any,
) {
	p.send(w, r, status, sheet{
		name: name, nav: b.Nav,
		title: func(*voice) string { return b.Title },
		page:  func(*voice) any { return content },
	})
}
