package jwks

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/keys"
)

// How long a document is kept where its server does not say, and at most.
const (
	keepUsual = 5 * time.Minute
	keepMost  = time.Hour
)

// Parse reads the public keys of a document and passes over those of kinds that are not known, as RFC
// 7517 section 5 wants. A private key in it is passed over too: whoever publishes one has lost it.
func Parse(text []byte) (set jose.JSONWebKeySet, err error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(text, &doc) != nil { // The decoder's own words may quote the document.
		return set, fmt.Errorf("%w: not a JWKS document", ErrUnusable)
	}
	for _, raw := range doc.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) == nil && k.Valid() && k.IsPublic() {
			set.Keys = append(set.Keys, k)
		}
	}
	return set, nil
}

// Fitting returns the keys that may have signed under a header: all of the right kind and strength,
// among those with the id if the header has one. SMART wants kty and kid of a key; use and alg are
// optional, and bind if they are there.
func Fitting(set jose.JSONWebKeySet, header jose.Header) []jose.JSONWebKey {
	var found []jose.JSONWebKey
	for _, k := range set.Keys {
		switch {
		case header.KeyID != "" && k.KeyID != header.KeyID,
			k.Use != "" && k.Use != "sig",
			k.Algorithm != "" && k.Algorithm != header.Algorithm,
			!k.IsPublic(),
			!keys.Fits(jose.SignatureAlgorithm(header.Algorithm), k.Key):
			continue
		}
		found = append(found, k)
	}
	return found
}

// Lifetime is how long a published document may be kept, by its Cache-Control (RFC 9111 section 5.2.2)
// and Age: an hour at most, and five minutes where nothing is said.
func Lifetime(h http.Header) time.Duration {
	keep := keepUsual
	for part := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(part)), "=")
		switch name {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			keep = min(seconds(strings.Trim(value, `"`)), keepMost)
		}
	}
	return max(keep-seconds(strings.TrimSpace(h.Get("Age"))), 0)
}

// seconds reads a number of seconds. What is none counts as 0; one that nobody lives to see out, as
// more than keepMost.
func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(min(n, 1<<32)) * time.Second
}
