// Package disclose decides which figures of a release may be shown, so that nobody can tell a small
// count: statistical disclosure control by primary and secondary cell suppression, with a proof.
//
// It is pure: no clock, file, network, log or chance. Equal systems give equal patterns.
//
// # Policy
//
// The policy is that of CMS (ResDAC, cell size suppression policy, version of 26 January 2024): no
// count of 1 to 10 is shown, 0 may be, and nothing is shown from which a count of 1 to 10 can be
// derived, percentages and excluded cases included.
//
// # What the reader is taken to know
//
// A System holds counts (cells), what is printed of them (figures) and how they add up (relations).
// The reader is taken to know every relation, every shown figure, which figures are hidden, that
// counts are whole and not negative and, unless Config says otherwise, that a hidden count is not 0
// where it is not. Cells that are never printed are as secret as the others: the complement of a
// numerator, or the few who separate two overlapping groups.
//
// Two things are not taken into account. One is what a reader knows of single people. The other is
// this package: who runs it backwards, over every table that might have led to the same pattern,
// may at times tell that a hidden count must be small, because something was, or rule out a value
// (the minimality attack of Wong, Fu, Wang and Pei, VLDB 2007). That is the reason why a Pattern
// does not tell small counts from those that cover them, and why nobody else should. And a relation
// that was left out of the System is not seen: its builder answers for that.
//
// # Method
//
// Primary suppression hides every figure with a small count, and what was withheld before. Then
// each cell in need of it is given a witness: another table of whole counts that agrees with
// everything shown. The witness of a small count gives it a value of 11 or more; the witness of a
// count that is hidden only to cover others gives it any other value. A witness is sought by the
// primal simplex method, begun at the true table, in steps that keep counts whole. Where it ends
// without one, the row of the basis names the shown cells that hold the count down; the smallest
// positive one of the lowest rank, ties to the first, is hidden too, and the walk goes on. In a
// single line of cells with its total this is the rule of adding the smallest positive cell while
// fewer than two are hidden or their sum is below 11. In crossed margins it grows the rectangles
// and cubes of the hypercube method, of which only what the witness changes stays hidden. Last,
// what no proof needs is shown again. Terms and methods are those of Hundepool and others,
// Statistical Disclosure Control (Wiley 2012), chapter 4; Fischetti and Salazar, Management Science
// 47 (2001), for the linear programs.
//
// # Guarantee
//
// Before Protect returns a Pattern, the witnesses are counted again, by code that shares nothing
// with the search: every relation holds to the person, nothing shown is changed, nothing is below 0
// (or 1). With the true table they prove for every cell, printed or not, that
//
//   - if its count is 1 to 10, it might be 11 or more;
//   - if it is larger and hidden, it might be another.
//
// No sum of cells can then be told to be 1 to 10 either, because one of its parts would be. The
// proof is by examples in whole numbers. It does not rest on the linear program, its rounding, or
// on the relations being totally unimodular: where a fractional optimum promises what no whole
// table keeps, no witness is found and more is hidden. Nothing is claimed for hidden zeros, which
// may be known.
//
// Where no pattern is found, or what is public already cannot be made safe, Protect returns an
// error and a Pattern that shows nothing. The search may hide more than the least possible, never
// less than it can prove; Config.Pivots bounds its work.
//
// # Between releases
//
// A released figure is Fixed and a hidden one Withheld in every later System that can be held
// against it, and the people who came in between are a cell (Rest). Difference answers the same
// question for two counts, Rate and Percent for a rate that stands by itself.
package disclose
