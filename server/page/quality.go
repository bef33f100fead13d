package page

import (
	"net/http"

	"github.com/equitylens/equitylens/server/figure"
)

// Quality is the page about the data themselves. Parts that the reader may not see are absent.
type Quality struct {
	Board
	// Says are the sentences about the whole; Nothing says why there are no figures.
	Says    []string
	Nothing string
	// Records are what is on record; Calls what each state calls for.
	Records []Part
	Calls   *figure.Table
	Codes   *Codes
	// Others are oddities, loose ends and loads. Reasons say why a load is not complete, in the words of
	// the program.
	Others  []Part
	Reasons []Term
	Runs    *Runs
	Live    *Live
	// Under says that a sync is under way, and leads to it; without a text none is.
	Under *Link
}

// Codes are the local codes that nobody has translated, and how that is done.
type Codes struct {
	Part
	// Fixes are the entries that the first of them need; More says how many have none here.
	Fixes []Fix
	More  string
	// Skeletons are ConceptMaps of all of them, to be filled in.
	Skeletons []Link
	// Targets are what they can be translated to, by element.
	Targets []Targets
}

// Fix is an entry of a ConceptMap, whose target is left to the reader.
type Fix struct {
	Code, Touches string
	// JSON is a group of a ConceptMap. Target leads to the codes that can stand in it.
	JSON   string
	Target Link
}

// Targets are the codes that an element reads.
type Targets struct {
	ID, Title string
	Table     figure.Table
	// More leads to all of them, where the table has but some.
	More Link
}

// Live is the sync that is under way, or how the last one ended.
type Live struct {
	// Says changes with the phase, and is read out; Detail changes all the time, and is not.
	Says, Detail string
	// Value of Max is how far it is; a Max of 0 draws no bar.
	Value, Max int
	Running    bool
	// Notices are what came of the button.
	Notices []Notice
	// Failures are what went wrong, in the words of the program, by source.
	Failures []Term
	// Events is where a script hears of changes; Refresh is this page.
	Events, Refresh string
	// Start is where the button sends; "" where there is none.
	Start string
}

// Runs are the newest runs of the sync, and one of them in detail.
type Runs struct {
	Caption string
	Rows    []Run
	One     *OneRun
}

// Run is one run of the sync.
type Run struct {
	// Started leads to the run in detail.
	Started Link
	Took    string
	Source  string
	Outcome string
	// Well says that something new is live, or that there was nothing new.
	Well     bool
	Snapshot string
	// Failure is in the words of the program.
	Failure string
}

// OneRun is a run in detail.
type OneRun struct {
	Title string
	Facts []Term
	// Failure is in the words of the program.
	Failure string
	// Says is what is known of the lines that were refused; the tables are why, and where some of them
	// stood.
	Says            []string
	Types           figure.Table
	Reasons, Places figure.Table
}

// Quality writes the page about the data. It is the only page with a script, where something goes on.
func (p *Pages) Quality(w http.ResponseWriter, r *http.Request, status int, q Quality) {
	s := sheet{
		name: "quality", nav: q.Nav,
		title: func(*voice) string { return q.Title },
		page:  func(*voice) any { return q },
	}
	if q.Live != nil && q.Live.Events != "" {
		s.script, s.policy.script = p.assets.live, true
	}
	p.send(w, r, status, s)
}
