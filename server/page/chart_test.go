package page_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html/atom"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/page"
)

// leadOf returns what the page says first.
func leadOf(t rapid.TB, p *page.Pages, lang string, v bedside.View) []string {
	t.Helper()
	root := tree(t, read(t, ask(t, p, lang, writeChart(page.Chart{View: v}))))
	return said(all(root, ofClass("lead"))[0])
}

func TestLead(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	view := func(language, need mapping.Value, use mapping.InterpreterUse, notices ...bedside.Notice) bedside.View {
		v := bedside.View{Language: fact(language), Interpreter: fact(need), Notices: notices}
		if use != "" {
			v.Visits = []bedside.Visit{{Start: date("2026-03-03"), Current: true, Need: need, Use: use}}
		}
		return v
	}
	yes, no, none := known(mapping.Yes), known(mapping.No), absent(mapping.Missing)
	about := func(resource string) bedside.Notice {
		return bedside.Notice{Kind: bedside.Unreachable, Resource: resource}
	}
	for _, test := range []struct {
		name   string
		in     bedside.View
		en, es []string
	}{
		{
			"needed and none documented", view(known("es"), yes, mapping.NoneDocumented),
			[]string{
				"Action needed", "Needs an interpreter for Spanish.",
				"No interpreter is documented for this visit.", "What to do",
				"Call a qualified interpreter before you go on, or document the one who is here.",
			},
			[]string{
				"Se requiere una acción", "Necesita intérprete de español.",
				"En esta visita no hay ningún intérprete documentado.", "Qué hacer",
				"Llame a un intérprete calificado antes de continuar, o documente al que está presente.",
			},
		},
		{
			"needed and documented", view(known("ase"), yes, mapping.Documented),
			[]string{
				"Documented", "Needs an interpreter for American Sign Language.",
				"An interpreter is documented for this visit.",
			},
			[]string{
				"Documentado", "Necesita intérprete de lengua de señas estadounidense (ASL).",
				"En esta visita hay un intérprete documentado.",
			},
		},
		{
			"arranged is not documented", view(known("yue"), yes, mapping.Arranged),
			[]string{
				"For your information", "Needs an interpreter for Yue Chinese.",
				"An interpreter is arranged for this visit. That one took part is not documented yet.",
				"What to do", "Once the interpreter has taken part, document it.",
			},
			[]string{
				"Para su información", "Necesita intérprete de cantonés.",
				"Hay un intérprete previsto para esta visita. Todavía no está documentado que haya participado.",
				"Qué hacer", "Cuando el intérprete haya participado, documéntelo.",
			},
		},
		{
			"family is no qualified interpreter", view(known("ht"), yes, mapping.AdHoc),
			[]string{
				"Action needed", "Needs an interpreter for Haitian Creole.",
				"For this visit, only a family member or friend is documented as interpreting.", "What to do",
				"Offer a qualified interpreter. A family member or friend does not replace one.",
			},
			[]string{
				"Se requiere una acción", "Necesita intérprete de criollo haitiano.",
				"En esta visita solo está documentado que interpreta un familiar o un amigo.", "Qué hacer",
				"Ofrezca un intérprete calificado. Un familiar o un amigo no lo sustituye.",
			},
		},
		{
			"needed, and the language is not recorded", view(none, yes, mapping.Documented),
			[]string{
				"Documented", "Needs an interpreter.", "An interpreter is documented for this visit.",
				"What to do",
				"The preferred language is not clear from the record: ask which language the interpreter is for.",
			},
			[]string{
				"Documentado", "Necesita intérprete.", "En esta visita hay un intérprete documentado.",
				"Qué hacer",
				"El idioma preferido no queda claro en el expediente: pregunte de qué idioma debe ser el intérprete.",
			},
		},
		{
			"needed by who prefers English", view(known("en"), yes, mapping.Documented),
			[]string{
				"Documented", "Needs an interpreter.", "An interpreter is documented for this visit.",
				"What to do",
				"The preferred language is recorded as English: ask which language the interpreter is for.",
			},
			[]string{
				"Documentado", "Necesita intérprete.", "En esta visita hay un intérprete documentado.",
				"Qué hacer",
				"Como idioma preferido consta el inglés: pregunte de qué idioma debe ser el intérprete.",
			},
		},
		{
			"needed, and no visit is under way", view(known("es"), yes, ""),
			[]string{
				"Please check", "Needs an interpreter for Spanish.",
				"Which visit is under way is not known here. Recent visits are listed below.", "What to do",
				"Make sure that an interpreter is there, and document it.",
			},
			[]string{
				"Compruébelo, por favor", "Necesita intérprete de español.",
				"Aquí no se sabe cuál es la visita en curso. Más abajo figuran las visitas recientes.",
				"Qué hacer", "Asegúrese de que haya un intérprete y documéntelo.",
			},
		},
		{
			"needed, and visits were not read", view(known("es"), yes, "", about("Encounter")),
			[]string{
				"Please check", "Needs an interpreter for Spanish.",
				"Whether one is documented for this visit could not be read.", "What to do",
				"Make sure that an interpreter is there, and document it.",
			},
			[]string{
				"Compruébelo, por favor", "Necesita intérprete de español.",
				"No se pudo leer si hay un intérprete documentado en esta visita.", "Qué hacer",
				"Asegúrese de que haya un intérprete y documéntelo.",
			},
		},
		{
			"not needed", view(known("es"), no, mapping.NoneDocumented),
			[]string{"For your information", "No interpreter is needed, according to the record.",
				"The preferred language is Spanish."},
			[]string{"Para su información", "Según el expediente, no necesita intérprete.",
				"El idioma preferido es español."},
		},
		{
			"not needed and documented all the same", view(known("es"), no, mapping.Documented),
			[]string{
				"For your information", "No interpreter is needed, according to the record.",
				"The preferred language is Spanish.",
				"An interpreter is documented for this visit.",
			},
			[]string{
				"Para su información", "Según el expediente, no necesita intérprete.",
				"El idioma preferido es español.",
				"En esta visita hay un intérprete documentado.",
			},
		},
		{
			"not recorded, whatever the language", view(known("es"), none, mapping.NoneDocumented),
			[]string{
				"Please ask", "Interpreter need is not recorded.",
				"The preferred language is Spanish.", "What to do",
				"Ask the patient, with an interpreter if you need one to ask. Registration records the answer.",
			},
			[]string{
				"Pregunte, por favor", "No consta si necesita intérprete.",
				"El idioma preferido es español.", "Qué hacer",
				"Pregunte al paciente, con un intérprete si le hace falta para preguntar. Admisión registra la respuesta.",
			},
		},
		{
			"not recorded where visits may say so", view(known("es"), none, "", about("Encounter")),
			[]string{
				"Please check", "Whether an interpreter is needed could not be read.",
				"The preferred language is Spanish.", "What to do",
				"Look in the chart, or ask the patient.",
			},
			[]string{
				"Compruébelo, por favor", "No se pudo leer si necesita intérprete.",
				"El idioma preferido es español.", "Qué hacer",
				"Consulte el expediente o pregunte al paciente.",
			},
		},
		{
			"not recorded of a visit that was read, whatever others say",
			view(known("es"), none, mapping.Documented, about("Encounter")),
			[]string{
				"Please ask", "Interpreter need is not recorded.",
				"The preferred language is Spanish.",
				"An interpreter is documented for this visit.", "What to do",
				"Ask the patient, with an interpreter if you need one to ask. Registration records the answer.",
			},
			[]string{
				"Pregunte, por favor", "No consta si necesita intérprete.",
				"El idioma preferido es español.",
				"En esta visita hay un intérprete documentado.", "Qué hacer",
				"Pregunte al paciente, con un intérprete si le hace falta para preguntar. Admisión registra la respuesta.",
			},
		},
		{
			"declined is an answer", view(known("es"), absent(mapping.AskedDeclined), ""),
			[]string{
				"For your information", "Asked about an interpreter, the patient chose not to answer.",
				"The preferred language is Spanish.",
				"What to do", "An interpreter can still be offered at any time.",
			},
			[]string{
				"Para su información", "Se le preguntó si necesita intérprete y decidió no responder.",
				"El idioma preferido es español.",
				"Qué hacer", "En cualquier momento se le puede ofrecer un intérprete.",
			},
		},
		{
			"conflicting settles nothing", view(known("es"), absent(mapping.Conflicting), mapping.Documented),
			[]string{
				"Please ask", "Records disagree on whether an interpreter is needed.",
				"The preferred language is Spanish.",
				"An interpreter is documented for this visit.", "What to do",
				"Ask the patient. Registration corrects the record.",
			},
			[]string{
				"Pregunte, por favor", "Los datos se contradicen: no queda claro si necesita intérprete.",
				"El idioma preferido es español.",
				"En esta visita hay un intérprete documentado.", "Qué hacer",
				"Pregunte al paciente. Admisión corrige el expediente.",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.en, leadOf(t, p, "en", test.in)); diff != "" {
				t.Errorf("in English (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.es, leadOf(t, p, "es", test.in)); diff != "" {
				t.Errorf("in Spanish (-want +got):\n%s", diff)
			}
		})
	}
}

// drawView draws what the first sentence depends on.
func drawView(t *rapid.T) bedside.View {
	value := func(label string, codes ...string) mapping.Value {
		v := absent(rapid.SampledFrom(mapping.States()).Draw(t, label))
		if v.State == mapping.Known {
			v.Code = rapid.SampledFrom(codes).Draw(t, label+" code")
		}
		return v
	}
	v := bedside.View{
		Language:    fact(value("language", "en", "es", "ase", "qub", "lsb")),
		Interpreter: fact(value("need", mapping.Yes, mapping.No)),
	}
	v.Fields = fields(value("race", "2106-3"), value("ethnicity", "2135-2"), v.Language.Value,
		v.Interpreter.Value)
	for range rapid.IntRange(0, 3).Draw(t, "visits") {
		v.Visits = append(v.Visits, bedside.Visit{
			Start: date("2026-01-01"), Current: rapid.Bool().Draw(t, "current"),
			Use: rapid.SampledFrom([]mapping.InterpreterUse{
				mapping.Documented, mapping.Arranged, mapping.AdHoc, mapping.NoneDocumented,
			}).Draw(t, "use"),
		})
	}
	for range rapid.IntRange(0, 2).Draw(t, "notices") {
		v.Notices = append(v.Notices, bedside.Notice{
			Kind:     rapid.SampledFrom(bedside.NoticeKinds()).Draw(t, "kind"),
			Resource: rapid.SampledFrom([]string{"Patient", "Encounter", "AdverseEvent"}).Draw(t, "about"),
		})
	}
	return v
}

// What was not read is never said to be missing, and what is not documented is said of a visit that was
// read alone.
func TestNothingIsClaimedThatWasNotRead(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	rapid.Check(t, func(t *rapid.T) {
		v := drawView(t)
		about := func(resource string) bool {
			return slices.ContainsFunc(v.Notices, func(n bedside.Notice) bool { return n.Resource == resource })
		}
		first := strings.Join(leadOf(t, p, "en", v), "\n")
		if about("Patient") && strings.Contains(first, "not recorded") {
			t.Errorf("the patient was not read, and the page says\n%s", first)
		}
		current := slices.IndexFunc(v.Visits, func(one bedside.Visit) bool { return one.Current })
		if strings.Contains(first, "No interpreter is documented") &&
			(current < 0 || v.Visits[current].Use != mapping.NoneDocumented) {
			t.Errorf("no such visit was read, and the page says\n%s", first)
		}
		needed := v.Interpreter.State == mapping.Known && v.Interpreter.Code == mapping.Yes
		if strings.Contains(first, "Needs an interpreter") != needed {
			t.Errorf("need is %v, and the page says\n%s", v.Interpreter.Value, first)
		}
		body := read(t, ask(t, p, "en", writeChart(page.Chart{View: v})))
		if strings.Contains(body, "Could not be read") && strings.Contains(body, "of 4") {
			t.Error("something was not read, and the page counts what is recorded")
		}
		for resource, none := range map[string]string{
			"Encounter": "The EHR sent no visits", "AdverseEvent": "The EHR holds no harm event",
		} {
			if about(resource) && strings.Contains(body, none) {
				t.Errorf("%s was not read as a whole, and the page says %q", resource, none)
			}
		}
	})
}

// Of many places that agree a few are shown; one that contradicts them is never among the rest.
func TestSourcesThatDisagreeAreShown(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	yes, no := known(mapping.Yes), known(mapping.No)
	v := chartQuiet()
	v.Interpreter = fact(yes, onPatient(yes), onVisit(yes, "2026-02"), onVisit(yes, "2026-01"),
		onVisit(yes, "2025-12"), onVisit(no, "2025-11"), onVisit(yes, "2025-10"), onVisit(no, "2025"))
	root := tree(t, read(t, ask(t, p, "en", writeChart(page.Chart{View: v}))))
	need := all(root, ofClass("fact"))[1]
	var got [][]string
	for _, list := range all(need, ofClass("sources")) {
		var lines []string
		for _, line := range all(list, ofTag(atom.Li)) {
			lines = append(lines, strings.Join(said(line), ""))
		}
		got = append(got, lines)
	}
	want := [][]string{
		{
			"Interpreter needed, in the patient’s record(that record was last changed on February 11, 2026)",
			"Interpreter needed, at the visit of February 2026",
			"Interpreter needed, at the visit of January 2026",
			"No interpreter needed, at the visit of November 2025",
			"No interpreter needed, at the visit of 2025",
		},
		{
			"Interpreter needed, at the visit of December 2025",
			"Interpreter needed, at the visit of October 2025",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the sources (-want +got):\n%s", diff)
	}
}

func TestVisitsSayWhatIsDocumented(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	root := tree(t, read(t, ask(t, p, "en", writeChart(page.Chart{View: chartNeeded()}))))
	var got [][]string
	for _, row := range all(all(root, ofTag(atom.Tbody))[0], ofTag(atom.Tr)) {
		got = append(got, said(row))
	}
	want := [][]string{
		{"March 3, 2026", "This visit", "Emergency", "Riverside Emergency", "Yes", "None documented"},
		{"January 20, 2026", "to January 24, 2026", "Inpatient", "Riverside Hospital", "Yes", "Documented"},
		{"November 2, 2025", "Ambulatory", "telehealth", "Riverside Family Clinic", "No", "None documented"},
		{"August 9, 2025", "Ambulatory", "Riverside Family Clinic", "Yes", "Family or friend only"},
		{
			"June 14, 2025", "Not recorded", "Not recorded", "Not recorded",
			"Arranged; taking part not documented",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the visits (-want +got):\n%s", diff)
	}
}

func TestEventsSayWhetherInequityWasAskedAbout(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	root := tree(t, read(t, ask(t, p, "es", writeChart(page.Chart{View: chartNeeded()}))))
	var got [][]string
	for _, row := range all(all(root, ofTag(atom.Tbody))[1], ofTag(atom.Tr)) {
		got = append(got, said(row))
	}
	want := [][]string{
		{"22 de enero de 2026", "Incidente con la medicación", "Ocurrido", "Moderada", "Resuelto", "Sin preguntar"},
		{
			"noviembre de 2025", "Paciente equivocado", "Cuasi incidente", "No consta", "Desconocido",
			"No se pudo determinar",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the events (-want +got):\n%s", diff)
	}
}

func TestBannerIsThereWhereTheEHRAsksForIt(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for name, want := range map[string]int{"asked for": 1, "not asked for": 0} {
		v := chartAbsent()
		if want == 0 {
			v.Banner = nil
		}
		root := tree(t, read(t, ask(t, p, "en", writeChart(page.Chart{View: v}))))
		if got := len(all(root, ofClass("banner"))); got != want {
			t.Errorf("%s: %d banners, want %d", name, got, want)
		}
	}
}
