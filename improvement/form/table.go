package form

import (
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/mapping"
)

// Code systems of what people decide. Those of the reviews are in improvement/review.
const (
	// SystemTask says what kind of Task one is, SystemDetail what an input or output of it holds.
	SystemTask   = r4.OwnSystem + "task"
	SystemDetail = r4.OwnSystem + "task-detail"
	// SystemState is where a review stands, SystemHow in which way it was settled.
	SystemState = r4.OwnSystem + "review-state"
	SystemHow   = r4.OwnSystem + "review-settlement"
	// SystemOutcome is what came of an action, SystemFound what it answers.
	SystemOutcome = r4.OwnSystem + "action-outcome"
	SystemFound   = r4.OwnSystem + "finding"
	// SystemFlag is the category of a declared condition.
	SystemFlag = r4.OwnSystem + "flag-category"
	// SystemLevel is how far something has grown.
	SystemLevel = r4.OwnSystem + "readiness-level"
	// SystemMeasure holds the measures of the catalogue by their ids, which differ from site to site:
	// it is not published.
	SystemMeasure = r4.OwnSystem + "measure"
)

// The kinds of Tasks.
const (
	ReviewTask = "equity-review"
	ActionTask = "equity-action"
)

// table is one code system as it is published.
type table struct {
	url   string
	name  string
	title review.Words
	about string
	terms func() []review.Concept
}

// id is the last part of the canonical.
func (t table) id() string { return t.url[len(r4.OwnSystem):] }

// term is a concept in few words.
func term(code, english, spanish, definition, translated string) review.Concept {
	return review.Concept{
		Code: code, Display: review.Words{English: english, Spanish: spanish},
		Definition: review.Words{English: definition, Spanish: translated},
	}
}

// tables are the code systems that are published: those of ours whose members stand in the program.
// Sites and measures are not the program's to list.
func tables() []table {
	return append(reviewTables(), append(actionTables(), groupTables()...)...)
}

func reviewTables() []table {
	return []table{
		{review.SystemAnswer, "InequityContribution",
			review.Words{English: "Was inequity a contributing factor",
				Spanish: "¿Contribuyó la inequidad?"},
			"The answer to the question whether inequity was among the factors that " +
				"contributed to a harm event.",
			func() []review.Concept { return append(review.Answers(), review.NotAsked()) }},
		{review.SystemFactor, "InequityFactor",
			review.Words{English: "Ways in which inequity contributes",
				Spanish: "Formas en que contribuye la inequidad"},
			"In which way inequity contributed to a harm event, or which root cause an action addresses.",
			review.Factors},
		{review.SystemDetection, "EventDetection",
			review.Words{English: "How a harm event came to be known",
				Spanish: "Cómo se conoció un evento adverso"},
			"How a harm event came to be known. Events that came to be known in different ways are never " +
				"counted together.",
			review.Detections},
		{SystemState, "ReviewState",
			review.Words{English: "Where a review stands", Spanish: "Estado de una revisión"},
			"Where the equity review of a harm event stands.", reviewStates},
		{SystemHow, "ReviewSettlement",
			review.Words{English: "How a review was settled", Spanish: "Cómo se resolvió una revisión"},
			"In which way a review came to its answer.", settlements},
	}
}

func settlements() []review.Concept {
	return []review.Concept{
		term(string(review.Single), "Single", "Una persona", "One reviewer was asked for, and answered.",
			"Se pedía una persona revisora, y respondió."),
		term(string(review.Agreed), "Agreed", "De acuerdo",
			"Two reviewers came to the same answer, factors and detection.",
			"Dos personas revisoras llegaron a la misma respuesta, factores y detección."),
		term(string(review.Adjudicated), "Adjudicated", "Resuelta por otra persona",
			"Two reviewers differed, and a third person settled it.",
			"Dos personas revisoras discreparon y una tercera lo resolvió."),
	}
}

func reviewStates() []review.Concept {
	return []review.Concept{
		term(string(review.Open), "Open", "Abierta", "Nobody has answered.", "Nadie ha respondido."),
		term(string(review.Waiting), "Waiting", "En espera",
			"One reviewer has answered where two are asked for.",
			"Ha respondido una persona donde se piden dos."),
		term(string(review.Disagreed), "Disagreed", "En desacuerdo",
			"Two answers differ, and somebody has to settle it.",
			"Dos respuestas difieren y alguien tiene que resolverlo."),
		term(string(review.Settled), "Settled", "Resuelta", "There is an answer.", "Hay una respuesta."),
	}
}

func actionTables() []table {
	return []table{
		{SystemTask, "EquityTask", review.Words{English: "Kinds of tasks", Spanish: "Tipos de tareas"},
			"What is to be done.", kinds},
		{SystemDetail, "EquityTaskDetail",
			review.Words{English: "Details of tasks", Spanish: "Detalles de las tareas"},
			"What an input or an output of a Task holds.", details},
		{SystemOutcome, "ActionOutcome",
			review.Words{English: "What came of an action", Spanish: "Qué resultó de una acción"},
			"What came of an action in the eyes of who closed it. What the figures say stands beside it; " +
				"neither says that the action is why.", outcomes},
		{SystemFound, "EquityFinding", review.Words{English: "Findings", Spanish: "Hallazgos"},
			"What an action answers.", findings},
		{SystemFlag, "EquityFlagCategory",
			review.Words{English: "Kinds of flags", Spanish: "Tipos de avisos"}, "What a Flag is about.",
			flags},
	}
}

func kinds() []review.Concept {
	return []review.Concept{
		term(ReviewTask, "Equity review of a harm event", "Revisión de equidad de un evento adverso",
			"Asking of a harm event whether inequity contributed to it.",
			"Preguntar de un evento adverso si la inequidad contribuyó a él."),
		term(ActionTask, "Action on a finding", "Acción ante un hallazgo",
			"What an institution does about a gap, a group or a cluster of reviewed events.",
			"Lo que hace una institución ante una brecha, un grupo o un conjunto de eventos revisados."),
	}
}

func findings() []review.Concept {
	return []review.Concept{
		term(string(action.Gap), "Gap", "Brecha", "A group differs from the one that it is held against.",
			"Un grupo difiere de aquel con el que se compara."),
		term(string(action.Stratum), "Group", "Grupo", "A group as such.", "Un grupo por sí mismo."),
		term(string(action.Cluster), "Cluster", "Conjunto",
			"Several reviewed events have something in common.",
			"Varios eventos revisados tienen algo en común."),
	}
}

func flags() []review.Concept {
	return []review.Concept{term(DeclaredCondition, "Declared condition", "Condición declarada",
		"An interval in which care was given under a named condition, as the institution declares it.",
		"Un intervalo en el que se atendió en una condición con nombre, según declara la institución.")}
}

func outcomes() []review.Concept {
	return []review.Concept{
		term(string(action.Reduced), "Reduced", "Se redujo", "The inequity is smaller than before.",
			"La inequidad es menor que antes."),
		term(string(action.NoChange), "No change", "Sin cambio", "It is what it was.", "Es la que era."),
		term(string(action.Widened), "Widened", "Aumentó", "It is larger than before.",
			"Es mayor que antes."),
		term(string(action.Undetermined), "Undetermined", "No se pudo determinar",
			"What is known does not say.", "Lo que se sabe no lo dice."),
		term(string(action.NotDone), "Not done", "No se hizo", "The action was given up.",
			"Se renunció a la acción."),
	}
}

// labels are the codes of a system of mapping with the words that it has for them.
func labels(system string, codes ...string) func() []review.Concept {
	return func() []review.Concept {
		out := make([]review.Concept, len(codes))
		for i, code := range codes {
			out[i] = review.Concept{Code: code, Display: review.Words{English: mapping.Label(system, code)}}
		}
		return out
	}
}

func levels() []review.Concept {
	out := make([]review.Concept, len(readiness.Levels()))
	for i, l := range readiness.Levels() {
		out[i] = levelTerm(l)
	}
	return out
}

// groupTables are the code systems of mapping whose members stand in the program.
func groupTables() []table {
	states := make([]string, len(mapping.States()))
	for i, s := range mapping.States() {
		states[i] = string(s)
	}
	return []table{
		{SystemLevel, "ReadinessLevel", review.Words{English: "Levels of readiness",
			Spanish: "Niveles de preparación"},
			"How far something has grown. What a level means for an item stands in the " +
				"Questionnaire.", levels},
		{mapping.SystemState, "ValueState", review.Words{English: "States of values",
			Spanish: "Estados de los valores"},
			"What is known of a value that has no category.", labels(mapping.SystemState, states...)},
		{mapping.SystemInterpreter, "InterpreterNeed",
			review.Words{English: "Need for an interpreter", Spanish: "Necesidad de intérprete"},
			"Whether a patient needs an interpreter.",
			labels(mapping.SystemInterpreter, mapping.Yes, mapping.No)},
		{mapping.SystemLanguage, "LanguageGroup",
			review.Words{English: "Groups of languages", Spanish: "Grupos de idiomas"},
			"The groups into which preferred languages are put.",
			labels(mapping.SystemLanguage, mapping.English, mapping.Spanish, mapping.Chinese, mapping.Sign,
				mapping.Other)},
		{mapping.SystemRace, "RaceBeyondCDCREC",
			review.Words{English: "Race, beyond CDCREC", Spanish: "Raza, más allá de CDCREC"},
			"What CDCREC has no code for.", labels(mapping.SystemRace, mapping.TwoOrMore)},
		{mapping.SystemAgeBand, "AgeBand", review.Words{English: "Age bands", Spanish: "Grupos de edad"},
			"Completed years of age at the encounter, in bands.",
			labels(mapping.SystemAgeBand, mapping.AgeBands()...)},
	}
}

func levelTerm(l readiness.Level) review.Concept {
	switch l {
	case readiness.NotBegun:
		return term(l.Code(), "Not begun", "No iniciado", "Nothing of it is there.",
			"No hay nada de ello.")
	case readiness.Begun:
		return term(l.Code(), "Begun", "Iniciado", "A first step was taken.", "Se dio un primer paso.")
	case readiness.Established:
		return term(l.Code(), "Established", "Establecido", "It is in place.", "Está en marcha.")
	case readiness.Routine:
	}
	return term(l.Code(), "Routine", "Habitual", "It is how things are done.",
		"Es la forma de trabajar.")
}

// own makes the concept of a code of a system of ours, with its words where the system is
// published.
func own(system, code string) *dpb.CodeableConcept {
	return &dpb.CodeableConcept{Coding: []*dpb.Coding{r4.Coding(system, code, display(system, code))}}
}

func display(system, code string) string {
	for _, t := range tables() {
		if t.url != system {
			continue
		}
		for _, c := range t.terms() {
			if c.Code == code {
				return c.Display.English
			}
		}
	}
	return ""
}
