package mapping

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
)

func TestRaceAndEthnicityVectors(t *testing.T) {
	t.Parallel()
	type expected struct {
		Races       []string `json:"races_omb1997"`
		Ethnicity   string   `json:"ethnicity"`
		Combined    string   `json:"combined_mutually_exclusive"`
		NCQARace    string   `json:"ncqa_race"`
		NCQAEth     string   `json:"ncqa_ethnicity"`
		Combination []string `json:"alone_or_in_combination"`
		SPD15       []string `json:"spd15_2024"`
		RaceStatus  string   `json:"race_status"`
	}
	file := vectors[struct {
		Cases []struct {
			ID     string
			Inputs struct {
				Extension []extensionJSON `json:"patient_extension"`
			}
			Expected expected
		}
	}](t, "mapping_race_ethnicity.json")
	if len(file.Cases) == 0 {
		t.Fatal("no vectors")
	}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			p, _ := mapper(t, Config{}).Patient(
				&fhir.Patient{Extension: extensionsFrom(c.Inputs.Extension)}, nil)
			race, ethnicity := NCQASeparate(&p)
			got := expected{
				Races:       oracleNames(p.Races.List(), oracleShort),
				Ethnicity:   oracleEthnicity(p.Ethnicity),
				Combined:    oracleExclusive(OMB1997Exclusive(&p)),
				NCQARace:    oracleNCQA(race),
				NCQAEth:     oracleNCQA(ethnicity),
				Combination: oracleNames(known(AloneOrInCombination(&p)), oracleShort),
				SPD15:       oracleNames(known(SPD15Of2024(&p)), oracleSPD15),
				RaceStatus:  string(p.Race.State),
			}
			if diff := cmp.Diff(c.Expected, got); diff != "" {
				t.Errorf("Patient(%s): -want +got\n%s", c.ID, diff)
			}
		})
	}
}

func known(values []Value) []string {
	var codes []string
	for _, v := range values {
		if v.State == Known {
			codes = append(codes, v.Code)
		}
	}
	return codes
}

func oracleNames(codes []string, name func(string) string) []string {
	names := []string{}
	for _, c := range codes {
		names = append(names, name(c))
	}
	slices.Sort(names)
	return names
}

func oracleShort(code string) string {
	return map[string]string{codeAmericanIndian: "AIAN", codeAsian: "Asian", codeBlack: "Black",
		codePacificIslander: "NHPI", codeWhite: "White", codeOtherRace: "Other",
		codeHispanic: "Hispanic", TwoOrMore: "Two or More"}[code]
}

func oracleSPD15(code string) string {
	return map[string]string{codeAmericanIndian: "AIAN", codeAsian: "ASIAN", codeBlack: "BLACK",
		codePacificIslander: "NHPI", codeWhite: "WHITE", codeMiddleEastern: "MENA",
		codeHispanic: "HISPANIC"}[code]
}

func oracleEthnicity(v Value) string {
	switch v.Code {
	case codeHispanic:
		return "Hispanic"
	case codeNotHispanic:
		return "NotHispanic"
	}
	return map[State]string{Unknown: "Unknown", AskedNoAnswer: "AskedNoAnswer",
		Missing: "Missing"}[v.State]
}

func oracleExclusive(v Value) string {
	if v.State != Known {
		return "Unknown"
	}
	return oracleShort(v.Code)
}

func oracleNCQA(v Value) string {
	switch {
	case v.State == AskedNoAnswer:
		return "Asked But No Answer"
	case v.State != Known:
		return "Unknown"
	}
	return map[string]string{codeAmericanIndian: "American Indian or Alaska Native",
		codeAsian: "Asian", codeBlack: "Black", codeWhite: "White", TwoOrMore: "Two or More Races",
		codeHispanic: "Hispanic or Latino", codeNotHispanic: "Not Hispanic or Latino"}[v.Code]
}

func TestLanguageAndInterpreterVectors(t *testing.T) {
	t.Parallel()
	type expected struct {
		Language string `json:"preferred_language"`
		Group    string `json:"language_group"`
		Need     string `json:"interpreter_needed"`
		LEP      string `json:"lep_proxy"`
	}
	file := vectors[struct {
		NeedCodes map[string][][2]string `json:"need_codes"`
		Cases     []struct {
			ID     string
			Inputs struct {
				Communication []communicationJSON
				Extension     []extensionJSON
				Encounter     encounterJSON
			}
			Expected expected
		}
		Use []struct {
			ID       string
			Inputs   struct{ Encounter encounterJSON }
			Expected struct {
				Use InterpreterUse `json:"interpreter_use"`
			}
		} `json:"interpreter_use"`
	}](t, "mapping_language_interpreter.json")
	if len(file.Cases) == 0 || len(file.Use) == 0 || len(file.NeedCodes) == 0 {
		t.Fatal("no vectors")
	}
	m := mapper(t, Config{})
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			p, _ := m.Patient(&fhir.Patient{Extension: extensionsFrom(c.Inputs.Extension),
				Communication: communicationsFrom(c.Inputs.Communication)}, nil)
			e, _ := m.Encounter(c.Inputs.Encounter.fhir(), nil)
			need := ResolveNeed(e.InterpreterNeed, p.InterpreterNeed)
			got := expected{
				Language: p.Language.Code,
				Group:    oracleGroup(p.LanguageGroup),
				Need:     oracleNeed(need),
				LEP:      string(LimitedEnglishOf(p.Language, need)),
			}
			if diff := cmp.Diff(c.Expected, got); diff != "" {
				t.Errorf("%s: -want +got\n%s", c.ID, diff)
			}
		})
	}
	for _, c := range file.Use {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			e, _ := m.Encounter(c.Inputs.Encounter.fhir(), nil)
			if e.InterpreterUse != c.Expected.Use {
				t.Errorf("Encounter(%s).InterpreterUse = %s, want %s", c.ID, e.InterpreterUse, c.Expected.Use)
			}
		})
	}
	for want, codings := range file.NeedCodes {
		for _, c := range codings {
			v, _ := m.need(needExtension(extensionNeeded, c[0], c[1]), needElements{"a", "b"}, nil)
			if got := oracleNeed(v); got != want {
				t.Errorf("need(%s|%s) = %s, want %s", c[0], c[1], got, want)
			}
		}
	}
}

func needExtension(url, system, code string) []fhir.Extension {
	return []fhir.Extension{{URL: url, ValueCoding: &fhir.Coding{System: system, Code: code}}}
}

func oracleGroup(v Value) string {
	if v.State != Known {
		return "Unknown"
	}
	return map[string]string{English: "English", Spanish: "Spanish", Chinese: "Chinese",
		Sign: "Sign language", Other: "Other"}[v.Code]
}

func oracleNeed(v Value) string {
	switch v.State {
	case Known:
		return v.Code
	case Conflicting:
		return "conflict"
	case Unknown, AskedNoAnswer, Missing:
		return "unknown"
	case AskedDeclined, Unmapped, TextOnly:
	}
	return string(v.State)
}

func TestAgeVectors(t *testing.T) {
	t.Parallel()
	file := vectors[struct {
		Age []struct {
			Inputs struct {
				Birth string `json:"birthDate"`
				At    string
			}
			Expected struct {
				Years int `json:"age_years"`
			}
		}
		Bands []struct {
			Scheme string
			Bands  []string
		}
	}](t, "age_los.json")
	if len(file.Age) == 0 || file.Bands[0].Scheme != "cms_broad" {
		t.Fatal("no vectors")
	}
	for _, c := range file.Age {
		years, ok := AgeAt(day(t, c.Inputs.Birth), day(t, c.Inputs.At).Days)
		if !ok || years != c.Expected.Years {
			t.Errorf("AgeAt(%s, %s) = %d, %t, want %d",
				c.Inputs.Birth, c.Inputs.At, years, ok, c.Expected.Years)
		}
	}
	if diff := cmp.Diff(file.Bands[0].Bands, AgeBands()); diff != "" {
		t.Errorf("AgeBands(): -want +got\n%s", diff)
	}
}

func day(t testing.TB, text string) fhir.DateTime {
	t.Helper()
	d, err := fhir.ParseDateTime(text)
	if err != nil {
		t.Fatalf("ParseDateTime(%q): %v", text, err)
	}
	return d
}
