package review

// Factors lists the ways in which inequity contributes, in the order in which they are offered.
func Factors() []Concept { return append(careFactors(), ruleFactors()...) }

// careFactors are about what stood between the patient and care.
func careFactors() []Concept {
	return []Concept{
		{
			Code:    string(LanguageAccess),
			Display: Words{"Language access", "Acceso en el propio idioma"},
			Definition: Words{
				"Somebody could not understand or be understood: no qualified interpreter, a relative or a child " +
					"in their stead, nothing written in their language, no sign language.",
				"Alguien no pudo entender o hacerse entender: sin intérprete cualificado, un familiar o un niño en " +
					"su lugar, nada escrito en su idioma, sin lengua de señas.",
			},
			Example: Words{
				"Consent was taken through a cousin on the telephone; an allergy was not mentioned.",
				"El consentimiento se obtuvo por teléfono a través de un primo; no se mencionó una alergia.",
			},
		},
		{
			Code:    string(DigitalAccess),
			Display: Words{"Digital access", "Acceso digital"},
			Definition: Words{
				"Care went by a device, a connection, a portal or a skill that the patient did not have.",
				"La atención dependía de un dispositivo, una conexión, un portal o una habilidad que el paciente no " +
					"tenía.",
			},
			Example: Words{
				"A result that called for action was posted on a portal to which the patient had never signed in.",
				"Un resultado que exigía actuar se publicó en un portal en el que el paciente nunca había entrado.",
			},
		},
		{
			Code:    string(Bias),
			Display: Words{"Bias in assessment or treatment", "Sesgo en la valoración o el tratamiento"},
			Definition: Words{
				"Signs, pain or risk were weighed otherwise than they would have been in somebody else, by a person, " +
					"a device or a formula.",
				"Los signos, el dolor o el riesgo se valoraron de otro modo que en otra persona, por parte de una " +
					"persona, un aparato o una fórmula.",
			},
			Example: Words{
				"A pulse oximeter read too high on dark skin, and oxygen was given late.",
				"Un pulsioxímetro dio una lectura demasiado alta en piel oscura, y el oxígeno se administró tarde.",
			},
		},
		{
			Code:    string(Transport),
			Display: Words{"Access and transport", "Acceso y transporte"},
			Definition: Words{
				"Distance, transport, opening hours, cost or care of dependants kept the patient from care in time.",
				"La distancia, el transporte, los horarios, el coste o el cuidado de personas a cargo impidieron una " +
					"atención a tiempo.",
			},
			Example: Words{
				"The bus does not run on Sundays; a dressing was changed three days late and the wound was infected.",
				"No hay autobús los domingos; un vendaje se cambió tres días tarde y la herida se infectó.",
			},
		},
	}
}

// ruleFactors are about rules, conduct and records.
func ruleFactors() []Concept {
	return []Concept{
		{
			Code:    string(Policy),
			Display: Words{"Policy or crisis triage", "Normas o triaje en crisis"},
			Definition: Words{
				"A rule that is the same for everybody bore harder on some: visiting rules, insurance, an order of " +
					"priority, crisis standards of care.",
				"Una norma igual para todos pesó más sobre algunos: normas de visita, seguro, un orden de prioridad, " +
					"normas de atención en situaciones de crisis.",
			},
			Example: Words{
				"No visitors were allowed; a patient who relies on her daughter to be understood fell unattended.",
				"No se permitían visitas; una paciente que depende de su hija para hacerse entender cayó sin nadie a " +
					"su lado.",
			},
		},
		{
			Code:    string(Discrimination),
			Display: Words{"Discrimination", "Discriminación"},
			Definition: Words{
				"Somebody was treated worse, spoken to without respect or not believed because of who they are, by " +
					"what they say or by what others saw.",
				"Alguien recibió un trato peor, se le habló sin respeto o no se le creyó por ser quien es, según lo " +
					"que dice o lo que otros vieron.",
			},
			Example: Words{
				"A patient in a sickle cell crisis was called a drug seeker, and treated for pain after five hours.",
				"A un paciente en crisis drepanocítica se le acusó de buscar drogas, y se le trató el dolor a las " +
					"cinco horas.",
			},
		},
		{
			Code:    string(Data),
			Display: Words{"Data", "Datos"},
			Definition: Words{
				"What the record held of who the patient is was missing, wrong or not shown, and somebody acted on " +
					"it.",
				"Lo que el expediente contenía sobre quién es el paciente faltaba, era erróneo o no se mostraba, y " +
					"alguien actuó en consecuencia.",
			},
			Example: Words{
				"The preferred language was recorded as English by default, so nobody called an interpreter.",
				"El idioma preferido figuraba como inglés por defecto, así que nadie llamó a un intérprete.",
			},
		},
		{
			Code:    string(OtherFactor),
			Display: Words{"Other", "Otro"},
			Definition: Words{
				"None of the others; the evidence says which.",
				"Ninguno de los demás; la evidencia dice cuál.",
			},
			Example: Words{
				"A meal that broke a fast was the only one on offer, and insulin was given without food.",
				"La única comida que se ofrecía rompía un ayuno, y se administró insulina sin alimento.",
			},
		},
	}
}
