package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Lifetimes of a token.
const (
	// assumedLife is taken where the server does not say: SMART's upper bound.
	assumedLife = 300 * time.Second
	// longestLife bounds what a server says; a longer cache saves nothing.
	longestLife = time.Hour
	// renewShare is the part of its life after which a token is replaced before it can fail.
	renewShare = 0.8
)

// maxTokenBytes bounds the documents about tokens.
const maxTokenBytes = 1 << 20

// tokens holds the access token and renews it. One renewal runs at a time; those who wait for it
// share its outcome.
type tokens struct {
	c      *Client
	signer signer
	// turn is a mutex that can be waited for with a context. Its holder may touch the fields below.
	turn     chan struct{}
	endpoint *url.URL
	value    string
	renewAt  time.Time
	failed   error // of the last renewal
	// renewals counts finished renewals; it can be read without the turn.
	renewals atomic.Int64
}

// newTokens prepares the signing key.
func newTokens(c *Client) (*tokens, error) {
	s, err := newSigner(c.cfg)
	if err != nil {
		return nil, err
	}
	return &tokens{c: c, signer: s, turn: make(chan struct{}, 1)}, nil
}

// token returns a token to send. refused is one that the server has just turned down, or "": a
// cached token that equals it is not returned again.
func (t *tokens) token(ctx context.Context, refused string) (string, error) {
	before, waited, err := t.acquire(ctx)
	if err != nil {
		return "", fmt.Errorf("wait for token: %w", err)
	}
	defer func() { <-t.turn }()
	if t.value != "" && t.value != refused && t.c.Now().Before(t.renewAt) {
		return t.value, nil
	}
	if waited && t.renewals.Load() > before && t.failed != nil {
		return "", t.failed
	}
	err = t.renew(ctx)
	if ctx.Err() == nil {
		t.failed = err
		t.renewals.Add(1)
	}
	if err != nil {
		return "", err
	}
	return t.value, nil
}

// acquire takes the turn. If it had to wait, before is how many renewals had finished at that time.
func (t *tokens) acquire(ctx context.Context) (before int64, waited bool, err error) {
	before = t.renewals.Load()
	select {
	case t.turn <- struct{}{}:
		return before, false, nil
	default:
	}
	select {
	case t.turn <- struct{}{}:
		return before, true, nil
	case <-ctx.Done():
		return before, true, context.Cause(ctx)
	}
}

// renew asks for a new token. Its caller holds the turn.
func (t *tokens) renew(ctx context.Context) error {
	t.value = ""
	if t.endpoint == nil {
		endpoint, err := t.discover(ctx)
		if err != nil {
			return err
		}
		t.endpoint = endpoint
	}
	var got tokenAnswer
	err := t.c.Retry(ctx, 0, func(ctx context.Context) error {
		var err error
		got, err = t.ask(ctx)
		return err
	})
	if err != nil {
		return err
	}
	life := got.life()
	t.value = got.AccessToken
	t.renewAt = t.c.Now().Add(time.Duration(renewShare * float64(life)))
	t.c.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "access token renewed", slog.Duration("life", life))
	if missing := got.missing(t.c.cfg.Scopes); len(missing) > 0 {
		t.c.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "access token has fewer scopes than asked for",
			slog.Any("missing", missing))
	}
	return nil
}

// opToken starts the errors of a token request.
const opToken = "ask for access token"

// ask makes one token request with an assertion of its own.
// http://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html#obtain-access-token
func (t *tokens) ask(ctx context.Context) (tokenAnswer, error) {
	audience := t.c.cfg.Audience
	if audience == "" {
		audience = t.endpoint.String()
	}
	assertion, err := t.signer.assertion(audience, t.c.Now())
	if err != nil {
		return tokenAnswer{}, err
	}
	form := url.Values{
		"grant_type":            {"client_credentials"},
		"scope":                 {strings.Join(t.c.cfg.Scopes, " ")},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
	}
	inner, cancel := context.WithTimeoutCause(ctx, t.c.cfg.HeaderTimeout, errStalled)
	defer cancel()
	request, err := http.NewRequestWithContext(
		inner, http.MethodPost, t.endpoint.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return tokenAnswer{}, fmt.Errorf("%s: %w", opToken, ErrURL)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", t.c.cfg.UserAgent)
	answer, err := t.c.pinned.Do(request) //nolint:bodyclose // ReadDocument closes it.
	if err != nil {
		return tokenAnswer{}, transportError(inner, opToken, err)
	}
	body, err := ReadDocument(answer, maxTokenBytes)
	if err != nil && !errors.Is(err, errTooLarge) {
		return tokenAnswer{}, transportError(inner, opToken, err)
	}
	if answer.StatusCode/100 != 2 {
		return tokenAnswer{}, t.refusal(answer, body)
	}
	return readTokenAnswer(body)
}

// refusal reads an OAuth error (RFC 6749 5.2).
func (t *tokens) refusal(answer *http.Response, body []byte) error {
	fault := &StatusError{Op: opToken, Status: answer.StatusCode}
	fault.RetryAfter, fault.Waits = RetryAfter(answer.Header, t.c.Now())
	var doc struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &doc) == nil {
		fault.Reason = harmless(doc.Error, 64)
		if text := harmless(doc.Description, 200); text != "" {
			fault.Reason += " (" + text + ")"
		}
	}
	return fault
}

// harmless returns an authorization server's words if they are short, printable and hold nothing
// like a token; else "".
func harmless(text string, limit int) string {
	if len(text) > limit || strings.Contains(text, "eyJ") {
		return ""
	}
	for _, r := range text {
		if r < ' ' || r > '~' {
			return ""
		}
	}
	return text
}

// tokenAnswer is a token response (RFC 6749 5.1).
type tokenAnswer struct {
	AccessToken string          `json:"access_token"`
	TokenType   string          `json:"token_type"`
	ExpiresIn   json.RawMessage `json:"expires_in"`
	Scope       string          `json:"scope"`
}

// readTokenAnswer checks a token response. A token_type that is absent is taken for bearer, as
// servers were seen to leave it out.
func readTokenAnswer(body []byte) (tokenAnswer, error) {
	var got tokenAnswer
	if json.Unmarshal(body, &got) != nil {
		return tokenAnswer{}, errors.New(opToken + ": the answer is not a token response")
	}
	unprintable := func(r rune) bool { return r <= ' ' || r > '~' }
	if got.AccessToken == "" || strings.ContainsFunc(got.AccessToken, unprintable) {
		return tokenAnswer{}, errors.New(opToken + ": the answer holds no usable access_token")
	}
	if got.TokenType != "" && !strings.EqualFold(got.TokenType, "bearer") {
		return tokenAnswer{}, errors.New(opToken + ": the token is not a bearer token")
	}
	return got, nil
}

// life returns how long the token lives, however the server wrote that.
func (a tokenAnswer) life() time.Duration {
	seconds, err := strconv.ParseFloat(strings.Trim(string(a.ExpiresIn), `"`), 64)
	if err != nil || seconds <= 0 {
		return assumedLife
	}
	return time.Duration(min(seconds, longestLife.Seconds()) * float64(time.Second))
}

// missing returns the scopes that were asked for and not granted; none if the server does not say.
func (a tokenAnswer) missing(asked []string) []string {
	granted := strings.Fields(a.Scope)
	if len(granted) == 0 {
		return nil
	}
	var missing []string
	for _, scope := range asked {
		if !slices.Contains(granted, scope) {
			missing = append(missing, scope)
		}
	}
	return missing
}

// discover returns the token endpoint: the configured one, or what SMART discovery names. Either
// stays for the life of the client, so that nobody can move it under way.
// http://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
func (t *tokens) discover(ctx context.Context) (*url.URL, error) {
	if t.c.cfg.TokenURL != "" {
		return parsePermitted(t.c.cfg.TokenURL, t.c.policy)
	}
	const op = "read SMART configuration"
	var doc struct {
		TokenEndpoint string `json:"token_endpoint"`
	}
	request := Request{
		Op: op, URL: t.c.URL(".well-known", "smart-configuration"), Auth: AuthNever,
		Header: http.Header{"Accept": {"application/json"}},
	}
	if _, err := t.c.ReadJSON(ctx, request, maxTokenBytes, &doc); err != nil {
		return nil, err
	}
	endpoint, err := url.Parse(doc.TokenEndpoint)
	if err != nil || doc.TokenEndpoint == "" {
		return nil, errors.New(op + ": it names no token_endpoint")
	}
	base := t.c.Base()
	base.Path += "/"
	endpoint = base.ResolveReference(endpoint)
	if err := t.c.policy.permit(endpoint); err != nil {
		return nil, fmt.Errorf("%s: token_endpoint: %w", op, err)
	}
	return endpoint, nil
}
