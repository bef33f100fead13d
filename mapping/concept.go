package mapping

import "github.com/equitylens/equitylens/fhir"

// table reads one coding: Known with the code in our spelling, another State where the code of this
// table says that there is no value, and "" where the table does not hold the coding. A table is a
// plain function and not a map, so that no package variable can be changed.
type table func(fhir.Coding) (code string, state State)

// reader is how the codings of one element are read.
type reader struct {
	table table
	// refine decides between two different codes of one concept where one says more than the other;
	// nil if none does.
	refine func(a, b string) (code string, ok bool)
}

// answer gathers what the codings of one concept say.
type answer struct {
	code     string
	absent   State
	clash    bool
	notAsked bool
}

func (a *answer) add(r reader, c fhir.Coding) bool {
	code, state := r.table(c)
	if state == "" {
		state = absence(c)
		a.notAsked = a.notAsked || neverAsked(c)
	}
	switch {
	case state == "" || state == Unmapped:
		return false
	case state != Known:
		if strength(state) > strength(a.absent) {
			a.absent = state
		}
	case a.code == "" || a.code == code:
		a.code = code
	default:
		refined, ok := "", false
		if r.refine != nil {
			refined, ok = r.refine(a.code, code)
		}
		a.code, a.clash = refined, a.clash || !ok
		if !ok {
			a.code = code
		}
	}
	return true
}

// codings reads the codings of one concept, which say one thing in several systems: our own tables
// first, and where none holds any of them the site's ConceptMaps. A coding that is unknown beside
// one that is known is a translation and no issue.
func (m *Mapper) codings(
	r reader, codings []fhir.Coding, text bool, element string, issues []Issue,
) (Value, []Issue) {
	var a answer
	read, coded := false, false
	for _, c := range codings {
		coded = coded || c.Code != ""
		read = c.Code != "" && a.add(r, c) || read
	}
	if !read && coded {
		for _, c := range codings {
			for _, target := range m.translate(c) {
				read = a.add(r, target) || read
			}
		}
	}
	switch {
	case read:
		return a.value(element, issues)
	case coded:
		for _, c := range codings {
			if c.Code != "" {
				issues = append(issues, codeIssue(UnmappedCode, element, c))
			}
		}
		return Value{State: Unmapped, From: element}, issues
	case text || len(codings) > 0:
		return Value{State: TextOnly, From: element},
			append(issues, Issue{Kind: TextWithoutCode, Element: element})
	}
	return Value{State: Missing}, issues
}

// value settles a. It is called only after a coding was read.
func (a *answer) value(element string, issues []Issue) (Value, []Issue) {
	if a.clash {
		return Value{State: Conflicting, From: element},
			append(issues, Issue{Kind: ContradictoryCodes, Element: element})
	}
	if a.notAsked {
		issues = append(issues, Issue{Kind: NotAsked, Element: element})
	}
	if a.code == "" {
		return Value{State: a.absent, From: element}, issues
	}
	if a.absent != "" {
		issues = append(issues, Issue{Kind: KnownBesideUnknown, Element: element})
	}
	return Value{State: Known, Code: a.code, From: element}, issues
}

// concept reads one CodeableConcept.
func (m *Mapper) concept(
	r reader, c fhir.CodeableConcept, element string, issues []Issue,
) (Value, []Issue) {
	return m.codings(r, c.Coding, c.Text != "", element, issues)
}

// code reads an element of type code, whose system FHIR fixes.
func (m *Mapper) code(r reader, system, code, element string, issues []Issue) (Value, []Issue) {
	if code == "" {
		return Value{State: Missing}, issues
	}
	one := [1]fhir.Coding{{System: system, Code: code}}
	return m.codings(r, one[:], false, element, issues)
}

// names reports whether a concept holds a coding that t reads, by itself or through a ConceptMap.
// It is for elements of which we look for one code among many, so that a miss is no issue.
func (m *Mapper) names(t table, c fhir.CodeableConcept) bool {
	for _, coding := range c.Coding {
		if _, state := t(coding); state == Known {
			return true
		}
		for _, target := range m.translate(coding) {
			if _, state := t(target); state == Known {
				return true
			}
		}
	}
	return false
}

// translate returns what the site's ConceptMaps make of c.
func (m *Mapper) translate(c fhir.Coding) []fhir.Coding {
	if len(m.translations) == 0 {
		return nil
	}
	return m.translations[c]
}
