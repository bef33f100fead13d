package factstest

import (
	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

// At reads a FHIR dateTime that is right by construction.
func At(text string) fhir.DateTime {
	d, err := fhir.ParseDateTime(text)
	if err != nil {
		panic(err)
	}
	return d
}

// Known is a value that is recorded.
func Known(code string) mapping.Value { return mapping.Value{State: mapping.Known, Code: code} }

// State is a value that is not.
func State(s mapping.State) mapping.Value { return mapping.Value{State: s} }

// Site is an organisation.
func Site(id string) mapping.Site { return mapping.Site{Value: Known(id), Label: "Hospital " + id} }

// Patient is a woman born on a leap day, with an answer to everything.
func Patient(id string, changes ...func(*mapping.Patient)) mapping.Patient {
	p := mapping.Patient{
		ID: phi.New(id), Race: Known("2054-5"), Ethnicity: Known("2186-5"),
		RaceEthnicity: Known("2054-5"), Races: mapping.Black, SPD15: mapping.SPD15Black,
		Language: Known("es"), LanguageGroup: Known("spanish"), InterpreterNeed: Known("yes"),
		LimitedEnglish: mapping.LimitedEnglishYes,
		Sex:            Known("female"), Birth: At("1960-02-29"), Site: Site("H1"),
	}
	for _, change := range changes {
		change(&p)
	}
	return p
}

// Encounter is a finished one of a patient at H1 that ended at home. start and end may be empty.
func Encounter(
	id, patient, class, start, end string, changes ...func(*mapping.Encounter),
) mapping.Encounter {
	e := mapping.Encounter{
		ID: phi.New(id), Patient: phi.New(patient), Status: "finished", Class: Known(class),
		Disposition: Known("home"), Start: At(start), End: At(end),
		InterpreterNeed: State(mapping.Missing), InterpreterUse: mapping.NoneDocumented,
		Site: Site("H1"),
	}
	for _, change := range changes {
		change(&e)
	}
	return e
}

// Event is one that harmed a patient. date may be empty.
func Event(id, patient, date string, changes ...func(*mapping.AdverseEvent)) mapping.AdverseEvent {
	a := mapping.AdverseEvent{
		ID: phi.New(id), Patient: phi.New(patient), Actuality: mapping.Actual,
		Date: At(date), DateFrom: "date",
		Category: State(mapping.Missing), Severity: Known("mild"), Seriousness: State(mapping.Missing),
		Outcome: State(mapping.Unknown), Inequity: State(mapping.Missing),
	}
	for _, change := range changes {
		change(&a)
	}
	return a
}

// Within puts the ids of a batch under a prefix, so that one load can hold many cases that know
// nothing of each other.
func Within(name string, b Batch) Batch {
	under := func(id *phi.ID) {
		if !id.Empty() {
			*id = phi.New(name + "/" + id.Reveal())
		}
	}
	var out Batch
	for _, p := range b.Patients {
		under(&p.ID)
		under(&p.ReplacedBy)
		replaces := make([]phi.ID, len(p.Replaces))
		for i, id := range p.Replaces {
			replaces[i] = id
			under(&replaces[i])
		}
		p.Replaces = replaces
		out.Patients = append(out.Patients, p)
	}
	for _, e := range b.Encounters {
		under(&e.ID)
		under(&e.Patient)
		out.Encounters = append(out.Encounters, e)
	}
	for _, a := range b.Events {
		under(&a.ID)
		under(&a.Patient)
		under(&a.Encounter)
		out.Events = append(out.Events, a)
	}
	return out
}

// Placed puts every patient and encounter of a batch at one site, by which a case can be found
// again.
func Placed(site string, b Batch) Batch {
	for i := range b.Patients {
		b.Patients[i].Site = Site(site)
	}
	for i := range b.Encounters {
		b.Encounters[i].Site = Site(site)
	}
	return b
}

// Join makes one batch of several.
func Join(batches ...Batch) Batch {
	var out Batch
	for _, b := range batches {
		out.Patients = append(out.Patients, b.Patients...)
		out.Encounters = append(out.Encounters, b.Encounters...)
		out.Events = append(out.Events, b.Events...)
	}
	return out
}
