package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/equitylens/equitylens/internal/dial"
)

// Auth says when a request carries the token.
type Auth uint8

// The ways of authorising a request. None sends the token to an origin that is not trusted.
const (
	// AuthAlways sends the token.
	AuthAlways Auth = iota
	// AuthOnDemand sends it after a 401 only.
	AuthOnDemand
	// AuthNever does not send it.
	AuthNever
)

// Request is one request. It can be sent again: nothing in it is used up.
type Request struct {
	// Op is what is being done, in words, as "poll job". It starts every error and never holds an id.
	Op string
	// Method is GET if empty.
	Method string
	// URL is absolute.
	URL    *url.URL
	Header http.Header
	Body   []byte
	Auth   Auth
	// Elsewhere lets the URL, and redirects, leave the trusted origins. The token stays behind.
	Elsewhere bool
	// Tries is how often the request is sent at most. Zero means Config.MaxTries.
	Tries int
}

// Do sends r and returns the first 2xx answer, whose body the caller closes. Any other answer is a
// *StatusError, no whole answer a *TransportError; passing faults are tried again. A token that is
// refused is renewed once. Errors of the body are *TransportError too.
func (c *Client) Do(ctx context.Context, r Request) (*http.Response, error) {
	var answer *http.Response
	err := c.Retry(ctx, r.Tries, func(ctx context.Context) error {
		var err error
		answer, err = c.once(ctx, r) //nolint:bodyclose // The caller closes it.
		return err
	})
	return answer, err
}

// ReadJSON sends r and decodes a 2xx body of at most limit bytes into out. An answer that breaks
// off is asked for again. It returns the answer's header.
func (c *Client) ReadJSON(
	ctx context.Context, r Request, limit int64, out any,
) (http.Header, error) {
	var header http.Header
	err := c.Retry(ctx, r.Tries, func(ctx context.Context) error {
		answer, err := c.once(ctx, r) //nolint:bodyclose // ReadDocument closes it.
		if err != nil {
			return err
		}
		body, err := ReadDocument(answer, limit)
		if err != nil {
			return err
		}
		header = answer.Header
		// The decoder's own words may quote the document.
		if json.Unmarshal(body, out) != nil {
			return fmt.Errorf("%s: the answer is not the JSON that was expected", r.Op)
		}
		return nil
	})
	return header, err
}

// once sends r a single time, or twice if the token is asked for or refused.
func (c *Client) once(ctx context.Context, r Request) (*http.Response, error) {
	if err := c.policy.permit(r.URL); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Op, err)
	}
	trusted := c.Trusted(r.URL)
	if !trusted && !r.Elsewhere {
		return nil, fmt.Errorf("%s: %w", r.Op, ErrOrigin)
	}
	authorised := trusted && c.tokens != nil && r.Auth != AuthNever
	token := ""
	if authorised && r.Auth == AuthAlways {
		var err error
		if token, err = c.tokens.token(ctx, ""); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Op, err)
		}
	}
	answer, err := c.send(ctx, r, token)
	if err != nil || answer.StatusCode != http.StatusUnauthorized || !authorised {
		return c.judge(r, answer, err)
	}
	discard(answer)
	if token, err = c.tokens.token(ctx, token); err != nil {
		return nil, fmt.Errorf("%s: renew token: %w", r.Op, err)
	}
	answer, err = c.send(ctx, r, token)
	return c.judge(r, answer, err)
}

// send makes one exchange and guards the body against silence.
func (c *Client) send(ctx context.Context, r Request, token string) (*http.Response, error) {
	if wait := c.gate.opens(dial.Origin(r.URL), c.Now()); wait > 0 {
		if err := c.Sleep(ctx, wait); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Op, err)
		}
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	inner, cancel := context.WithCancelCause(ctx)
	body := bytes.NewReader(r.Body)
	request, err := http.NewRequestWithContext(inner, method, r.URL.String(), body)
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("%s: %w", r.Op, ErrURL)
	}
	request.Header = c.header(r, token)
	via := c.home
	if r.Elsewhere {
		via = c.roaming
	}
	answer, err := via.Do(request)
	if err != nil {
		err = transportError(inner, r.Op, err)
		cancel(nil)
		return nil, err
	}
	answer.Body = newStallBody(inner, cancel, r.Op, answer.Body, c.cfg.StallTimeout)
	return answer, nil
}

// header returns the header to send. Authorization comes from here alone.
func (c *Client) header(r Request, token string) http.Header {
	header := r.Header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	if header.Get("Accept") == "" {
		header.Set("Accept", "application/fhir+json")
	}
	header.Set("Accept-Encoding", "gzip")
	header.Set("User-Agent", c.cfg.UserAgent)
	header.Del("Authorization")
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return header
}

// maxOutcomeBytes is how much of an error body is read in search of an OperationOutcome.
const maxOutcomeBytes = 1 << 20

// judge turns an answer other than 2xx into a *StatusError, and shuts the gate of an origin that
// asked for a pause.
func (c *Client) judge(r Request, answer *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 == 2 {
		return answer, nil
	}
	fault := &StatusError{Op: r.Op, Status: answer.StatusCode}
	fault.RetryAfter, fault.Waits = RetryAfter(answer.Header, c.Now())
	if body, err := ReadDocument(answer, maxOutcomeBytes); err == nil {
		// A body that is no OperationOutcome says nothing that we would repeat.
		fault.Issues, _ = ParseOutcome(body)
	}
	switch {
	case !fault.Waits:
	case fault.Status == http.StatusTooManyRequests, fault.Status == http.StatusServiceUnavailable:
		c.gate.shut(dial.Origin(r.URL), c.Now().Add(min(fault.RetryAfter, c.cfg.RetryMax)))
	}
	return nil, fault
}

// discard reads the rest of a small body, so that its connection can be used again, and closes it.
func discard(answer *http.Response) {
	_, _ = io.CopyN(io.Discard, answer.Body, maxOutcomeBytes)
	_ = answer.Body.Close()
}
