// Package authtest is the client side of private_key_jwt for tests and the demo: it makes
// assertions, good ones and bad ones, and asks a token endpoint with them.
package authtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
)

// AssertionType is the value of client_assertion_type.
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Assertion is what a client says about itself.
type Assertion struct {
	// ClientID is iss and sub.
	ClientID string
	// Audience is the address of the token endpoint.
	Audience string
	// Key is the private key, with id and algorithm.
	Key jose.JSONWebKey
	// Now is when the assertion is made; it lives for four minutes. The zero time means now.
	Now time.Time
	// Claims and Header change what is written: a nil removes a member, another value replaces
	// it. They are for assertions that are to be refused.
	Claims map[string]any
	Header map[string]any
}

// Sign makes the assertion, with an id of its own each time.
func (a Assertion) Sign() (string, error) {
	now := a.Now
	if now.IsZero() {
		now = time.Now()
	}
	claims := map[string]any{
		"iss": a.ClientID, "sub": a.ClientID, "aud": a.Audience, "jti": uuid.NewString(),
		"iat": now.Unix(), "exp": now.Add(4 * time.Minute).Unix(),
	}
	header := map[string]any{"typ": "JWT", "kid": a.Key.KeyID}
	override(claims, a.Claims)
	override(header, a.Header)

	options := &jose.SignerOptions{}
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.SignatureAlgorithm(a.Key.Algorithm), Key: a.Key.Key,
	}, options)
	if err != nil {
		return "", fmt.Errorf("authtest: sign: %w", err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("authtest: sign: %w", err)
	}
	return text, nil
}

// override writes changes over members.
func override(members, changes map[string]any) {
	maps.Copy(members, changes)
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
}

// Form is the body of a token request with an assertion.
func Form(assertion, scope string) url.Values {
	return url.Values{
		"grant_type":            {"client_credentials"},
		"scope":                 {scope},
		"client_assertion_type": {AssertionType},
		"client_assertion":      {assertion},
	}
}

// Answer is what a token endpoint said.
type Answer struct {
	Status int
	Header http.Header
	// Body is the JSON document.
	Body map[string]any
}

// Text returns a member of the body that is a string, or "".
func (a Answer) Text(member string) string {
	text, _ := a.Body[member].(string)
	return text
}

// Post sends a form to a token endpoint.
func Post(
	ctx context.Context, client *http.Client, tokenURL string, form url.Values,
) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, tokenURL,
		strings.NewReader(form.Encode()))
	if err != nil {
		return Answer{}, fmt.Errorf("authtest: post: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, fmt.Errorf("authtest: post: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return Answer{}, fmt.Errorf("authtest: post: %w", err)
	}
	answer := Answer{Status: response.StatusCode, Header: response.Header}
	if err := json.Unmarshal(text, &answer.Body); err != nil {
		return answer, fmt.Errorf("authtest: post: answer %d is not JSON: %w",
			response.StatusCode, err)
	}
	return answer, nil
}

// Token asks for an access token with a good assertion.
func Token(
	ctx context.Context, client *http.Client, a Assertion, scope string,
) (string, error) {
	assertion, err := a.Sign()
	if err != nil {
		return "", err
	}
	answer, err := Post(ctx, client, a.Audience, Form(assertion, scope))
	if err != nil {
		return "", err
	}
	if answer.Status != http.StatusOK {
		return "", fmt.Errorf("authtest: token: %d %s: %s", answer.Status,
			answer.Text("error"), answer.Text("error_description"))
	}
	return answer.Text("access_token"), nil
}
