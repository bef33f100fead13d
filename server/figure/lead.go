package figure

import "github.com/equitylens/equitylens/measure/gap"

// Lead is the code of the group that the sentences of Groups begin with, for what else is told of one
// group alone. ok is false where nothing is compared.
func Lead(c gap.Comparison, m Measure) (code string, ok bool) {
	lead := leadGap(c, m)
	if lead == nil {
		return "", false
	}
	return lead.Code, true
}
