package fhirtest

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// bundleSize is how many deletions one Bundle of the deleted file holds.
const bundleSize = 50

// exportFile is one file of a job.
type exportFile struct {
	job  *job
	name string
	kind population.Type
	part int
	// special is errorFile, deletedFile or "".
	special string
}

// serveFile gives one file of a job. Without RequiresAccessToken its URL is the secret.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	j := s.jobs[r.PathValue("job")]
	s.mu.Unlock()
	if !s.config.OpenFiles {
		g, ok := s.program(w, r)
		if !ok {
			return
		}
		if j != nil && j.client != g.client {
			j = nil
		}
	}
	f, ok := s.findFile(j, r.PathValue("name"))
	if !ok {
		refuse(w, http.StatusNotFound, "not-found", "no such file")
		return
	}
	switch {
	case s.faults[ExpiredFile] && j.number == 1:
		refuse(w, http.StatusGone, "expired", "the file has expired")
	case s.faults[Transient500] && s.first("transient "+j.id+f.name):
		refuse(w, http.StatusInternalServerError, "transient", "try again")
	case s.faults[RedirectFiles], s.faults[RedirectHTTP]:
		s.redirect(w, r, f)
	default:
		s.sendFile(w, r, f)
	}
}

// findFile reads a file's name: Encounter.0.ndjson, or one of the special ones.
func (s *Server) findFile(j *job, name string) (exportFile, bool) {
	if j == nil {
		return exportFile{}, false
	}
	f := exportFile{job: j, name: name}
	if name == deletedFile || name == errorFile {
		f.special = name
		return f, true
	}
	typeName, rest, _ := strings.Cut(strings.TrimSuffix(name, ".ndjson"), ".")
	kind, ok := population.ParseType(typeName)
	part, err := strconv.Atoi(rest)
	if !ok || err != nil || part < 0 || !exported(j, kind) || part >= s.parts(j, kind) {
		return f, false
	}
	f.kind, f.part = kind, part
	return f, true
}

// redirect sends the caller to the other origin, with a URL that is good without a token.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, f exportFile) {
	to := s.filesURL()
	if to == "" {
		refuse(w, http.StatusInternalServerError, "exception", "no FilesURL is configured")
		return
	}
	target := to + "/files/" + url.PathEscape(f.job.id) + "/" + url.PathEscape(f.name)
	http.Redirect(w, r, target, http.StatusTemporaryRedirect)
}

// serveForeignFile is the other origin, which must never see a token.
func (s *Server) serveForeignFile(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		s.leaked.Add(1)
		refuse(w, http.StatusBadRequest, "security", "a token was sent to another origin")
		return
	}
	s.mu.Lock()
	j := s.jobs[r.PathValue("job")]
	s.mu.Unlock()
	f, ok := s.findFile(j, r.PathValue("name"))
	if !ok || (!s.faults[RedirectFiles] && !s.faults[RedirectHTTP]) {
		refuse(w, http.StatusNotFound, "not-found", "no such file")
		return
	}
	s.sendFile(w, r, f)
}

const sendBuffer = 1 << 16

// sendFile generates the file straight into the response.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, f exportFile) {
	w.Header().Set("Content-Type", ndjson)
	body := bufio.NewWriterSize(w, sendBuffer)
	var out io.Writer = body
	var closers []io.Closer
	compress := s.config.Compress && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	first := f.special == "" && f.kind == population.Encounter && f.part == 0
	switch {
	case s.faults[GzipBomb] && first:
		w.Header().Set("Content-Encoding", "gzip")
		_ = writeBomb(r.Context(), w, s.config.Bomb)
		return
	case s.faults[WrongContentEncoding]:
		w.Header().Set("Content-Encoding", "gzip")
	case s.faults[NestedGzip]:
		w.Header().Set("Content-Encoding", "gzip")
		outer := gzip.NewWriter(body)
		inner := gzip.NewWriter(outer)
		out, closers = inner, []io.Closer{inner, outer}
	case compress:
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(body)
		out, closers = z, []io.Closer{z}
	}
	err := s.write(r.Context(), out, f)
	for _, c := range closers {
		if err == nil {
			err = c.Close()
		}
	}
	if err == nil {
		err = body.Flush()
	}
	if err != nil {
		// The status line is out: only a broken connection can still say that the file is not whole.
		_ = body.Flush()
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// write writes the lines of the file, with the faults that go with them.
func (s *Server) write(ctx context.Context, out io.Writer, f exportFile) error {
	switch f.special {
	case errorFile:
		return writeLine(out, issue("error", "exception", "one Encounter file could not be written"))
	case deletedFile:
		return writeDeletions(ctx, out, f.job)
	}
	l := s.newLiner(out, f)
	if s.faults[ResetMidFile] && s.first("reset "+f.job.id+f.name) {
		l.stopAfter = max(1, f.job.population.Count(ctx, s.query(f.job, f.kind, f.part))/2)
	}
	for line := range f.job.population.Lines(ctx, s.query(f.job, f.kind, f.part)) {
		if err := l.line(line); err != nil {
			return fmt.Errorf("write line: %w", err)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return l.end()
}

func writeLine(out io.Writer, body any) error {
	line, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("marshal line: %w", err)
	}
	if _, err = out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write line: %w", err)
	}
	return nil
}

// writeDeletions writes the transaction Bundles that say what was deleted since the job's _since.
func writeDeletions(ctx context.Context, out io.Writer, j *job) error {
	var entries []object
	flush := func() error {
		if len(entries) == 0 {
			return nil
		}
		err := writeLine(out, object{"resourceType": "Bundle", "type": "transaction", "entry": entries})
		entries = entries[:0]
		return err
	}
	for t, id := range j.population.Deletions(ctx, j.since) {
		if !exported(j, t) {
			continue
		}
		entries = append(entries, object{"request": object{"method": "DELETE",
			"url": t.String() + "/" + id}})
		if len(entries) == bundleSize {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
