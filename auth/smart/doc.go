// Package smart makes EquityLens an app of other people's servers: an EHR opens the page in a
// chart through it (SMART App Launch 2.2, EHR launch), and people sign in at their EHR (standalone
// launch) or at an OpenID Connect provider. There is no password of ours.
//
// Only registered tenants are ever spoken to. A launch that names another issuer is refused before
// any request is made. Endpoints come from discovery alone
// ({iss}/.well-known/smart-configuration); the older way of reading them from a
// CapabilityStatement is deprecated in SMART 2 and not offered. Every connection passes the dial
// guard, no redirect leaves an origin, and a token request follows none.
//
// A flow lives in the store for ten minutes under a key of both its state, which travels through
// the EHR, and its binding, which stays in the browser as a cookie: whoever lacks one of the two
// finds nothing, and what was found once is gone.
//
// https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
package smart
