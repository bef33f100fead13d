package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// ChiSquare is what Pearson's test of a table of counts gives.
type ChiSquare struct {
	Statistic float64
	DF        int
	P         float64
	// Expected are the counts under independence, and Smallest the least of them: below 5 the p-value
	// is not to be relied on, and FisherExact or FisherTable is the way out.
	Expected [][]float64
	Smallest float64
	// Residuals are standardised: (observed − expected) over its standard error, about standard normal
	// where rows and columns are independent, so that they say which cells make the test what it is.
	Residuals [][]float64
	// G is the likelihood ratio 2ΣO·ln(O/E), with its p-value on the same degrees of freedom.
	G, GP float64
	// CramersV is √(Statistic / (n·(min(rows, columns)−1))), from 0 to 1: the size of the association,
	// which a p-value is not.
	CramersV float64
	// Yates holds the statistic with the continuity correction, of a table of two by two alone.
	Yates *Yates
}

// Yates is Pearson's statistic with every |O − E| made smaller by ½, or by itself where it is less.
// Yates F, Suppl J R Stat Soc 1934;1:217.
type Yates struct {
	Statistic, P float64
}

// ChiSquareTest tests whether rows and columns of a table of counts are independent. Rows and
// columns without any count are passed over: they expect nothing and add no degree of freedom. It
// does not exist where fewer than two rows or two columns are left, or rows differ in length.
// Groups that overlap (a person in several rows) must not be tested: the counts would not be
// independent.
func ChiSquareTest(table [][]float64) (c ChiSquare, ok bool) {
	m, ok := marginsOf(table)
	if !ok {
		return ChiSquare{}, false
	}
	c.DF = (held(m.rows) - 1) * (held(m.columns) - 1)
	c.Smallest = math.Inf(1)
	c.Expected, c.Residuals = make([][]float64, len(table)), make([][]float64, len(table))
	yates := 0.
	for i, row := range table {
		c.Expected[i], c.Residuals[i] = make([]float64, len(row)), make([]float64, len(row))
		for j, observed := range row {
			r, s := m.rows[i]/m.whole, m.columns[j]/m.whole
			expected := m.rows[i] * s
			if expected <= 0 {
				continue
			}
			off := observed - expected
			c.Expected[i][j] = expected
			c.Smallest = math.Min(c.Smallest, expected)
			c.Residuals[i][j] = off / math.Sqrt(expected*(1-r)*(1-s))
			c.Statistic += off * off / expected
			if observed > 0 {
				c.G += 2 * observed * math.Log(observed/expected)
			}
			off = math.Max(0, math.Abs(off)-0.5)
			yates += off * off / expected
		}
	}
	c.G = math.Max(0, c.G)
	law := distuv.ChiSquared{K: float64(c.DF)}
	c.P, c.GP = law.Survival(c.Statistic), law.Survival(c.G)
	c.CramersV = math.Sqrt(c.Statistic / (m.whole * float64(min(held(m.rows), held(m.columns))-1)))
	if c.DF == 1 {
		c.Yates = &Yates{Statistic: yates, P: law.Survival(yates)}
	}
	return c, true
}

// margins are the sums of a table.
type margins struct {
	rows, columns []float64
	whole         float64
}

// marginsOf is ok where the table is a rectangle with two rows and two columns that hold counts.
func marginsOf(table [][]float64) (m margins, ok bool) {
	if len(table) == 0 {
		return margins{}, false
	}
	m.rows, m.columns = make([]float64, len(table)), make([]float64, len(table[0]))
	for i, row := range table {
		if len(row) != len(m.columns) {
			return margins{}, false
		}
		for j, count := range row {
			m.rows[i] += count
			m.columns[j] += count
			m.whole += count
		}
	}
	return m, held(m.rows) >= 2 && held(m.columns) >= 2
}

// held is how many sums are above 0.
func held(sums []float64) int {
	n := 0
	for _, s := range sums {
		if s > 0 {
			n++
		}
	}
	return n
}
