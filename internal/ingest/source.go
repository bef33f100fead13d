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
}

// Progress says how far a run is.
type Progress struct {
	// Phase is fetch, load, merge, measure or publish.
	Phase string
	// Note is a few words for a person.
	Note  string
	Files int
	Total int
	Lines int64
}
