// Package page writes what people see: the page in the chart, the pages around signing in, and those of the
// dashboard.
//
// Pages are plain HTML that can be read without a script, so that the strictest policy of a browser holds:
// nothing inline, nothing from elsewhere. The one script there is shows how far a sync is. Every sentence
// of our own stands in server/words. What a page says about a patient follows from a bedside.View and
// from nothing else: what is missing is said to be missing, what could not be read is said to be unread,
// and nothing is guessed. A page of the dashboard is shown with the figures and the words that it is
// given, and computes none.
package page
