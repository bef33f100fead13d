// Package inequality condenses the figures of many groups into one number: the 21 summary measures
// of the World Health Organization's Health Equity Assessment Toolkit (HEAT), as its R package
// healthequal computes them, and beside them, under names of their own, the forms in which other
// tools give the same measures.
//
// It is pure. Summarise takes the groups of one dimension and answers every measure twice over:
// either with a Value or with a Refusal that says why this measure would be wrong or undefined
// here. Nothing is answered by silence.
//
// # What is known
//
// The mean and the population shares are taken over the groups that are known. People whose group
// is not known are told apart (Group.Unknown) and reported as Result.Unknown; no share of theirs is
// given to anybody. A group without an estimate is left out too; where more than 15 % of the groups
// of a non-ordered dimension, or any group of an ordered one, lack theirs, everything that speaks
// of all groups is refused, as HEAT does. D and R speak of two and need only those.
//
// # Which measure suits
//
// An order is the order of advantage: income, deprivation, age where it is meant so. Race,
// ethnicity, site and most languages have none, and what needs one (ACI, RCI, SII, RII) is refused
// for them; an order by size or by result is no order. What HEAT reserves for dimensions without
// order is refused for those with one. Groups that overlap (a person counts in each of their races)
// have no shares that sum to 1: everything that uses a mean or a share is refused, and a difference
// keeps its estimate but loses its interval, because the two sides are not independent.
//
// # Intervals
//
// They cover 95 % and exist where a closed formula does: D, R, BGV, ACI, RCI, SII, RII, MLD, TI,
// PAR, PAF. For the others HEAT draws 100 random samples; this package draws none, and they have no
// interval.
//
// # Variants
//
// HEAT is the form of healthequal, quirks included, so that a figure can be laid beside WHO's.
// Where that form is arguable another one has a name, and Measure.Recommended says which we would
// show:
//
//   - SII and RII: healthequal hands the population to its regression twice, as size of a binomial
//     and as weight, so a group counts with the square of its population. Standard is the usual
//     grouped logistic regression, Linear the weighted linear one, which may predict beyond 0 and
//     1.
//   - MLD and TI are multiplied by 1,000 and PAF by 100, but their standard errors are not, so
//     HEAT's intervals are too narrow by that factor. Scaled multiplies both, Natural (MLD, TI)
//     neither.
//   - RCI is a fraction in healthequal (HEAT) and is shown times 100 by the toolkit (Scaled).
//   - RII over the mean, SII/μ of the linear fit, is what NCI's HD*Calc calls RII (HDCalc); its
//     KMI, the ratio of the linear predictions of Kunst and Mackenbach, is Linear here.
//   - IDISU divides by the number of groups and the mean; the index of disparity of Pearcy and
//     Keppel, which HD*Calc computes, by the J−1 groups compared and the reference (HDCalc).
//   - D and R: the extremes (MaxMin) beside the reference that was asked for (HEAT).
//
// # Sources
//
//   - Schlotheuber A, Hosseinpoor AR, Int J Environ Res Public Health 2022;19:3697 (the measures).
//   - WHO, healthequal 1.0.1, github.com/WHOequity/healthequal (what HEAT computes).
//   - Ahn J et al., JCO Clin Cancer Inform 2018;2:1 (standard errors of BGV, MLD, TI).
//   - Walter SD, Int J Epidemiol 1978;7:175 (standard error of PAF).
//   - Kakwani N, Wagstaff A, van Doorslaer E, J Econometrics 1997;77:87 (regression form of ACI).
//   - Pearcy JN, Keppel KG, Public Health Rep 2002;117:273 (index of disparity).
//   - Kunst AE, Mackenbach JP, Measuring Socioeconomic Inequalities in Health, WHO 1994 (KMI).
//   - MacKinnon JG, White H, J Econometrics 1985;29:305 (the robust variance HC1 of SII and RII).
package inequality
