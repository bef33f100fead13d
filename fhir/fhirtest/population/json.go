package population

// The resources are written byte by byte: nothing in them needs escaping, and a generator that is
// slower than the reader under test would measure itself.

func appendMeta(buf []byte, version byte, updated minute, profile string) []byte {
	buf = append(buf, `","meta":{"versionId":"`...)
	buf = append(buf, version)
	buf = append(buf, `","lastUpdated":"`...)
	buf = appendUTC(buf, updated)
	if profile != "" {
		buf = append(buf, `","profile":["`...)
		buf = append(buf, profile...)
		return append(buf, `"]}`...)
	}
	return append(buf, `"}`...)
}

// appendCoding writes a Coding; a label of "" is left out.
func appendCoding(buf []byte, system, code, label string) []byte {
	buf = append(buf, `{"system":"`...)
	buf = append(buf, system...)
	buf = append(buf, `","code":"`...)
	buf = append(buf, code...)
	if label != "" {
		buf = append(buf, `","display":"`...)
		buf = append(buf, label...)
	}
	return append(buf, `"}`...)
}

// appendConcept writes a CodeableConcept of one coding.
func appendConcept(buf []byte, system, code, label string) []byte {
	buf = append(buf, `{"coding":[`...)
	buf = appendCoding(buf, system, code, label)
	return append(buf, `]}`...)
}

// appendInner writes one inner extension of the race and ethnicity extensions.
func appendInner(buf []byte, url, system, code, label string) []byte {
	buf = append(buf, `{"url":"`...)
	buf = append(buf, url...)
	buf = append(buf, `","valueCoding":`...)
	buf = appendCoding(buf, system, code, label)
	return append(buf, '}', ',')
}

func appendText(buf []byte, text string) []byte {
	buf = append(buf, `{"url":"text","valueString":"`...)
	buf = append(buf, text...)
	return append(buf, `"}`...)
}

func openExtension(buf []byte, url string) []byte {
	buf = append(buf, `{"url":"`...)
	buf = append(buf, url...)
	return append(buf, `","extension":[`...)
}

// closeList ends a list whose items each ended in a comma.
func closeList(buf []byte) []byte {
	if buf[len(buf)-1] == ',' {
		buf = buf[:len(buf)-1]
	}
	return append(buf, ']')
}

// appendPatientReference writes what points at the person's record, in one of its four shapes.
func appendPatientReference(buf []byte, link linkShape, person int, double bool) []byte {
	number := 0
	if double {
		number = 1
	}
	buf = append(buf, `{"reference":"`...)
	switch link {
	case linkAbsolute:
		buf = append(buf, "https://ehr.example.org/fhir/Patient/"...)
	case linkURN:
		buf = append(buf, "urn:uuid:"...)
	case linkRelative, linkVersioned:
		buf = append(buf, "Patient/"...)
	}
	buf = appendID(buf, Patient, number, person)
	if link == linkVersioned {
		buf = append(buf, "/_history/2"...)
	}
	return append(buf, `"}`...)
}

func appendSite(buf []byte, site int8) []byte {
	buf = append(buf, `{"reference":"Organization/`...)
	buf = append(buf, sites[site].id...)
	buf = append(buf, `","display":"`...)
	buf = append(buf, sites[site].name...)
	return append(buf, `"}`...)
}

func appendOrganization(buf []byte, i int) []byte {
	buf = append(buf, `{"resourceType":"Organization","id":"`...)
	buf = append(buf, sites[i].id...)
	buf = appendMeta(buf, '1', civilDay(2023, 1, 2).at(8, 0), "")
	buf = append(buf, `,"active":true,"type":[`...)
	buf = appendConcept(buf, "http://terminology.hl7.org/CodeSystem/organization-type", "prov",
		"Healthcare Provider")
	buf = append(buf, `],"name":"`...)
	buf = append(buf, sites[i].name...)
	return append(buf, `"}`...)
}
