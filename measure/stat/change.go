package stat

// Method names the test behind a p-value.
type Method string

const (
	// ScoreTest is Pearson's χ² of two proportions without continuity correction.
	ScoreTest Method = "score"
	// FisherTest is FisherExact, taken where an expected count is below 5.
	FisherTest Method = "fisher-exact"
	// ConditionalTest is RateTest.
	ConditionalTest Method = "exact-conditional"
)

// Change is a stated test of a figure before and after a date, such as that of an action. It says
// whether the figure is another one than before and by how much. It does not say why: whatever else
// changed on that date, the season and the drift that was there already are in it, and a group
// chosen because it was at its worst tends to come back by itself. DifferenceInDifferences takes
// out what a comparison group shares. The date has to be chosen before the figures are seen.
type Change struct {
	// Difference is after less before.
	Difference Estimate
	Method     Method
	P          float64
}

// ProportionChange tests the proportion after against the one before: the two-sided score test, or
// Fisher's exact test where an expected count is below 5, and Newcombe's interval of the
// difference. Units must be independent, so that a person counted in both periods makes it
// approximate. ok is false where one side has no unit. Where none or all have the event on both
// sides p is 1.
func ProportionChange(before, after Count) (c Change, ok bool) {
	if before.Of <= 0 || after.Of <= 0 {
		return Change{}, false
	}
	c.Difference.Value = after.Value() - before.Value()
	c.Difference.Lo, c.Difference.Hi = Newcombe(after.Events, after.Of, before.Events, before.Of)
	table := [][]float64{
		{after.Events, after.Of - after.Events},
		{before.Events, before.Of - before.Events},
	}
	if test, exists := ChiSquareTest(table); exists && test.Smallest >= smallExpected {
		c.Method, c.P = ScoreTest, test.P
		return c, true
	}
	c.Method, c.P = FisherTest, FisherExact(after.Events, after.Of, before.Events, before.Of)
	return c, true
}

// smallExpected is the expected count below which Pearson's p-value is not relied on. Cochran WG,
// Biometrics 1954;10:417.
const smallExpected = 5

// RateChange tests the rate after against the one before: RateTest and the interval of
// RateDifference. ok is false where one side has no exposure. Events that come in clusters make p
// too small.
func RateChange(before, after Count) (c Change, ok bool) {
	if before.Of <= 0 || after.Of <= 0 {
		return Change{}, false
	}
	c.Difference.Value = after.Value() - before.Value()
	c.Difference.Lo, c.Difference.Hi = RateDifference(after.Events, after.Of, before.Events, before.Of)
	c.Method, c.P = ConditionalTest, RateTest(after.Events, after.Of, before.Events, before.Of)
	return c, true
}

// DifferenceInDifferences is the change of a group's proportion less that of a comparison group:
// how much the gap between them widened (above 0) or closed. The interval is the square-and-add
// (MOVER) of the Newcombe intervals of the two changes. It is the effect of an action only if the
// two would have gone on in parallel without it, which no figure of the two periods can show. ok is
// false where one of the four has no unit.
func DifferenceInDifferences(before, after Layer) (e Estimate, ok bool) {
	return differences(before, after, ProportionChange)
}

// DifferenceInRateDifferences is DifferenceInDifferences of rates, from the intervals of
// RateDifference.
func DifferenceInRateDifferences(before, after Layer) (e Estimate, ok bool) {
	return differences(before, after, RateChange)
}

func differences(
	before, after Layer, change func(before, after Count) (Change, bool),
) (e Estimate, ok bool) {
	group, ok := change(before.Group, after.Group)
	if !ok {
		return Estimate{}, false
	}
	comparison, ok := change(before.Reference, after.Reference)
	if !ok {
		return Estimate{}, false
	}
	a, b := group.Difference, comparison.Difference
	e.Value = a.Value - b.Value
	e.Lo, e.Hi = mover(a.Value, a.Lo, a.Hi, b.Value, b.Lo, b.Hi)
	return e, true
}
