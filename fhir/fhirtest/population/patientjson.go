package population

import "strconv"

const profilePatient = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"

var givenNames = [...]string{"Ana", "Bao", "Carla", "Dmitri", "Elena", "Farid", "Grace", "Hodan",
	"Ines",
	"Jun", "Keisha", "Luis", "Mei", "Nadia", "Omar", "Priya"}

// updatedPatient is when the Patient last changed, as it stands at the horizon. Person 0's record
// is touched by every nightly registration run, so that the newest record of an export tells its
// moment.
func (p *person) updatedPatient(horizon minute) minute {
	if p.index == 0 {
		return horizon
	}
	at := p.registered
	if happened(p.corrected, horizon) {
		at = max(at, p.corrected)
	}
	if happened(p.died, horizon) {
		at = max(at, min(p.died+90, horizon))
	}
	return at
}

// appendPatient writes the person's record: the surviving one, or the double that it replaced.
func (g *generator) appendPatient(buf []byte, double, older bool) []byte {
	p := &g.person
	horizon := g.config.horizon
	version, updated, number := byte('2'), p.updatedPatient(horizon), 0
	if double {
		number, updated = 1, p.registered
	}
	if older {
		version, updated = '1', p.registered-minutesPerDay
	}
	buf = append(buf, `{"resourceType":"Patient","id":"`...)
	buf = appendID(buf, Patient, number, p.index)
	buf = appendMeta(buf, version, updated, profilePatient)
	if !double && !older {
		buf = p.appendExtensions(buf)
	}
	buf = p.appendNames(buf, double)
	buf = append(buf, `,"gender":"`...)
	buf = append(buf, sexes[p.sex]...)
	buf = append(buf, '"')
	if p.birthDigits > 0 {
		buf = append(buf, `,"birthDate":"`...)
		start := len(buf)
		buf = appendDay(buf, p.birth)
		buf = append(buf[:start+int(p.birthDigits)], '"')
	}
	if happened(p.died, horizon) && !older && !double {
		buf = p.appendDeath(buf)
	}
	if !double && !older {
		buf = p.appendCommunication(buf)
	}
	buf = append(buf, `,"managingOrganization":`...)
	buf = appendSite(buf, p.home)
	if p.doubled && !older {
		buf = p.appendLink(buf, double)
	}
	return append(buf, '}')
}

// appendNames writes what identifies the person. Every part of it is a canary.
func (p *person) appendNames(buf []byte, double bool) []byte {
	buf = append(buf, `,"identifier":[{"use":"usual","type":`...)
	buf = appendConcept(buf, "http://terminology.hl7.org/CodeSystem/v2-0203", "MR",
		"Medical Record Number")
	buf = append(buf, `,"system":"urn:oid:1.2.840.114350.1.13.999.1.7.5.737384.14","value":"`...)
	buf = append(buf, CanaryMRN...)
	buf = strconv.AppendInt(buf, int64(p.index), 10)
	if double {
		buf = append(buf, 'B')
	}
	buf = append(buf, `"}],"active":`...)
	buf = strconv.AppendBool(buf, !double)
	buf = append(buf, `,"name":[{"use":"official","family":"`...)
	buf = append(buf, CanaryName...)
	buf = strconv.AppendInt(buf, int64(p.index), 10)
	buf = append(buf, `","given":["`...)
	buf = append(buf, givenNames[p.index%len(givenNames)]...)
	buf = append(buf, `"]}],"address":[{"use":"home","line":["`...)
	buf = strconv.AppendInt(buf, int64(p.index), 10)
	buf = append(buf, ' ')
	buf = append(buf, CanaryStreet...)
	return append(buf, `"],"city":"Phoenix","state":"AZ","country":"US"}]`...)
}

func (p *person) appendDeath(buf []byte) []byte {
	if !p.deathDated {
		return append(buf, `,"deceasedBoolean":true`...)
	}
	buf = append(buf, `,"deceasedDateTime":"`...)
	if p.index%5 == 0 {
		buf = appendDay(buf, p.died.day())
	} else {
		buf = appendLocal(buf, p.died)
	}
	return append(buf, '"')
}

// appendLink names the other record of the same person. Half of the survivors do not know of it.
func (p *person) appendLink(buf []byte, double bool) []byte {
	kind := "replaced-by"
	if !double {
		if p.index%2 == 0 {
			return buf
		}
		kind = "replaces"
	}
	buf = append(buf, `,"link":[{"other":`...)
	buf = appendPatientReference(buf, linkRelative, p.index, !double)
	buf = append(buf, `,"type":"`...)
	buf = append(buf, kind...)
	return append(buf, `"}]`...)
}

func (p *person) appendExtensions(buf []byte) []byte {
	buf = append(buf, `,"extension":[`...)
	buf = p.appendRace(buf)
	buf = p.appendEthnicity(buf)
	buf = p.appendNeed(buf)
	buf = append(buf, `{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex","valueCode":"`...)
	if p.sex == 1 {
		return append(buf, `M"}]`...)
	}
	return append(buf, `F"}]`...)
}

// appendRace writes the race extension in the person's shape, or nothing.
func (p *person) appendRace(buf []byte) []byte {
	if p.raceShape == raceAbsent {
		return buf
	}
	if p.raceShape == raceDSTU2 {
		buf = append(buf, `{"url":"`+extensionRaceDSTU2+`","valueCodeableConcept":`...)
		buf = appendConcept(buf, systemV3Race, races[p.race].code, races[p.race].label)
		return append(buf, '}', ',')
	}
	buf = p.appendRaceOnce(buf)
	if p.raceShape == raceTwice {
		buf = p.appendRaceOnce(buf)
	}
	return buf
}

func (p *person) appendRaceOnce(buf []byte) []byte {
	const omb = "ombCategory"
	buf = openExtension(buf, extensionRace)
	r, text := races[p.race], races[p.race].label
	switch p.raceShape {
	case raceDetailOnly:
		buf = appendInner(buf, "detailed", systemCDCREC, r.detail, r.detailLabel)
	case raceLegacy:
		buf = appendInner(buf, omb, systemV3Race, r.code, r.label)
	case raceLocal:
		buf = appendInner(buf, omb, systemLocalRace, r.local, r.label)
	case raceDeclined:
		buf = appendInner(buf, omb, systemAbsent, "asked-declined", "Asked But Declined")
		text = "Declined"
	case raceUnknown:
		buf = appendInner(buf, omb, systemNull, "UNK", "Unknown")
		text = "Unknown"
	case raceNoAnswer:
		buf = appendInner(buf, omb, systemNull, "ASKU", "Asked but no answer")
		text = "Asked but no answer"
	case raceText:
	case raceUnmapped:
		buf = appendInner(buf, omb, systemLocalRace, "98", "See comment")
		text = "See comment"
	case raceIsEthnicity:
		buf = appendInner(buf, omb, systemCDCREC, codeHispanic, "Hispanic or Latino")
		text = "Hispanic"
	default:
		buf = p.appendCategories(buf)
	}
	buf = appendText(buf, text)
	return append(closeList(buf), '}', ',')
}

// appendCategories writes one OMB category, or the two of a person of two races, and what the
// remaining shapes put beside it.
func (p *person) appendCategories(buf []byte) []byte {
	const omb = "ombCategory"
	r := races[p.race]
	if p.race == twoRaces {
		second := races[p.second]
		buf = appendInner(buf, omb, systemCDCREC, races[white].code, races[white].label)
		buf = appendInner(buf, omb, systemCDCREC, second.code, second.label)
	} else {
		buf = appendInner(buf, omb, systemCDCREC, r.code, r.label)
	}
	switch p.raceShape {
	case raceDetailed:
		buf = appendInner(buf, "detailed", systemCDCREC, r.detail, r.detailLabel)
	case raceBesideUnknown:
		buf = appendInner(buf, omb, systemNull, "UNK", "Unknown")
	case raceConflict:
		buf = appendInner(buf, omb, systemCDCREC, codeHispanic, "Hispanic or Latino")
	default:
	}
	return buf
}

func (p *person) appendEthnicity(buf []byte) []byte {
	if p.ethnicity == ethnicityAbsent {
		return buf
	}
	const omb = "ombCategory"
	code, text := codeNotHispanic, "Not Hispanic or Latino"
	if p.hispanic {
		code, text = codeHispanic, "Hispanic or Latino"
	}
	buf = openExtension(buf, extensionEthnicity)
	switch p.ethnicity {
	case ethnicityDetailOnly:
		buf = appendInner(buf, "detailed", systemCDCREC, "2148-5", "Mexican")
	case ethnicityLegacy:
		buf = appendInner(buf, omb, systemV3Ethnicity, code, text)
	case ethnicityDeclined:
		buf, text = appendInner(buf, omb, systemAbsent, "asked-declined", "Asked But Declined"),
			"Declined"
	case ethnicityUnknown:
		buf, text = appendInner(buf, omb, systemNull, "UNK", "Unknown"), "Unknown"
	case ethnicityNoAnswer:
		buf, text = appendInner(buf, omb, systemNull, "ASKU", "Asked but no answer"), "Asked"
	case ethnicityText:
	default:
		buf = appendInner(buf, omb, systemCDCREC, code, text)
	}
	buf = appendText(buf, text)
	return append(closeList(buf), '}', ',')
}

// appendNeedCoding writes one us-core-interpreter-needed extension.
func appendNeedCoding(buf []byte, system, code string) []byte {
	buf = append(buf, `{"url":"`+extensionNeed+`","valueCoding":`...)
	buf = appendCoding(buf, system, code, "")
	return append(buf, '}', ',')
}

func appendNeedBoolean(buf []byte, need bool) []byte {
	buf = append(buf, `{"url":"`+extensionNeedBoolean+`","valueBoolean":`...)
	buf = strconv.AppendBool(buf, need)
	return append(buf, '}', ',')
}

// needAnswers are SNOMED CT's yes and no, and its two situations with explicit context.
func needAnswers(need bool) (answer, situation string) {
	if need {
		return "373066001", "315594003"
	}
	return "373067005", "315595002"
}

func (p *person) appendNeed(buf []byte) []byte {
	answer, situation := needAnswers(p.need)
	switch p.needShape {
	case needPlain:
		return appendNeedCoding(buf, systemSNOMED, answer)
	case needBoolean:
		return appendNeedBoolean(buf, p.need)
	case needSituation:
		return appendNeedCoding(buf, systemSNOMED, situation)
	case needUnknown, needUnknownThenEncounters:
		return appendNeedCoding(buf, systemNull, "UNK")
	case needConflict:
		return appendNeedBoolean(appendNeedCoding(buf, systemSNOMED, answer), !p.need)
	case needOnEncounters, needAbsent:
	}
	return buf
}
