package smart

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/equitylens/equitylens/auth/jwks"
	"github.com/equitylens/equitylens/internal/dial"
)

const (
	// issuedSkew is how far the clock of a hospital may be off ours where a token says when it was
	// issued; expirySkew where it says when it ends.
	issuedSkew = 5 * time.Minute
	expirySkew = time.Minute
	// longestIdentity is how far ahead an id_token may end. It is read once, so that a longer life
	// has no use but to somebody who found it.
	longestIdentity = 24 * time.Hour
	// maxSubject is the bound of OpenID Connect.
	maxSubject = 255
)

// idClaims are the claims of an id_token that are read.
type idClaims struct {
	Issuer   string           `json:"iss"`
	Subject  string           `json:"sub"`
	Audience jwt.Audience     `json:"aud"`
	Party    string           `json:"azp"`
	Expiry   *jwt.NumericDate `json:"exp"`
	IssuedAt *jwt.NumericDate `json:"iat"`
	Nonce    string           `json:"nonce"`
	Name     string           `json:"name"`
	FHIRUser string           `json:"fhirUser"`
}

// identify validates an id_token: OpenID Connect Core section 3.1.3.7.
func (c *Client) identify(ctx context.Context, t *tenant, f flow, raw string) (*Identity, error) {
	if raw == "" {
		return nil, fmt.Errorf("%w: the answer has no id_token", ErrIdentity)
	}
	// No algorithm besides these is ever tried, and keys that the token itself names (jwk, jku,
	// x5c) are not looked at: neither "none" nor an HMAC with a public key is a signature.
	token, err := jwt.ParseSigned(raw,
		[]jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.ES256, jose.ES384})
	if err != nil || len(token.Headers) != 1 {
		return nil, fmt.Errorf("%w: not a token signed with RS256, RS384, ES256 or ES384", ErrIdentity)
	}
	var claims idClaims
	var all map[string]any
	if err := verify(ctx, t, f.Endpoints.Keys, token, &claims, &all); err != nil {
		return nil, err
	}
	if err := claims.check(t.ClientID, f, c.cfg.Now()); err != nil {
		return nil, err
	}
	who := &Identity{
		Issuer: claims.Issuer, Subject: claims.Subject, Name: display(claims.Name), Claims: all,
	}
	if !t.OIDC {
		if who.FHIRUser, err = fhirUser(claims.FHIRUser, t.base); err != nil {
			return nil, err
		}
	}
	return who, nil
}

// verify checks the signature, if need be with keys read afresh, and decodes the claims. Without a key
// id there has to be one key that fits and no more: SMART lets a server that has a single key leave
// the id out.
func verify(
	ctx context.Context, t *tenant, uri string, token *jwt.JSONWebToken, into ...any,
) error {
	ok, err := t.web.keys.Try(ctx, uri, func(set jose.JSONWebKeySet) bool {
		found := jwks.Fitting(set, token.Headers[0])
		return len(found) == 1 && token.Claims(found[0].Key, into...) == nil
	})
	switch {
	case errors.Is(err, jwks.ErrUnavailable):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrIdentity, err)
	case !ok:
		return fmt.Errorf("%w: no published key verifies the id_token", ErrIdentity)
	}
	return nil
}

// check holds the rules about the claims.
func (i idClaims) check(clientID string, f flow, now time.Time) error {
	fault := ""
	switch {
	case i.Issuer != f.Endpoints.Issuer:
		fault = "iss is another's"
	case !slices.Contains(i.Audience, clientID):
		fault = "aud is another's"
	case i.Party != "" && i.Party != clientID, i.Party == "" && len(i.Audience) > 1:
		fault = "azp is another's, or missing among several aud"
	case subtle.ConstantTimeCompare([]byte(i.Nonce), []byte(f.Nonce)) != 1:
		fault = "nonce is not that of the flow"
	case i.Subject == "" || len(i.Subject) > maxSubject:
		fault = "sub is missing or too long"
	case i.Expiry == nil || !now.Before(i.Expiry.Time().Add(expirySkew)):
		fault = "exp is missing or past"
	case i.Expiry.Time().After(now.Add(longestIdentity + expirySkew)):
		fault = "exp is too far ahead"
	case i.IssuedAt == nil || i.IssuedAt.Time().After(now.Add(issuedSkew)):
		fault = "iat is missing or ahead"
	case i.IssuedAt.Time().Before(f.Began.Add(-issuedSkew)):
		fault = "iat is before the flow began"
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrIdentity, fault)
}

// maxName bounds a name that is shown.
const maxName = 200

// display makes a name fit to be shown: without control characters and not without end.
func display(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1 // Control characters, and those that turn the direction of writing.
		}
		return r
	}, name))
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName])
	}
	return name
}

// fhirUser reads the claim of the name, absolute or relative to the FHIR base, and returns Type/id.
// "" says nothing and is allowed. A resource of another server is not this person's.
func fhirUser(claim string, base *url.URL) (string, error) {
	if claim == "" {
		return "", nil
	}
	rest := claim
	if strings.Contains(claim, ":") {
		u, err := url.Parse(claim)
		if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
			dial.Origin(u) != dial.Origin(base) {
			return "", fmt.Errorf("%w: fhirUser is of another server", ErrIdentity)
		}
		var ok bool
		if rest, ok = strings.CutPrefix(u.EscapedPath(), bare(base.EscapedPath())+"/"); !ok {
			return "", fmt.Errorf("%w: fhirUser is of another server", ErrIdentity)
		}
	}
	kind, id, _ := strings.Cut(rest, "/")
	switch kind {
	case "Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person":
		if isID(id) {
			return rest, nil
		}
	}
	return "", fmt.Errorf("%w: fhirUser is not a person's Type/id", ErrIdentity)
}
