package population

// raceShape is how a record says the race.
type raceShape int8

const (
	racePlain raceShape = iota
	// raceDetailed adds a detailed code to the category.
	raceDetailed
	// raceDetailOnly has a detailed code and no category.
	raceDetailOnly
	// raceLegacy uses the retired code system v3-Race.
	raceLegacy
	// raceDSTU2 has the extension's old URL and a valueCodeableConcept.
	raceDSTU2
	// raceTwice repeats the whole extension.
	raceTwice
	// raceBesideUnknown has the category and UNK beside it.
	raceBesideUnknown
	// raceLocal has a code that the site's ConceptMap knows.
	raceLocal
	// raceConflict has the category and 2135-2, while the ethnicity says 2186-5.
	raceConflict
	// The shapes from here on leave the race not known.
	raceAbsent
	raceDeclined
	raceUnknown
	raceNoAnswer
	raceText
	// raceUnmapped has a local code that no table knows.
	raceUnmapped
	// raceIsEthnicity has 2135-2 alone, and there is no ethnicity extension.
	raceIsEthnicity
)

type ethnicityShape int8

const (
	ethnicityPlain ethnicityShape = iota
	ethnicityDetailOnly
	ethnicityLegacy
	ethnicityAbsent
	ethnicityDeclined
	ethnicityUnknown
	ethnicityNoAnswer
	ethnicityText
)

type languageShape int8

const (
	languagePlain languageShape = iota
	languageNoFlag
	languageRegion
	languageThree
	languageOldSystem
	// languageSecond lists another language first and flags the preferred one.
	languageSecond
	// The shapes from here on leave the language not known.
	languageAbsent
	languageUndetermined
	languageText
	languageSeveral
	languageNotPreferred
	languageConflict
)

type needShape int8

const (
	needPlain needShape = iota
	needBoolean
	needSituation
	needOnEncounters
	// needUnknownThenEncounters says UNK on the Patient and the answer on each Encounter.
	needUnknownThenEncounters
	// The shapes from here on leave the need not known.
	needAbsent
	needUnknown
	needConflict
)

// person is one human being with everything that happened, as it stands at the horizon. A dice
// makes it; rendering and counting only read it.
type person struct {
	index int
	home  int8
	sex   int8

	birth day
	// birthDigits is how much of the birth date is written: 10, 7 or 4 characters, or 0.
	birthDigits int8

	race      race
	second    race
	raceShape raceShape
	hispanic  bool
	ethnicity ethnicityShape

	language      int8
	languageShape languageShape
	need          bool
	needShape     needShape

	// orphan says that the Patient is never exported, although the Encounters are.
	orphan bool
	// doubled says that a second Patient record exists, replaced by the first.
	doubled bool
	// registered, corrected, died and gone are when each happened; never if it did not.
	registered minute
	corrected  minute
	died       minute
	gone       minute
	// deathDated says that the record holds the date of the death, and not just the fact.
	deathDated bool
	// older is where a stale copy of the Patient stands in an export.
	older stale

	encounters []encounter
	events     []event
}

// fullDate is the length of a birth date of which nothing is left out, 2006-01-02.
const fullDate int8 = 10

// stale says where in an export an older version of a resource stands beside the current one.
type stale int8

const (
	notStale stale = iota
	staleBefore
	staleAfter
)

func (p *person) group() group { return languages[p.language].group }

func (p *person) ageOn(d day) int { return d.yearsSince(p.birth) }

// raceCode is the race as a reader of the record must understand it; "" if it is not known.
func (p *person) raceCode() string {
	if p.raceShape >= raceAbsent {
		return ""
	}
	return races[p.race].code
}

func (p *person) ethnicityCode() string {
	switch {
	case p.raceShape == raceConflict:
		return ""
	case p.raceShape == raceIsEthnicity:
		return codeHispanic
	case p.ethnicity >= ethnicityAbsent:
		return ""
	case p.hispanic:
		return codeHispanic
	}
	return codeNotHispanic
}

func (p *person) languageKnown() bool { return p.languageShape < languageAbsent }

func (p *person) groupCode() string {
	if !p.languageKnown() {
		return ""
	}
	return groups[p.group()].code
}

// needCode is the need resolved for any of the person's encounters.
func (p *person) needCode() string {
	switch {
	case p.needShape >= needAbsent:
		return ""
	case p.need:
		return codeYes
	}
	return codeNo
}

// needStatedOnEncounters says that every Encounter of the person carries the answer.
func (p *person) needStatedOnEncounters() bool {
	return p.needShape == needOnEncounters || p.needShape == needUnknownThenEncounters
}

// ageBandOn bounds the age by what is written of the birth date; "" if that leaves two bands.
func (p *person) ageBandOn(d day) string {
	y, m, _ := p.birth.civil()
	first, last := p.birth, p.birth
	switch p.birthDigits {
	case fullDate:
	case 7:
		first, last = civilDay(y, m, 1), civilDay(y, m+1, 1)-1
	case 4:
		first, last = civilDay(y, 1, 1), civilDay(y+1, 1, 1)-1
	default:
		return ""
	}
	if a, b := ageBand(d.yearsSince(first)), ageBand(d.yearsSince(last)); a == b {
		return a
	}
	return ""
}

// raceWeights is the share of each race; hispanicOf and languageOf are conditional on it.
var raceWeights = []float64{white: 0.58, black: 0.19, asian: 0.09, native: 0.02, pacific: 0.01,
	otherRace: 0.06, twoRaces: 0.05}

var hispanicOf = [...]float64{white: 0.22, black: 0.04, asian: 0.02, native: 0.20, pacific: 0.10,
	otherRace: 0.80, twoRaces: 0.25}

// The weights follow the order of languages: en es zh cmn yue vi ko tl ar ru ht so fr pt ase.
var (
	hispanicLanguages = []float64{0.42, 0.56, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.015, 0.005}
	asianLanguages    = []float64{0.46, 0, 0.12, 0.07, 0.06, 0.13, 0.08, 0.07, 0, 0, 0, 0, 0, 0, 0.004}
	blackLanguages    = []float64{0.90, 0.002, 0, 0, 0, 0, 0, 0, 0.01, 0, 0.035, 0.03, 0.02, 0, 0.004}
	usualLanguages    = []float64{0.945, 0.004, 0, 0, 0, 0, 0, 0.002, 0.02, 0.018, 0, 0, 0.004,
		0.005, 0.004}
)

var siteWeights = []float64{0.34, 0.20, 0.17, 0.17, 0.12}

// who draws everything about the person that does not happen at a time.
func (g *generator) who() {
	p, d := &g.person, g.life
	p.home = int8(d.weighed(siteWeights)) // #nosec G115 -- an index of sites
	p.sex = 0
	if d.chance(0.47) {
		p.sex = 1
	}
	p.birth = g.config.from - day(g.age()*365.2425) - day(d.between(0, 364)) // #nosec G115 -- days
	p.birthDigits = fullDate
	p.race = race(d.weighed(raceWeights)) // #nosec G115 -- an index of races
	p.second = race(d.between(1, 4))      // #nosec G115 -- an index of races
	p.hispanic = d.chance(hispanicOf[p.race])
	p.language = int8(d.weighed(g.languageWeights())) // #nosec G115 -- an index of languages
	p.need = d.chance(needOf(p.group()))
	p.raceShape, p.ethnicity, p.languageShape, p.needShape = racePlain, ethnicityPlain,
		languagePlain, needPlain
	if d.chance(raceMissing(p.home)) {
		p.raceShape = raceAbsent
	}
	if d.chance(ethnicityMissing(p.home)) {
		p.ethnicity = ethnicityAbsent
	}
	if d.chance(languageMissing(p.race)) {
		p.languageShape = languageAbsent
	}
	if d.chance(0.15) {
		p.needShape = needOnEncounters
	}
	if d.chance(needMissing(p.group())) {
		p.needShape = needAbsent
	}
	p.registered = g.config.from.at(0, 0) - minute(d.between(1, 3000*minutesPerDay))
	p.registered = max(p.registered, p.birth.at(8, 0))
	p.corrected, p.died, p.gone = never, never, never
	p.orphan, p.doubled, p.deathDated, p.older = false, false, true, notStale
	if !g.config.clean {
		g.whoMess()
	}
}

// age draws an age at the start of the years covered.
func (g *generator) age() float64 {
	d := g.life
	switch d.weighed([]float64{0.17, 0.32, 0.27, 0.13, 0.08, 0.03}) {
	case 0:
		return d.rand.Float64() * 18
	case 1:
		return 18 + d.rand.Float64()*27
	case 2:
		return 45 + d.rand.Float64()*20
	case 3:
		return 65 + d.rand.Float64()*10
	case 4:
		return 75 + d.rand.Float64()*10
	default:
		return 85 + d.rand.Float64()*12
	}
}

func (g *generator) languageWeights() []float64 {
	switch {
	case g.person.hispanic:
		return hispanicLanguages
	case g.person.race == asian:
		return asianLanguages
	case g.person.race == black:
		return blackLanguages
	}
	return usualLanguages
}
