package page

import (
	"net/http"

	"github.com/equitylens/equitylens/server/figure"
)

// Actions is the page of what is done about findings.
type Actions struct {
	Board
	// Says are the sentences about the whole; Reminders are what asks for attention, and come first.
	Says      []string
	Reminders []Reminder
	States    []Count
	// Begin leads to where an action begins, Also to the pages beside this one.
	Begin Link
	Also  []Link
	// Table are the actions; Nothing says why there are none.
	Table   figure.Table
	Nothing string
}

// Reminder is an action that asks for attention, and why.
type Reminder struct {
	// Tone is act, check or note.
	Tone string
	Link
	Why string
}

// Actions writes the page of what is done about findings.
func (p *Pages) Actions(w http.ResponseWriter, r *http.Request, a Actions) {
	p.boardPage(w, r, http.StatusOK, "actions", a.Board, a)
}

// Action is the page of one action.
type Action struct {
	Board
	// Reminders are why it asks for attention.
	Reminders []Notice
	Facts     []Known
	// What is what is to be done, in the words of who wrote it down.
	What string
	// Came is what came of it, when it is over.
	Came *Came
	// Leads go to what is known of it besides: whether it helped, its measure, its reviews.
	Leads  []Link
	Papers []Paper
	// Kept are texts of the reader's that could not be written down, so that they are not lost.
	Kept    []Term
	History figure.Table
}

// Action writes the page of one action.
func (p *Pages) Action(w http.ResponseWriter, r *http.Request, status int, a Action) {
	p.boardPage(w, r, status, "action", a.Board, a)
}

// Draft is the page on which an action is written down, or a condition is declared.
type Draft struct {
	Board
	// Says are sentences about what was found; Found is what is taken over of it.
	Says  []string
	Found []Known
	// Papers are the forms; where there are none yet, the Form of the Board asks what it is about.
	Papers []Paper
	Kept   []Term
}

// Draft writes the page on which an action is written down.
func (p *Pages) Draft(w http.ResponseWriter, r *http.Request, status int, d Draft) {
	p.boardPage(w, r, status, "draft", d.Board, d)
}

// Evidence is the page of what the figures show of an action.
type Evidence struct {
	Board
	// Facts are what was done, of whom and when.
	Facts []Known
	// Says is what the figures show and what they do not, the verdict first; Tone is that of the first.
	Tone string
	Says []string
	// Cautions speak against taking it at its face.
	Cautions []string
	Sections []Part
	// Printed says that the page is shown as it is printed. Print leads there, Back to the whole page.
	Printed     bool
	Print, Back string
	Leads       []Link
}

// Evidence writes the page of what the figures show of an action.
func (p *Pages) Evidence(w http.ResponseWriter, r *http.Request, e Evidence) {
	p.boardPage(w, r, http.StatusOK, "evidence", e.Board, e)
}

// Conditions is the page of declared conditions, and of a measure inside and outside of them.
type Conditions struct {
	Board
	Table   figure.Table
	Nothing string
	// Papers declare one, or end one.
	Papers []Paper
	Kept   []Term
	// Refused says why nothing can be compared; Parts are the comparison.
	Refused string
	Parts   []Part
}

// Conditions writes the page of declared conditions.
func (p *Pages) Conditions(w http.ResponseWriter, r *http.Request, status int, c Conditions) {
	p.boardPage(w, r, status, "conditions", c.Board, c)
}
