package mapping

import "github.com/equitylens/equitylens/fhir"

// question is one of the two that OMB 1997 asks.
type question uint8

const (
	raceQuestion question = iota
	ethnicityQuestion
	questions
)

// questionOf reads the URL of an extension: those of US Core since 3.1.1, of DSTU2 (two spellings)
// and of Argonaut.
func questionOf(url string) (question, bool) {
	switch url {
	case "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
		"http://hl7.org/fhir/StructureDefinition/us-core-race",
		"http://hl7.org/fhir/Profile/us-core#race",
		"http://fhir.org/guides/argonaut/StructureDefinition/argo-race":
		return raceQuestion, true
	case "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity",
		"http://hl7.org/fhir/StructureDefinition/us-core-ethnicity",
		"http://hl7.org/fhir/Profile/us-core#ethnicity",
		"http://fhir.org/guides/argonaut/StructureDefinition/argo-ethnicity":
		return ethnicityQuestion, true
	}
	return 0, false
}

// place is where in which of the two extensions a statement stands, in the order in which one of
// several settles a value.
type place uint8

const (
	inCategory place = iota
	inDetail
	inWhole
	inText
	places
)

// element returns the path of a place. Places number the race extension first, then the other.
func (p place) element() string {
	return [questions * question(places)]string{
		"Patient.extension(us-core-race).ombCategory",
		"Patient.extension(us-core-race).detailed",
		"Patient.extension(us-core-race)",
		"Patient.extension(us-core-race).text",
		"Patient.extension(us-core-ethnicity).ombCategory",
		"Patient.extension(us-core-ethnicity).detailed",
		"Patient.extension(us-core-ethnicity)",
		"Patient.extension(us-core-ethnicity).text",
	}[p]
}

// of returns the place within the extension of q.
func (p place) of(q question) place { return place(q)*places + p }

// statement is a state and where it was made. Of several the strongest counts, and of equals the
// one that stands first in the order of places, so that the order of extensions changes nothing.
type statement struct {
	state State
	at    place
}

func (s *statement) add(state State, at place) {
	if s.state == "" || strength(state) > strength(s.state) || state == s.state && at < s.at {
		s.state, s.at = state, at
	}
}

func (s statement) value() Value {
	if s.state == "" {
		return Value{State: Missing}
	}
	return Value{State: s.state, From: s.at.element()}
}

// identity gathers what the race and the ethnicity extensions of one patient say, taken together.
type identity struct {
	m      *Mapper
	issues []Issue

	seen   [questions]int
	coded  [questions]bool
	text   [questions]bool
	absent [questions]statement
	// known[q] is the first place, in the order of places, that answered q with a category.
	known    [questions]statement
	races    RaceSet
	origins  origin
	otherAt  statement
	notAsked [questions]bool

	// What SPD 15 needs beyond the sets: White by its own code, White by a detailed code outside the
	// Middle East, and a Middle Eastern answer, by any code and by one that details White.
	white, europeanDetail, middle, middleDetail bool
}

// identify maps race, ethnicity and what derives from them.
// http://hl7.org/fhir/us/core/StructureDefinition-us-core-race.html and its sister.
func (m *Mapper) identify(p *Patient, extensions []fhir.Extension, issues []Issue) []Issue {
	id := identity{m: m, issues: issues}
	for i := range extensions {
		if q, ok := questionOf(extensions[i].URL); ok {
			id.extension(q, &extensions[i])
		}
	}
	id.settle(p)
	return id.issues
}

// extension reads one race or ethnicity extension, in the shape of US Core (a coding per inner
// extension) or of DSTU2 (one value outside).
func (id *identity) extension(q question, e *fhir.Extension) {
	if id.seen[q]++; id.seen[q] == 2 {
		id.raise(RepeatedExtension, inWhole.of(q))
	}
	id.values(q, inWhole, e)
	for i := range e.Extension {
		inner := &e.Extension[i]
		switch inner.URL {
		case "ombCategory":
			id.values(q, inCategory, inner)
		case "detailed":
			id.values(q, inDetail, inner)
		case "text":
			id.text[q] = id.text[q] || inner.ValueString != nil && *inner.ValueString != ""
		}
	}
}

// values reads the value of an outer or an inner extension, or the reason why it has none.
func (id *identity) values(q question, p place, e *fhir.Extension) {
	if e.ValueCoding != nil {
		id.codings(q, p, []fhir.Coding{*e.ValueCoding})
	}
	if e.ValueCodeableConcept != nil {
		id.codings(q, p, e.ValueCodeableConcept.Coding)
		id.text[q] = id.text[q] || e.ValueCodeableConcept.Text != ""
	}
	id.text[q] = id.text[q] || e.ValueString != nil && *e.ValueString != ""
	for i := range e.Extension {
		if inner := &e.Extension[i]; inner.URL == extensionAbsent && inner.ValueCode != nil {
			id.codings(q, p, []fhir.Coding{{System: systemAbsent, Code: *inner.ValueCode}})
		}
	}
}

// codings reads one selection, given in one or several systems: our table first, then the site's
// ConceptMaps. A coding that is unknown beside one that is known is a translation and no issue.
func (id *identity) codings(q question, p place, codings []fhir.Coding) {
	read, coded := false, false
	for _, c := range codings {
		if c.Code == "" {
			id.text[q] = id.text[q] || c.System != ""
			continue
		}
		coded = true
		read = id.coding(q, p, c) || read
	}
	if coded && !read {
		for _, c := range codings {
			for _, target := range id.m.translate(c) {
				read = id.coding(q, p, target) || read
			}
		}
	}
	id.coded[q] = id.coded[q] || coded
	if !coded || read {
		return
	}
	id.absent[q].add(Unmapped, p.of(q))
	for _, c := range codings {
		if c.Code != "" {
			id.issues = append(id.issues, codeIssue(UnmappedCode, p.of(q).element(), c))
		}
	}
}

// coding reads one coding and reports whether it says anything.
func (id *identity) coding(q question, p place, c fhir.Coding) bool {
	held, legacy := cdcrecSystem(c.System)
	if held {
		entry, ok := id.m.races.lookup(c.Code)
		if !ok {
			return false
		}
		if legacy {
			id.issues = append(id.issues, Issue{Kind: LegacySystem, Element: p.of(q).element(),
				System: c.System})
		}
		id.category(q, p, c.Code, entry)
		return true
	}
	if q == raceQuestion && c.Code == nullFlavorOther && nullFlavorSystem(c.System) {
		id.otherAt.add(Unknown, p.of(q))
		return true
	}
	state := absence(c)
	if state == "" || state == Unmapped {
		return false
	}
	id.absent[q].add(state, p.of(q))
	id.notAsked[q] = id.notAsked[q] || neverAsked(c)
	return true
}

// category counts a CDCREC code for the question that it answers, whichever extension it stands in.
func (id *identity) category(q question, p place, code string, entry raceCode) {
	at := p.of(q)
	if entry.origin != 0 {
		id.origins |= entry.origin
		id.known[ethnicityQuestion].add(Known, ownFirst(ethnicityQuestion, at))
		if q == raceQuestion {
			id.raise(EthnicityInRace, at)
		}
		return
	}
	id.races |= entry.race
	id.known[raceQuestion].add(Known, ownFirst(raceQuestion, at))
	if q == ethnicityQuestion {
		id.raise(RaceInEthnicity, at)
	}
	switch {
	case entry.middle:
		// 2118-8 among the categories is a selection of its own, as SPD 15 offers it. Anywhere else, and
		// any code below it, it says which White is meant.
		id.middle = true
		id.middleDetail = id.middleDetail || code != codeMiddleEastern || p != inCategory
	case entry.race == White && code == codeWhite:
		id.white = true
	case entry.race == White:
		id.europeanDetail = true
	}
}

// ownFirst renumbers at so that the places of q's own extension come first.
func ownFirst(q question, at place) place {
	if q == ethnicityQuestion {
		return (at + places) % (places * place(questions))
	}
	return at
}

func (id *identity) raise(kind IssueKind, at place) {
	id.issues = append(id.issues, Issue{Kind: kind, Element: at.element()})
}

// cdcrecSystem reports whether system is CDCREC, and whether the name is one that HL7 has retired.
// The codes are the same under each.
func cdcrecSystem(system string) (held, legacy bool) {
	switch system {
	case SystemCDCREC:
		return true, false
	case "http://terminology.hl7.org/CodeSystem/PHRaceAndEthnicityCDC",
		"http://terminology.hl7.org/CodeSystem/v2-0005",
		"http://hl7.org/fhir/v2/0005",
		"http://terminology.hl7.org/CodeSystem/v3-Race",
		"http://hl7.org/fhir/v3/Race",
		"urn:oid:2.16.840.1.113883.5.104",
		"http://terminology.hl7.org/CodeSystem/v3-Ethnicity",
		"http://hl7.org/fhir/v3/Ethnicity",
		"urn:oid:2.16.840.1.113883.5.50":
		return true, true
	}
	return false, false
}
