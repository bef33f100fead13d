package mapping

import (
	"strings"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
)

// extensionFactor carries R5 AdverseEvent.contributingFactor in R4, by the canonical of the package
// hl7.fhir.uv.xver-r5.r4. AdverseEvent.contributor is a person, not a factor.
const extensionFactor = "http://hl7.org/fhir/5.0/StructureDefinition/" +
	"extension-AdverseEvent.contributingFactor"

const factorElement = "AdverseEvent.extension(contributingFactor).item"

// AdverseEvent maps an AdverseEvent. R4 gives it no status, so one that is withdrawn goes away by
// deletion only. http://hl7.org/fhir/R4/adverseevent.html
func (m *Mapper) AdverseEvent(in *fhir.AdverseEvent, issues []Issue) (AdverseEvent, []Issue) {
	out := AdverseEvent{ID: phi.New(in.ID)}
	out.Version, issues = m.version(in.Meta, "AdverseEvent.meta.lastUpdated", issues)
	out.Patient, issues = patientOf(in.Subject, "AdverseEvent.subject", issues)
	out.Encounter, issues = encounterOf(in.Encounter, issues)
	out.Actuality, issues = m.actuality(in.Actuality, issues)
	issues = m.eventDates(&out, in, issues)
	out.Category, issues = m.category(in.Category, issues)
	out.Severity, issues = m.concept(reader{table: severityCode}, in.Severity,
		"AdverseEvent.severity", issues)
	out.Seriousness, issues = m.concept(reader{seriousnessCode, refineSeriousness}, in.Seriousness,
		"AdverseEvent.seriousness", issues)
	out.Outcome, issues = m.concept(reader{table: outcomeCode}, in.Outcome,
		"AdverseEvent.outcome", issues)
	out.Inequity, issues = m.inequity(in.Extension, issues)
	return out, issues
}

// encounterOf returns the id of the encounter that an event names.
func encounterOf(ref fhir.Reference, issues []Issue) (phi.ID, []Issue) {
	if !ref.Present() {
		return phi.ID{}, issues
	}
	kind, id := ref.Target()
	if id == "" || kind != "" && kind != "Encounter" {
		return phi.ID{}, append(issues, Issue{Kind: WrongReference, Element: "AdverseEvent.encounter"})
	}
	return phi.New(id), issues
}

func (m *Mapper) actuality(actuality string, issues []Issue) (string, []Issue) {
	const element = "AdverseEvent.actuality"
	if actuality == "" {
		return "", append(issues, Issue{Kind: MissingRequired, Element: element})
	}
	v, issues := m.code(reader{table: actualityCode}, systemActuality, actuality, element, issues)
	return v.Code, issues
}

// eventDates reads when the event occurred. Detection and recording come later, so they stand in
// for the date only where it is absent, and each time they do is counted.
func (m *Mapper) eventDates(out *AdverseEvent, in *fhir.AdverseEvent, issues []Issue) []Issue {
	var recorded fhir.DateTime
	out.Date, issues = m.date(in.Date, "AdverseEvent.date", issues)
	out.Detected, issues = m.date(in.Detected, "AdverseEvent.detected", issues)
	recorded, issues = m.date(in.RecordedDate, "AdverseEvent.recordedDate", issues)
	switch {
	case out.Date.Precision != fhir.NoDate:
		out.DateFrom = "AdverseEvent.date"
		return issues
	case out.Detected.Precision != fhir.NoDate:
		out.Date, out.DateFrom = out.Detected, "AdverseEvent.detected"
	case recorded.Precision != fhir.NoDate:
		out.Date, out.DateFrom = recorded, "AdverseEvent.recordedDate"
	default:
		return issues
	}
	return append(issues, Issue{Kind: DateFallback, Element: out.DateFrom})
}

// category maps AdverseEvent.category, which may occur several times. A kind of product use error
// says more than product use error itself; other differences are Conflicting, because a record
// holds one category.
func (m *Mapper) category(in []fhir.CodeableConcept, issues []Issue) (Value, []Issue) {
	const element = "AdverseEvent.category"
	v := Value{State: Missing}
	differ, clash := false, false
	for _, c := range in {
		var next Value
		next, issues = m.concept(reader{categoryCode, refineCategory}, c, element, issues)
		switch {
		case next.State == Conflicting:
			clash = true
		case v.State == Known && next.State == Known && v.Code != next.Code:
			refined, ok := refineCategory(v.Code, next.Code)
			if ok {
				v.Code = refined
			}
			differ = differ || !ok
		case v.State != Known && (next.State == Known || strength(next.State) > strength(v.State)):
			v = next
		}
	}
	if differ && !clash {
		issues = append(issues, Issue{Kind: ContradictoryCodes, Element: element})
	}
	if differ || clash {
		return Value{State: Conflicting, From: element}, issues
	}
	return v, issues
}

// inequity reads the answer to "was inequity a contributing factor" among the contributing factors.
// Other factors are none of this answer. Yes, no and undetermined each contradict the other two;
// not asked beside one of them says nothing.
func (m *Mapper) inequity(extensions []fhir.Extension, issues []Issue) (Value, []Issue) {
	v := Value{State: Missing}
	clash := false
	for i := range extensions {
		if extensions[i].URL != extensionFactor {
			continue
		}
		for j := range extensions[i].Extension {
			item := &extensions[i].Extension[j]
			if item.URL != "item" || item.ValueCodeableConcept == nil {
				continue
			}
			for _, c := range item.ValueCodeableConcept.Coding {
				code, held := m.inequityCoding(c)
				switch {
				case !held:
				case code == "":
					issues = append(issues, codeIssue(UnmappedCode, factorElement, c))
					if v.State == Missing {
						v = Value{State: Unmapped, From: factorElement}
					}
				case v.State != Known || v.Code == inequityNotAsked:
					v = Value{State: Known, Code: code, From: factorElement}
				case code != inequityNotAsked && code != v.Code:
					clash = true
				}
			}
		}
	}
	if clash {
		return Value{State: Conflicting, From: factorElement},
			append(issues, Issue{Kind: ContradictoryCodes, Element: factorElement})
	}
	return v, issues
}

// inequityCoding reads one coding of a factor: held means that it is about inequity, a code of ""
// that we do not know which answer it is.
func (m *Mapper) inequityCoding(c fhir.Coding) (code string, held bool) {
	if code, state := inequityCode(c); state == Known {
		return code, true
	}
	for _, target := range m.translate(c) {
		if code, state := inequityCode(target); state == Known {
			return code, true
		}
	}
	return "", c.System == SystemInequity && c.Code != ""
}

// inequityNotAsked is the answer that is none.
const inequityNotAsked = "not-asked"

func inequityCode(c fhir.Coding) (string, State) {
	if c.System != SystemInequity {
		return "", ""
	}
	switch code := strings.ToLower(c.Code); code {
	case Yes, No, "undetermined", inequityNotAsked:
		return code, Known
	}
	return "", ""
}
