// Package auth is the OAuth 2.0 authorization server of EquityLens, on fosite, and the check of
// the access tokens that it gives out.
//
// It registers three grants: authorization_code with PKCE, refresh_token, and client_credentials as
// SMART Backend Services asks; and two ways for a client to say who it is: private_key_jwt, or, for
// one that can keep no key, its client_id. What fosite offers beside these is off; what fosite does
// otherwise than the standards want is done here, one file a step:
//
//	server.go             the configuration
//	provider.go           fosite, set up
//	client.go             the programs that may ask
//	redirect.go           where people may be sent back to
//	form.go               requests, read strictly
//	authorize.go          the authorization endpoint: ask, sign in, go on
//	authorize_request.go  what is asked, checked
//	pushed.go             the same, said beforehand (RFC 9126)
//	consent.go            the question to the person, and the answer
//	person.go             the person
//	endpoint.go           the token endpoint, as HTTP
//	assertion.go          who asks: the signed assertion
//	client_keys.go        by which keys: registered, or fetched (fetch.go)
//	client_grant.go       what a program gets for itself
//	person_grant.go       what it gets on behalf of a person
//	access_token.go       the access token
//	id_token.go           the id_token
//	validate.go           the access token, read again
//	guard.go              the access token, demanded of a request
//	introspect.go         what a token is (RFC 7662)
//	revoke.go             ending a token, a grant, or all of a person or a client
//	cors.go               scripts of other origins
//	discovery.go          what clients may know beforehand
//
// What was granted is remembered by package grant, which also ends a grant whose code or refresh
// token is used twice. No token, no code, no assertion and no person is in any log, error or URL,
// but for the code on its way to the client.
//
// https://hl7.org/fhir/smart-app-launch/app-launch.html
// https://hl7.org/fhir/smart-app-launch/backend-services.html
package auth
