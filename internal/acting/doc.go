// Package acting is the pages on which findings become actions, and on which it is shown whether they
// helped: the list with its reminders, one action, the page of evidence with its files, and declared
// conditions with figures inside and outside of them. It needs no script, and all that a page shows is
// in its address; what is written is sent by POST and answered by the page that shows it.
//
// Free text of actions is for the institution itself: it is in no file for the public and in no address.
package acting
