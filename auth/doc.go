// Package auth is the OAuth 2.0 authorization server of EquityLens, on fosite, and the check of
// the access tokens that it gives out.
//
// It registers one grant, client_credentials, and one way for a client to say who it is,
// private_key_jwt, as SMART Backend Services asks. What fosite offers beside these is off; what
// fosite does otherwise than the standards want is done here, one file a step:
//
//	endpoint.go      the request to the token endpoint, as HTTP
//	assertion.go     who asks: the signed assertion
//	client_keys.go   by which keys: registered, or fetched from the client's address
//	grant.go         what is granted: the allowed part of what is asked
//	access_token.go  the token
//	validate.go      the token, read again
//	guard.go         the token, demanded of a request
//	discovery.go     what clients may know beforehand
//
// No token and no assertion is in any log, error or URL.
//
// https://hl7.org/fhir/smart-app-launch/backend-services.html
package auth
