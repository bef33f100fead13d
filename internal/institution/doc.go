// Package institution is the pages of the institution as a whole: its self-assessment with the plan that
// comes of it, and the network that it is in. They need no script, and all that a page shows is in its
// address; what is written is sent by POST and answered by the page that shows it.
//
// Comments on answers are for the institution itself: they are in no address, and in nothing of a network.
package institution
