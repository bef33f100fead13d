// Package exchange serves and accepts as FHIR what people decide: harm events with the answer of
// their review, reviews and actions as Tasks, Goals, declared conditions as Flags, the readiness
// questionnaire and its answers, and our code systems. docs/api.md says it to those who call.
//
// Its routes stand in the table of the server like any other (server.Resource). A change needs
// If-Match; who makes it is the subject of the token, which is a pseudonym or the id of a program.
// What a resource holds and cannot be kept is refused with the path of the element; nothing that
// was sent is repeated in an answer, a log or an error.
//
// Free text of reviews is served and taken where the token covers equitylens/narrative; else it is
// masked.
package exchange
