package report

import (
	"math"
	"sort"
	"strconv"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// score is absent where the effective denominator is 0: R4 has no score then, and 0 would be one. It
// is absent from a cell that hides anything, for it tells what is hidden.
func score(cell measure.Cell, unit r4.Unit) *dpb.Quantity {
	if cell.Score == nil || cell.Suppressed {
		return nil
	}
	quantity := r4.Quantity(*cell.Score, unit)
	if cell.Interval != nil {
		quantity.Extension = []*dpb.Extension{
			r4.RangeExtension(urlInterval, r4.Range(cell.Interval[0], cell.Interval[1], unit)),
		}
	}
	return quantity
}

// scoreUnit is what a score counts. A proportion is a share of one, never percent. The result of a
// continuous variable has the unit of its observation, which only the definition's text knows.
func scoreUnit(group measure.Group) r4.Unit {
	if group.Scoring == measure.ContinuousVariable || group.Scoring == measure.Cohort {
		return r4.Unit{}
	}
	if group.Scoring != measure.Ratio || group.Per == 0 || group.Per == 1 {
		return r4.Unit{Code: "1"}
	}
	unit := r4.Unit{Text: message.NewPrinter(language.English).Sprintf("per %v", group.Per)}
	// UCUM's 10*-3 is one in a thousand, so that value and code together are the true ratio.
	if power := math.Round(math.Log10(group.Per)); group.Per > 1 && math.Pow(10, power) == group.Per {
		unit.Code = "10*-" + strconv.Itoa(int(power))
	}
	return unit
}

// statistics are the figures of a continuous variable besides its score, by name.
func statistics(cell measure.Cell) []*dpb.Extension {
	names := make([]string, 0, len(cell.Statistics))
	for name := range cell.Statistics {
		names = append(names, name)
	}
	sort.Strings(names)
	var extensions []*dpb.Extension
	for _, name := range names {
		extensions = append(extensions, r4.Complex(urlStatistic,
			r4.CodeExtension("name", name), r4.DecimalExtension("value", cell.Statistics[name])))
	}
	return extensions
}

// count is a population's size as R4 has it, an int32. What that cannot hold, a sum of observations
// that is not whole or is too large, is the quantity instead: exactly one of the two is set.
func count(size float64) (*dpb.Integer, []*dpb.Extension) {
	if size == math.Trunc(size) && math.Abs(size) <= math.MaxInt32 {
		return &dpb.Integer{Value: int32(size)}, nil // #nosec G115 -- it fits, as was just seen
	}
	return nil, []*dpb.Extension{r4.QuantityExtension(urlCountQuantity, r4.Quantity(size, r4.Unit{}))}
}
