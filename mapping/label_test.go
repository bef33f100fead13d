package mapping

import "testing"

func TestLabel(t *testing.T) {
	t.Parallel()
	tests := []struct{ system, code, want string }{
		{SystemCDCREC, "2106-3", "White"},
		{SystemCDCREC, "2123-8", "Lebanese"},
		{DimensionRace, "2076-8", "Native Hawaiian or Other Pacific Islander"},
		{DimensionRace, TwoOrMore, "Two or more races"},
		{DimensionRaceEthnicity, "2135-2", "Hispanic or Latino"},
		{DimensionLanguage, "vi", "Vietnamese"},
		{DimensionLanguage, "ase", "American Sign Language"},
		{DimensionLanguage, "el", "Greek"},
		{DimensionLanguage, "und\tx", "und\tx"},
		{DimensionLanguage, "", ""},
		{DimensionLanguageGroup, Sign, "Sign language"},
		{DimensionLanguageGroup, Other, "Other language"},
		{DimensionInterpreter, Yes, "Yes"},
		{DimensionSex, "female", "Female"},
		{DimensionAgeBand, Age85Up, "85+"},
		{DimensionSite, "org-1", "org-1"},
		{SystemState, string(AskedDeclined), "Asked, declined to answer"},
		{SystemInequity, "not-asked", "Not asked"},
		{systemActCode, "OBSENC", "Observation"},
		{systemDisposition, "lwbs", "Left without being seen"},
		{"urn:local", "7", "7"},
	}
	for _, tt := range tests {
		if got := Label(tt.system, tt.code); got != tt.want {
			t.Errorf("Label(%s, %s) = %q, want %q", tt.system, tt.code, got, tt.want)
		}
	}
}

func TestEveryCodeHasWords(t *testing.T) {
	t.Parallel()
	for _, s := range States() {
		if Label(SystemState, string(s)) == string(s) {
			t.Errorf("state %s has no words", s)
		}
	}
	for _, code := range append(OtherRace.List(), (OtherRace - 1).List()...) {
		if Label(DimensionRace, code) == code {
			t.Errorf("race %s has no words", code)
		}
	}
	for _, code := range (SPD15Hispanic<<1 - 1).List() {
		if Label(SystemCDCREC, code) == code {
			t.Errorf("category %s has no words", code)
		}
	}
	for _, code := range []string{English, Spanish, Chinese, Sign, Other} {
		if Label(DimensionLanguageGroup, code) == code {
			t.Errorf("group %s has no words", code)
		}
	}
}

func TestSystemOf(t *testing.T) {
	t.Parallel()
	for dimension, want := range map[string]string{
		DimensionRace: SystemCDCREC, DimensionEthnicity: SystemCDCREC, DimensionLanguage: SystemBCP47,
		DimensionLanguageGroup: SystemLanguage, DimensionInterpreter: SystemInterpreter,
		DimensionSex: SystemGender, DimensionAgeBand: SystemAgeBand, DimensionSite: SystemSite, "month": "",
	} {
		if got := SystemOf(dimension, "x"); got != want {
			t.Errorf("SystemOf(%s) = %q, want %q", dimension, got, want)
		}
	}
	if got := SystemOf(DimensionRaceEthnicity, TwoOrMore); got != SystemRace {
		t.Errorf("SystemOf(two-or-more) = %q", got)
	}
}
