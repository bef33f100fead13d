package review

// Rule says which events two people review, each before they know what the other answered.
type Rule string

// The rules; the empty one is OneReviewer.
const (
	OneReviewer   Rule = "none"
	TwoIfSevere   Rule = "severe"
	TwoForEachOne Rule = "all"
)

// needed is how many reviewers the rule asks for. It is asked when the first opinion of a round comes
// and holds for that round, whatever becomes of the rule or of the event meanwhile.
func (r Rule) needed(of Particulars) int {
	severe := of.Severity == "severe" || of.Outcome == "fatal"
	if r == TwoForEachOne || r == TwoIfSevere && severe {
		return 2
	}
	return 1
}
