package mapping

// Policy names one way to make groups of the recorded sets. A site chooses; none is right for every
// reader, and a figure says which one made it.
type Policy string

// The policies.
const (
	// PolicyOMB1997 is one exclusive column: Hispanic of any race, else the race.
	PolicyOMB1997 Policy = "omb1997_exclusive"
	// PolicyNCQA is race and ethnicity as two separate exclusive columns.
	PolicyNCQA Policy = "ncqa_separate"
	// PolicyAlone is every recorded category, so that groups overlap: tests between them and measures
	// weighted by population are not valid.
	PolicyAlone Policy = "alone_or_in_combination"
	// PolicySPD15 is the seven minimum categories of 2024 in one question; groups overlap.
	PolicySPD15 Policy = "spd15_2024"
)

// Policies lists the policies.
func Policies() []Policy {
	return []Policy{PolicyOMB1997, PolicyNCQA, PolicyAlone, PolicySPD15}
}

// OMB1997Exclusive is PolicyOMB1997: 2135-2 where ethnicity is Hispanic, else as Race. A patient
// whose ethnicity is not recorded counts by race, which is a choice of this project and makes the
// non-Hispanic groups too large where ethnicity is often missing; one whose ethnicity is
// contradictory is Conflicting.
func OMB1997Exclusive(p *Patient) Value {
	if p.Ethnicity.State == Conflicting || p.Ethnicity.Code == codeHispanic {
		return p.Ethnicity
	}
	return p.Race
}

// NCQASeparate is PolicyNCQA. NCQA's "Asked But No Answer" is the state AskedNoAnswer, its declined
// option AskedDeclined, its "Unknown" every other state that is not Known.
func NCQASeparate(p *Patient) (race, ethnicity Value) { return p.Race, p.Ethnicity }

// AloneOrInCombination is PolicyAlone: one known value for each race and for Hispanic, in the order
// of the codes; if there is none, the one state of the race.
func AloneOrInCombination(p *Patient) []Value {
	var values []Value
	for _, code := range p.Races.List() {
		values = append(values, Value{State: Known, Code: code, From: p.Race.From})
	}
	if p.Ethnicity.Code == codeHispanic {
		values = append(values, p.Ethnicity)
	}
	if values == nil {
		return []Value{p.Race}
	}
	return values
}

// SPD15Of2024 is PolicySPD15: one known value for each category of Patient.SPD15, in the order of
// the codes. Hispanic alone is a complete answer. Other Race alone has no category there, and is
// Unmapped.
func SPD15Of2024(p *Patient) []Value {
	var values []Value
	for _, code := range p.SPD15.List() {
		from := p.Race.From
		if code == codeHispanic {
			from = p.Ethnicity.From
		}
		values = append(values, Value{State: Known, Code: code, From: from})
	}
	switch {
	case values != nil:
		return values
	case p.Race.State == Known:
		return []Value{{State: Unmapped, From: p.Race.From}}
	}
	return []Value{p.Race}
}
