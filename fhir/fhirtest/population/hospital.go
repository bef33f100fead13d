package population

import "math"

// eightHours and fourHours are the thresholds of the emergency measures: at least one minute more.
const (
	eightHours = 480
	fourHours  = 240
)

// emergency is an ED visit and what it leads to.
func (g *generator) emergency(at minute, mayAdmit bool) {
	p, d := &g.person, g.life
	age := p.ageOn(at.day())
	left := d.chance(unseen(p.race))
	long := d.chance(overEightHours(p.hispanic))
	admit := d.chance(0.14 + 0.003*float64(age))
	watched := d.chance(0.06)
	gone := d.chance(0.012)
	switch {
	case left:
		g.add(encounter{class: emergency, start: at, disposition: leftUnseen}, lengthED(d, long))
	case watched:
		g.watchedED(at)
	case admit && mayAdmit:
		g.admittedED(at, long)
	default:
		e := encounter{class: emergency, start: at, disposition: home}
		if gone {
			e.disposition = againstAdvice
		}
		g.add(e, lengthED(d, long))
	}
}

func lengthED(d *dice, long bool) int {
	if long {
		return eightHours + 1 + int(math.Min(d.exponential(150), 900))
	}
	return d.between(40, eightHours)
}

// admittedED ends in an inpatient bed. The wait before the admission and the boarding after it are
// chosen so that both thresholds fall as drawn.
func (g *generator) admittedED(at minute, long bool) {
	p, d := &g.person, g.life
	board := d.between(10, fourHours)
	if d.chance(boarded(p.need)) {
		board = fourHours + 1 + int(math.Min(d.exponential(120), 150))
	}
	wait := d.between(30, max(30, eightHours-board))
	if long {
		wait = max(60, eightHours+1-board) + d.between(0, 240)
	}
	i := g.add(encounter{class: emergency, start: at, disposition: noDisposition}, wait+board)
	site := p.encounters[i].site
	g.admit(at+minute(wait), g.shortClass(), site, false)
	p.encounters[i].admitted = i + 1
}

// watchedED leads to observation: inside the visit, or after it, or on to an inpatient bed.
func (g *generator) watchedED(at minute) {
	p, d := &g.person, g.life
	inside, onward := d.chance(0.45), d.chance(0.2) && g.mayAdmit(at.day()+2)
	stay := d.between(500, 1300)
	if inside && !onward {
		i := g.add(encounter{class: emergency, start: at, disposition: home}, stay+200)
		o := g.add(encounter{class: observation, start: at + 120, disposition: home}, stay)
		p.encounters[o].site = p.encounters[i].site
		p.encounters[i].observed, p.encounters[i].contains = true, true
		return
	}
	wait := d.between(120, 400)
	i := g.add(encounter{class: emergency, start: at}, wait)
	site := p.encounters[i].site
	p.encounters[i].observed = true
	if onward {
		stay = d.between(200, 700)
	}
	o := g.add(encounter{class: observation, start: at + minute(wait), disposition: home}, stay)
	p.encounters[o].site = site
	if onward {
		p.encounters[o].disposition = noDisposition
		g.admit(at+minute(wait+stay), g.shortClass(), site, false)
		p.encounters[i].admitted = o + 1
	}
}

// watch is an observation stay by itself.
func (g *generator) watch(at minute) {
	g.add(encounter{class: observation, start: at, disposition: home}, g.life.between(600, 2600))
}

func (g *generator) shortClass() class {
	if g.life.chance(0.15) {
		return acute
	}
	return inpatient
}

// urgent is an admission past the emergency department.
func (g *generator) urgent(on day) {
	d := g.life
	if !g.mayAdmit(on) {
		g.visit(on)
		return
	}
	g.admit(on.at(d.between(9, 20), d.between(0, 59)), g.shortClass(), g.person.home, false)
}

// elective is a planned admission. Within 30 days of a discharge it is rare, and then nothing else
// follows in that window: whether a planned admission hides a later unplanned one is disputed.
func (g *generator) elective(on day) {
	d := g.life
	rare := d.chance(0.3)
	if !g.mayAdmit(on) {
		if on <= g.quiet || !rare || g.lastShort == noDay {
			g.visit(on)
			return
		}
		g.quiet = g.lastShort + 32
	}
	g.admit(on.at(d.between(6, 9), 5*d.between(0, 11)), inpatient, g.person.home, true)
}

// comeBack is a readmission: through the emergency department or straight to the ward.
func (g *generator) comeBack(on day) {
	d := g.life
	if d.chance(0.6) {
		g.admittedED(on.at(0, d.between(0, 700)), false)
		return
	}
	g.admit(on.at(d.between(9, 20), d.between(0, 59)), g.shortClass(), g.person.home, false)
}

// admit adds a short inpatient stay with what follows it directly: a transfer, a return on the same
// day, rehabilitation, a death; and draws whether the person is to be readmitted.
func (g *generator) admit(at minute, kind class, site int8, planned bool) {
	p, d := &g.person, g.life
	minutes := g.stayLength(at, planned)
	i := g.add(encounter{class: kind, start: at, elective: planned, disposition: home}, minutes)
	p.encounters[i].site = site
	age := p.ageOn(at.day())
	dies := d.chance(0.008 * careFactor(age) * careFactor(age))
	leaves, moves, again := d.chance(0.015), d.chance(0.04), d.chance(0.008)
	nurse, rehabilitate := d.chance(0.10), age >= 65 && d.chance(0.08)
	returns, after := d.chance(readmitted(p.race)), d.between(1, 30)
	if planned {
		moves, again = false, false
	}
	e := &p.encounters[i]
	switch {
	case dies:
		g.die(e)
		return
	case leaves:
		e.disposition = againstAdvice
	case moves:
		e.disposition, e.transferred = otherHospital, true
		other := (site + 1 + int8(d.between(0, len(sites)-2))) % int8(len(sites)) // #nosec G115 -- small
		g.next(e.end+minute(d.between(40, 600)), other)
	case again:
		g.next(e.end+minute(d.between(60, 300)), site)
	case rehabilitate:
		e.disposition = rehab
		begin := e.end + minute(d.between(60, 240))
		length := d.between(5, 21) * minutesPerDay
		r := g.add(encounter{class: nonAcute, start: begin, disposition: home}, length)
		p.encounters[r].site = site
	case nurse && age >= 50:
		e.disposition = nursing
	}
	g.discharged(returns, after)
}

// next adds the second leg of a stay, at the given site.
func (g *generator) next(at minute, site int8) {
	length := g.life.between(1, 8) * minutesPerDay
	j := g.add(encounter{class: inpatient, start: at, disposition: home}, length)
	g.person.encounters[j].site = site
}

// die ends the life at the end of the stay. Some records hold the date of the death and no
// disposition, some the disposition and only the fact of the death.
func (g *generator) die(e *encounter) {
	p := &g.person
	p.died = e.end
	e.disposition = expired
	switch draw := g.life.rand.Float64(); {
	case draw < 0.1:
		e.disposition = noDisposition
	case draw < 0.2:
		p.deathDated = false
	}
}

// discharged notes the last discharge and, if the person returns, when.
func (g *generator) discharged(returns bool, after int) {
	p := &g.person
	last, lastShort := minute(0), noDay
	for i := len(p.encounters) - 1; i >= 0 && i >= len(p.encounters)-3; i-- {
		e := &p.encounters[i]
		if !e.class.inpatient() {
			continue
		}
		last = max(last, e.end)
		if e.class.short() {
			lastShort = max(lastShort, e.end.day())
		}
	}
	g.lastShort = lastShort
	back := lastShort + day(after) // #nosec G115 -- days
	if returns && back > last.day() && back > g.quiet {
		g.due = back.at(0, 0)
	}
}

// stayLength draws the minutes of an inpatient stay that ends by day. Very long planned stays are
// those that the measures leave out.
func (g *generator) stayLength(at minute, planned bool) int {
	d := g.life
	days := int(math.Round(d.logNormal(lengthMedian(g.person.group()), 0.65)))
	days = min(max(days, 1), 28)
	rare := d.rand.Float64()
	switch {
	case planned && rare < 0.008:
		days = d.between(125, 210)
	case planned && rare < 0.010:
		days = d.between(366, 380)
	case rare > 0.98 && at-at.day().at(0, 0) < 10*60:
		days = 0
	}
	end := (at.day() + day(days)).at(d.between(11, 17), d.between(0, 59)) // #nosec G115 -- days
	return int(end - at)
}
