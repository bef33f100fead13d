// Package stat holds the numbers behind a figure: how sure it is, how it compares with another,
// what it would be in another composition, and whether what is seen is more than chance.
//
//   - Intervals of a proportion (Wilson, ClopperPearson), a rate (Garwood, Byar), a median
//     (MedianInterval), a difference (Newcombe, RateDifference) and a ratio (Koopman, Katz,
//     Walter, RateRatio).
//   - Rates in the composition of a standard population (DirectlyStandardised) or against what a
//     reference would have had (Expected, ObservedToExpected).
//   - Differences within sites or ages: MantelHaenszel, SimpsonCheck, which warns where they
//     contradict the overall one, and Decompose, which divides that into parts.
//   - Tests: ChiSquareTest, FisherExact, FisherTable, TrendTest, KruskalWallis, RateTest; what a
//     date changed (ProportionChange, RateChange, DifferenceInDifferences); and the adjustment
//     for how many were made (BenjaminiHochberg, Holm).
//   - How far two raters agree (Kappa).
//   - Whether a figure may be shown (ProportionReliability, CountReliability), and the Funnel of
//     what chance does to figures of different sizes.
//
// It is pure. Every interval is two-sided and covers 95 %, unless it is that of a Level. Counts are
// float64, because a population may be a sum of observations; they are never negative, a part is
// never larger than its whole, and only the exact tests need them whole. A function whose result
// can fail to exist says so with its last result; none panics or returns NaN for arguments within
// its domain.
//
// No function knows that groups may overlap. Two strata that share people are not independent, and
// neither their difference nor a test of them is what it says.
package stat

// Z is the 97.5 % quantile of the standard normal distribution, the one of a two-sided 95 %.
const Z = 1.959963984540054

const (
	lowerTail = 0.025
	upperTail = 0.975
)
