// Package session keeps a person's visit in a browser: who has signed in, or which chart is open.
//
// A session lives sealed in the store under a digest of its cookie, so that neither the store nor
// its keys hold anything that a browser would be believed by. What an EHR gave us for a chart, its
// tokens included, is in that record and nowhere else.
//
// A sign-in is one cookie for the whole site. A chart is a session of its own: each launch draws a
// handle, which is part of the chart's path, and a cookie that the browser sends to that path
// alone. Two charts that are open side by side, in two frames or two tabs, cannot be taken for
// each other, because neither request carries the other's cookie and neither cookie opens the
// other's record. In an EHR's frame the cookie is partitioned, so that it works where cookies of
// third parties do not.
//
// On plain http, for a try on one machine, cookies are neither Secure nor partitioned and have
// other names: browsers take a Secure cookie from a loopback address, other programs do not. EHR
// and EquityLens then have to be reached by the same host name, whatever the ports, because a
// cookie that is not Secure is not sent across sites.
//
// A store that cannot be asked is an error, and not an absent session.
package session
