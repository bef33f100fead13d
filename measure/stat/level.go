package stat

import "gonum.org/v1/gonum/stat/distuv"

// Level is the coverage of a two-sided interval, above 0 and below 1. What a figure carries is
// always Level95; Level998 is the outer limit of a funnel.
type Level float64

const (
	// Level95 covers 95 %: two standard errors.
	Level95 Level = 0.95
	// Level998 covers 99.8 %: three standard errors, which chance leaves 1 time in 500.
	Level998 Level = 0.998
)

// z is the number of standard errors on either side.
func (l Level) z() float64 {
	if l == Level95 {
		return Z
	}
	_, upper := l.tails()
	return distuv.Normal{Mu: 0, Sigma: 1}.Quantile(upper)
}

// tails are the probabilities below the lower and the upper limit.
func (l Level) tails() (lower, upper float64) {
	if l == Level95 {
		return lowerTail, upperTail // To the last bit, which (1−0.95)/2 is not.
	}
	lower = float64(1-l) / 2
	return lower, 1 - lower
}
