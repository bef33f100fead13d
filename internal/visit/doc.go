// Package visit is what people do here in a browser: they open the page in the chart out of their EHR,
// sign in with the hospital's own identity, are asked whether a program may act for them, and sign out.
// It joins the SMART client, the sessions, the roles, the reading of one patient and the pages, and
// writes down every visit.
package visit
