package population

import "slices"

// About returns the current resources of the type whose subject is the Patient record of that id,
// in the order of an export: the Patient itself, the Encounters or the AdverseEvents of one chart.
// A person with two records has two charts.
func (p *Population) About(kind Type, patient string) [][]byte {
	number, person, ok := parseID(Patient, patient)
	if !ok || person >= p.settings.patients || kind == Organization {
		return nil
	}
	g := newGenerator(p.settings)
	g.make(person)
	var lines [][]byte
	for _, it := range g.items(nil, kind, everything) {
		if !it.older && g.recordOf(it) == number {
			lines = append(lines, g.append(nil, it))
		}
	}
	return lines
}

// nobody is the number of a record that does not exist.
const nobody = -1

// recordOf is the number of the Patient record that the item is about.
func (g *generator) recordOf(it item) int {
	onDouble := false
	switch it.kind {
	case Patient:
		return it.number
	case Encounter:
		onDouble = g.person.encounters[it.number].onDouble
	case AdverseEvent:
		v := &g.person.events[it.number]
		if v.subject != subjectPatient {
			return nobody
		}
		onDouble = v.onDouble
	case Organization:
		return nobody
	}
	if onDouble {
		return 1
	}
	return 0
}

// Situation is one patient whose chart shows something that a page in the chart must be able to
// say.
type Situation struct {
	// Name is its short name, of lower-case letters and hyphens.
	Name string
	// Text says it in a sentence.
	Text string
	// Patient and Encounter are logical ids; Encounter is the one that is open, or else the newest.
	Patient   string
	Encounter string
}

// The names of the situations.
const (
	NoInterpreter   = "no-interpreter"
	Interpreter     = "interpreter-documented"
	Relative        = "relative-interprets"
	NeedUnasked     = "need-unasked"
	Declined        = "declined"
	Conflict        = "conflict"
	MissingData     = "missing"
	HarmEvent       = "harm-event"
	NothingToReport = "nothing-to-report"
)

// situation is how a Situation is recognised: by the generator's own state, not by what is written.
type situation struct {
	name, text string
	// unknown is how many of the four answers it leaves open by itself.
	unknown int
	holds   func(p *person, now *encounter, horizon minute) bool
}

func situations() []situation {
	return []situation{
		{NoInterpreter, "Needs an interpreter, and none is documented for the visit.", 0,
			func(p *person, now *encounter, _ minute) bool {
				return p.needsOne() && now.use == noInterpreter
			}},
		{Interpreter, "Needs an interpreter, and one is documented for the visit.", 0,
			func(p *person, now *encounter, _ minute) bool { return p.needsOne() && now.use == documented }},
		{Relative, "Needs an interpreter; a relative interprets.", 0,
			func(p *person, now *encounter, _ minute) bool { return p.needsOne() && now.use == adHoc }},
		{NeedUnasked, "Prefers another language; nobody recorded whether an interpreter is needed.", 1,
			func(p *person, _ *encounter, _ minute) bool {
				return p.languageKnown() && p.group() != english && p.needShape == needAbsent
			}},
		{Declined, "Declined to answer the question about race or ethnicity.", 1,
			func(p *person, _ *encounter, _ minute) bool {
				return p.raceShape == raceDeclined || p.ethnicity == ethnicityDeclined
			}},
		{Conflict, "The record says two things about the need for an interpreter.", 1,
			func(p *person, _ *encounter, _ minute) bool { return p.needShape == needConflict }},
		{MissingData, "Race and another of the answers were never recorded.", 2,
			func(p *person, _ *encounter, _ minute) bool {
				return p.raceShape == raceAbsent && (p.ethnicity == ethnicityAbsent ||
					p.languageShape == languageAbsent || p.needShape == needAbsent)
			}},
		{HarmEvent, "Has a harm event of the last year.", 0,
			func(p *person, _ *encounter, horizon minute) bool { return p.harmedSince(horizon - aYear) }},
		{NothingToReport, "Everything is recorded, no interpreter is needed, no harm event.", 0,
			func(p *person, _ *encounter, _ minute) bool {
				return p.raceCode() != "" && p.ethnicityCode() != "" && p.languageKnown() &&
					p.needCode() == codeNo && len(p.events) == 0
			}},
	}
}

const (
	aYear = 365 * minutesPerDay
	// mostLookedAt bounds the search for situations in a large population.
	mostLookedAt = 20_000
)

// needsOne says that the need for an interpreter is known, with a language that is, too.
func (p *person) needsOne() bool {
	return p.needCode() == codeYes && p.languageKnown() && p.group() != english
}

func (p *person) harmedSince(limit minute) bool {
	for i := range p.events {
		v := &p.events[i]
		if v.available && v.actual && v.subject == subjectPatient && !v.onDouble && v.when > limit {
			return true
		}
	}
	return false
}

// Situations finds one patient for each situation, in the order of the names above; a small
// population may lack some. It prefers patients whose visit is open, and then those of whom nothing
// else is to be said; and it names nobody twice.
func (p *Population) Situations() []Situation {
	wanted := situations()
	found, fits := make([]Situation, len(wanted)), make([]int, len(wanted))
	g := newGenerator(p.settings)
	for i := range min(p.settings.patients, mostLookedAt) {
		who := g.make(i)
		if !who.wellRecorded(p.settings.horizon) {
			continue
		}
		now := who.newestVisit()
		if now < 0 {
			continue
		}
		e := &who.encounters[now]
		for n, want := range wanted {
			fit := want.fit(who, e)
			if fit <= fits[n] || !want.holds(who, e, p.settings.horizon) {
				continue
			}
			fits[n] = fit
			found[n] = Situation{Name: want.name, Text: want.text,
				Patient:   string(appendID(nil, Patient, 0, i)),
				Encounter: string(appendID(nil, Encounter, now, i))}
			break
		}
	}
	return slices.DeleteFunc(found, func(s Situation) bool { return s.Name == "" })
}

// fit is 1 for a patient who will do, and up to 4 for a better one.
func (s *situation) fit(p *person, now *encounter) int {
	fit := 1
	if now.status == inProgress {
		fit += 2
	}
	unknown := 0
	for _, code := range []string{p.raceCode(), p.ethnicityCode(), p.groupCode(), p.needCode()} {
		if code == "" {
			unknown++
		}
	}
	if unknown == s.unknown {
		fit++
	}
	return fit
}

// wellRecorded leaves out those whose record is a case of its own: the dead, the doubled, the
// orphans.
func (p *person) wellRecorded(horizon minute) bool {
	return p.present(horizon) && !p.orphan && !p.doubled && !happened(p.died, horizon) &&
		p.birthDigits == fullDate
}

// newestVisit is the index of the latest encounter that a chart can be opened from, or -1.
func (p *person) newestVisit() int {
	best := -1
	for i := range p.encounters {
		e := &p.encounters[i]
		if e.available && e.status <= inProgress && e.period == periodFull && !e.onDouble &&
			e.classAs == classStandard && (best < 0 || e.start >= p.encounters[best].start) {
			best = i
		}
	}
	return best
}
