package gap

// Reason is why a figure is not given. What is refused is said, never left out in silence.
type Reason string

// The reasons.
const (
	NotAGroup      Reason = "not-a-group"
	IsReference    Reason = "is-reference"
	FewUnits       Reason = "few-units"
	NoScore        Reason = "no-score"
	Hidden         Reason = "suppressed"
	Overlaps       Reason = "overlapping"
	AboutIt        Reason = "measure-is-about-it"
	OneGroup       Reason = "one-group"
	IsAge          Reason = "is-age"
	NotACount      Reason = "not-a-count"
	NoCross        Reason = "no-cross-with-age"
	EmptyBand      Reason = "empty-age-band"
	NoExpected     Reason = "nothing-expected"
	NoVariation    Reason = "no-variation"
	NoValues       Reason = "no-values"
	NoDirection    Reason = "no-direction"
	NoMonths       Reason = "too-few-months"
	NoReferenceNow Reason = "reference-absent"
	OneSided       Reason = "centre-at-the-end"
)

// Says is the reason as a sentence for the person who asked.
func (r Reason) Says() string {
	switch r {
	case NotAGroup:
		return "What is not known is no group of people: it is a share to mend."
	case IsReference:
		return "It is the group that the others are compared with."
	case FewUnits:
		return "Groups of fewer than 30 are not compared."
	case NoScore:
		return "There is no score: nothing is below the line."
	case Hidden:
		return "A figure is hidden for small numbers, and nothing may be derived from it."
	case Overlaps:
		return "The groups overlap, so that no test between them and no weighting by their size is valid."
	case AboutIt:
		return "The measure is about this dimension, so that a gap by it says nothing."
	case OneGroup:
		return "Fewer than two groups can be compared."
	case IsAge:
		return "The groups are ages: a score cannot be standardised by what it is divided by."
	case NotACount:
		return "The score is no count over another, which the method needs."
	case NoCross:
		return "The result does not hold the dimension crossed with age_band."
	case EmptyBand:
		return "The group has nobody in an age band that the standard holds, so its score there is not " +
			"known."
	case NoExpected:
		return "Nothing is expected of a group of these ages, so there is nothing to divide by."
	case NoVariation:
		return "All or none have the event, or all values are equal, so that there is nothing to test."
	case NoValues:
		return "The result does not hold the values that were observed."
	case NoDirection:
		return "Neither way is better for this measure, so that no group is the best."
	case NoMonths:
		return "There are too few months with anybody in them."
	case OneSided:
		return "Half the months or more are at the end of what the figure can be, so that no month " +
			"can be on the other side of the centre line, and rules about sides say nothing."
	case NoReferenceNow:
		return "The group or the reference has no score in the months compared."
	}
	return string(r)
}

// Refused says what is not given, and why, in words.
type Refused struct {
	Reason Reason `json:"reason"`
	Says   string `json:"says"`
}

func refuse(r Reason) *Refused { return &Refused{Reason: r, Says: r.Says()} }
