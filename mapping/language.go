package mapping

import (
	"strings"

	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/fhir"
)

// Codes of SystemLanguage: the groups of LanguageGroup.
const (
	English = "english"
	Spanish = "spanish"
	Chinese = "chinese"
	Sign    = "sign"
	Other   = "other"
)

const communicationElement = "Patient.communication"

// preferredLanguage maps Patient.communication: the entry flagged as preferred, else the only entry
// without a flag. Entries that the flags do not decide between count if all say one thing, and are
// Unknown otherwise.
func (m *Mapper) preferredLanguage(p *Patient, in []fhir.Communication, issues []Issue) []Issue {
	preferred, open := 0, 0
	for i := range in {
		switch flag := in[i].Preferred; {
		case flag == nil:
			open++
		case *flag:
			preferred++
		}
	}
	switch {
	case len(in) == 0:
		p.Language = Value{State: Missing}
	case preferred > 0:
		p.Language, issues = m.agreed(in, flagged, Conflicting, issues)
	case open > 0:
		p.Language, issues = m.agreed(in, unflagged, Unknown, issues)
	default:
		p.Language = Value{State: Unknown, From: communicationElement}
		issues = append(issues, Issue{Kind: PreferenceUnsettled, Element: communicationElement})
	}
	p.LanguageGroup = languageGroup(p.Language)
	return issues
}

func flagged(c *fhir.Communication) bool   { return c.Preferred != nil && *c.Preferred }
func unflagged(c *fhir.Communication) bool { return c.Preferred == nil }

// agreed reads the chosen entries, which all come from one element. If they differ the value is in
// the state split, except that among preferred entries a null code says nothing beside a language.
func (m *Mapper) agreed(
	in []fhir.Communication, chosen func(*fhir.Communication) bool, split State, issues []Issue,
) (Value, []Issue) {
	const element = "Patient.communication.language"
	var said, null Value
	differ := false
	for i := range in {
		if !chosen(&in[i]) {
			continue
		}
		var v Value
		v, issues = m.concept(reader{table: languageCode}, in[i].Language, element, issues)
		if v.State == Missing {
			v = Value{State: Unknown, From: element}
			issues = append(issues, Issue{Kind: MissingRequired, Element: element})
		}
		switch {
		case split == Conflicting && nullState(v.State):
			if strength(v.State) > strength(null.State) {
				null = v
			}
		case said.State == "":
			said = v
		default:
			differ = differ || v != said
		}
	}
	switch {
	case differ && split == Conflicting:
		return Value{State: split, From: communicationElement},
			append(issues, Issue{Kind: ContradictoryCodes, Element: communicationElement})
	case differ:
		return Value{State: split, From: communicationElement},
			append(issues, Issue{Kind: PreferenceUnsettled, Element: communicationElement})
	case said.State == "":
		return null, issues
	case null.State != "":
		issues = append(issues, Issue{Kind: KnownBesideUnknown, Element: communicationElement})
	}
	return said, issues
}

// nullState reports whether a state says that there is no answer, rather than one we cannot use.
func nullState(s State) bool {
	return s == Unknown || s == AskedNoAnswer || s == AskedDeclined
}

// languageSystem reports whether the codes of system are language tags: BCP 47, and the object
// identifiers under which CDA sends ISO 639 and RFC 3066.
func languageSystem(system string) bool {
	switch system {
	case SystemBCP47, "urn:oid:2.16.840.1.113883.6.121", "urn:oid:2.16.840.1.113883.6.100",
		"urn:oid:2.16.840.1.113883.6.99":
		return true
	}
	return false
}

// languageCode reads a language tag down to its primary subtag, in two letters where ISO 639-1 has
// them. Script, region and variant are dropped. A subtag that the registry does not hold is not
// guessed at, and private ones are not known.
func languageCode(c fhir.Coding) (string, State) {
	const longestTag = 35 // RFC 5646, section 4.4.1
	if !languageSystem(c.System) || len(c.Code) > longestTag {
		return "", ""
	}
	tag := strings.ReplaceAll(strings.ToLower(c.Code), "_", "-")
	primary, rest, _ := strings.Cut(tag, "-")
	second, _, _ := strings.Cut(rest, "-")
	switch primary {
	case "und", "zxx", "mul", "mis":
		return "", Unknown
	case "sgn":
		return signCode(second, rest), Known
	case "zh", "zho", "chi":
		if chineseExtension(second) {
			return second, Known
		}
	}
	if code := preferredSubtag(primary); code != "" {
		return code, Known
	}
	if len(primary) == 3 && primary >= "qaa" && primary <= "qtz" {
		return "", ""
	}
	base, err := language.ParseBase(primary)
	if err != nil {
		return "", ""
	}
	return base.String(), Known
}

// signCode reads what follows sgn: an extended language, a region, or nothing we know.
func signCode(second, rest string) string {
	switch {
	case signLanguage(second):
		return second
	case rest == "be-fr":
		return "sfb"
	case rest == "be-nl":
		return "vgt"
	case rest == "ch-de":
		return "sgg"
	case signByRegion(rest) != "":
		return signByRegion(rest)
	}
	return "sgn"
}

// chineseExtension reports whether a second subtag after zh names the Chinese language itself,
// which RFC 5646, section 4.5, then prefers as the primary subtag: zh-yue is yue.
func chineseExtension(second string) bool {
	switch second {
	case "cdo", "cjy", "cmn", "cpx", "czh", "czo", "gan", "hak", "hsn", "lzh", "mnp", "nan", "wuu",
		"yue":
		return true
	}
	return false
}

// preferredSubtag returns the two letters for the bibliographic codes of ISO 639-2, which are no
// BCP 47 subtags but are sent as such (https://www.loc.gov/standards/iso639-2), and for the subtags
// that the IANA registry deprecates.
func preferredSubtag(primary string) string { //nolint:funlen // A table that nothing can change.
	switch primary {
	case "alb":
		return "sq"
	case "arm":
		return "hy"
	case "baq":
		return "eu"
	case "bur":
		return "my"
	case "chi":
		return "zh"
	case "cze":
		return "cs"
	case "dut":
		return "nl"
	case "fre":
		return "fr"
	case "geo":
		return "ka"
	case "ger":
		return "de"
	case "gre":
		return "el"
	case "ice":
		return "is"
	case "mac":
		return "mk"
	case "mao":
		return "mi"
	case "may":
		return "ms"
	case "per":
		return "fa"
	case "rum", "mo", "mol":
		return "ro"
	case "scc":
		return "sr"
	case "scr":
		return "hr"
	case "slo":
		return "sk"
	case "tib":
		return "bo"
	case "wel":
		return "cy"
	case "in":
		return "id"
	case "iw":
		return "he"
	case "ji":
		return "yi"
	case "jw":
		return "jv"
	}
	return ""
}

// languageGroup puts a language into its group; a language that is not known keeps its state.
func languageGroup(v Value) Value {
	if v.State != Known {
		return v
	}
	switch {
	case v.Code == "en":
		v.Code = English
	case v.Code == "es":
		v.Code = Spanish
	case v.Code == "zh" || v.Code == "cmn" || v.Code == "yue":
		v.Code = Chinese
	case signLanguage(v.Code):
		v.Code = Sign
	default:
		v.Code = Other
	}
	return v
}
