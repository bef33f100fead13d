package population

import "strconv"

const profileEncounter = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter"

// appendEncounter writes encounter i, or the stale copy of it that an export may hold beside it.
func (g *generator) appendEncounter(buf []byte, i int, older bool) []byte {
	p := &g.person
	e := &p.encounters[i]
	standing, version, updated := e.status, byte('2'), e.updated(g.config.horizon)
	if older || standing == inProgress {
		standing, version, updated = inProgress, '1', e.created()
	}
	buf = append(buf, `{"resourceType":"Encounter","id":"`...)
	buf = appendID(buf, Encounter, i, p.index)
	buf = appendMeta(buf, version, updated, profileEncounter)
	if p.needStatedOnEncounters() {
		answer, _ := needAnswers(p.need)
		buf = append(buf, `,"extension":[`...)
		buf = closeList(appendNeedCoding(buf, systemSNOMED, answer))
	}
	buf = append(buf, `,"identifier":[{"system":"urn:oid:1.2.840.114350.1.13.999.1.7.3.698084.8","value":"`...)
	buf = append(buf, CanaryVisit...)
	buf = strconv.AppendInt(buf, int64(p.index), 10)
	buf = append(buf, '-')
	buf = strconv.AppendInt(buf, int64(i), 10)
	buf = append(buf, `"}],"status":"`...)
	buf = append(buf, statuses[standing]...)
	buf = append(buf, `","class":`...)
	buf = appendClass(buf, e)
	c := &classes[e.class]
	buf = append(buf, `,"type":[`...)
	buf = appendConcept(buf, systemSNOMED, c.typeCode, c.typeLabel)
	buf = append(buf, `],`...)
	if e.elective {
		buf = append(buf, `"priority":`...)
		buf = appendConcept(buf, "http://terminology.hl7.org/CodeSystem/v3-ActPriority", "EL", "elective")
		buf = append(buf, ',')
	}
	buf = append(buf, `"subject":`...)
	buf = appendPatientReference(buf, e.link, p.index, e.onDouble)
	buf = g.appendParticipants(buf, e)
	if e.period != periodAbsent {
		buf = appendPeriod(buf, e, standing == inProgress)
	}
	if standing != inProgress {
		buf = appendHospitalization(buf, e)
	}
	if !e.siteless {
		buf = append(buf, `,"serviceProvider":`...)
		buf = appendSite(buf, e.site)
	}
	return append(buf, '}')
}

func appendClass(buf []byte, e *encounter) []byte {
	c := &classes[e.class]
	switch e.classAs {
	case classLocal:
		return appendCoding(buf, systemLocalClass, c.local, c.label)
	case classUnmapped:
		return appendCoding(buf, systemLocalClass, "9999", "Converted visit")
	case classStandard:
	}
	return appendCoding(buf, systemActCode, c.code, c.label)
}

// appendParticipants writes the attending practitioner and, where one was documented, the
// interpreter: a professional, or a relative.
func (g *generator) appendParticipants(buf []byte, e *encounter) []byte {
	buf = append(buf, `,"participant":[{"type":[`...)
	buf = appendConcept(buf, "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "PPRF",
		"primary performer")
	buf = append(buf, `],"individual":{"reference":"Practitioner/pr-`...)
	buf = strconv.AppendInt(buf, int64(g.person.index%97), 10)
	buf = append(buf, `"}}`...)
	if e.use == documented || e.use == adHoc {
		buf = append(buf, `,{"type":[`...)
		buf = appendConcept(buf, "http://terminology.hl7.org/CodeSystem/participant-type",
			"translator", "Translator")
		if e.use == adHoc {
			buf = append(buf, `],"individual":{"reference":"RelatedPerson/rp-`...)
		} else {
			buf = append(buf, `],"individual":{"reference":"Practitioner/int-`...)
		}
		buf = strconv.AppendInt(buf, int64(g.person.index%23), 10)
		buf = append(buf, `"}}`...)
	}
	return append(buf, ']')
}

func appendPeriod(buf []byte, e *encounter, open bool) []byte {
	buf = append(buf, `,"period":{`...)
	if e.period != periodNoStart {
		buf = append(buf, `"start":"`...)
		buf = appendMoment(buf, e, e.start)
		buf = append(buf, '"', ',')
	}
	if e.period != periodNoEnd && !open {
		buf = append(buf, `"end":"`...)
		buf = appendMoment(buf, e, e.end)
		buf = append(buf, '"')
	}
	if buf[len(buf)-1] == ',' {
		buf = buf[:len(buf)-1]
	}
	return append(buf, '}')
}

func appendMoment(buf []byte, e *encounter, at minute) []byte {
	switch {
	case e.period == periodDays:
		return appendDay(buf, at.day())
	case e.utc:
		return appendUTC(buf, at)
	}
	return appendLocal(buf, at)
}

// appendHospitalization writes the interpreter that was arranged and how the encounter ended.
func appendHospitalization(buf []byte, e *encounter) []byte {
	if e.use != arranged && e.disposition == noDisposition {
		return buf
	}
	buf = append(buf, `,"hospitalization":{`...)
	if e.use == arranged {
		buf = append(buf, `"specialArrangement":[`...)
		buf = appendConcept(buf, "http://terminology.hl7.org/CodeSystem/encounter-special-arrangements",
			"int", "Interpreter")
		buf = append(buf, ']', ',')
	}
	if e.disposition != noDisposition {
		buf = append(buf, `"dischargeDisposition":`...)
		buf = appendDisposition(buf, e)
	}
	if buf[len(buf)-1] == ',' {
		buf = buf[:len(buf)-1]
	}
	return append(buf, '}')
}

func appendDisposition(buf []byte, e *encounter) []byte {
	d := &dispositions[e.disposition]
	switch {
	case e.codeAs == codeLocal:
		return appendConcept(buf, systemLocalDisposition, d.local, d.label)
	case e.disposition == leftUnseen:
		return appendConcept(buf, systemSNOMED, d.code, d.label)
	case e.codeAs == codeNUBC:
		return appendConcept(buf, systemNUBC, d.nubc, d.label)
	case e.codeAs == codeNUBCShort && d.nubc[0] == '0':
		return appendConcept(buf, systemNUBCOld, d.nubc[1:], d.label)
	case e.codeAs == codeNUBCShort:
		return appendConcept(buf, systemNUBCOld, d.nubc, d.label)
	}
	return appendConcept(buf, systemDisposition, d.code, d.label)
}
