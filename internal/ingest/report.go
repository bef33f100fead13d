package ingest

import (
	"cmp"
	"slices"
	"time"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
)

// Report is what a sync did. Its JSON form is the contract of `equitylens sync --json`: fields may be
// added, never changed.
type Report struct {
	// Snapshot is the id of what was published; "" after a dry run.
	Snapshot string `json:"snapshot"`
	Source   string `json:"source"`
	// Complete is false if something is missing. The snapshot is then there, but not the live one.
	Complete bool                  `json:"complete"`
	Types    map[string]TypeReport `json:"types"`
	// Orphans counts encounters and events whose patient is not in the snapshot.
	Orphans int64         `json:"orphans"`
	Issues  []IssueReport `json:"issues"`

	// Incomplete says what is missing.
	Incomplete []string `json:"incomplete,omitempty"`
	// Refusals counts refused lines by reason; Quarantine is the file that keeps them.
	Refusals   []RefusalReport `json:"refusals,omitempty"`
	Quarantine string          `json:"quarantine,omitempty"`
	// Skipped names files that were not read, and why.
	Skipped []Skipped `json:"skipped,omitempty"`
	// Undated counts units that no period holds, Unlinked events without an encounter, Merged patients
	// whose record was replaced by another.
	Undated  int64     `json:"undated"`
	Unlinked int64     `json:"unlinked"`
	Merged   int64     `json:"merged"`
	DataAsOf time.Time `json:"data_as_of"`
	// Digest is equal for equal data, in whatever order it came.
	Digest string `json:"digest"`
	// Unchanged says that the snapshot holds what the live one before it held.
	Unchanged bool `json:"unchanged,omitempty"`
	// Validated counts the lines that were also held against the full R4 rules.
	Validated int64 `json:"validated"`
	DryRun    bool  `json:"dry_run,omitempty"`
	// Uncounted names the measures whose expressions do not run on the new data.
	Uncounted []string `json:"uncounted,omitempty"`
}

// TypeReport counts one resource type.
type TypeReport struct {
	Read    int64 `json:"read"`
	Stored  int64 `json:"stored"`
	Refused int64 `json:"refused"`
	Deleted int64 `json:"deleted"`
}

// IssueReport counts one kind of issue, and where it stood.
type IssueReport struct {
	Kind    string        `json:"kind"`
	Count   int64         `json:"count"`
	Details []IssueDetail `json:"details"`
}

// IssueDetail counts the issues of one element, and for a code that no table knows the code.
type IssueDetail struct {
	Type    string `json:"type"`
	Element string `json:"element"`
	System  string `json:"system,omitempty"`
	Code    string `json:"code,omitempty"`
	Count   int64  `json:"count"`
}

// RefusalReport counts the refused lines of one reason.
type RefusalReport struct {
	Type   string      `json:"type"`
	Reason fhir.Reason `json:"reason"`
	Count  int64       `json:"count"`
}

// issueReports groups counts by kind, the most frequent first.
func issueReports(counts map[issue]*int64) []IssueReport {
	byKind := map[mapping.IssueKind]*IssueReport{}
	reports := make([]IssueReport, 0, len(mapping.IssueKinds()))
	for c, n := range counts {
		r := byKind[c.Kind]
		if r == nil {
			r = &IssueReport{Kind: string(c.Kind)}
			byKind[c.Kind] = r
		}
		r.Count += *n
		r.Details = append(r.Details, IssueDetail{c.resourceType, c.Element, c.System, c.Code, *n})
	}
	for _, r := range byKind {
		slices.SortFunc(r.Details, func(a, b IssueDetail) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Element, b.Element),
				cmp.Compare(a.System, b.System), cmp.Compare(a.Code, b.Code))
		})
		reports = append(reports, *r)
	}
	slices.SortFunc(reports, func(a, b IssueReport) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind))
	})
	return reports
}
