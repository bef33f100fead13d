package stat

import "math"

// Agreement says how far two raters agree who put the same subjects into the same categories.
type Agreement struct {
	// N is how many subjects both rated. Observed is the share on which they agree, Expected the share
	// on which they would if each chose as often as they do, and by lot.
	N, Observed, Expected float64
	// Kappa is Cohen's κ, (Observed − Expected)/(1 − Expected): 1 where they always agree, 0 where
	// they do as by lot, below 0 where they do less. Its interval is cut at −1 and 1.
	Kappa Estimate
	// Prevalence is the share of each category in the ratings of both; Bias by how much the first
	// rater chooses it more often than the second. Of two categories, the difference of their
	// prevalences and the bias of the first are the indices of Byrt T, Bishop J, Carlin JB, J Clin
	// Epidemiol 1993;46:423: where a category is rare κ is low although raters agree, and where they
	// differ in how often they choose one it is higher than it ought to be.
	Prevalence, Bias []float64
}

// Kappa measures the agreement of two raters: table[i][j] counts the subjects that the first put into
// category i and the second into j, and is square. The interval is κ ∓ z·SE with the asymptotic
// variance of Fleiss JL, Cohen J, Everitt BS, Psychol Bull 1969;72:323,
//
//	(Σᵢ pᵢᵢ(1 − (pᵢ. + p.ᵢ)(1 − κ))² + (1 − κ)²Σᵢ≠ⱼ pᵢⱼ(p.ᵢ + pⱼ.)² − (κ − pₑ(1 − κ))²)/(n(1 − pₑ)²),
//
// which wants some tens of subjects, and is 0 where all agree: that is no proof. Weights for
// categories that are nearer to each other than others are not made. Cohen J, Educ Psychol Meas
// 1960;20:37.
//
// ok is false where κ does not exist: without a subject, and where the expected agreement is 1, because
// both always chose the same one category. The rest of the result then holds all the same.
func Kappa(table [][]float64) (a Agreement, ok bool) {
	rows, columns := make([]float64, len(table)), make([]float64, len(table))
	for i := range table {
		for j, n := range table[i] {
			rows[i] += n
			columns[j] += n
			a.N += n
			if i == j {
				a.Observed += n
			}
		}
	}
	a.Prevalence, a.Bias = make([]float64, len(table)), make([]float64, len(table))
	if a.N == 0 {
		return a, false
	}
	single := 0
	for i := range rows {
		if rows[i] == a.N && columns[i] == a.N {
			single++
		}
		rows[i] /= a.N
		columns[i] /= a.N
		a.Expected += rows[i] * columns[i]
		a.Prevalence[i] = (rows[i] + columns[i]) / 2
		a.Bias[i] = rows[i] - columns[i]
	}
	a.Observed /= a.N
	if single > 0 {
		return a, false
	}
	beyond := 1 - a.Expected
	kappa := 1 - (1-a.Observed)/beyond
	var agree, differ float64
	for i := range table {
		for j, n := range table[i] {
			if i == j {
				w := 1 - (rows[i]+columns[i])*(1-kappa)
				agree += n / a.N * w * w
				continue
			}
			w := columns[i] + rows[j]
			differ += n / a.N * w * w
		}
	}
	c := kappa - a.Expected*(1-kappa)
	variance := (agree + (1-kappa)*(1-kappa)*differ - c*c) / (a.N * beyond * beyond)
	half := Z * math.Sqrt(math.Max(0, variance))
	a.Kappa = Estimate{Value: kappa, Lo: math.Max(-1, kappa-half), Hi: math.Min(1, kappa+half)}
	return a, true
}
