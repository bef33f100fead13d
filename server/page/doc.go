// Package page writes what people see: the page in the chart, and the pages around signing in.
//
// Pages are plain HTML with one style sheet and no script, so that the strictest policy of a browser
// holds: nothing inline, nothing from elsewhere. Every sentence stands in words/, once a language, and
// the two catalogues say the same. What a page says about a patient follows from a bedside.View and from
// nothing else: what is missing is said to be missing, what could not be read is said to be unread, and
// nothing is guessed.
package page
