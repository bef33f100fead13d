// Package release gives results to an audience.
//
// An internal audience gets what the engine says. A regulator gets the same, with every code that its
// formats demand, also where nobody is counted. The public gets a release: for one calendar period every
// measure by every single dimension, and by one cross that the configuration names, with small counts
// hidden so that they cannot be derived (package disclose) from anything in that release.
//
// What a release holds is fixed beforehand and does not depend on what is asked, so that nobody can
// choose questions whose answers differ by a few people. It is made once and kept: later data, another
// snapshot or another version of a measure do not change it, because the difference between two figures
// of one period would be the people who came late. Periods that overlap without being the same are never
// both released, and filters are not for the public.
package release
