package bulk

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/client"
	"github.com/equitylens/equitylens/internal/phi"
)

// deletedLine is a Bundle that deletes what the addresses name.
func deletedLine(addresses ...string) string {
	entries := make([]string, len(addresses))
	for i, address := range addresses {
		entries[i] = fmt.Sprintf(`{"request":{"method":"DELETE","url":%q}}`, address)
	}
	return `{"resourceType":"Bundle","id":"b","type":"transaction","entry":[` + strings.Join(entries, ",") + "]}\n"
}

// outcome is one OperationOutcome with one issue a pair.
func outcome(pairs ...string) string {
	var issues []string
	for i := 0; i < len(pairs); i += 2 {
		issues = append(issues, fmt.Sprintf(`{"severity":%q,"code":%q,"diagnostics":"CANARY"}`, pairs[i], pairs[i+1]))
	}
	return `{"resourceType":"OperationOutcome","issue":[` + strings.Join(issues, ",") + "]}\n"
}

// TestErrorFilesDecideWhetherAnExportIsPartial counts issues of error (v1, v2) and outcome (v4) files.
func TestErrorFilesDecideWhetherAnExportIsPartial(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		files   []string
		partial bool
		want    []IssueCount
	}{
		{"none", nil, false, nil},
		{"an empty one", []string{""}, false, nil},
		{"good news and warnings", []string{outcome("information", "informational", "warning", "incomplete")}, false,
			[]IssueCount{
				{client.Issue{Severity: "information", Code: "informational"}, 1},
				{client.Issue{Severity: "warning", Code: "incomplete"}, 1},
			}},
		{"errors", []string{outcome("error", "timeout") + outcome("error", "exception") + outcome("error", "timeout")}, true,
			[]IssueCount{
				{client.Issue{Severity: "error", Code: "exception"}, 1},
				{client.Issue{Severity: "error", Code: "timeout"}, 2},
			}},
		{"a fatal one in the second file", []string{outcome("warning", "value"), "\n" + outcome("fatal", "security")}, true,
			[]IssueCount{
				{client.Issue{Severity: "fatal", Code: "security"}, 1},
				{client.Issue{Severity: "warning", Code: "value"}, 1},
			}},
		{"words nobody knows", []string{outcome("CANARY", "CANARY")}, true,
			[]IssueCount{{client.Issue{Severity: "error", Code: "processing"}, 1}}},
		{"no outcome at all", []string{"CANARY\n" + `{"resourceType":"Patient"}`}, true,
			[]IssueCount{{client.Issue{Severity: "error", Code: "structure"}, 2}}},
	}
	for _, tt := range tests {
		for _, key := range []string{"error", "outcome"} {
			t.Run(tt.name+" as "+key, func(t *testing.T) {
				t.Parallel()
				files := []served{lines("Patient", 1)}
				for _, body := range tt.files {
					files = append(files, served{Error, "OperationOutcome", []byte(body), -1})
				}
				h := newHospital(t, files...)
				h.change = func(m map[string]any) {
					list := m["error"]
					delete(m, "error")
					m[key] = list
				}
				export, err := h.run()
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, export.Issues); diff != "" || export.Partial != tt.partial {
					t.Errorf("partial = %t, want %t; issues (-want +got):\n%s", export.Partial, tt.partial, diff)
				}
				if (len(export.Problems) > 0) != tt.partial || strings.Contains(fmt.Sprint(export), "CANARY") {
					t.Errorf("problems = %+v", export.Problems)
				}
			})
		}
	}
}

// TestManifestWithoutErrorKey accepts what 2.0 forbids and servers do.
func TestManifestWithoutErrorKey(t *testing.T) {
	t.Parallel()
	h := newHospital(t, lines("Patient", 1))
	h.change = func(m map[string]any) { delete(m, "error") }
	if export, err := h.run(); err != nil || export.Partial || len(export.Files) != 1 {
		t.Errorf("Run = %+v, %v", export, err)
	}
}

// TestCountMismatchIsReported when more came than promised; nothing is fetched twice for that.
func TestCountMismatchIsReported(t *testing.T) {
	t.Parallel()
	file := lines("Patient", 4)
	file.count = 3
	h := newHospital(t, file)
	export, err := h.run()
	if err != nil || export.Partial || len(export.Problems) != 1 || h.asked("GET /fhir/file") != 1 {
		t.Fatalf("Run = %+v, %v", export, err)
	}
	if p := export.Problems[0]; p.Kind != CountMismatch || p.Expected != 3 || p.Got != 4 {
		t.Errorf("problem = %+v", p)
	}
}

// TestSinceIsTheServersEarlierMoment never takes our own clock, and takes the kick-off where the
// transactionTime is later, as HAPI's once was.
func TestSinceIsTheServersEarlierMoment(t *testing.T) {
	t.Parallel()
	kick := time.Date(2026, 3, 1, 1, 59, 0, 0, time.UTC) // The Date of the hospital's answer.
	tests := []struct {
		name, in    string
		transaction time.Time
		since       time.Time
		problem     bool
	}{
		{"before the kick-off", "2026-03-01T01:00:00+01:00", kick.Add(-119 * time.Minute), kick.Add(-119 * time.Minute), false},
		{"the end of the job", "2026-03-01T09:00:00Z", kick.Add(7*time.Hour + time.Minute), kick, false},
		{"without an offset", "2026-03-01T09:00:00", time.Time{}, time.Time{}, true},
		{"a day", "2026-03-01", time.Time{}, time.Time{}, true},
		{"year one", "0001-01-01T00:00:00Z", time.Time{}, time.Time{}, true},
		{"empty", "", time.Time{}, time.Time{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHospital(t)
			h.change = func(m map[string]any) { m["transactionTime"] = tt.in }
			export, err := h.run()
			if err != nil {
				t.Fatal(err)
			}
			if !export.TransactionTime.Equal(tt.transaction) || !export.Since().Equal(tt.since) {
				t.Errorf("transaction time %s, since %s; want %s, %s",
					export.TransactionTime, export.Since(), tt.transaction, tt.since)
			}
			if got := len(export.Problems) == 1 && export.Problems[0].Kind == NoTransactionTime; got != tt.problem {
				t.Errorf("problems = %+v", export.Problems)
			}
		})
	}
}

// gone is what a deleted file yields, in a form that can be compared.
func gone(path string) (ids []string, faults []string) {
	for deletion, err := range ReadDeleted(path, Limits{}) {
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		ids = append(ids, deletion.Type+"/"+deletion.ID.Reveal())
	}
	return ids, faults
}

// TestDeletedFilesAreRead lists the forms of Bundles and URLs, and faults with their place.
func TestDeletedFilesAreRead(t *testing.T) {
	t.Parallel()
	const bundle, entry = ": not a transaction Bundle of DELETE requests",
		": an entry is not the DELETE of a resource by its id"
	tests := []struct {
		name, in string
		want     []string
		faults   []string
	}{
		{"nothing", "", nil, nil},
		{"one a line", deletedLine("Patient/1") + deletedLine("Encounter/2"), []string{"Patient/1", "Encounter/2"}, nil},
		{"several a line", deletedLine("Patient/1", "AdverseEvent/x.Y-2"), []string{"Patient/1", "AdverseEvent/x.Y-2"}, nil},
		{"absolute and rooted", deletedLine("https://e/fhir/Patient/1", "/Patient/2"), []string{"Patient/1", "Patient/2"}, nil},
		{"no newline at the end, CRLF, blank lines, BOM",
			"\xef\xbb\xbf\r\n \n" + strings.TrimSpace(deletedLine("Patient/1")) + "\r\n\r\n" +
				strings.TrimSpace(deletedLine("Patient/2")), []string{"Patient/1", "Patient/2"}, nil},
		{"an empty bundle", `{"resourceType":"Bundle","type":"transaction"}` + "\n" + deletedLine(), nil, nil},
		{"two on a line", strings.TrimSpace(deletedLine("Patient/1")) + deletedLine("Patient/2"),
			[]string{"Patient/1", "Patient/2"}, nil},
		{"entry first", `{"entry":[{"request":{"url":"Patient/1","method":"DELETE"}}],"resourceType":"Bundle"}`,
			[]string{"Patient/1"}, nil},
		{"a line that is cut", deletedLine("Patient/1") + `{"resourceType":"Bundle","entry":[{"requ` + "\n" +
			deletedLine("Patient/3"), []string{"Patient/1", "Patient/3"}, []string{
			fmt.Sprintf("line 2, byte %d", len(deletedLine("Patient/1"))) + bundle}},
		{"another resource", `{"resourceType":"Patient","id":"secret"}`, nil, []string{"line 1, byte 0" + bundle}},
		{"an array", `[1]`, nil, []string{"line 1, byte 0" + bundle}},
		{"a PUT", `{"resourceType":"Bundle","entry":[{"request":{"method":"PUT","url":"Patient/1"}},` +
			`{"request":{"method":"DELETE","url":"Patient/2"}}]}`, []string{"Patient/2"}, []string{"line 1, byte 0" + entry}},
		{"URLs without an id", deletedLine("Patient?identifier=secret", "Patient", "patient/1", "", "/", "urn:uuid:1"),
			nil, []string{
				"line 1, byte 0" + entry, "line 1, byte 0" + entry, "line 1, byte 0" + entry, "line 1, byte 0" + entry,
				"line 1, byte 0" + entry, "line 1, byte 0" + entry,
			}},
		{"entries of other shapes", `{"resourceType":"Bundle","entry":[1,null,{"request":"x"},` +
			`{"request":{"method":"DELETE","url":"Patient/2"}}]}`, []string{"Patient/2"},
			[]string{"line 1, byte 0" + entry, "line 1, byte 0" + entry, "line 1, byte 0" + entry}},
		{"entry that is no list", `{"resourceType":"Bundle","entry":{}}`, nil, []string{"line 1, byte 0" + bundle}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{tt.in, string(pack(t, []byte(tt.in)))} {
				dir := t.TempDir()
				write(t, dir, "deleted", body)
				ids, faults := gone(filepath.Join(dir, "deleted"))
				if diff := cmp.Diff(tt.want, ids); diff != "" {
					t.Errorf("ids (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.faults, faults); diff != "" {
					t.Errorf("faults (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestDeletedFileStopsWhereItsReaderDoes, and says what is wrong with the file itself.
func TestDeletedFileStopsWhereItsReaderDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "deleted", deletedLine("Patient/1", "Patient/2")+"{\n"+deletedLine("Patient/3"))
	for limit := 1; limit <= 4; limit++ {
		n := 0
		for range ReadDeleted(filepath.Join(dir, "deleted"), Limits{}) { //nolint:errcheck // Counted alone.
			if n++; n == limit {
				break
			}
		}
		if n != limit {
			t.Errorf("%d yields, want %d", n, limit)
		}
	}
	write(t, dir, "cut.gz", string(pack(t, noise(100_000).body)[:20_000]))
	for _, name := range []string{"missing", "cut.gz"} {
		_, faults := gone(filepath.Join(dir, name))
		if len(faults) == 0 || strings.HasPrefix(faults[len(faults)-1], "line") {
			t.Errorf("%s: faults %v, want one of the file", name, faults)
		}
	}
}

// TestDeletedLineMayBeHuge reads a single Bundle of many entries.
func TestDeletedLineMayBeHuge(t *testing.T) {
	t.Parallel()
	const count = 100_000
	addresses := make([]string, count)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("Encounter/%d", i)
	}
	dir := t.TempDir()
	write(t, dir, "deleted", deletedLine(addresses...))
	n := 0
	for deletion, err := range ReadDeleted(filepath.Join(dir, "deleted"), Limits{}) {
		if err != nil || deletion != (Deletion{"Encounter", phi.New(fmt.Sprint(n))}) {
			t.Fatalf("entry %d = %v, %v", n, deletion, err)
		}
		n++
	}
	if n != count {
		t.Errorf("%d entries, want %d", n, count)
	}
}

// FuzzReadDeleted looks for a panic, for an id without a type, and for faults that quote the file.
func FuzzReadDeleted(f *testing.F) {
	f.Add([]byte(deletedLine("Patient/1", "Patient?x") + "{\n\n[]\n" + deletedLine("Encounter/2")))
	f.Add([]byte("\xef\xbb\xbf{}\r\n{\"entry\":[{}]}"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		path := filepath.Join(t.TempDir(), "deleted")
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		last := 0
		for deletion, err := range ReadDeleted(path, Limits{MaxBytes: 1 << 24}) {
			var line *LineError
			switch {
			case errors.As(err, &line):
				if line.Line < last || line.Offset > int64(len(body)) && body[0] != gzipMagic[0] {
					t.Errorf("fault at line %d, byte %d of %d", line.Line, line.Offset, len(body))
				}
				last = line.Line
			case err == nil && (!resourceType(deletion.Type) || deletion.ID.Empty()):
				t.Errorf("deletion of %q without type or id", deletion.Type)
			}
		}
	})
}

// TestLinesAreCounted compares the counter with splitting, however the bytes are cut.
func TestLinesAreCounted(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		var text strings.Builder
		for range random.IntN(40) {
			text.WriteByte("{} \t\r\n\n\n"[random.IntN(8)])
		}
		want := int64(0)
		for line := range strings.SplitSeq(text.String(), "\n") {
			if strings.Trim(line, blank) != "" {
				want++
			}
		}
		var counter lineCounter
		for rest := text.String(); rest != ""; {
			n := 1 + random.IntN(len(rest))
			if _, err := counter.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if got := counter.total(); got != want {
			t.Fatalf("%q has %d lines, want %d", text.String(), got, want)
		}
	}
}
