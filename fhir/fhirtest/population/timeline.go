package population

import "math"

// generator makes one person after another into the same memory.
type generator struct {
	config settings
	life   *dice
	mess   *dice
	safety *dice
	person person
	// lastShort is the discharge of the latest short inpatient stay, or noDay.
	lastShort day
	// quiet is the day before which no ordinary admission may happen; see admissible.
	quiet day
	// return to hospital that is due, or never.
	due minute
}

func newGenerator(s settings) *generator {
	return &generator{config: s, life: newDice(), mess: newDice(), safety: newDice()}
}

// make draws the person at index, up to the horizon. What happens later does not change what
// happened before, so a later horizon makes the same person, only older.
func (g *generator) make(index int) *person {
	g.life.reseed(g.config.seed, lifeStream, uint64(index))   // #nosec G115 -- never negative
	g.mess.reseed(g.config.seed, messStream, uint64(index))   // #nosec G115 -- never negative
	g.safety.reseed(g.config.seed, harmStream, uint64(index)) // #nosec G115 -- never negative
	p := &g.person
	p.index = index
	p.encounters, p.events = p.encounters[:0], p.events[:0]
	g.who()
	g.lastShort, g.quiet, g.due = noDay, noDay, never
	g.live()
	if p.corrected != never && p.corrected <= g.config.horizon {
		g.correct()
	}
	g.settle()
	return p
}

// correct fills in what registration had left out.
func (g *generator) correct() {
	p := &g.person
	if p.raceShape == raceAbsent {
		p.raceShape = racePlain
	}
	if p.languageShape == languageAbsent {
		p.languageShape = languagePlain
	}
}

// Every age group uses care at its own rate, relative to the mean.
func careFactor(age int) float64 {
	switch {
	case age < 18:
		return 0.6
	case age < 45:
		return 0.8
	case age < 65:
		return 1.1
	default:
		return 1.7
	}
}

// encountersPerEpisode is the mean that the episodes below come to; it is measured.
const encountersPerEpisode = 1.04

// gapBetween is the least gap between two episodes: wide enough that a calendar date, a day of
// boarding and an ED visit's 24 hours never reach into the next one.
const gapBetween = 2 * minutesPerDay

func (g *generator) live() {
	p, d := &g.person, g.life
	years := float64(g.config.to-g.config.from) + 1
	appetite := (0.25 + 0.75*d.exponential(1)) * careFactor(p.ageOn(g.config.from)) / 1.05
	episodes := math.Max(0.05, g.config.mean*appetite/encountersPerEpisode)
	gap := math.Max(0.02, years/episodes-2.4) * minutesPerDay
	first := max(g.config.from.at(0, 0), p.registered)
	if p.registered < first {
		first -= gapBetween
	}
	at := first + minute(d.exponential(gap+gapBetween))
	for at < g.config.horizon && p.died == never && len(p.encounters) < math.MaxInt16 {
		end := g.episode(at)
		at = end + gapBetween + minute(d.exponential(gap))
		if g.due != never {
			at = g.due
		}
	}
}

// episode draws one reason to seek care and all encounters that it leads to, and returns its end.
func (g *generator) episode(at minute) minute {
	p, d := &g.person, g.life
	first := len(p.encounters)
	onset := at.day()
	if at-onset.at(0, 0) > 8*60 {
		onset++
	}
	switch due := g.due != never; {
	case due:
		g.due = never
		g.comeBack(at.day())
	default:
		switch d.weighed([]float64{0.745, 0.185, 0.03, 0.012, 0.018, 0.01}) {
		case 0:
			g.visit(onset)
		case 1:
			g.emergency(at, g.mayAdmit(at.day()+2))
		case 2:
			g.elective(onset)
		case 3:
			g.urgent(onset)
		case 4:
			g.watch(onset.at(d.between(8, 20), d.between(0, 59)))
		default:
			g.add(encounter{class: homeHealth, start: onset.at(d.between(8, 15), 0)}, d.between(30, 90))
		}
	}
	if !g.config.clean {
		for i := first; i < len(p.encounters); i++ {
			g.encounterMess(i, len(p.encounters)-first == 1)
		}
	}
	g.harm(first)
	end := minute(0)
	for i := first; i < len(p.encounters); i++ {
		end = max(end, p.encounters[i].end)
	}
	if p.died == never && d.chance(0.0022*careFactor(p.ageOn(onset))) {
		p.died = end + minute(d.between(1, 90)*minutesPerDay)
	}
	return end
}

// mayAdmit says that an ordinary admission on that day cannot pass for a readmission. What follows
// a discharge within 31 days is drawn with the readmission rate, so that the rate is what it says.
//
// Nobody with a partial birth date is admitted: whether such a patient is an adult is open.
func (g *generator) mayAdmit(on day) bool {
	return g.person.birthDigits == fullDate && on > g.quiet && (g.lastShort == noDay ||
		on > g.lastShort+32)
}

// add appends an encounter that lasts the given minutes and returns its index.
func (g *generator) add(e encounter, minutes int) int {
	p, d := &g.person, g.life
	e.end = e.start + minute(minutes)
	e.posted = e.end + minute(d.between(10, 900))
	e.withdrawn = never
	e.admitted = -1
	e.site = p.home
	if d.chance(0.15) {
		e.site = int8(d.weighed(siteWeights)) // #nosec G115 -- an index of sites
	}
	e.use = g.interpreter(e.start.day())
	p.encounters = append(p.encounters, e)
	return len(p.encounters) - 1
}

// interpreter draws the interpreter evidence of one encounter.
func (g *generator) interpreter(on day) use {
	p, d := &g.person, g.life
	share := interpreted(p.group())
	if c := g.config; p.group() == otherLanguage && c.improved != noDay && on >= c.improved {
		share = c.better
	}
	draw, other := d.rand.Float64(), d.rand.Float64()
	switch {
	case !p.need && draw < 0.002, p.need && draw < share:
		return documented
	case !p.need:
		return noInterpreter
	case other < 0.25:
		return arranged
	case other < 0.50:
		return adHoc
	}
	return noInterpreter
}

// visit is an ambulatory contact, in the clinic or remote.
func (g *generator) visit(on day) {
	p, d := &g.person, g.life
	kind, minutes := ambulatory, d.between(15, 75)
	if d.chance(telehealth(p.group(), p.ageOn(on))) {
		kind, minutes = virtual, d.between(10, 40)
	}
	g.add(encounter{class: kind, start: on.at(d.between(8, 16), 5*d.between(0, 11))}, minutes)
}
