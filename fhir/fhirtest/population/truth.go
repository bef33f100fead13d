package population

// Limits of the measures.
const (
	adult         = 18
	followUp      = 30
	longestHarm   = 120
	longestStay   = 365
	edToInpatient = 24 * 60
)

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// count adds the person's units of the days first to last to t. An orphan has no Patient, and so no
// unit.
func (g *generator) count(t *tally, first, last day) {
	p := &g.person
	if p.orphan || !p.present(g.config.horizon) {
		return
	}
	who := strata{byRace: p.raceCode(), byEthnicity: p.ethnicityCode(), byGroup: p.groupCode(),
		byNeed: p.needCode()}
	seen := false
	for i := range p.encounters {
		e := &p.encounters[i]
		if on := e.endDay(); !e.counts() || on < first || on > last {
			continue
		}
		seen = true
		s := who
		if !e.siteless {
			s[bySite] = sites[e.site].id
		}
		if e.period == periodFull || e.period == periodDays {
			s[byAge] = p.ageBandOn(e.start.day())
		}
		g.countEncounter(t, e, &s)
		g.countStay(t, i, &s)
	}
	if seen {
		g.countPatient(t, who)
	}
	for i := range p.events {
		g.countEvent(t, &p.events[i], who, first, last)
	}
}

// countPatient counts the four completeness rates. Asked-declined is an answer.
func (g *generator) countPatient(t *tally, s strata) {
	p := &g.person
	s[bySite] = sites[p.home].id
	t.unit(raceKnown, &s, oneIf(p.raceCode() != "" || p.raceShape == raceDeclined), 1)
	declined := p.ethnicity == ethnicityDeclined && p.raceShape != raceConflict
	t.unit(ethnicityKnown, &s, oneIf(p.ethnicityCode() != "" || declined), 1)
	t.unit(languageKnown, &s, oneIf(p.languageKnown()), 1)
	t.unit(needKnown, &s, oneIf(p.needCode() != ""), 1)
}

func (g *generator) countEncounter(t *tally, e *encounter, s *strata) {
	p := &g.person
	leftEarly := e.disposition == leftUnseen || e.disposition == againstAdvice
	prefersEnglish := s[byGroup] == groups[english].code
	if p.needCode() == codeYes && !leftEarly && !prefersEnglish {
		t.unit(interpreterDocumented, s, oneIf(e.use == documented), 1)
	}
	if e.classAs == classUnmapped {
		return
	}
	if e.class != homeHealth {
		t.unit(languageRecorded, s, oneIf(p.languageKnown()), 1)
	}
	switch e.class {
	case ambulatory, virtual:
		t.unit(telehealthShare, s, oneIf(e.class == virtual), 1)
	case emergency:
		g.countEmergency(t, e, s)
	default:
	}
}

func (g *generator) countEmergency(t *tally, e *encounter, s *strata) {
	t.unit(leftWithoutBeingSeen, s, oneIf(e.disposition == leftUnseen), 1)
	if e.period != periodFull {
		return
	}
	if !e.contains {
		t.unit(stayOver8h, s, oneIf(e.end-e.start > eightHours), 1)
	}
	if e.admitted < 0 || e.observed {
		return
	}
	in := &g.person.encounters[e.admitted]
	if in.counts() && in.start-e.start <= edToInpatient {
		t.unit(boardingOver4h, s, oneIf(e.end-in.start > fourHours), 1)
	}
}

// countStay counts what is measured of hospital stays.
func (g *generator) countStay(t *tally, i int, s *strata) {
	p := &g.person
	e := &p.encounters[i]
	if !e.class.stay() || e.classAs == classUnmapped {
		return
	}
	if days := e.end.day() - e.start.day(); e.class.inpatient() && days < longestStay {
		t.value(lengthOfStay, s, float64(days))
	}
	if days := e.completeDays(); days <= longestHarm {
		harmed := 0
		for j := range p.events {
			v := &p.events[j]
			if v.available && v.actual && v.linked == i && e.covers(v.when, v.dayOnly) {
				harmed++
			}
		}
		t.unit(harmPer1000, s, float64(harmed), float64(days))
	}
	if !e.class.short() || p.ageOn(e.start.day()) < adult {
		return
	}
	died := e.disposition == expired || (p.died != never && p.died.day() <= e.end.day())
	followed := e.end.day()+followUp <= g.config.horizon.day()
	if !died && e.disposition != againstAdvice && !e.transferred && followed {
		t.unit(readmission30, s, oneIf(e.readmitted), 1)
	}
}

func (g *generator) countEvent(t *tally, v *event, s strata, first, last day) {
	on := v.when.day()
	if !v.available || v.subject != subjectPatient || on < first || on > last {
		return
	}
	if v.linked >= 0 {
		if e := &g.person.encounters[v.linked]; !e.siteless {
			s[bySite] = sites[e.site].id
		}
	}
	t.unit(reportingRatio, &s, oneIf(!v.actual), 1)
	if v.actual {
		t.unit(factorCaptured, &s, oneIf(v.answer >= undetermined), 1)
		t.unit(factorIsYes, &s, oneIf(v.answer == answerYes), 1)
	}
}
