package population

// Code systems that the resources speak.
const (
	systemCDCREC      = "urn:oid:2.16.840.1.113883.6.238"
	systemV3Race      = "http://terminology.hl7.org/CodeSystem/v3-Race"
	systemV3Ethnicity = "http://terminology.hl7.org/CodeSystem/v3-Ethnicity"
	systemNull        = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
	systemAbsent      = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
	systemBCP47       = "urn:ietf:bcp:47"
	systemISO639      = "urn:oid:2.16.840.1.113883.6.121"
	systemSNOMED      = "http://snomed.info/sct"
	systemActCode     = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	systemDisposition = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
	systemNUBC        = "https://www.nubc.org/CodeSystem/PatDischargeStatus"
	systemNUBCOld     = "http://www.nubc.org/patient-discharge"
	systemInequity    = "https://equitylens.org/fhir/CodeSystem/inequity-contribution"

	// The three below are local to the hospitals. Their shape is that of an Epic installation; what
	// each code means is in ConceptMap.
	systemLocalClass       = "urn:oid:1.2.840.114350.1.72.1.7.7.10.696784.13260"
	systemLocalDisposition = "urn:oid:1.2.840.114350.1.13.999.1.7.4.698084.18888"
	systemLocalRace        = "urn:oid:1.2.840.114350.1.13.999.1.7.4.698084.250"

	extensionRace        = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
	extensionRaceDSTU2   = "http://hl7.org/fhir/StructureDefinition/us-core-race"
	extensionEthnicity   = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity"
	extensionNeed        = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-interpreter-needed"
	extensionNeedBoolean = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"
	extensionFactor      = "http://hl7.org/fhir/5.0/StructureDefinition/" +
		"extension-AdverseEvent.contributingFactor"

	codeHispanic    = "2135-2"
	codeNotHispanic = "2186-5"
	codeTwoOrMore   = "two-or-more"
	codeYes         = "yes"
	codeNo          = "no"
	codeLWBS        = "21541000119102"
)

// race indexes races; twoRaces stands for White and one more.
type race int8

const (
	white race = iota
	black
	asian
	native
	pacific
	otherRace
	twoRaces
)

// races are the 1997 OMB categories of CDCREC, each with one detailed code below it.
var races = [...]struct{ code, label, detail, detailLabel, local string }{
	white:  {"2106-3", "White", "2108-9", "European", "1"},
	black:  {"2054-5", "Black or African American", "2058-6", "African American", "2"},
	asian:  {"2028-9", "Asian", "2034-7", "Chinese", "3"},
	native: {"1002-5", "American Indian or Alaska Native", "1004-1", "American Indian", "4"},
	pacific: {"2076-8", "Native Hawaiian or Other Pacific Islander", "2079-2", "Native Hawaiian",
		"5"},
	otherRace: {"2131-1", "Other Race", "", "", "6"},
	twoRaces:  {codeTwoOrMore, "Two or more races", "", "", ""},
}

// group is a language group, by which most of the planted inequities go.
type group int8

const (
	english group = iota
	spanish
	chinese
	otherLanguage
	sign
)

var groups = [...]struct{ code, label string }{
	english:       {"english", "English"},
	spanish:       {"spanish", "Spanish"},
	chinese:       {"chinese", "Chinese"},
	otherLanguage: {"other", "Other"},
	sign:          {"sign", "Sign language"},
}

// languages are those spoken here: BCP 47 as sent by most systems, the variant with a region, the
// ISO 639-2 code, and the words that a registration desk types.
var languages = [...]struct {
	group                     group
	code, region, three, text string
}{
	{english, "en", "en-US", "eng", "English"},
	{spanish, "es", "es-MX", "spa", "Spanish"},
	{chinese, "zh", "zh-CN", "zho", "Chinese"},
	{chinese, "cmn", "cmn-Hans", "cmn", "Mandarin"},
	{chinese, "yue", "yue-HK", "yue", "Cantonese"},
	{otherLanguage, "vi", "vi-VN", "vie", "Vietnamese"},
	{otherLanguage, "ko", "ko-KR", "kor", "Korean"},
	{otherLanguage, "tl", "tl-PH", "tgl", "Tagalog"},
	{otherLanguage, "ar", "ar-EG", "ara", "Arabic"},
	{otherLanguage, "ru", "ru-RU", "rus", "Russian"},
	{otherLanguage, "ht", "ht-HT", "hat", "Haitian Creole"},
	{otherLanguage, "so", "so-SO", "som", "Somali"},
	{otherLanguage, "fr", "fr-FR", "fra", "French"},
	{otherLanguage, "pt", "pt-BR", "por", "Portuguese"},
	{sign, "ase", "sgn-US", "ase", "American Sign Language"},
}

// sites are the hospitals, in the order of their size.
var sites = [...]struct{ id, name string }{
	{"org-main", "Main Campus Medical Center"},
	{"org-north", "Northside Hospital"},
	{"org-river", "Riverside Community Hospital"},
	{"org-hill", "Hillcrest Hospital"},
	{"org-lake", "Lakeview Hospital"},
}

const (
	mainCampus = 0
	riverside  = 2
	hillcrest  = 3
)

// sexes are codes of http://hl7.org/fhir/administrative-gender.
var sexes = [...]string{"female", "male", "other", "unknown"}

// class indexes classes, which are codes of v3-ActCode with the local code that means the same.
type class int8

const (
	ambulatory class = iota
	virtual
	emergency
	inpatient
	acute
	nonAcute
	observation
	homeHealth
)

var classes = [...]struct{ code, label, local, typeCode, typeLabel string }{
	ambulatory: {"AMB", "ambulatory", "5", "185349003", "Encounter for check up (procedure)"},
	virtual:    {"VR", "virtual", "110", "185317003", "Telephone encounter (procedure)"},
	emergency:  {"EMER", "emergency", "101", "50849002", "Emergency room admission (procedure)"},
	inpatient: {"IMP", "inpatient encounter", "104", "183452005",
		"Emergency hospital admission (procedure)"},
	acute: {"ACUTE", "inpatient acute", "105", "183452005",
		"Emergency hospital admission (procedure)"},
	nonAcute: {"NONAC", "inpatient non-acute", "107", "32485007", "Hospital admission (procedure)"},
	observation: {"OBSENC", "observation encounter", "106", "448951000124107",
		"Admission to observation unit (procedure)"},
	homeHealth: {"HH", "home health", "108", "439708006", "Home visit (procedure)"},
}

// stay says that the class is a hospital stay: inpatient or observation.
func (c class) stay() bool { return c >= inpatient && c <= observation }

// short says that the class counts in the 30-day readmission measure.
func (c class) short() bool { return c == inpatient || c == acute }

func (c class) inpatient() bool { return c == inpatient || c == acute || c == nonAcute }

// disposition indexes dispositions.
type disposition int8

const (
	noDisposition disposition = iota
	home
	nursing
	rehab
	otherHospital
	againstAdvice
	expired
	leftUnseen
)

// dispositions are codes of THO discharge-disposition with the NUBC UB-04 form locator 17 code and
// the local one.
var dispositions = [...]struct{ code, label, nubc, local string }{
	home:          {"home", "Home", "01", "D1"},
	nursing:       {"snf", "Skilled nursing facility", "03", "D3"},
	rehab:         {"rehab", "Rehabilitation", "62", "D62"},
	otherHospital: {"other-hcf", "Other healthcare facility", "02", "D2"},
	againstAdvice: {"aadvice", "Left against advice", "07", "D7"},
	expired:       {"exp", "Expired", "20", "D20"},
	leftUnseen:    {codeLWBS, "Patient left without being seen (finding)", "", "D70"},
}

// use is the strength of the evidence that an interpreter took part.
type use int8

const (
	noInterpreter use = iota
	documented
	adHoc
	arranged
)

// ageBand returns the code of the band of ages that holds years.
func ageBand(years int) string {
	switch {
	case years < 0:
		return ""
	case years <= 17:
		return "0-17"
	case years <= 44:
		return "18-44"
	case years <= 64:
		return "45-64"
	case years <= 74:
		return "65-74"
	case years <= 84:
		return "75-84"
	}
	return "85+"
}
