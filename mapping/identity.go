package mapping

// settle writes the gathered answers to p.
func (id *identity) settle(p *Patient) {
	other := id.otherAt.state != ""
	if other && id.races == 0 {
		// US Core 8.0 replaced NullFlavor OTH by 2131-1 in the same place and sense.
		id.races = OtherRace
		id.known[raceQuestion].add(Known, id.otherAt.at)
	} else if other {
		// Beside a category OTH may mean another group within it, so it adds none.
		id.raise(KnownBesideUnknown, id.otherAt.at)
	}
	p.Races = id.races
	p.Race = id.race()
	p.Ethnicity = id.ethnicity()
	p.SPD15 = id.spd15(p.Ethnicity)
	p.RaceEthnicity = OMB1997Exclusive(p)
}

// race is the 1997 race. Hispanic alone leaves it not known.
func (id *identity) race() Value {
	if id.races == 0 {
		return id.notKnown(raceQuestion)
	}
	id.beside(raceQuestion)
	v := Value{State: Known, Code: TwoOrMore, From: id.known[raceQuestion].at.element()}
	if id.races.Len() == 1 {
		v.Code = id.races.first()
	}
	return v
}

// ethnicity is the one answer of both extensions: an ethnicity code among the race codes answers
// where the ethnicity extension does not, and beside a different answer contradicts it.
func (id *identity) ethnicity() Value {
	if id.origins == 0 {
		return id.notKnown(ethnicityQuestion)
	}
	at := ownFirst(ethnicityQuestion, id.known[ethnicityQuestion].at)
	v := Value{State: Known, From: at.element()}
	switch id.origins {
	case hispanic:
		v.Code = codeHispanic
	case notHispanic:
		v.Code = codeNotHispanic
	default:
		v.State = Conflicting
		id.raise(ContradictoryCodes, at)
		return v
	}
	id.beside(ethnicityQuestion)
	return v
}

// notKnown is the answer to q where no category is recorded.
func (id *identity) notKnown(q question) Value {
	if id.notAsked[q] {
		id.raise(NotAsked, id.absent[q].at)
	}
	if id.text[q] && !id.coded[q] {
		id.raise(TextWithoutCode, inText.of(q))
		id.absent[q].add(TextOnly, inText.of(q))
	}
	return id.absent[q].value()
}

// beside raises the issue of a category beside a null code.
func (id *identity) beside(q question) {
	if s := id.absent[q].state; s != "" && s != Unmapped {
		id.raise(KnownBesideUnknown, id.absent[q].at)
	}
}

// spd15 derives the 2024 set. White is dropped if every detailed White code is Middle Eastern;
// Other Race contributes nothing, because SPD 15 of 2024 has no such category.
func (id *identity) spd15(ethnicity Value) SPD15Set {
	var s SPD15Set
	for _, pair := range [...]struct {
		race RaceSet
		spd  SPD15Set
	}{
		{AmericanIndian, SPD15AmericanIndian},
		{Asian, SPD15Asian},
		{Black, SPD15Black},
		{PacificIslander, SPD15PacificIslander},
	} {
		if id.races&pair.race != 0 {
			s |= pair.spd
		}
	}
	if id.europeanDetail || id.white && !id.middleDetail {
		s |= SPD15White
	}
	if id.middle {
		s |= SPD15MiddleEastern
	}
	if ethnicity.Code == codeHispanic {
		s |= SPD15Hispanic
	}
	return s
}
