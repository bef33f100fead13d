// Package decisions keeps what people decide: reviews of harm events, actions, conditions, assessments,
// submissions of a network, and harm events that were brought in from outside the EHR. Nothing of it
// can be rebuilt, so nothing of it is ever lost or overwritten: every document has a version that only
// grows, and every version is kept.
//
// It is SQLite by default and PostgreSQL by URL. It is the only importer of their drivers.
package decisions
