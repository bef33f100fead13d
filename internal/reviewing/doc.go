// Package reviewing is the pages on which harm events are reviewed: the worklist, one review with its
// form, what reviewed events have in common, and the codes of the answers. It needs no script, and all
// that a page shows is in its address; what is written is sent by POST and answered by the page that
// shows it.
//
// An address holds the id of a review, which is a digest, and never that of an event or of a patient. Who
// a page shows a patient's fields to is in the audit trail with that patient. Free text is shown to those
// alone whose roles cover it; others see that there is some.
package reviewing
