package page_test

import (
	"time"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/mapping"
)

// date reads a date that a test is sure of.
func date(text string) fhir.DateTime {
	d, err := fhir.ParseDateTime(text)
	if err != nil {
		panic(err)
	}
	return d
}

func known(code string) mapping.Value {
	return mapping.Value{State: mapping.Known, Code: code, From: "Patient.somewhere"}
}

func absent(s mapping.State) mapping.Value { return mapping.Value{State: s} }

func fact(v mapping.Value, sources ...bedside.Source) bedside.Fact {
	return bedside.Fact{Value: v, Sources: sources}
}

func fields(race, ethnicity, language, need mapping.Value) []bedside.Field {
	return []bedside.Field{
		{Name: mapping.DimensionRace, Value: race}, {Name: mapping.DimensionEthnicity, Value: ethnicity},
		{Name: mapping.DimensionLanguage, Value: language},
		{Name: mapping.DimensionInterpreter, Value: need},
	}
}

func onPatient(v mapping.Value) bedside.Source {
	return bedside.Source{
		Resource: "Patient", Element: "Patient.communication.language", Value: v,
		Updated: time.Date(2026, time.February, 11, 9, 30, 0, 0, time.UTC),
	}
}

func onVisit(v mapping.Value, day string) bedside.Source {
	return bedside.Source{
		Resource: "Encounter", Element: "Encounter.extension(us-core-interpreter-needed)", Value: v,
		Encounter: date(day),
	}
}

var readAt = time.Date(2026, time.March, 3, 14, 5, 0, 0, time.UTC)

// chartNeeded is a patient who needs an interpreter, of whom none is documented today.
func chartNeeded() bedside.View {
	yes, preferred := known(mapping.Yes), true
	spanish := onPatient(known("es"))
	spanish.Preferred = &preferred
	return bedside.View{
		ReadAt:   readAt,
		Language: fact(known("es"), spanish),
		Interpreter: fact(yes, onPatient(yes), onVisit(yes, "2026-03-03T13:10:00Z"),
			onVisit(yes, "2026-01-20T08:00:00Z"), onVisit(known(mapping.No), "2025-11-02T22:41:00Z"),
			onVisit(yes, "2025-06-14")),
		Fields: fields(absent(mapping.AskedDeclined), known("2135-2"), known("es"), yes),
		Visits: []bedside.Visit{
			{
				Start: date("2026-03-03T13:10:00Z"), Class: known("EMER"), Site: "Riverside Emergency",
				Current: true, Need: yes, Use: mapping.NoneDocumented,
			},
			{
				Start: date("2026-01-20T08:00:00Z"), End: date("2026-01-24T11:00:00Z"), Class: known("IMP"),
				Site: "Riverside Hospital", Need: yes, Use: mapping.Documented,
				UseFrom: "Encounter.participant.type",
			},
			{
				Start: date("2025-11-02T22:41:00Z"), End: date("2025-11-02T23:30:00Z"),
				Class: known("AMB"), Site: "Riverside Family Clinic", Telehealth: true,
				Need: known(mapping.No), Use: mapping.NoneDocumented,
			},
			{
				Start: date("2025-08-09"), Class: known("AMB"), Site: "Riverside Family Clinic",
				Need: yes, Use: mapping.AdHoc, UseFrom: "Encounter.participant.type",
			},
			{
				Start: date("2025-06-14"), Class: absent(mapping.Missing), Need: absent(mapping.Missing),
				Use: mapping.Arranged, UseFrom: "Encounter.hospitalization.specialArrangement",
			},
		},
		More: true,
		Events: []bedside.Event{
			{
				Date: date("2026-01-22"), Actuality: mapping.Actual, Category: known("medication-mishap"),
				Severity: known("moderate"), Outcome: known("resolved"), Inequity: absent(mapping.Missing),
			},
			{
				Date: date("2025-11"), Actuality: mapping.Potential, Category: known("wrong-patient"),
				Severity: absent(mapping.Missing), Outcome: absent(mapping.Unknown),
				Inequity: known("undetermined"),
			},
		},
	}
}

// chartAbsent is a patient of whom hardly anything is settled, with the banner.
func chartAbsent() bedside.View {
	return bedside.View{
		Banner: &bedside.Banner{Name: "Núria Ébano-O’Neil", Birth: date("1957-04"), Sex: "female"},
		ReadAt: readAt,
		Language: fact(absent(mapping.Conflicting), onPatient(known("vi")),
			onPatient(known("ase"))),
		Interpreter: fact(absent(mapping.Missing)),
		Fields: fields(absent(mapping.Missing), absent(mapping.AskedNoAnswer),
			absent(mapping.Conflicting), absent(mapping.Missing)),
		MoreEvents: true,
	}
}

// chartUnread is a patient of whom the EHR shows next to nothing.
func chartUnread() bedside.View {
	return bedside.View{
		ReadAt:      readAt,
		Language:    fact(absent(mapping.Missing)),
		Interpreter: fact(absent(mapping.Missing)),
		Fields: fields(absent(mapping.Missing), absent(mapping.Missing), absent(mapping.Missing),
			absent(mapping.Missing)),
		Notices: []bedside.Notice{
			{Kind: bedside.NoPermission, Resource: "Patient"},
			{Kind: bedside.Unreachable, Resource: "Encounter"},
			{Kind: bedside.Unreadable, Resource: "Encounter", Count: 2},
			{Kind: bedside.NotOffered, Resource: "AdverseEvent"},
			{Kind: bedside.OtherPatient, Resource: "Observation", Count: 1},
		},
	}
}

// chartQuiet is a patient of whom everything is recorded and nothing is to be done.
func chartQuiet() bedside.View {
	no := known(mapping.No)
	return bedside.View{
		ReadAt:      readAt,
		Language:    fact(known("en"), onPatient(known("en"))),
		Interpreter: fact(no, onPatient(no)),
		Fields:      fields(known("2106-3"), known("2186-5"), known("en"), no),
		Visits: []bedside.Visit{{
			Start: date("2026-03-03"), Class: known("VR"), Telehealth: true, Current: true, Need: no,
			Use: mapping.NoneDocumented,
		}},
	}
}
