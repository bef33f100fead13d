// Package room is what every page has in common on which people decide something: it lets those in whose
// roles open the page, reads what they send, writes down that they looked or what they did before they
// are shown anything, and turns errors into pages. What a page shows is its own.
//
// A page is a Handler. It reads the address and the form from its Visit, and returns what to show; the
// room shows it once the audit trail holds the visit. A change is answered by See, which leads to the
// page that shows it, so that no button is pressed twice by loading a page again.
//
// That a form comes from one of our own pages is checked by the server, for every route of a session.
package room
