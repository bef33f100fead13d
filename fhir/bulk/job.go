package bulk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/equitylens/equitylens/fhir/client"
)

// Waits where the server asks for none.
const (
	// unaskedMax bounds the wait between polls, faultMax that after a fault.
	unaskedMax = 2 * time.Minute
	faultMax   = 5 * time.Minute
	// busyFirst and busyMax are for a kick-off while another job runs, which takes its time.
	busyFirst = 30 * time.Second
	busyMax   = 30 * time.Minute
	// kickOffTries is how often a kick-off may fail for a passing reason other than 429.
	kickOffTries = 6
)

// maxManifestBytes bounds a manifest; one of 20,000 files takes about 6 MB.
const maxManifestBytes = 256 << 20

// maxPages bounds the pages of a manifest.
const maxPages = 100_000

// start kicks the export off and writes down where its status is. Between the two a kill leaves a
// job that nobody asks for; the server lets it expire.
func (e *Exporter) start(ctx context.Context) (*state, error) {
	e.progress.phase(KickingOff)
	request, err := e.cfg.Request.kickOff(e.c)
	if err != nil {
		return nil, err
	}
	answer, err := e.kickOff(ctx, request)
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	status, err := e.statusURL(answer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", request.Op, err)
	}
	s := &state{
		Format: stateFormat, Request: e.fingerprint, Started: e.c.Now(), StatusURL: status, Next: status,
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		s.ServerStarted = date
	}
	return s, e.folder.save(s)
}

// kickOff sends the request until it is accepted. A repeat after a broken connection may leave a
// second job; there is no way to tell, and a night without data would be worse.
func (e *Exporter) kickOff(ctx context.Context, request client.Request) (*http.Response, error) {
	for busy, faults := 0, 0; ; {
		answer, err := e.c.Do(ctx, request)
		if err == nil {
			if answer.StatusCode == http.StatusAccepted {
				return answer, nil
			}
			_ = answer.Body.Close()
			return nil, fmt.Errorf("%s: status %d where 202 was expected", request.Op, answer.StatusCode)
		}
		if ctx.Err() != nil || !client.Temporary(err) {
			return nil, err
		}
		var wait time.Duration
		var status *client.StatusError
		if errors.As(err, &status) && status.Status == http.StatusTooManyRequests {
			if busy++; busy >= e.cfg.BusyTries {
				return nil, fmt.Errorf("%w: %w", ErrBusy, err)
			}
			wait = e.wait(err, client.Backoff{First: busyFirst, Max: busyMax}, busy)
		} else {
			if faults++; faults >= kickOffTries {
				return nil, fmt.Errorf("after %d tries: %w", faults, err)
			}
			wait = e.wait(err, client.Backoff{First: e.cfg.PollFirst, Max: faultMax}, faults)
		}
		e.progress.waiting(KickingOff, "", wait)
		if err := e.c.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// wait returns what the server asked for with an error, clamped, or else the backoff.
func (e *Exporter) wait(err error, backoff client.Backoff, n int) time.Duration {
	var status *client.StatusError
	if errors.As(err, &status) && status.Waits && status.RetryAfter > 0 {
		return client.Obeyed(status.RetryAfter, e.cfg.PollMax, e.c.Chance())
	}
	return backoff.Wait(n, e.c.Chance())
}

// statusURL reads Content-Location, which some servers write as a path.
func (e *Exporter) statusURL(answer *http.Response) (string, error) {
	status, err := resolve(answer.Request.URL, answer.Header.Get("Content-Location"))
	if err != nil {
		return "", fmt.Errorf("read Content-Location: %w", err)
	}
	if _, err := e.homeURL(status); err != nil {
		return "", fmt.Errorf("read Content-Location: %w", err)
	}
	return status, nil
}

// homeURL parses a URL that is going to get the token.
func (e *Exporter) homeURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, client.ErrURL
	}
	if err := e.c.Permit(u); err != nil {
		return nil, err
	}
	if !e.c.Trusted(u) {
		return nil, client.ErrOrigin
	}
	return u, nil
}

// list polls until every page of the manifest is read, and writes each down.
func (e *Exporter) list(ctx context.Context, s *state) error {
	read := map[string]bool{}
	for !s.Listed {
		if read[s.Next] || s.Pages >= maxPages {
			return fmt.Errorf("read manifest: %w: its pages do not end", ErrManifest)
		}
		read[s.Next] = true
		page, err := e.await(ctx, s, s.Next)
		if err != nil {
			return err
		}
		if s.Pages == 0 {
			s.TransactionTime = page.TransactionTime
		}
		s.Pages++
		s.Items = appendNew(s.Items, page.Items)
		s.Next = page.Next
		s.Listed = page.Next == ""
		if err := e.folder.save(s); err != nil {
			return err
		}
	}
	return nil
}

// appendNew adds the items that no earlier page listed.
func appendNew(items, more []Item) []Item {
	seen := make(map[string]bool, len(items))
	for _, item := range items {
		seen[string(item.Kind)+" "+item.URL] = true
	}
	for _, item := range more {
		if !seen[string(item.Kind)+" "+item.URL] {
			items = append(items, item)
		}
	}
	return items
}

// await polls one address until it answers with a manifest.
func (e *Exporter) await(ctx context.Context, s *state, address string) (Manifest, error) {
	const op = "poll export"
	u, err := e.homeURL(address)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", op, err)
	}
	request := client.Request{
		Op: op, URL: u, Header: http.Header{"Accept": {"application/json"}}, Tries: 1,
	}
	for polls, faults := 0, 0; ; {
		if e.c.Now().Sub(s.Started) > e.cfg.JobTimeout {
			return Manifest{}, fmt.Errorf("%s: %w: %s", op, ErrTooLong, e.cfg.JobTimeout)
		}
		manifest, header, err := e.poll(ctx, request)
		var wait time.Duration
		switch {
		case err == nil && header == nil:
			return manifest, nil
		case err == nil:
			polls, faults = polls+1, 0
			wait = e.pollWait(header, polls)
		default:
			if faults++; ctx.Err() != nil || faults >= e.cfg.PollTries || !client.Temporary(err) {
				return Manifest{}, verdict(err, faults)
			}
			wait = e.wait(err, client.Backoff{First: e.cfg.PollFirst, Max: faultMax}, faults)
			e.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "poll of export will be repeated",
				slog.Duration("wait", wait), slog.String("error", err.Error()))
		}
		e.progress.waiting(Waiting, header.Get("X-Progress"), wait)
		if err := e.c.Sleep(ctx, wait); err != nil {
			return Manifest{}, err
		}
	}
}

// poll asks once. A header without an error means that the job is still running.
func (e *Exporter) poll(
	ctx context.Context, request client.Request,
) (Manifest, http.Header, error) {
	answer, err := e.c.Do(ctx, request)
	if err != nil {
		return Manifest{}, nil, err
	}
	switch answer.StatusCode {
	case http.StatusAccepted:
		// The body says nothing more than the header, but it has to be read for the connection to last.
		_, _ = client.ReadDocument(answer, maxOutcomeBytes)
		return Manifest{}, answer.Header, nil
	case http.StatusOK:
		body, err := client.ReadDocument(answer, maxManifestBytes)
		if err != nil {
			return Manifest{}, nil, err
		}
		manifest, err := ParseManifest(body, answer.Request.URL)
		return manifest, nil, err
	}
	_ = answer.Body.Close()
	return Manifest{}, nil, fmt.Errorf(
		"%s: status %d where 200 or 202 was expected", request.Op, answer.StatusCode)
}

// pollWait returns the wait after a 202: what the server asks for, clamped, never less.
func (e *Exporter) pollWait(header http.Header, polls int) time.Duration {
	if asked, ok := client.RetryAfter(header, e.c.Now()); ok && asked > 0 {
		return client.Obeyed(asked, e.cfg.PollMax, e.c.Chance())
	}
	backoff := client.Backoff{First: e.cfg.PollFirst, Max: min(unaskedMax, e.cfg.PollMax)}
	return backoff.Wait(polls, e.c.Chance())
}

// verdict says what an error of polling means for the job.
func verdict(err error, faults int) error {
	var status *client.StatusError
	switch {
	case !errors.As(err, &status), status.Status == http.StatusUnauthorized,
		status.Status == http.StatusForbidden:
		// Nothing is known of the job itself.
	case status.Status == http.StatusNotFound, status.Status == http.StatusGone:
		return fmt.Errorf("%w: %w", ErrExpired, err)
	case !status.Temporary():
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	if faults > 1 {
		return fmt.Errorf("after %d polls: %w", faults, err)
	}
	return err
}

// forget tells the server that the job is not needed any more. That it has forgotten already, or
// cannot forget, is fine; that it cannot be reached is not worth failing a finished export.
func (e *Exporter) forget(ctx context.Context, s *state) {
	u, err := e.homeURL(s.StatusURL)
	if err == nil {
		var answer *http.Response
		//nolint:bodyclose // ReadDocument closes it.
		answer, err = e.c.Do(ctx, client.Request{Op: "delete export", Method: http.MethodDelete, URL: u})
		if err == nil {
			_, err = client.ReadDocument(answer, maxOutcomeBytes)
		}
	}
	var status *client.StatusError
	if errors.As(err, &status) {
		switch status.Status {
		case http.StatusNotFound, http.StatusGone, http.StatusMethodNotAllowed, http.StatusNotImplemented:
			return
		}
	}
	if err != nil {
		e.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "export could not be deleted on the server",
			slog.String("error", err.Error()))
	}
}
