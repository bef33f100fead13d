package page

import (
	"net/http"

	"github.com/equitylens/equitylens/server/figure"
)

// Worklist is the page of the harm events that are to be reviewed. It names no patient.
type Worklist struct {
	Board
	// Says are the sentences about the whole, the answer rate first.
	Says []string
	// States lead to the reviews of each state, with how many there are.
	States []Count
	// Also lead to the other pages about reviews.
	Also []Link
	// Table are the reviews of this page; Nothing says why there are none.
	Table   figure.Table
	Nothing string
	// First and Next lead to other pages of the list; without a text there is none.
	First, Next Link
	// Detection stands the ways of detection side by side, which are never added; Cautions are what is to
	// be known of them.
	Detection figure.Table
	Cautions  []string
	Agreement *Agreement
}

// Count is a number of reviews, and where they are listed.
type Count struct {
	Link
	Number string
}

// Agreement is how well two reviewers agree.
type Agreement struct {
	Says  []string
	Terms []Term
	Table figure.Table
	Notes []string
}

// Worklist writes the page of the harm events that are to be reviewed.
func (p *Pages) Worklist(w http.ResponseWriter, r *http.Request, l Worklist) {
	p.boardPage(w, r, http.StatusOK, "worklist", l.Board, l)
}

// Clusters is the page of reviewed events that have a factor in common.
type Clusters struct {
	Board
	Says     []string
	Nothing  string
	Clusters []Cluster
	Notes    []string
}

// Cluster is some reviewed events with a factor in common.
type Cluster struct {
	ID, Title string
	Says      []string
	// Reviews lead to some of them; More says how many others there are.
	Reviews []Link
	More    string
	// Act leads to an action that is about them; without an address the reader keeps no actions.
	Act Link
}

// Clusters writes the page of reviewed events that have a factor in common.
func (p *Pages) Clusters(w http.ResponseWriter, r *http.Request, c Clusters) {
	p.boardPage(w, r, http.StatusOK, "clusters", c.Board, c)
}
