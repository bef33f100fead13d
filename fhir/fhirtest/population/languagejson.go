package population

// appendCommunication writes Patient.communication in the person's shape, or nothing.
func (p *person) appendCommunication(buf []byte) []byte {
	if p.languageShape == languageAbsent {
		return buf
	}
	l := languages[p.language]
	other := languages[0]
	if l.group == english {
		other = languages[1]
	}
	buf = append(buf, `,"communication":[`...)
	switch p.languageShape {
	case languageNoFlag:
		buf = appendLanguage(buf, systemBCP47, l.code, l.text, "")
	case languageRegion:
		buf = appendLanguage(buf, systemBCP47, l.region, l.text, "true")
	case languageThree:
		buf = appendLanguage(buf, systemBCP47, l.three, l.text, "true")
	case languageOldSystem:
		buf = appendLanguage(buf, systemISO639, l.three, l.text, "true")
	case languageSecond:
		buf = appendLanguage(buf, systemBCP47, other.code, other.text, "false")
		buf = appendLanguage(buf, systemBCP47, l.code, l.text, "true")
	case languageUndetermined:
		buf = appendLanguage(buf, systemBCP47, "und", "Undetermined", "true")
	case languageText:
		buf = append(buf, `{"language":{"text":"`...)
		buf = append(buf, l.text...)
		buf = append(buf, `"},"preferred":true},`...)
	case languageSeveral:
		buf = appendLanguage(buf, systemBCP47, l.code, l.text, "")
		buf = appendLanguage(buf, systemBCP47, other.code, other.text, "")
	case languageNotPreferred:
		buf = appendLanguage(buf, systemBCP47, l.code, l.text, "false")
	case languageConflict:
		buf = appendLanguage(buf, systemBCP47, l.code, l.text, "true")
		buf = appendLanguage(buf, systemBCP47, other.code, other.text, "true")
	default:
		buf = appendLanguage(buf, systemBCP47, l.code, l.text, "true")
	}
	return closeList(buf)
}

// appendLanguage writes one entry with a comma behind it; preferred of "" leaves the flag out.
func appendLanguage(buf []byte, system, code, text, preferred string) []byte {
	buf = append(buf, `{"language":{"coding":[`...)
	buf = appendCoding(buf, system, code, text)
	buf = append(buf, `],"text":"`...)
	buf = append(buf, text...)
	buf = append(buf, `"}`...)
	if preferred != "" {
		buf = append(buf, `,"preferred":`...)
		buf = append(buf, preferred...)
	}
	return append(buf, '}', ',')
}
