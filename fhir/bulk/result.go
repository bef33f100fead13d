package bulk

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/equitylens/equitylens/fhir/client"
)

// Export is what a run brought home.
type Export struct {
	// TransactionTime is the moment the data is as of, by the server's clock. Zero if the server wrote
	// no instant; then the next export has to be a full one.
	TransactionTime time.Time
	// ServerStarted is the server's clock at the kick-off. Zero if it did not say.
	ServerStarted time.Time
	// Files are in the order of the manifest: apply Output first, then Deleted.
	Files []File
	// Partial says that something is missing: the server reported errors, or a file could not be had.
	// A Run on the same folder tries such a file again.
	Partial bool
	// Problems are what is to be told, the harmless included.
	Problems []Problem
	// Issues counts what the server's error files say.
	Issues []IssueCount
}

// Since returns what the next export may ask for with Request.Since: the earlier of the two moments
// of e, because servers were seen to give the end of the job for the moment of its data. Zero means
// that only a full export is safe.
func (e Export) Since() time.Time {
	if !e.ServerStarted.IsZero() && e.ServerStarted.Before(e.TransactionTime) {
		return e.ServerStarted
	}
	return e.TransactionTime
}

// File is one file on disk, whole.
type File struct {
	Kind Kind
	// Type is the resource type; empty if the server did not say, and then any line may be of any.
	Type string
	// Path is where it is. OpenNDJSON reads it, packed or not.
	Path string
	// Label names the file without its URL, as "Patient-00001".
	Label string
	// Count is the number of lines by the manifest, nil if it does not say; Lines is what came.
	Count *int64
	Lines int64
	// Size and SHA256 are of the bytes on disk.
	Size   int64
	SHA256 string
}

// ProblemKind says what a problem is.
type ProblemKind string

// The kinds of problems. The first two make an export partial.
const (
	// FileFailed is a file that could not be fetched.
	FileFailed ProblemKind = "file-failed"
	// ServerErrors is an error file with issues of severity error or fatal.
	ServerErrors ProblemKind = "server-errors"
	// CountMismatch is a file with other than the promised number of lines. Whether something is
	// missing shows when its resources are counted: a line may hold two.
	CountMismatch ProblemKind = "count-mismatch"
	// NoTransactionTime is a manifest without a usable transactionTime.
	NoTransactionTime ProblemKind = "no-transaction-time"
)

// Problem is one thing that is not as it should be.
type Problem struct {
	Kind ProblemKind
	// Label is that of the file, empty for the manifest.
	Label string
	// Type is the resource type of the file, if known.
	Type string
	// Expected and Got are the lines of a CountMismatch.
	Expected int64
	Got      int64
	// Reason is for people. It holds no URL and no id.
	Reason string
}

// IssueCount is how often one issue stood in the error files.
type IssueCount struct {
	client.Issue
	Count int64
}

// String returns for example "3 × exception (error)".
func (c IssueCount) String() string { return fmt.Sprintf("%d × %s", c.Count, c.Issue) }

// assemble gathers the result. It reads the error files, which decide whether the export is whole.
func (e *Exporter) assemble(
	s *state, done map[int]fileRecord, failed map[int]error,
) (Export, error) {
	export := Export{TransactionTime: s.TransactionTime, ServerStarted: s.ServerStarted}
	if s.TransactionTime.IsZero() {
		export.Problems = append(export.Problems, Problem{
			Kind: NoTransactionTime, Reason: "the manifest names no instant as transactionTime",
		})
	}
	issues := make(map[client.Issue]int64)
	for i, item := range s.Items {
		if err, ok := failed[i]; ok {
			export.Partial = true
			export.Problems = append(export.Problems, Problem{
				Kind: FileFailed, Label: label(i, item), Type: item.Type, Reason: err.Error(),
			})
			continue
		}
		file := fileOf(e.folder, i, item, done[i])
		export.Files = append(export.Files, file)
		if file.Count != nil && *file.Count != file.Lines {
			export.Problems = append(export.Problems, Problem{
				Kind: CountMismatch, Label: file.Label, Type: file.Type,
				Expected: *file.Count, Got: file.Lines,
				Reason: fmt.Sprintf("the manifest says %d lines, %d came", *file.Count, file.Lines),
			})
		}
		if file.Kind != Error {
			continue
		}
		problem, err := e.serverErrors(file, issues)
		if err != nil {
			return Export{}, err
		}
		if problem != nil {
			export.Partial = true
			export.Problems = append(export.Problems, *problem)
		}
	}
	for issue, n := range issues {
		export.Issues = append(export.Issues, IssueCount{issue, n})
	}
	slices.SortFunc(export.Issues, func(a, b IssueCount) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Code, b.Code))
	})
	return export, nil
}

// fileOf returns a finished file.
func fileOf(f *folder, i int, item Item, record fileRecord) File {
	return File{
		Kind: item.Kind, Type: item.Type, Path: f.path(record.Name), Label: label(i, item),
		Count: item.Count, Lines: record.Lines, Size: record.Size, SHA256: record.SHA256,
	}
}

// serverErrors counts the issues of one error file and returns a problem if one says that something
// was not done. In version 2 the list holds warnings and good news too.
func (e *Exporter) serverErrors(file File, issues map[client.Issue]int64) (*Problem, error) {
	counts, err := ReadOutcomes(file.Path, e.cfg.Limits)
	if err != nil {
		return nil, err
	}
	failures, worst := int64(0), client.Issue{}
	for issue, n := range counts {
		issues[issue] += n
		if !issue.Failed() {
			continue
		}
		failures += n
		if n > counts[worst] || n == counts[worst] && issue.String() < worst.String() {
			worst = issue
		}
	}
	if failures == 0 {
		return nil, nil
	}
	return &Problem{
		Kind: ServerErrors, Label: file.Label,
		Reason: fmt.Sprintf("failures that the server reports: %d, foremost %s", failures, worst),
	}, nil
}
