package review

import "github.com/equitylens/equitylens/mapping"

// The code systems of the answers. They are published with what Answers, NotAsked, Factors and
// Detections say of their codes.
const (
	SystemAnswer    = mapping.SystemInequity
	SystemFactor    = mapping.SystemOwn + "inequity-factor"
	SystemDetection = mapping.SystemOwn + "event-detection"
)

// Words are the same words in each language.
type Words struct {
	English string
	Spanish string
}

// In returns the words in a language by its tag, es or a region of it; else in English.
func (w Words) In(language string) string {
	if len(language) >= len("es") && language[:2] == "es" {
		return w.Spanish
	}
	return w.English
}

// Concept is a code with what it means.
type Concept struct {
	Code       string
	Display    Words
	Definition Words
	// Example is an event, made up, to which the code applies.
	Example Words
}

// Answers lists the answers that a reviewer may give, in the order in which they are offered.
func Answers() []Concept {
	return []Concept{
		{
			Code:    string(Yes),
			Display: Words{"Yes", "Sí"},
			Definition: Words{
				"Something that differs between groups of people, and ought not to, was one of the factors that " +
					"led to the event, delayed that it was noticed, or made its harm worse. It need be neither the " +
					"only factor nor the main one.",
				"Algo que difiere entre grupos de personas, y no debería, fue uno de los factores que llevaron al " +
					"evento, retrasaron que se detectara o agravaron el daño. No tiene que ser el único factor ni el " +
					"principal.",
			},
			Example: Words{
				"Discharge instructions were given in English alone to a patient who prefers Spanish; a medicine " +
					"was taken twice a day instead of once.",
				"Las instrucciones de alta se dieron solo en inglés a una paciente que prefiere el español; tomó un " +
					"medicamento dos veces al día en vez de una.",
			},
		},
		{
			Code:    string(No),
			Display: Words{"No", "No"},
			Definition: Words{
				"It was asked, the record and those who were there were heard, and nothing of the kind was found.",
				"Se hizo la pregunta, se consultó el expediente y a quienes estuvieron presentes, y no se halló nada " +
					"de ese tipo.",
			},
			Example: Words{
				"An infusion pump failed. An interpreter was present, and the alarm was answered as fast as others " +
					"on that ward.",
				"Falló una bomba de infusión. Había un intérprete presente y la alarma se atendió tan rápido como " +
					"otras en esa planta.",
			},
		},
		{
			Code:    string(Undetermined),
			Display: Words{"Undetermined", "No se pudo determinar"},
			Definition: Words{
				"It was asked, and what is known does not decide it.",
				"Se hizo la pregunta, y lo que se sabe no permite decidirlo.",
			},
			Example: Words{
				"A fall at night. Nobody recorded whether the call for help was understood, and the patient has " +
					"gone home.",
				"Una caída nocturna. Nadie registró si se entendió la petición de ayuda, y el paciente ya se fue a " +
					"casa.",
			},
		},
	}
}

// NotAsked is the code of the same system that stands for no answer. No reviewer gives it.
func NotAsked() Concept {
	return Concept{
		Code:    "not-asked",
		Display: Words{"Not asked", "No se preguntó"},
		Definition: Words{
			"Nobody has asked yet whether inequity contributed. It says nothing of whether it did.",
			"Nadie ha preguntado todavía si la inequidad contribuyó. No dice nada de si lo hizo.",
		},
		Example: Words{
			"The event came with last night's sync.", "El evento llegó con la sincronización de anoche.",
		},
	}
}

// Detections lists the ways in which events come to be known.
func Detections() []Concept {
	return []Concept{
		{
			Code:    string(Reported),
			Display: Words{"Reported", "Notificado"},
			Definition: Words{
				"Somebody filed a report: staff, the patient or their family. What is reported depends on who " +
					"feels free to, and in which language one can.",
				"Alguien presentó una notificación: el personal, el paciente o su familia. Lo que se notifica " +
					"depende de quién se siente libre de hacerlo y en qué idioma se puede.",
			},
			Example: Words{
				"A nurse filed an incident report after a wrong dose.",
				"Una enfermera presentó un informe de incidente tras una dosis equivocada.",
			},
		},
		{
			Code:    string(Triggered),
			Display: Words{"Triggered", "Detectado por una regla"},
			Definition: Words{
				"A rule over the record found it, whoever the patient is and whether or not anybody reported it.",
				"Lo encontró una regla aplicada al expediente, sea quien sea el paciente y se haya notificado o no.",
			},
			Example: Words{
				"An antidote was given within a day of an opioid, which a nightly rule looks for.",
				"Se administró un antídoto menos de un día después de un opioide, lo que busca una regla nocturna.",
			},
		},
		{
			Code:    string(FoundInReview),
			Display: Words{"Found in review", "Hallado en una revisión"},
			Definition: Words{
				"Somebody found it who was reading the record for another reason.",
				"Lo encontró alguien que leía el expediente por otro motivo.",
			},
			Example: Words{
				"A sample of charts, read for the quality of their notes, showed a fall that nobody had reported.",
				"Una muestra de expedientes, leída por la calidad de sus notas, mostró una caída que nadie había " +
					"notificado.",
			},
		},
	}
}
