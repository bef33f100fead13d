// Package spc draws charts over time: which points of a series are ordinary variation, and which
// ask for an explanation.
//
// It is pure. New computes a Chart (centre line, sigma, limits) from subgroups in the order of
// time, and Chart.Signals applies named rules to it. A Signal is data, the rule and the points, so
// that a page can mark and explain it. Choose says which chart fits a series.
//
// # Charts
//
//   - P: proportions, limits p̄ ± 3√(p̄(1−p̄)/nᵢ). U: rates, ū ± 3√(ū/nᵢ). Limits are held to what
//     the figure can be, 0 to 1 and 0 upwards.
//   - PPrime, UPrime: Laney's charts for over-dispersed series. Sigma is multiplied by σ_z, the
//     mean absolute difference of successive z-values over 1.128. They are for large subgroups,
//     where ordinary variation between months exceeds that of sampling; SigmaZMax says when.
//   - Run: the median, no limits. For few subgroups and for figures without a distribution.
//   - G: opportunities between rare events (patient days without harm between two harms). The limit
//     is ḡ + 3√(ḡ(ḡ+1)), that of a geometric distribution; there is no useful lower one. The centre
//     line is the median, because the mean of so skewed a figure is not its middle, and rules about
//     sides would be wrong on it.
//   - T: time between rare events. Times are raised to 1/3.6, which makes exponential ones nearly
//     normal (Nelson), charted as individuals with the mean moving range over 1.128, and raised
//     back. Limits of the exponential distribution itself were not chosen: they take the spread
//     from the mean alone, so a process that is not quite a Poisson one gives false signals, and
//     they give no sigma on which rules about zones could stand. qicharts2 and IHI's guide
//     transform too.
//
// On G and T a point that is high is a long time without an event: good where the event is harm.
// There a baseline counts intervals, not months, and the time since the last event, which is not
// over, is no point.
//
// # Baselines and phases
//
// Config.Baseline freezes: the first points set the limits of all, which is how later change is
// measured. Config.Split starts anew at an intervention: each phase has its own limits and its own
// runs. Config.Exclude leaves points with a known cause out of the limits and the runs, and they
// are still held against the limits. A subgroup of size 0 is a gap: it is kept as missing, is never
// 0, neither counts in a run nor ends it, and no moving range is taken across it. Points on the
// centre line are on no side: they neither count in a run nor end it.
//
// # Rules
//
//   - Shewhart: a point beyond the limits (strictly), 8 on one side, 6 rising or falling, 2 of 3
//     beyond two sigma on one side, 15 within one sigma. All but the trend are in the Western
//     Electric handbook, whose 4 of 5 beyond one sigma is left out: the set is that of Provost and
//     Murray.
//   - IHI: the rules for run charts: a shift of 6, a trend of 5, too few or too many runs. The last
//     use the exact distribution of the number of runs given how many points lie above and below,
//     2.5 % at each end, and not a printed table, so they also hold for a centre line that is no
//     median and for any length. IHI's fourth rule, an "astronomical" point, is left to the eye by
//     definition and is not computed.
//   - Anhoej: the longest run against round(log₂ n) + 3 and the number of crossings against the 5 %
//     quantile of Bin(n−1, ½), which adapt to the length of the series.
//
// The sets overlap, and each more rule is more false signals: choose one set for a page.
//
// # Sources
//
//   - Montgomery DC, Introduction to Statistical Quality Control, 7.2 and 7.3 (P, U), 7.3.5 (T).
//   - Laney DB, Quality Engineering 2002;14:531; Mohammed MA et al., BMJ Qual Saf 2013;22:362 (P′).
//   - Benneyan JC, Health Care Manag Sci 2001;4:305 (G). Nelson LS, J Qual Technol 1994;26:239 (T).
//   - Nelson LS, J Qual Technol 1982;14:172 (screening of moving ranges).
//   - Cryer JD, Ryan TP, J Qual Technol 1990;22:187 (variance of the moving-range estimate).
//   - Provost LP, Murray SK, The Health Care Data Guide, Jossey-Bass 2011; Perla RJ et al., BMJ
//     Qual Saf 2011;20:46 (IHI's rules). Swed FS, Eisenhart C, Ann Math Stat 1943;14:66 (number of
//     runs).
//   - Anhøj J, Olesen AV, PLoS One 2014;9:e113825 (the rules of Anhøj).
package spc
