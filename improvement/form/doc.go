// Package form writes what people decide as FHIR R4, and reads what others send of it.
//
// Out go: a harm event with the answer of its review as an AdverseEvent; the review as a Task; an
// action as a Task and the Goal that it pursues; a declared condition as a Flag; the readiness
// questionnaire and its answers as a Questionnaire and QuestionnaireResponses; our code systems as
// CodeSystems and ValueSets; and Bundles of all of these. In come an AdverseEvent whose answer
// becomes an opinion, the Task of an action, and a QuestionnaireResponse.
//
// R4 has no element for a factor that contributed to a harm event. The canonical of the extension
// that carries the element of R5 in R4 (package hl7.fhir.uv.xver-r5.r4) is used, with an item for
// the answer and one for each factor. A Goal of R4 has a subject, which is the institution. A
// declared condition is a Flag because that, other than a Basic, has a period, a code, and a
// subject that may be an institution or one of its places: any reader of R4 understands what was
// declared of what, and when.
//
// Free text is written if Writer.Narrative says so; else the element is there and says that it is
// masked. No name of a person is written anywhere.
package form
