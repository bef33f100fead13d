package ingest

import (
	"context"

	"github.com/equitylens/equitylens/store/facts"
)

// Source is where resources come from.
type Source interface {
	// Name tells sources apart in a snapshot. What a source gives in full replaces what it gave before.
	Name() string
	// Fetch brings what there is into folder, or goes on with what an earlier run left there.
	Fetch(ctx context.Context, folder string, loaded map[string]facts.Load, progress func(Progress)) (Delivery, error)
}

// Delivery is what a source gave.
type Delivery struct {
	// Files are read in this order; deletions are applied after everything else.
	Files []File
	// Loads says for each resource type that the source gives how far it gave it. A type that is not
	// here is not available from it, which is not the same as none.
	Loads []facts.Load
	// Skipped names what was not read, and why.
	Skipped []Skipped
	// Unfinished says that something could not be fetched that may be there at the next try: what is in
	// the folder is then gone on with, once.
	Unfinished bool
	// Kept says that the source gives nothing of its own: the snapshot is made again of what it holds.
	Kept bool
	// Certain says that what the source does not give any more is gone beyond doubt, because it is a
	// store of ours: a type may then shrink by any share.
	Certain bool
}

// Abandoner is a Source that has to be told when what it left in a folder is not gone on with.
type Abandoner interface {
	Abandon(ctx context.Context, folder string, loaded map[string]facts.Load) error
}

// File is a file of a delivery.
type File struct {
	Path string
	// Label names the file in reports. It holds no id.
	Label string
	// Type is the resource type that the file is said to hold, or "".
	Type string
	// Deleted marks a file of transaction Bundles that say what is gone.
	Deleted bool
	// Document marks a file that is one JSON document, pretty-printed or a Bundle, and not lines.
	Document bool
	// Expected is how many lines the source says the file has.
	Expected *int64
}

// Skipped is a file, or a resource type, that was left out on purpose.
type Skipped struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
	// ofLines says that Name is what lines call themselves.
	ofLines bool
}

// Progress says how far a run is.
type Progress struct {
	// Phase is fetch, load, merge, measure or publish.
	Phase string `json:"phase"`
	// Step says more of a fetch: one of Asking and its kin, or "".
	Step string `json:"step,omitempty"`
	// Note is a few words for whoever runs the program. A server may have written them, so that they
	// are not told to others.
	Note string `json:"-"`
	// Files are done of Total; 0 of 0 where they are not counted.
	Files int   `json:"files"`
	Total int   `json:"total"`
	Lines int64 `json:"lines"`
}

// The steps of a fetch, in order.
const (
	// Asking: what the server offers.
	Asking = "asking"
	// Ordering: an export.
	Ordering = "ordering"
	// Waiting: for the server to make the export.
	Waiting = "waiting"
	// Downloading: the files of the export.
	Downloading = "downloading"
	// Searching: what the server does not export, page by page.
	Searching = "searching"
)

// Phases lists the phases of a run, in order.
func Phases() []string { return []string{"fetch", "load", "merge", "measure", "publish"} }

// Steps lists the steps of a fetch, in order.
func Steps() []string { return []string{Asking, Ordering, Waiting, Downloading, Searching} }
