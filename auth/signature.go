package auth

import (
	"crypto/sha256"
	"sync"
)

// maxSignatures bounds the tokens that are remembered. A client has one or two at a time, which
// live for minutes, so that this is ample; when it is reached all are forgotten and found again.
const maxSignatures = 1024

// signed is a token whose signature was found good. What time does to it is looked at anew by
// every request, and so is whether its key still counts.
type signed struct {
	claims    readClaims
	kid       string
	algorithm string
}

// signatures remembers which tokens are signed by us, because finding out takes longer than the
// rest of an answer that is at hand. It holds digests, not tokens. The zero value is empty.
type signatures struct {
	mu    sync.RWMutex
	known map[[sha256.Size]byte]signed
}

func (s *signatures) of(token string) (signed, bool) {
	digest := sha256.Sum256([]byte(token))
	s.mu.RLock()
	defer s.mu.RUnlock()
	have, ok := s.known[digest]
	return have, ok
}

func (s *signatures) add(token string, good signed) {
	digest := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxSignatures {
		s.known = map[[sha256.Size]byte]signed{}
	}
	s.known[digest] = good
}
