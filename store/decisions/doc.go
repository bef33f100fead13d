// Package decisions keeps what people decide: reviews of harm events, actions, conditions, assessments,
// submissions of a network, and harm events that were brought in from outside the EHR. Nothing of it
// can be rebuilt, so nothing of it is ever lost or overwritten: every document has a version that only
// grows, and every version is kept.
//
// It is SQLite by default and PostgreSQL by URL. It is the only importer of their drivers. Both run the
// same statements, except where a lock is taken and where a table is made, and both pass one contract
// suite.
//
// A document is found by its terms, which are kept once more beside it, for its newest version alone.
// Its body is opaque here: bytes of JSON, which come back as they went in.
package decisions
