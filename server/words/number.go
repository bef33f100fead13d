package words

import (
	"math"
	"strconv"

	"golang.org/x/text/number"

	"github.com/equitylens/equitylens/measure"
)

// Number writes a number with as many decimals, as the locale does in the
// United States. What rounds to 0 has no sign.
func (w *Words) Number(v float64, decimals int) string {
	scale := math.Pow10(decimals)
	if math.Round(math.Abs(v)*scale) == 0 {
		v = 0
	}
	return w.numbers.Sprint(number.Decimal(v, number.Scale(decimals)))
}

// Count writes a number of units, rounded to whole ones.
func (w *Words) Count(v float64) string { return w.Number(v, 0) }

// Percent writes a share of 0 to 1 as a percentage with as many decimals.
func (w *Words) Percent(share float64, decimals int) string {
	scale := math.Pow10(decimals + 2)
	if math.Round(math.Abs(share)*scale) == 0 {
		share = 0
	}
	return w.numbers.Sprint(number.Percent(share, number.Scale(decimals)))
}

// Signed writes a difference: with a plus where it is above 0, and the minus of typography below.
func (w *Words) Signed(v float64, decimals int) string {
	text := w.Number(math.Abs(v), decimals)
	switch {
	case text == w.Number(0, decimals):
		return text
	case v > 0:
		return "+" + text
	}
	return "−" + text
}

const (
	monthsPerQuarter = 3
	monthsPerYear    = 12
)

// Period writes a period: a year, a quarter or a month by its name, anything else by its two days.
func (w *Words) Period(p measure.Period) string {
	year, month, day := p.Start.Date()
	last := p.End
	whole := day == 1 && last.AddDate(0, 0, 1).Day() == 1 && year == last.Year()
	switch months := int(last.Month()-month) + 1; {
	case whole && months == monthsPerYear:
		return strconv.Itoa(year)
	case whole && months == monthsPerQuarter && (month-1)%monthsPerQuarter == 0:
		quarter := strconv.Itoa(int(month-1)/monthsPerQuarter + 1)
		return w.Say("period.quarter", quarter, strconv.Itoa(year))
	case whole && months == 1:
		return w.Say("date.month", w.Month(month), strconv.Itoa(year))
	}
	return w.Say("period.span", w.Day(p.Start.Date()), w.Day(p.End.Date()))
}
