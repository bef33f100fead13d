package mapping

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/equitylens/equitylens/fhir"
)

// ConceptMap holds what one file of a site translates. http://hl7.org/fhir/R4/conceptmap.html
type ConceptMap struct {
	// Name is the file name, for errors.
	Name         string
	Translations []Translation
}

// Translation is one rule: a coding as the site sends it, and the coding that it stands for.
type Translation struct {
	Source fhir.Coding
	Target fhir.Coding
	// Place is the path of the rule in its file, for errors.
	Place string
}

// The elements of a ConceptMap that are read, and those that change the meaning of a rule in a way
// that is not supported, so that they are refused and not passed over.
type (
	conceptMapJSON struct {
		ResourceType string             `json:"resourceType"`
		Group        []conceptGroupJSON `json:"group"`
	}
	conceptGroupJSON struct {
		Source   string               `json:"source"`
		Target   string               `json:"target"`
		Element  []conceptElementJSON `json:"element"`
		Unmapped *struct {
			Mode string `json:"mode"`
		} `json:"unmapped"`
	}
	conceptElementJSON struct {
		Code   string              `json:"code"`
		Target []conceptTargetJSON `json:"target"`
	}
	conceptTargetJSON struct {
		Code        string     `json:"code"`
		Equivalence string     `json:"equivalence"`
		DependsOn   []struct{} `json:"dependsOn"`
		Product     []struct{} `json:"product"`
	}
)

// largestConceptMap bounds what is read of one file: far above any map that a person keeps.
const largestConceptMap = 16 << 20

// LoadConceptMaps reads every *.json file at the top of a folder, in the order of their names. All
// faults of all files are reported at once.
func LoadConceptMaps(folder fs.FS) ([]ConceptMap, error) {
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return nil, fmt.Errorf("list concept maps: %w", err)
	}
	if _, err := fs.ReadDir(folder, "."); err != nil {
		return nil, fmt.Errorf("list concept maps: %w", err)
	}
	slices.Sort(names)
	var maps []ConceptMap
	var faults []error
	for _, name := range names {
		cm, err := loadConceptMap(folder, name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		maps = append(maps, cm)
	}
	return maps, errors.Join(faults...)
}

func loadConceptMap(folder fs.FS, name string) (ConceptMap, error) {
	f, err := folder.Open(name)
	if err != nil {
		return ConceptMap{}, fmt.Errorf("open concept map: %w", err)
	}
	cm, err := ParseConceptMap(path.Base(name), f)
	return cm, errors.Join(err, f.Close())
}

// ParseConceptMap reads one ConceptMap as FHIR R4 JSON. A rule counts unless its equivalence is
// unmatched or disjoint. Repeated keys, a missing code or equivalence, and what would make a rule
// conditional are errors, each with its path.
func ParseConceptMap(name string, r io.Reader) (ConceptMap, error) {
	cm := ConceptMap{Name: name}
	text, err := io.ReadAll(io.LimitReader(r, largestConceptMap+1))
	if err != nil {
		return ConceptMap{}, fmt.Errorf("read concept map %s: %w", name, err)
	}
	if len(text) > largestConceptMap {
		return ConceptMap{}, fmt.Errorf("read concept map %s: more than %d bytes",
			name, largestConceptMap)
	}
	var in conceptMapJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return ConceptMap{}, fmt.Errorf("read concept map %s: %w", name, err)
	}
	if in.ResourceType != "ConceptMap" {
		return ConceptMap{}, fmt.Errorf("concept map %s: resourceType is %q", name, in.ResourceType)
	}
	if len(in.Group) == 0 {
		return ConceptMap{}, fmt.Errorf(
			"concept map %s: group is missing: it would translate nothing", name)
	}
	var faults []error
	for i, g := range in.Group {
		cm.group(&g, fmt.Sprintf("group[%d]", i), &faults)
	}
	if len(faults) > 0 {
		return ConceptMap{}, errors.Join(faults...)
	}
	return cm, nil
}

// group adds the rules of one group, or its faults.
func (cm *ConceptMap) group(g *conceptGroupJSON, place string, faults *[]error) {
	fault := func(place, text string) {
		*faults = append(*faults, fmt.Errorf("concept map %s: %s: %s", cm.Name, place, text))
	}
	if g.Target == "" {
		fault(place, "target is missing: it names the system of the codes translated to")
		return
	}
	if g.Unmapped != nil {
		fault(place+".unmapped",
			"not supported: a code without a rule stays unmapped, so that it is seen")
	}
	codes := make(map[string]string)
	for i, e := range g.Element {
		at := fmt.Sprintf("%s.element[%d]", place, i)
		if e.Code == "" {
			fault(at, "code is missing")
			continue
		}
		for j, t := range e.Target {
			at := fmt.Sprintf("%s.target[%d]", at, j)
			applies, text := t.applies()
			if text != "" {
				fault(at, text)
			}
			if !applies {
				continue
			}
			if other, twice := codes[e.Code]; twice && other != t.Code {
				fault(at, "the code has two targets in this system, and only one can count")
				continue
			}
			codes[e.Code] = t.Code
			cm.Translations = append(cm.Translations, Translation{
				Source: fhir.Coding{System: strings.TrimSpace(g.Source), Code: e.Code},
				Target: fhir.Coding{System: strings.TrimSpace(g.Target), Code: t.Code},
				Place:  at,
			})
		}
	}
}

// applies reports whether a target is a translation, or the fault that forbids to say.
// http://hl7.org/fhir/R4/valueset-concept-map-equivalence.html
func (t *conceptTargetJSON) applies() (ok bool, fault string) {
	switch t.Equivalence {
	case "unmatched", "disjoint":
		return false, ""
	case "":
		return false, "equivalence is missing: R4 requires it" +
			" (R5 calls it relationship, which is not read)"
	case "relatedto", "equivalent", "equal", "wider", "subsumes", "narrower", "specializes", "inexact":
	default:
		return false, fmt.Sprintf("equivalence %q is not a code of R4", t.Equivalence)
	}
	switch {
	case t.Code == "":
		return false, "code is missing"
	case len(t.DependsOn) > 0 || len(t.Product) > 0:
		return false, "dependsOn and product are not supported: a rule holds wherever its code stands"
	}
	return true, ""
}
