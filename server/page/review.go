package page

import (
	"net/http"

	"github.com/equitylens/equitylens/server/figure"
)

// Review is the page of the review of one harm event. It shows what the equity of a patient's care turns
// on, and no name, no number and no address of theirs.
type Review struct {
	Board
	// Came is what the review came to, if it has; Act leads to an action about it.
	Came *Came
	// Event are the facts of the event.
	Event []Known
	// Patient are the mapped fields of who the patient is; Stranger says that they are not here.
	Patient  []Known
	Stranger string
	// Interpreter holds need against use at the encounter.
	Interpreter *Interpreter
	// Alike counts similar events by group; Cautions are what is to be known of such counts.
	Alike    figure.Table
	NotAlike string
	Cautions []string
	// Opinions are what was answered, as far as the reader may see it; Withheld says that there is more.
	Opinions []Opinion
	Withheld string
	// Papers are the forms that the reader may fill in.
	Papers []Paper
	// Kept are texts of the reader's that could not be written down, so that they are not lost.
	Kept []Term
	// History are the versions, the newest first.
	History figure.Table
}

// Known is a mapped field of a record.
type Known struct {
	Name, Value string
	// From is the element that settled it, as FHIR names it; "" where that is not kept.
	From string
	// Note is a sentence about it, such as what its absence calls for.
	Note string
	// Absent says that there is no value, but a state.
	Absent bool
}

// Interpreter is need for an interpreter against use at an encounter.
type Interpreter struct {
	// Tone is that of a lead: act, check, ok or note.
	Tone  string
	Says  string
	Terms []Known
	Note  string
}

// Opinion is what one reviewer answered.
type Opinion struct {
	// Who and When are the head; Answer, Detected and Factors what they chose.
	Who, When string
	Answer    string
	Factors   []string
	Detected  string
	// Evidence and Else are their own words, on lines of their own. Silent says that there are words that
	// the reader may not see.
	Evidence, Else string
	Silent         string
	// Past says that it counts no more.
	Past string
}

// Came is what a review came to.
type Came struct {
	Says     []string
	Evidence string
	Silent   string
	Act      Link
}

// Review writes the page of one review.
func (p *Pages) Review(w http.ResponseWriter, r *http.Request, status int, v Review) {
	p.boardPage(w, r, status, "review", v.Board, v)
}
