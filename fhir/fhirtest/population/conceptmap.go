package population

import (
	"encoding/json"
	"fmt"
)

// conceptMap and its parts are http://hl7.org/fhir/R4/conceptmap.html, as far as it is used.
type conceptMap struct {
	ResourceType string     `json:"resourceType"`
	ID           string     `json:"id"`
	URL          string     `json:"url"`
	Status       string     `json:"status"`
	Title        string     `json:"title"`
	Group        []mapGroup `json:"group"`
}

type mapGroup struct {
	Source  string       `json:"source"`
	Target  string       `json:"target"`
	Element []mapElement `json:"element"`
}

type mapElement struct {
	Code    string      `json:"code"`
	Display string      `json:"display"`
	Target  []mapTarget `json:"target"`
}

type mapTarget struct {
	Code        string `json:"code"`
	Equivalence string `json:"equivalence"`
}

// ConceptMap is the FHIR R4 ConceptMap, as JSON, that says what the hospitals' local codes for
// class, discharge disposition and race mean. A reader that does not apply it finds these codes
// unmapped.
func ConceptMap() ([]byte, error) {
	class := mapGroup{Source: systemLocalClass, Target: systemActCode}
	for _, c := range classes {
		class.Element = append(class.Element, mapped(c.local, c.label, c.code))
	}
	disposition := mapGroup{Source: systemLocalDisposition, Target: systemDisposition}
	for _, d := range dispositions[home:leftUnseen] {
		disposition.Element = append(disposition.Element, mapped(d.local, d.label, d.code))
	}
	left := dispositions[leftUnseen]
	unseen := mapGroup{Source: systemLocalDisposition, Target: systemSNOMED,
		Element: []mapElement{mapped(left.local, left.label, left.code)}}
	race := mapGroup{Source: systemLocalRace, Target: systemCDCREC}
	for _, r := range races[:twoRaces] {
		race.Element = append(race.Element, mapped(r.local, r.label, r.code))
	}
	out, err := json.MarshalIndent(conceptMap{ResourceType: "ConceptMap", ID: "local-codes",
		URL: "https://ehr.example.org/fhir/ConceptMap/local-codes", Status: "active",
		Title: "Local codes of the demonstration hospitals",
		Group: []mapGroup{class, disposition, unseen, race}}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("marshal concept map: %w", err)
	}
	return append(out, '\n'), nil
}

func mapped(code, label, target string) mapElement {
	return mapElement{Code: code, Display: label,
		Target: []mapTarget{{Code: target, Equivalence: "equivalent"}}}
}
