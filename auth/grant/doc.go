// Package grant remembers what was granted: one record for each consent, with its code, its
// refresh token, its live access tokens and what they were given for. It implements fosite's
// storage and makes the codes and refresh tokens.
//
// A record is one key of a cache.Store, and every step is one compare-and-swap of it: read,
// change, write if nobody else wrote in between, else read again. So of any number of attempts
// to use a code or a refresh token one wins, on one process or many, and a crash between two
// steps leaves the record before or after, never between. One key is one slot of Redis Cluster.
//
//	session.go       who stands behind a grant, and what is told to the client
//	token.go         codes and refresh tokens
//	record.go        what is remembered
//	storage.go       reading, and changing by compare-and-swap
//	transaction.go   several steps as one
//	code.go          codes, and the PKCE challenge of each
//	refresh.go       refresh tokens: rotated at each use
//	access.go        access tokens: their ids
//	revoke.go        ending a grant
//	bar.go           ending all that a person or a client was given
//	push.go          pushed authorization requests (RFC 9126)
//
// # Whoever uses a token twice ends the grant
//
// A code that is used again, and a refresh token that is used again after it was rotated, end
// the grant with all its tokens (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2): one of the
// two who used it is not the client, and nobody can tell which. There is no window in which a
// second use passes. In such a window a thief who is fast gets tokens and nobody learns of it; a
// client whose answer was lost on the way signs in again, which costs a person some seconds.
//
// Rotation also ends the access tokens given before: at any time a grant has one refresh token
// and the access token that came with it.
//
// # What is in the store
//
// No code and no token, only digests of them. The session is in it, which names a person and
// maybe a patient, so the store has to be sealed (cache.Seal). A store that cannot be asked ends
// a request with an error that is cache.ErrUnavailable or cache.ErrFull, never with a token.
package grant
