package ingest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/internal/ingest"
)

// TestHarmlessFaultsChangeNothing syncs through every fault that a client can make good, and holds
// the outcome against that of an undisturbed run: rows 1 to 5, 7, 8, 11, 12, 14 and 15 of
// docs/threats.md.
func TestHarmlessFaultsChangeNothing(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		faults []fhirtest.Fault
		change func(*fhirtest.Config)
	}{
		{name: "no fault"},
		{name: "Retry-After as a date", faults: []fhirtest.Fault{fhirtest.RetryAfterDate}},
		{name: "Retry-After as seconds since 1970", faults: []fhirtest.Fault{fhirtest.RetryAfterEpoch}},
		{name: "Retry-After of five hours", faults: []fhirtest.Fault{fhirtest.RetryAfterHours}},
		{name: "429 to the first request of everything", faults: []fhirtest.Fault{fhirtest.RateLimit}},
		{name: "one job a client", faults: []fhirtest.Fault{fhirtest.OneJob}},
		{name: "500 that pass", faults: []fhirtest.Fault{fhirtest.Transient500}},
		{name: "a connection cut within each file", faults: []fhirtest.Fault{fhirtest.ResetMidFile}},
		{
			name:   "a connection cut within each packed file",
			faults: []fhirtest.Fault{fhirtest.ResetMidFile},
			change: func(c *fhirtest.Config) { c.Compress = true },
		},
		{
			name: "thousands of tiny files", faults: []fhirtest.Fault{fhirtest.ManyTinyFiles},
			change: func(c *fhirtest.Config) { c.Compress = true },
		},
		{
			name: "files redirected to another origin", faults: []fhirtest.Fault{fhirtest.RedirectFiles},
			change: func(c *fhirtest.Config) { c.TLS = true },
		},
		{name: "URLs without a host", faults: []fhirtest.Fault{fhirtest.RelativeURLs}},
		{name: "a manifest of version 1", change: func(c *fhirtest.Config) { c.ManifestVersion = 1 }},
		{name: "a manifest of version 3", change: func(c *fhirtest.Config) { c.ManifestVersion = 3 }},
		{name: "a manifest of version 4", change: func(c *fhirtest.Config) { c.ManifestVersion = 4 }},
		{name: "no error key", faults: []fhirtest.Fault{fhirtest.NoErrorKey}},
		{name: "a file that has expired", faults: []fhirtest.Fault{fhirtest.ExpiredFile}},
		{name: "a job that is forgotten", faults: []fhirtest.Fault{fhirtest.Job404}},
		{name: "DELETE that is not allowed", faults: []fhirtest.Fault{fhirtest.Delete405}},
		{
			name: "tokens that die under way", faults: []fhirtest.Fault{fhirtest.ShortToken,
				fhirtest.RateLimit},
			change: func(c *fhirtest.Config) { c.Polls, c.RetryAfter = 3, 3*time.Second },
		},
		{name: "tokens without a type", faults: []fhirtest.Fault{fhirtest.NoTokenType}},
		{name: "files that need the token anyway", faults: []fhirtest.Fault{fhirtest.TokenNeededAnyway}},
		{name: "files that need none", change: func(c *fhirtest.Config) { c.OpenFiles = true }},
		{name: "a clock ten minutes fast", faults: []fhirtest.Fault{fhirtest.ClockSkew}},
		{name: "_type that is ignored", faults: []fhirtest.Fault{fhirtest.IgnoresType}},
		{name: "every fifth line twice", faults: []fhirtest.Fault{fhirtest.Duplicates}},
		{name: "newer versions before older", faults: []fhirtest.Fault{fhirtest.OutOfOrder}},
		{
			name:   "duplicates in many files backwards",
			faults: []fhirtest.Fault{fhirtest.OutOfOrder, fhirtest.Duplicates},
			change: func(c *fhirtest.Config) { c.FilesPerType = 7 },
		},
		{name: "a BOM, CRLF and blank lines", faults: []fhirtest.Fault{fhirtest.BOMCRLFBlankLines}},
		{name: "plain files called gzip", faults: []fhirtest.Fault{fhirtest.WrongContentEncoding}},
		{name: "events in bulk", change: func(c *fhirtest.Config) { c.BulkAdverseEvents = true }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := clean(t)
			h := openHospital(t, people(), c.change, c.faults...)
			s := openStore(t)
			got := s.sync(t, h.source)
			if got.Digest != want.Digest {
				t.Errorf("Digest = %s, want %s", got.Digest, want.Digest)
			}
			if !got.Complete || len(got.Refusals) > 0 {
				t.Errorf("Complete = %v with %v refused, want a whole load", got.Complete, got.Refusals)
			}
			if s.live(t) != got.Snapshot {
				t.Errorf("%s is live, want %s", s.live(t), got.Snapshot)
			}
			if left := s.leftovers(t); len(left) > 0 {
				t.Errorf("runs %v are left behind", left)
			}
			if h.LeakedTokens() > 0 {
				t.Errorf("the token went to another origin %d times", h.LeakedTokens())
			}
		})
	}
}

// TestBadLinesAreKeptAndCounted puts bad lines among good ones: rows 15, 16, 18 and 19. Everything
// else is loaded, so that the digest is that of an undisturbed run where no good line is touched.
func TestBadLinesAreKeptAndCounted(t *testing.T) {
	t.Parallel()
	one := func(reason fhir.Reason, count int64) []ingest.RefusalReport {
		return []ingest.RefusalReport{{Type: "Encounter", Reason: reason, Count: count}}
	}
	cases := []struct {
		name  string
		fault fhirtest.Fault
		lines int64
		want  []ingest.RefusalReport
	}{
		{"not JSON", fhirtest.BadLine, 1, one(fhir.NotJSON, 1)},
		{"a line over the cap", fhirtest.HugeLine, 1, one(fhir.TooLong, 1)},
		{"100,000 arrays deep", fhirtest.DeepJSON, 1, one(fhir.TooDeep, 1)},
		{"a key twice", fhirtest.DuplicateKeys, 1, one(fhir.DuplicateKey, 1)},
		{
			"text and numbers that are none", fhirtest.OddText, 4,
			append(one(fhir.NotUTF8, 3), one(fhir.NotJSON, 1)...),
		},
		{"resources of R5 and R3", fhirtest.WrongVersion, 2, one(fhir.NotR4, 2)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := openHospital(t, people(), nil, c.fault)
			s := openStore(t)
			got := s.sync(t, h.source)
			if diff := cmp.Diff(c.want, got.Refusals); diff != "" {
				t.Errorf("refusals differ (-want +got):\n%s", diff)
			}
			read, want := got.Types["Encounter"], clean(t).Types["Encounter"]
			if read.Read-want.Read != c.lines || read.Stored-want.Stored != c.lines-read.Refused {
				t.Errorf("Encounter = %+v, want those of %+v and %d lines more", read, want, c.lines)
			}
			if read.Stored == want.Stored && got.Digest != clean(t).Digest {
				t.Errorf("Digest = %s, want that of the good lines, %s", got.Digest, clean(t).Digest)
			}
			kept := readQuarantine(t, got.Quarantine)
			if int64(len(kept)) != read.Refused {
				t.Errorf("the quarantine holds %d lines, %d were refused", len(kept), read.Refused)
			}
			for _, k := range kept {
				k.check(t)
			}
		})
	}
}

// TestPartialExportsDoNotGoLive has an old snapshot and a night on which something is missing: rows
// 6, 9, 10 and 17. What is served stays what it was.
func TestPartialExportsDoNotGoLive(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		fault fhirtest.Fault
		want  error
	}{
		{"a file that the server says is lost", fhirtest.PartialExport, ingest.ErrPartial},
		{"fewer lines than the manifest says", fhirtest.CountMismatch, ingest.ErrPartial},
		{"two resources on a line", fhirtest.TwoObjectsPerLine, ingest.ErrRefused},
		{"a gzip bomb", fhirtest.GzipBomb, ingest.ErrPartial},
		{"a file packed twice", fhirtest.NestedGzip, ingest.ErrPartial},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t)
			before := s.sync(t, openHospital(t, people(), nil).source)
			s.config.MaxShrink = 1
			h := openHospital(t, people(), nil, c.fault)
			h.source.Full = true
			report, err := ingest.Sync(t.Context(), s.config, h.source)
			if !errors.Is(err, c.want) {
				t.Fatalf("Sync = %v, want %v", err, c.want)
			}
			if report.Complete {
				t.Error("the report says that the load is complete")
			}
			if s.live(t) != before.Snapshot {
				t.Errorf("%s is live, want the old %s", s.live(t), before.Snapshot)
			}
			s.checkWhole(t)
			if report.Snapshot == "" {
				return
			}
			result := s.evaluate(t, report.Snapshot, "ed-stay-over-8h", "2025")
			if result.Complete || len(result.Incomplete) == 0 {
				t.Errorf("a measure on the partial snapshot says complete = %v, %v", result.Complete,
					result.Incomplete)
			}
		})
	}
}
