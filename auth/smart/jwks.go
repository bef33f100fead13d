package smart

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/keys"
)

// refetchAfter is the least time between two readings of keys that are still fresh, because none of
// them fitted. Anybody who can make up an id_token could else make us hammer the EHR.
const refetchAfter = time.Minute

// keptKeys are the public keys of a tenant. When their server is down they serve until they expire,
// and then nothing does: a key that was taken back shall not be believed for ever.
type keptKeys struct {
	uri     string
	set     jose.JSONWebKeySet
	expires time.Time
	// afresh is when fresh keys were last read again.
	afresh time.Time
}

// publicKeys returns the keys at uri, and whether they were kept ones that may be read again with
// afresh.
func (c *Client) publicKeys(ctx context.Context, t *tenant, uri string, afresh bool) (
	set jose.JSONWebKeySet, again bool, err error,
) {
	now := c.cfg.Now()
	t.mu.Lock()
	have := t.keys
	fresh := have.uri == uri && now.Before(have.expires)
	tired := !now.Before(have.afresh.Add(refetchAfter))
	if fresh && (!afresh || !tired) {
		t.mu.Unlock()
		return have.set, tired, nil
	}
	if fresh {
		t.keys.afresh = now
	}
	t.mu.Unlock()
	got, err, _ := t.flight.Do("keys "+uri, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		body, header, err := t.web.read(ctx, uri, ErrIdentity)
		if err != nil {
			return nil, fmt.Errorf("smart: read keys: %w", err)
		}
		set, err := parseKeys(body)
		if err != nil {
			return nil, err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.keys.uri != uri {
			t.keys.afresh = time.Time{}
		}
		t.keys.uri, t.keys.set, t.keys.expires = uri, set, now.Add(keepFor(header))
		return set, nil
	})
	if err != nil {
		return set, false, err
	}
	set, _ = got.(jose.JSONWebKeySet)
	return set, false, nil
}

// parseKeys reads the public keys of a document and passes over those of kinds that are not known,
// as RFC 7517 section 5 wants, and over private ones: whoever publishes one has lost it.
func parseKeys(body []byte) (set jose.JSONWebKeySet, err error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return set, fmt.Errorf("%w: read keys: not a JWKS document", ErrIdentity)
	}
	for _, raw := range doc.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) == nil && k.Valid() && k.IsPublic() {
			set.Keys = append(set.Keys, k)
		}
	}
	return set, nil
}

// fitting picks the key that may have signed under a header. Without an id there has to be one that
// fits and no more: SMART lets a server that has a single key leave the id out.
func fitting(set jose.JSONWebKeySet, header jose.Header) (any, bool) {
	var found []any
	for _, k := range set.Keys {
		switch {
		case header.KeyID != "" && k.KeyID != header.KeyID,
			k.Use != "" && k.Use != "sig",
			k.Algorithm != "" && k.Algorithm != header.Algorithm,
			!keys.Fits(jose.SignatureAlgorithm(header.Algorithm), k.Key):
			continue
		}
		found = append(found, k.Key)
	}
	if len(found) != 1 {
		return nil, false
	}
	return found[0], true
}
