package page

import (
	"net/http"

	"github.com/equitylens/equitylens/server/figure"
)

// Readiness is the page of the self-assessment of the institution for a period.
type Readiness struct {
	Board
	// Says is where the assessment stands; Others lead to those of other periods.
	Says   []string
	Others []Link
	// Scores are the levels by domain, which are never added up.
	Scores figure.Table
	// Open is what has no answer, by why.
	Open    []Unanswered
	Domains []Domain
	// Steps are the plan, in its order; NoSteps says why there is none.
	Steps   []Step
	NoSteps string
	// ChangesSay and Changes hold it against the period before.
	ChangesSay []string
	Changes    figure.Table
	// Papers make it final or open it again; Waits says why it cannot become final yet.
	Papers []Paper
	Waits  string
	// Kept are texts of the reader's that could not be written down, so that they are not lost.
	Kept    []Term
	History figure.Table
}

// Unanswered is some items without an answer, with the domains that they are in.
type Unanswered struct {
	Says  string
	Items []Link
}

// Domain is one domain of a self-assessment.
type Domain struct {
	ID, Title, About string
	// Data is what the data answer, People what people did.
	Data, People figure.Table
	// Papers ask for the answers; there are none of what is final.
	Papers []Paper
}

// Step is one thing to do next.
type Step struct {
	// What is to be done, Asks the question that it answers, Level where that stands.
	What, Asks, Level string
	// Now is the reason, Shows what would show that it was done, Owner the role that it would fall to.
	Now, Shows, Owner string
	// Act leads to an action about it; Name is what that link is called among others of its kind.
	Act  Link
	Name string
}

// All are the forms of the page, for the summary of what is wrong with them.
func (a Readiness) All() []Paper {
	all := append([]Paper{}, a.Papers...)
	for _, d := range a.Domains {
		all = append(all, d.Papers...)
	}
	return all
}

// Readiness writes the page of the self-assessment.
func (p *Pages) Readiness(w http.ResponseWriter, r *http.Request, status int, a Readiness) {
	p.boardPage(w, r, status, "readiness", a.Board, a)
}

// Network is the page of a network of institutions.
type Network struct {
	Board
	// Joining says how to come into a network, where there is none.
	Joining []string
	// Says are the sentences about the whole, Means what their words mean.
	Says, Means []string
	// Members are those that the reader may name, and what they handed in; MembersTitle is above them.
	Members      figure.Table
	MembersTitle string
	Unnamed      string
	// Nothing says why there are no figures; Parts are the figure that was chosen.
	Nothing string
	Parts   []Part
	// Groups are the groups that can be chosen, with what all members together come to.
	Groups figure.Table
}

// Network writes the page of a network.
func (p *Pages) Network(w http.ResponseWriter, r *http.Request, n Network) {
	p.boardPage(w, r, http.StatusOK, "network", n.Board, n)
}
