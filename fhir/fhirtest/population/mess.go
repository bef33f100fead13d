package population

// whoMess gives a small share of the people the shapes that real records have. Every draw is made
// whether or not it is used, so that one shape's share does not move another's dice.
func (g *generator) whoMess() {
	p, d := &g.person, g.mess
	raceDraw, ethnicityDraw := d.rand.Float64(), d.rand.Float64()
	languageDraw, needDraw := d.rand.Float64(), d.rand.Float64()
	if p.ethnicity == ethnicityPlain {
		p.ethnicity = messyEthnicity(ethnicityDraw, p.hispanic)
	}
	if p.raceShape == racePlain {
		p.raceShape = messyRace(raceDraw, p.race)
		g.reconcileEthnicity()
	}
	if p.languageShape == languagePlain {
		p.languageShape = messyLanguage(languageDraw, p.group())
	}
	if p.needShape == needPlain {
		p.needShape = messyNeed(needDraw)
	}
	switch sex := d.rand.Float64(); {
	case sex < 0.003:
		p.sex = 2
	case sex < 0.008:
		p.sex = 3
	}
	g.recordMess()
}

// recordMess draws what befalls the record as a whole. Person 0 stays whole: their record is always
// the newest of an export.
func (g *generator) recordMess() {
	p, d := &g.person, g.mess
	orphan, doubled, gone := d.chance(0.004), d.chance(0.012), d.chance(0.003)
	late, corrected, older := d.chance(0.08), d.chance(0.1), d.chance(0.01)
	after, partial := d.chance(0.5), d.rand.Float64()
	first := g.config.from.at(0, 0)
	span := int(g.config.to.at(0, 0)-first) + 365*minutesPerDay
	registeredAt, correctedAt := d.between(0, span), d.between(0, 2*span)
	goneAt := d.between(span/4, 2*span)
	if p.index == 0 {
		return
	}
	p.orphan, p.doubled = orphan, doubled && !orphan
	switch {
	case older && after:
		p.older = staleAfter
	case older:
		p.older = staleBefore
	}
	if late {
		p.registered = first + minute(registeredAt)
	}
	if corrected && first+minute(correctedAt) > p.registered {
		p.corrected = first + minute(correctedAt)
	}
	if gone && first+minute(goneAt) > p.registered {
		p.gone = first + minute(goneAt)
	}
	switch {
	case partial < 0.004:
		p.birthDigits = 7
	case partial < 0.010:
		p.birthDigits = 4
	case partial < 0.012:
		p.birthDigits = 0
	}
}

func messyRace(draw float64, r race) raceShape {
	shape := raceShapes.at(draw)
	switch shape {
	case raceDetailed, raceDetailOnly:
		if races[r].detail == "" {
			return racePlain
		}
	case raceLegacy, raceDSTU2, raceLocal:
		if r == twoRaces {
			return racePlain
		}
	case raceConflict:
		if r != native && r != pacific && r != otherRace {
			return racePlain
		}
	default:
	}
	return shape
}

// reconcileEthnicity keeps the ethnicity answer in step with a race shape that speaks of it.
func (g *generator) reconcileEthnicity() {
	p := &g.person
	switch p.raceShape {
	case raceIsEthnicity:
		if !p.hispanic {
			p.raceShape = racePlain
			return
		}
		p.ethnicity = ethnicityAbsent
	case raceConflict:
		p.hispanic, p.ethnicity = false, ethnicityPlain
	default:
	}
}

func messyEthnicity(draw float64, hispanic bool) ethnicityShape {
	shape := ethnicityShapes.at(draw)
	if shape == ethnicityDetailOnly && !hispanic {
		return ethnicityPlain
	}
	return shape
}

func messyLanguage(draw float64, spoken group) languageShape {
	shape := languageShapes.at(draw)
	switch {
	case spoken == sign && draw < 0.5:
		return languageRegion
	case spoken == sign && (shape == languageThree || shape == languageOldSystem):
		return languagePlain
	}
	return shape
}

func messyNeed(draw float64) needShape { return needShapes.at(draw) }

// mix is a list of shapes with the share of each; what is left over is the plain shape.
type mix[S ~int8] []struct {
	shape S
	share float64
}

func (m mix[S]) at(draw float64) S {
	for _, s := range m {
		if draw -= s.share; draw < 0 {
			return s.shape
		}
	}
	var plain S
	return plain
}

var raceShapes = mix[raceShape]{
	{raceDetailed, 0.06}, {raceDetailOnly, 0.015}, {raceLegacy, 0.01}, {raceDSTU2, 0.006},
	{raceTwice, 0.006}, {raceBesideUnknown, 0.005}, {raceLocal, 0.01}, {raceConflict, 0.02},
	{raceDeclined, 0.02}, {raceUnknown, 0.015}, {raceNoAnswer, 0.012}, {raceText, 0.01},
	{raceUnmapped, 0.006}, {raceIsEthnicity, 0.04},
}

var ethnicityShapes = mix[ethnicityShape]{
	{ethnicityDetailOnly, 0.05}, {ethnicityLegacy, 0.01}, {ethnicityDeclined, 0.02},
	{ethnicityUnknown, 0.015}, {ethnicityNoAnswer, 0.01}, {ethnicityText, 0.008},
}

var languageShapes = mix[languageShape]{
	{languageNoFlag, 0.08}, {languageRegion, 0.10}, {languageThree, 0.03}, {languageOldSystem, 0.008},
	{languageSecond, 0.02}, {languageUndetermined, 0.008}, {languageText, 0.008},
	{languageSeveral, 0.006}, {languageNotPreferred, 0.004}, {languageConflict, 0.004},
}

var needShapes = mix[needShape]{
	{needBoolean, 0.12}, {needSituation, 0.02}, {needUnknownThenEncounters, 0.01},
	{needUnknown, 0.02}, {needConflict, 0.008},
}

// encounterMess gives an encounter the shapes of real records. Only an encounter that stands alone
// in its episode loses its period or its standing, because the measures that pair encounters leave
// open what then follows.
func (g *generator) encounterMess(i int, alone bool) {
	p, d := &g.person, g.mess
	e := &p.encounters[i]
	standing, period, classDraw := d.rand.Float64(), d.rand.Float64(), d.rand.Float64()
	link, older, code := d.rand.Float64(), d.rand.Float64(), d.rand.Float64()
	e.onDouble = d.chance(0.5) && p.doubled
	utc, siteless, withdrawn := d.chance(0.02), d.chance(0.004), d.chance(0.003)
	later := minute(d.between(2, 300) * minutesPerDay)
	if alone && p.died == never && (e.class <= virtual || e.elective) {
		e.status = messyStanding(standing)
	}
	if alone && e.status == finished {
		e.period = messyPeriod(period, e)
	}
	e.classAs = messyClass(classDraw, alone && e.class == ambulatory)
	e.codeAs = codeShapes.at(code)
	e.link = linkShapes.at(link)
	if e.status == finished {
		e.older = olderShapes.at(older)
	}
	const evening = 16 * 60
	e.utc = utc && e.start-e.start.day().at(0, 0) < evening && e.end-e.end.day().at(0, 0) < evening
	e.siteless = siteless && alone && e.class == ambulatory
	if withdrawn && alone && e.class <= virtual {
		e.withdrawn = e.posted + later
	}
}

func messyStanding(draw float64) status {
	return mix[status]{{cancelled, 0.014}, {planned, 0.003}, {enteredInError, 0.003}}.at(draw)
}

func messyPeriod(draw float64, e *encounter) periodShape {
	switch {
	case e.class <= emergency:
		return periodShapes.at(draw)
	case e.elective && draw < 0.02:
		return periodNoEnd
	case e.class == homeHealth && draw < 0.05:
		return periodNoStart
	}
	return periodFull
}

func messyClass(draw float64, mayHide bool) classShape {
	switch {
	case draw < 0.03:
		return classLocal
	case draw < 0.035 && mayHide:
		return classUnmapped
	}
	return classStandard
}

var periodShapes = mix[periodShape]{
	{periodDays, 0.010}, {periodNoEnd, 0.004}, {periodAbsent, 0.002},
}

var codeShapes = mix[codeShape]{
	{codeNUBC, 0.35}, {codeNUBCShort, 0.15}, {codeLocal, 0.05},
}

var linkShapes = mix[linkShape]{
	{linkAbsolute, 0.010}, {linkVersioned, 0.010}, {linkURN, 0.006},
}

var olderShapes = mix[stale]{{staleBefore, 0.005}, {staleAfter, 0.005}}
