// Package server is the HTTP door of EquityLens: the FHIR API of the measures, and what a probe, a
// scraper and an OAuth client need beside it.
//
// Every route stands in one table with the scope that it demands, or how the session of a browser
// decides, or the reason why anyone may ask; a row with none of them cannot be constructed. A request
// is looked at in this order: its path (a path that is not plain is the same 404 as one that does not
// exist), its route, how often its address has asked, the media types that it accepts, its token, its
// scope, how often its bearer has asked, its body. What goes wrong becomes a status in one place,
// problem.go, which also holds every word that a caller is told; the cause is logged and stays here.
//
// A token may cover more than the scope of the route: figures of small groups, single patients. What
// it covers beside decides what is answered. Every request with a token is recorded in the audit trail
// before it is answered, and one that cannot be recorded is not answered. docs/api.md is the whole of
// it for those who call.
//
// Nothing that a caller sends is written to a log or a metric: neither path nor query nor header,
// only the template of the route, so that an identifier in the wrong place goes no further.
package server
