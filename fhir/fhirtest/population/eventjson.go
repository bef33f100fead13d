package population

// appendEvent writes event i, or the stale copy of it, in which it was still unreviewed.
func (g *generator) appendEvent(buf []byte, i int, older bool) []byte {
	p := &g.person
	v := &p.events[i]
	version, updated, factor := byte('2'), v.posted, v.answer
	if older {
		version, updated, factor = '1', v.recorded, noAnswer
	}
	buf = append(buf, `{"resourceType":"AdverseEvent","id":"`...)
	buf = appendID(buf, AdverseEvent, i, p.index)
	buf = appendMeta(buf, version, updated, "")
	if factor != noAnswer {
		buf = append(buf, `,"extension":[`...)
		buf = openExtension(buf, extensionFactor)
		buf = append(buf, `{"url":"item","valueCodeableConcept":`...)
		buf = appendConcept(buf, systemInequity, answers[factor], "")
		buf = append(buf, `}]}]`...)
	}
	if v.actual {
		buf = append(buf, `,"actuality":"actual","category":[`...)
	} else {
		buf = append(buf, `,"actuality":"potential","category":[`...)
	}
	buf = appendConcept(buf, "http://terminology.hl7.org/CodeSystem/adverse-event-category",
		kinds[v.kind], "")
	buf = append(buf, `],"subject":`...)
	switch v.subject {
	case subjectPatient:
		buf = appendPatientReference(buf, linkRelative, p.index, v.onDouble)
	case subjectGroup:
		buf = append(buf, `{"reference":"Group/ward-7"}`...)
	case subjectPractitioner:
		buf = append(buf, `{"reference":"Practitioner/pr-7"}`...)
	}
	if v.named >= 0 {
		buf = append(buf, `,"encounter":{"reference":"Encounter/`...)
		buf = appendID(buf, Encounter, v.named, p.index)
		buf = append(buf, `"}`...)
	}
	buf = appendEventDates(buf, v)
	return append(appendEventWeight(buf, v), '}')
}

func appendEventDates(buf []byte, v *event) []byte {
	if v.field == dateOccurred {
		buf = append(buf, `,"date":"`...)
		buf = appendEventDate(buf, v)
	}
	if v.field == dateDetected {
		buf = append(buf, `,"detected":"`...)
		buf = appendEventDate(buf, v)
	}
	buf = append(buf, `,"recordedDate":"`...)
	buf = appendLocal(buf, v.recorded)
	return append(buf, '"')
}

func appendEventDate(buf []byte, v *event) []byte {
	if v.dayOnly {
		buf = appendDay(buf, v.when.day())
	} else {
		buf = appendLocal(buf, v.when)
	}
	return append(buf, '"')
}

// appendEventWeight writes seriousness, severity and outcome; both spellings of seriousness occur.
func appendEventWeight(buf []byte, v *event) []byte {
	if !v.actual {
		return buf
	}
	seriousness := "Non-serious"
	switch {
	case v.severity == 2:
		seriousness = "Serious"
	case v.kind%2 == 0:
		seriousness = "non-serious"
	}
	buf = append(buf, `,"seriousness":`...)
	buf = appendConcept(buf, "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness",
		seriousness, "")
	buf = append(buf, `,"severity":`...)
	buf = appendConcept(buf, "http://terminology.hl7.org/CodeSystem/adverse-event-severity",
		severities[v.severity], "")
	buf = append(buf, `,"outcome":`...)
	return appendConcept(buf, "http://terminology.hl7.org/CodeSystem/adverse-event-outcome",
		outcomes[v.outcome], "")
}
