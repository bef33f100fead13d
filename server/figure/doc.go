// Package figure turns results into figures: a picture, the sentences that say what it shows, and a
// table that says everything that the picture shows.
//
// The page, the file and the command line use the same figures, so that they say and draw the same.
// A sentence is computed from the figures, in the language of the reader; it says how large a gap
// is both absolutely and relatively, how sure that is, and what is unknown, and never why it is
// there. A figure that is suppressed is absent in the result, and so it is absent here: nothing is
// drawn, said or scaled from it. No data, suppressed and zero are three things, and are worded as
// three.
package figure
