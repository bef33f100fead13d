// Package dashboard is what a quality department sees in a browser: where the largest gaps are, one measure
// in depth, comparisons, the state of the data, the definitions.
//
// Everything that is shown is in the address, so that a colleague who opens it sees the same. A request
// goes this way:
//
//	serve       who asks? a session with a role that may see figures (visit), else to the sign-in
//	address     the address as a question: measure, period, dimension, reference, filter, audience
//	keeper      the answer as it was written, by snapshot, address, language and audience; else
//	a builder   questions -> results of one snapshot -> figures: overview, measure, compare, quality, …
//	page        the figures as HTML; or file: one of them, or the figures behind them, as a file
//
// and is in the audit trail before it is answered. Suppression is settled where results come from
// (measure/release): a builder shows what it was given and asks nothing else for the same page.
package dashboard
