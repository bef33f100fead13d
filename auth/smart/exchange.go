package smart

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/equitylens/equitylens/internal/dial"
)

// assertionLife is well under the five minutes that SMART allows, so that a server whose clock is a
// minute behind does not find the end too far off.
const assertionLife = 4 * time.Minute

// ask makes one token request, as the client that we are to the tenant, and returns the body of a
// good answer. It is never repeated: codes and refresh tokens are spent by being sent.
func (c *Client) ask(
	ctx context.Context, t *tenant, endpoint string, form url.Values,
) ([]byte, error) {
	switch t.ClientAuth {
	case PrivateKeyJWT:
		assertion, err := c.assertion(t, endpoint)
		if err != nil {
			return nil, err
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	case Public:
		form.Set("client_id", t.ClientID)
	case SecretBasic: // In the header, and only there: RFC 6749 section 2.3 forbids two ways at once.
	}
	request, err := http.NewRequestWithContext(
		ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("%w: token request: %w", ErrDiscovery, dial.ErrURL)
	}
	if t.ClientAuth == SecretBasic {
		// Section 2.3.1 encodes both as in a form, so that a colon or a percent sign survives.
		request.SetBasicAuth(url.QueryEscape(t.ClientID), url.QueryEscape(t.Secret))
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	const op = "smart: token request"
	status, _, body, err := dial.Exchange(t.web.poster, request, maxBody)
	switch {
	case err != nil:
		return nil, fmt.Errorf(op+": %w", fault(err, ErrAnswer))
	case status/100 == 2:
		return body, nil
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return nil, fmt.Errorf(op+": %w: status %d: %w", ErrUnavailable, status, errUntaken)
	case status >= http.StatusInternalServerError:
		return nil, fmt.Errorf(op+": %w: status %d", ErrUnavailable, status)
	}
	var doc struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(body, &doc) // What cannot be read is a denial of another kind.
	return nil, fmt.Errorf(op+": %w", denial(doc.Error, status))
}

// assertion returns a fresh signed statement that we are the client, for one token endpoint.
// http://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
func (c *Client) assertion(t *tenant, endpoint string) (string, error) {
	key, err := t.Keys.Signing(t.Algorithm)
	if err != nil {
		return "", fmt.Errorf("smart: sign assertion: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: t.Algorithm, Key: key},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("smart: sign assertion: %w", err)
	}
	id, err := c.secret()
	if err != nil {
		return "", err
	}
	now := c.cfg.Now()
	// Not jwt.Claims: it writes aud as an array of one, and some servers compare a string.
	claims := map[string]any{
		"iss": t.ClientID, "sub": t.ClientID, "aud": endpoint, "jti": id,
		"iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("smart: sign assertion: %w", err)
	}
	return text, nil
}
