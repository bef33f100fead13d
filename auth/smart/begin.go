package smart

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/equitylens/equitylens/internal/dial"
	"github.com/equitylens/equitylens/store/cache"
)

// FlowLife is how long a flow waits for its answer: time to sign in at the EHR with a second
// factor.
const FlowLife = 10 * time.Minute

// maxLaunch bounds the handle of a launch. It is opaque, and some vendors put a token into it.
const maxLaunch = 4 << 10

// Begun is a flow that was begun.
type Begun struct {
	// URL is where the browser has to go.
	URL string
	// State names the flow; it is part of URL and comes back to the callback.
	State string
	// Binding stays in the browser, as a cookie of the callback, and is demanded by Finish. It is
	// secret.
	Binding string
}

// flow is what is remembered between the browser's going and its coming back.
type flow struct {
	Tenant string `json:"tenant"`
	Kind   Kind   `json:"kind"`
	Next   string `json:"next,omitempty"`
	// Endpoints are those of the beginning: the code goes to the server that was asked for it.
	Endpoints endpoints `json:"endpoints"`
	Verifier  string    `json:"verifier"`
	Nonce     string    `json:"nonce,omitempty"`
	Began     time.Time `json:"began"`
}

// Launch begins an EHR launch: iss and launch are what the EHR has put into the URL it opened us
// by. The issuer has to be a registered one, letter by letter but for one trailing slash; for
// another no request is made to anybody.
func (c *Client) Launch(ctx context.Context, iss, launch string) (Begun, error) {
	t := c.launches[bare(iss)]
	if t == nil {
		return Begun{}, ErrUnknownIssuer
	}
	if launch == "" || len(launch) > maxLaunch {
		return Begun{}, fmt.Errorf("%w: no launch, or more than %d bytes", ErrRequest, maxLaunch)
	}
	params := url.Values{"launch": {launch}, "aud": {iss}}
	return c.begin(ctx, t, flow{Kind: KindLaunch}, params, t.launch)
}

// SignIn begins a sign-in at a tenant, which leads back to next, a path of ours; "" is the root.
func (c *Client) SignIn(ctx context.Context, tenant, next string) (Begun, error) {
	return c.signIn(ctx, tenant, next, url.Values{})
}

// SignInAgain is SignIn for somebody who has signed in before and has to prove anew who they are. A
// provider is told so (prompt=login); an EHR is not, because SMART knows no way to.
func (c *Client) SignInAgain(ctx context.Context, tenant, next string) (Begun, error) {
	params := url.Values{}
	if t := c.tenants[tenant]; t != nil && t.OIDC {
		params.Set("prompt", "login")
	}
	return c.signIn(ctx, tenant, next, params)
}

// signIn begins either.
func (c *Client) signIn(
	ctx context.Context, tenant, next string, params url.Values,
) (Begun, error) {
	t := c.tenants[tenant]
	if t == nil || !t.SignIn {
		return Begun{}, ErrUnknownTenant
	}
	if next == "" {
		next = "/"
	}
	if err := CheckNext(next); err != nil {
		return Begun{}, err
	}
	if !t.OIDC {
		params.Set("aud", t.Issuer)
	}
	return c.begin(ctx, t, flow{Kind: KindSignIn, Next: next}, params, t.signIn)
}

// begin keeps a flow and makes the URL of the authorization request.
func (c *Client) begin(
	ctx context.Context, t *tenant, f flow, params url.Values, scopes []string,
) (Begun, error) {
	found, err := c.discover(ctx, t)
	if err != nil {
		return Begun{}, err
	}
	var secrets [4]string
	for i := range secrets {
		if secrets[i], err = c.secret(); err != nil {
			return Begun{}, err
		}
	}
	state, binding := secrets[0], secrets[1]
	f.Tenant, f.Endpoints, f.Verifier, f.Began = t.Name, found, secrets[2], c.cfg.Now()
	params.Set("response_type", "code")
	params.Set("client_id", t.ClientID)
	params.Set("redirect_uri", c.cfg.RedirectURI)
	params.Set("scope", strings.Join(scopes, " "))
	params.Set("state", state)
	challenge := sha256.Sum256([]byte(f.Verifier))
	params.Set("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:]))
	params.Set("code_challenge_method", "S256")
	if openid(scopes) {
		f.Nonce = secrets[3]
		params.Set("nonce", f.Nonce)
	}
	authorize, err := withParams(found.Authorize, params)
	if err != nil {
		return Begun{}, err
	}
	text, err := json.Marshal(f)
	if err != nil {
		return Begun{}, fmt.Errorf("smart: encode flow: %w", err)
	}
	if err := c.cfg.Store.Set(ctx, flowKey(state, binding), text, FlowLife); err != nil {
		return Begun{}, fmt.Errorf("%w: keep flow: %w", ErrUnavailable, err)
	}
	return Begun{URL: authorize, State: state, Binding: binding}, nil
}

// flowKey needs both halves: a state alone, which is seen by the EHR and by whoever reads its logs,
// neither finds the flow nor can use it up.
func flowKey(state, binding string) string { return cache.Key("flow", state, binding) }

// secretBytes of randomness are in each state, binding, verifier and nonce; SMART asks for 122 bits
// in a state, RFC 7636 for 256 in a verifier.
const secretBytes = 32

// secret draws one.
func (c *Client) secret() (string, error) {
	var b [secretBytes]byte
	if _, err := io.ReadFull(c.cfg.Rand, b[:]); err != nil {
		return "", fmt.Errorf("smart: draw a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// withParams adds parameters to an endpoint, which may have some of its own (RFC 6749 section 3.1).
func withParams(endpoint string, params url.Values) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrDiscovery, dial.ErrURL)
	}
	query := u.Query()
	for name, values := range params {
		query[name] = values
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}
