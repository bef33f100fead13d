package grant

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
)

var (
	_ oauth2.AuthorizeCodeStrategy = (*Tokens)(nil)
	_ oauth2.RefreshTokenStrategy  = (*Tokens)(nil)
)

const (
	// CodePrefix begins every authorization code, so that scanners for leaked secrets can tell
	// one from other text.
	CodePrefix = "elc_"
	// RefreshPrefix begins every refresh token.
	RefreshPrefix = "elr_"

	// maxIDLength bounds the id of a grant.
	maxIDLength = 128
	// familyLength is the length of the secret that all tokens of a grant share, in bytes.
	familyLength = 16
	// secretLength is the length of the secret of one token, in bytes.
	secretLength = 32
	// maxTokenLength is more than any token of ours has, prefix and dots included.
	maxTokenLength = 4 + 3 + (maxIDLength+familyLength+secretLength)*2
)

// text64 is how bytes are written in tokens and digests.
var text64 = base64.RawURLEncoding.Strict()

// Tokens makes codes and refresh tokens and reads them. It is fosite's AuthorizeCodeStrategy and
// RefreshTokenStrategy. A token is
//
//	prefix base64url(grant id) "." base64url(family secret) "." base64url(own secret)
//
// The family secret is the same in all tokens of a grant. By it an old token is told from an
// invented one, however often the grant was refreshed, without a list of all old tokens: only
// who holds, or held, a token of the family can present it.
//
// What fosite calls the signature is the id with digests of the secrets. It finds the record,
// and can be compared with it, but it is no token.
type Tokens struct {
	now  func() time.Time
	rand io.Reader
}

// AuthorizeCodeSignature implements oauth2.AuthorizeCodeStrategy; what is no code of ours gives
// the empty signature, which every storage method answers with fosite.ErrNotFound.
func (*Tokens) AuthorizeCodeSignature(_ context.Context, code string) string {
	t, ok := parseToken(CodePrefix, code)
	if !ok {
		return ""
	}
	return t.signature().String()
}

// GenerateAuthorizeCode implements oauth2.AuthorizeCodeStrategy. The id of the request becomes
// that of the grant.
func (g *Tokens) GenerateAuthorizeCode(
	_ context.Context, r fosite.Requester,
) (code, signature string, err error) {
	family, err := g.draw(familyLength)
	if err != nil {
		return "", "", fmt.Errorf("grant: make code: %w", err)
	}
	code, signature, err = g.make(CodePrefix, r.GetID(), family)
	if err != nil {
		return "", "", fmt.Errorf("grant: make code: %w", err)
	}
	return code, signature, nil
}

// ValidateAuthorizeCode implements oauth2.AuthorizeCodeStrategy. Whether the code was given is
// said by the storage, which compares the digests; here it is held against the clock.
func (g *Tokens) ValidateAuthorizeCode(_ context.Context, r fosite.Requester, code string) error {
	return g.validate(CodePrefix, code, r, fosite.AuthorizeCode)
}

// RefreshTokenSignature implements oauth2.RefreshTokenStrategy.
func (*Tokens) RefreshTokenSignature(_ context.Context, token string) string {
	t, ok := parseToken(RefreshPrefix, token)
	if !ok {
		return ""
	}
	return t.signature().String()
}

// GenerateRefreshToken implements oauth2.RefreshTokenStrategy. The family is that of the code or
// the refresh token in the request.
func (g *Tokens) GenerateRefreshToken(
	_ context.Context, r fosite.Requester,
) (token, signature string, err error) {
	form, prefix, field := r.GetRequestForm(), CodePrefix, "code"
	if form.Get("grant_type") == string(fosite.GrantTypeRefreshToken) {
		prefix, field = RefreshPrefix, "refresh_token"
	}
	from, ok := parseToken(prefix, form.Get(field))
	if !ok || from.grant != r.GetID() {
		return "", "", errors.New("grant: make refresh token: the request is of no grant")
	}
	token, signature, err = g.make(RefreshPrefix, from.grant, from.family)
	if err != nil {
		return "", "", fmt.Errorf("grant: make refresh token: %w", err)
	}
	return token, signature, nil
}

// ValidateRefreshToken implements oauth2.RefreshTokenStrategy, as ValidateAuthorizeCode does.
func (g *Tokens) ValidateRefreshToken(_ context.Context, r fosite.Requester, token string) error {
	return g.validate(RefreshPrefix, token, r, fosite.RefreshToken)
}

// validate holds the form of a token and its end.
func (g *Tokens) validate(
	prefix, text string, r fosite.Requester, kind fosite.TokenType,
) error {
	if _, ok := parseToken(prefix, text); !ok {
		return fosite.ErrInvalidTokenFormat
	}
	if session := r.GetSession(); session != nil {
		ends := session.GetExpiresAt(kind)
		if !ends.IsZero() && !g.now().Before(ends) {
			return fosite.ErrTokenExpired
		}
	}
	return nil
}

// make writes a new token of a grant.
func (g *Tokens) make(prefix, id string, family []byte) (text, sig string, err error) {
	if id == "" || len(id) > maxIDLength {
		return "", "", errors.New("the request has no usable id")
	}
	own, err := g.draw(secretLength)
	if err != nil {
		return "", "", err
	}
	t := token{prefix: prefix, grant: id, family: family, own: own}
	return t.String(), t.signature().String(), nil
}

// draw returns n random bytes.
func (g *Tokens) draw(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(g.rand, b); err != nil {
		return nil, fmt.Errorf("draw a secret: %w", err)
	}
	return b, nil
}

// token is a code or a refresh token, taken apart.
type token struct {
	prefix, grant string
	family, own   []byte
}

// parseToken takes a token apart; it believes nothing.
func parseToken(prefix, text string) (token, bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(text) > maxTokenLength {
		return token{}, false
	}
	parts := strings.Split(rest, ".")
	if len(parts) != 3 {
		return token{}, false
	}
	id, err1 := text64.DecodeString(parts[0])
	family, err2 := text64.DecodeString(parts[1])
	own, err3 := text64.DecodeString(parts[2])
	if err1 != nil || err2 != nil || err3 != nil || len(id) == 0 || len(id) > maxIDLength ||
		len(family) != familyLength || len(own) != secretLength {
		return token{}, false
	}
	t := token{prefix: prefix, grant: string(id), family: family, own: own}
	// The decoder skips line breaks.
	return t, t.String() == text
}

// String is the token as the client gets it.
func (t token) String() string {
	return t.prefix + text64.EncodeToString([]byte(t.grant)) + "." +
		text64.EncodeToString(t.family) + "." + text64.EncodeToString(t.own)
}

// signature is what may be remembered of the token.
func (t token) signature() signature {
	return signature{
		grant:  t.grant,
		family: digest("family", t.family),
		own:    digest(t.prefix, t.own),
	}
}

// digest hashes a secret for one purpose. The secrets are random, so one hash is enough.
func digest(purpose string, secret []byte) string {
	sum := sha256.Sum256(append([]byte(purpose+"\x00"), secret...))
	return text64.EncodeToString(sum[:])
}

// signature names a grant and holds the digests of the two secrets of a token.
type signature struct{ grant, family, own string }

// String is the signature as it goes through fosite.
func (s signature) String() string {
	return text64.EncodeToString([]byte(s.grant)) + "." + s.family + "." + s.own
}

// parseSignature is the inverse of String.
func parseSignature(text string) (signature, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || parts[1] == "" || parts[2] == "" {
		return signature{}, false
	}
	id, err := text64.DecodeString(parts[0])
	if err != nil || len(id) == 0 {
		return signature{}, false
	}
	return signature{grant: string(id), family: parts[1], own: parts[2]}, true
}

// same compares two digests in constant time; an empty one is no digest.
func same(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
