// Package gap compares groups: how far each stratum of a dimension is from a reference,
// absolutely and relatively, how sure that is, whom it touches, and whether it holds within a
// site or an age band.
//
// A gap says nothing of its cause. Every comparison of one report counts for the correction for
// multiple testing, whether it is shown or not.
package gap
