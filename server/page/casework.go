package page

import "net/http"

// Fault is what is wrong with a field of a form that somebody sent.
type Fault struct{ Field, Text string }

// FaultOf returns what is wrong with a field; "" where nothing is.
func FaultOf(faults []Fault, field string) string {
	for _, f := range faults {
		if f.Field == field {
			return f.Text
		}
	}
	return ""
}

// Paper is a form by which somebody writes down a decision. It is sent by POST to where it stands. All
// texts are in the language of the reader.
type Paper struct {
	// ID names the section on the page, and begins the ids of its fields.
	ID, Title string
	// Says are sentences below the title.
	Says   []string
	Action string
	// Hidden are fields that the form brings back as they are, such as the version that was read.
	Hidden []Term
	Asks   []Ask
	Submit string
	// Faulty is the title above what is wrong, if anything is.
	Faulty string
	// Folded says that the form stands behind its title until somebody opens it.
	Folded bool
}

// AskKind is how something is asked for.
type AskKind string

// The kinds of asking. One and Many are among the options, the first by radio buttons; Pick is One from
// a list that folds out.
const (
	AskText AskKind = "text"
	AskArea AskKind = "area"
	AskDay  AskKind = "day"
	AskOne  AskKind = "one"
	AskMany AskKind = "many"
	AskPick AskKind = "pick"
)

// Ask is one field of a Paper.
type Ask struct {
	Kind        AskKind
	Name, Label string
	Help, Value string
	Options     []Offer
	// Fault is what is wrong with what was sent, if anything is.
	Fault string
	// Needed says that the form is not taken without it; Depends that its Help says when it is not.
	Needed, Depends bool
}

// Offer is one of the answers to an Ask, with what it means.
type Offer struct {
	Value, Label  string
	Says, Example string
	Chosen        bool
}

// Wrong leads to each field with which something is wrong.
func (e Paper) Wrong() []Link {
	var out []Link
	for _, a := range e.Asks {
		if a.Fault != "" {
			out = append(out, Link{Text: a.Label + " – " + a.Fault, URL: "#" + e.ID + "-" + a.Name})
		}
	}
	return out
}

// Mark writes down what is wrong with the fields, under a title.
func (e *Paper) Mark(title string, faults []Fault) {
	for _, f := range faults {
		for i := range e.Asks {
			if a := &e.Asks[i]; a.Name == f.Field && a.Fault == "" {
				a.Fault, e.Faulty, e.Folded = f.Text, title, false
			}
		}
	}
}

// control is an Ask with the id of its first control.
type control struct {
	ID string
	Ask
}

// Controls are the Asks of a Paper, for its template.
func (e Paper) Controls() []control {
	out := make([]control, len(e.Asks))
	for i, a := range e.Asks {
		out[i] = control{e.ID + "-" + a.Name, a}
	}
	return out
}

// ReviewCodes is the page of code systems.
type ReviewCodes struct {
	Board
	Systems []CodeSystem
}

// CodeSystem is a code system with what its codes mean.
type CodeSystem struct {
	ID, Title, Says string
	// URL is its canonical.
	URL   string
	Codes []Code
}

// Code is a code with what it means, and an event to which it applies.
type Code struct{ ID, Code, Display, Definition, Example string }

// ReviewCodes writes the page of code systems.
func (p *Pages) ReviewCodes(w http.ResponseWriter, r *http.Request, c ReviewCodes) {
	p.boardPage(w, r, http.StatusOK, "reviewcodes", c.Board, c)
}
