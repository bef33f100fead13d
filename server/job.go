package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

// job is what every server of one store knows of a request that is answered later. What it holds of
// the request is who may ask about it.
type job struct {
	// Owner is the program that asked, or one person at it.
	Owner  string   `json:"owner"`
	Scopes []string `json:"scopes"`
	// Slot is the place that the job holds among those of its client.
	Slot  string   `json:"slot"`
	State jobState `json:"state"`
	// Progress is for people.
	Progress string `json:"progress,omitempty"`
	// Beat is when the server that works on it last said so; Expires is when all this is dropped.
	Beat    time.Time `json:"beat"`
	Expires time.Time `json:"expires"`
	// Status and Outcome are the answer to a job that failed.
	Status  int             `json:"status,omitempty"`
	Outcome json.RawMessage `json:"outcome,omitempty"`
}

type jobState string

const (
	jobRunning jobState = "running"
	jobDone    jobState = "done"
	jobFailed  jobState = "failed"
)

const (
	// beatEvery is how often a server says that it still works on a job, and looks whether the job
	// was cancelled at another one.
	beatEvery = 5 * time.Second
	// lostAfter is the silence from which a job is taken for lost with its server.
	lostAfter = 12 * beatEvery
	// closing is how long the store may take to note what became of a job.
	closing = 10 * time.Second
	// jobsAtOnce is how many jobs of one server are worked on together; the others wait.
	jobsAtOnce = 2
	// pollAfter is how many seconds a client is asked to wait before it asks about a job again.
	pollAfter = 2
)

// The keys of the store. A client's name, the pseudonym of a person and a random id tell nobody who
// somebody is.
func jobKey(id string) string       { return "job:" + id }
func resultKey(id string) string    { return "job-result:" + id }
func cancelledKey(id string) string { return "job-cancelled:" + id }
func slotKey(owner string, n int) string {
	return "job-slot:" + strconv.Itoa(n) + ":" + owner
}

// kickOff accepts a task for later, or says that there are too many.
func (s *Server) kickOff(w http.ResponseWriter, r *http.Request, t task) {
	id, j, err := s.accept(r.Context(), principalOf(r.Context()).owner(), t)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	from := eventOf(r)
	s.working.Go(func() { //nolint:contextcheck // The work outlives the request that asked for it.
		defer func() { <-s.accepted }()
		s.work(id, j, t, jobLine{request: from.id, route: from.route, client: from.client})
	})
	h := w.Header()
	h.Set("Content-Location", s.cfg.BaseURL+"/$job/"+id)
	h.Set("Preference-Applied", "respond-async")
	s.send(w, r, http.StatusAccepted, r4.Outcome(r4.Issue{
		Severity: cpb.IssueSeverityCode_INFORMATION, Code: cpb.IssueTypeCode_INFORMATIONAL,
		Text: "accepted; Content-Location says where the answer will be",
	}))
}

// accept finds room for a job and notes it.
func (s *Server) accept(ctx context.Context, owner string, t task) (id string, j job, err error) {
	select {
	case s.accepted <- struct{}{}:
	default:
		return "", job{}, tooManyJobs()
	}
	defer func() {
		if err != nil {
			<-s.accepted
		}
	}()
	id = s.cfg.JobID()
	slot, err := s.slot(ctx, owner, id)
	if err != nil {
		return "", job{}, err
	}
	now := s.cfg.Now()
	j = job{
		Owner: owner, Scopes: t.scopes, Slot: slot, State: jobRunning, Progress: "waiting",
		Beat: now, Expires: now.Add(s.cfg.JobLife),
	}
	if err := s.note(ctx, id, j); err != nil {
		return "", job{}, errors.Join(err, s.cfg.Jobs.Delete(ctx, slot))
	}
	return id, j, nil
}

// slot takes a place of the owner's. It is held until the job is deleted or expires, finished or
// not, so that nobody can fill the store either.
func (s *Server) slot(ctx context.Context, owner, id string) (string, error) {
	for n := range s.cfg.MaxJobsPerClient {
		key := slotKey(owner, n)
		free, err := s.cfg.Jobs.SetIfAbsent(ctx, key, []byte(id), s.cfg.JobLife)
		if err != nil {
			return "", fmt.Errorf("take a slot: %w", err)
		}
		if free {
			return key, nil
		}
	}
	return "", tooManyJobsOfClient()
}

// note writes what is known of a job, for as long as it has left.
func (s *Server) note(ctx context.Context, id string, j job) error {
	text, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("note a job: %w", err)
	}
	if err := s.cfg.Jobs.Set(ctx, jobKey(id), text, s.left(j)); err != nil {
		return fmt.Errorf("note a job: %w", err)
	}
	return nil
}

// left is how long a job still has; a store takes no life of 0.
func (s *Server) left(j job) time.Duration {
	return max(j.Expires.Sub(s.cfg.Now()), time.Second)
}

// jobLine is what the log says of a job besides its outcome.
type jobLine struct{ request, route, client string }

// work works on a job until it is done, cancelled, or the server ends.
func (s *Server) work(id string, j job, t task, line jobLine) {
	ctx, cancel := context.WithTimeout(s.life, s.cfg.JobTimeout)
	defer cancel()
	progress := newProgress()
	beats := make(chan struct{})
	go func() {
		defer close(beats)
		s.beat(ctx, cancel, id, j, progress)
	}()
	have, err := s.workOut(ctx, t, progress)
	if err != nil && s.life.Err() != nil {
		err = errStopped
	} else if err != nil {
		err = errors.Join(err, ctx.Err())
	}
	cancel()
	<-beats // So that no beat overwrites the end.
	late, done := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer done()
	if err == nil {
		err = s.cfg.Jobs.Set(late, resultKey(id), have, s.left(j))
	}
	s.finish(late, id, j, err, line)
}

// finish notes how a job ended, unless it was cancelled: then nobody wants to know.
func (s *Server) finish(ctx context.Context, id string, j job, err error, line jobLine) {
	if _, cancelled, fault := s.cfg.Jobs.Load(ctx, cancelledKey(id)); cancelled || fault != nil {
		err = errors.Join(fault, s.cfg.Jobs.Delete(ctx, resultKey(id)))
		s.logJob(ctx, line, "cancelled", err)
		return
	}
	j.State, j.Progress, j.Beat = jobDone, "", s.cfg.Now()
	if err != nil {
		p := problemOf(err)
		j.State, j.Status = jobFailed, p.status
		if p.status == statusClientClosed {
			p, j.Status = internal(), http.StatusInternalServerError
		}
		outcome, fault := r4.Marshal(p.outcome())
		j.Outcome, err = outcome, errors.Join(err, fault)
		if p.status < http.StatusInternalServerError {
			err = fault
		}
	}
	err = errors.Join(err, s.note(ctx, id, j))
	s.logJob(ctx, line, string(j.State), err)
}

func (s *Server) logJob(ctx context.Context, line jobLine, state string, err error) {
	level, attributes := slog.LevelInfo, []slog.Attr{
		slog.String("request_id", line.request), slog.String("route", line.route),
		slog.String("client", line.client), slog.String("state", state),
	}
	if err != nil {
		level, attributes = slog.LevelError, append(attributes, slog.Any("error", err))
	}
	s.cfg.Logger.LogAttrs(ctx, level, "job", attributes...)
}

// workOut waits for its turn and does the task. What it panics with may hold anything and is left
// out.
func (s *Server) workOut(ctx context.Context, t task, p *progress) (text []byte, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("%w: %T: %s", errPanic, thrown, debug.Stack())
		}
	}()
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.set(0, 1)
	resource, err := t.do(ctx, p.set)
	if err != nil {
		return nil, err
	}
	if text, err = r4.Marshal(resource); err != nil {
		return nil, err
	}
	if int64(len(text)) > s.cfg.MaxJobResult {
		return nil, tooLarge()
	}
	return batchResponse(text), nil
}

// batchResponse wraps an answer as the asynchronous pattern of R5 has it: a Bundle with the one
// response that the request would have had.
func batchResponse(resource []byte) []byte {
	const before = `{"resourceType":"Bundle","type":"batch-response","entry":[{"response":` +
		`{"status":"200 OK"},"resource":`
	return fmt.Appendf(nil, "%s%s}]}\n", before, resource)
}

// beat says again and again that the job is being worked on, and gives it up once it was cancelled.
// A store that does not answer is asked again at the next beat.
func (s *Server) beat(ctx context.Context, cancel func(), id string, j job, p *progress) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, cancelled, err := s.cfg.Jobs.Load(ctx, cancelledKey(id)); err == nil && cancelled {
			cancel()
			return
		}
		j.Progress, j.Beat = p.text(), s.cfg.Now()
		_ = s.note(ctx, id, j) // The next beat says it again.
	}
}
