package evidence

// asked is what a programme asks for, and where in the pack the answer stands.
type asked struct {
	// Key is of the sentence that says what is asked, in our own words; it ends in its number there.
	Key string
	// Section is the id of the part that answers; empty where the pack does not.
	Section string
}

// programme is one that asks. Key is of its name; its note says what has become of it.
type programme struct {
	Key   string
	Asked []asked
}

// programmes is the one place that says who asks for what. Rules of accreditors and payers change from
// year to year: this table is what has to change then, and the figures do not. Each note says as of when
// it was looked up, in whose words it is not, and what could not be found.
//
// The Joint Commission: NPSG.16.01.01, in force from July 2023 to December 2025, its six elements of
// performance; its National Performance Goals took the place of these goals in January 2026. CMS: the
// five domains of the Hospital Commitment to Health Equity measure, here as history, because its removal
// was proposed for fiscal year 2026. Rise to Health: what the coalition asks of institutions.
func programmes() []programme {
	return []programme{
		{"evidence.asked.npg", []asked{
			{"evidence.asked.npg.1", sectionTable},
		}},
		{"evidence.asked.npsg", []asked{
			{"evidence.asked.npsg.1", sectionPlan},
			{"evidence.asked.npsg.2", ""},
			{"evidence.asked.npsg.3", sectionTable},
			{"evidence.asked.npsg.4", sectionPlan},
			{"evidence.asked.npsg.5", sectionActs},
			{"evidence.asked.npsg.6", sectionPlan},
		}},
		{"evidence.asked.hche", []asked{
			{"evidence.asked.hche.1", sectionPlan},
			{"evidence.asked.hche.2", sectionData},
			{"evidence.asked.hche.3", sectionTable},
			{"evidence.asked.hche.4", sectionActs},
			{"evidence.asked.hche.5", sectionPlan},
		}},
		{"evidence.asked.rise", []asked{
			{"evidence.asked.rise.1", sectionPlan},
			{"evidence.asked.rise.2", sectionGaps},
			{"evidence.asked.rise.3", sectionActs},
			{"evidence.asked.rise.4", sectionPlan},
		}},
		{"evidence.asked.network", []asked{
			{"evidence.asked.network.1", sectionReviews},
		}},
	}
}
