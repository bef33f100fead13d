package bedside

import (
	"strings"
	"time"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

// The types that are read.
const (
	kindPatient   = "Patient"
	kindEncounter = "Encounter"
	kindEvent     = "AdverseEvent"
)

// decode reads one resource of a type. jsonformat, which knows every rule of R4, has accepted it
// before. Each has a decoder of its own, since what is made of it outlives the next one.
func decode(kind string, raw []byte) (fhir.Resource, bool) {
	resource, err := fhir.NewDecoder().Decode(raw)
	return resource, err == nil && resource.Type == kind
}

// person is what one Patient says, without who it is: this part of an answer is kept.
type person struct {
	Race, Ethnicity mapping.Value
	Language, Need  mapping.Value
	Languages       []Source
	Needs           []Source
}

// chartOwner is a Patient whose chart is open. The banner is never kept.
type chartOwner struct {
	says   person
	banner Banner
}

// owner reads the Patient with this id from a document.
func (r *Reader) owner(raw []byte, id phi.ID) (chartOwner, error) {
	valid, err := r4.Unmarshal(raw)
	if err != nil || valid.GetPatient() == nil {
		return chartOwner{}, ErrUnreadable
	}
	resource, ok := decode(kindPatient, raw)
	if !ok {
		return chartOwner{}, ErrUnreadable
	}
	in := resource.Patient
	record, _ := r.cfg.Mapper.Patient(in, nil)
	if record.ID != id {
		return chartOwner{}, ErrOtherPatient
	}
	out := chartOwner{says: person{
		Race: record.Race, Ethnicity: record.Ethnicity,
		Language: record.Language, Need: record.InterpreterNeed,
	}}
	updated := moment(record.Version)
	for i := range in.Communication {
		out.says.Languages = append(out.says.Languages, r.languageOf(in.Communication[i], updated))
	}
	for i := range in.Extension {
		alone := fhir.Patient{ID: in.ID, Extension: in.Extension[i : i+1]}
		said, _ := r.cfg.Mapper.Patient(&alone, nil)
		if said.InterpreterNeed.State != mapping.Missing {
			out.says.Needs = append(out.says.Needs, Source{
				Resource: kindPatient, Element: said.InterpreterNeed.From,
				Value: said.InterpreterNeed, Updated: updated,
			})
		}
	}
	var names []spelling
	for _, n := range valid.GetPatient().GetName() {
		name := spelling{use: n.GetUse().GetValue().String(), text: n.GetText().GetValue(),
			family: n.GetFamily().GetValue()}
		for _, given := range n.GetGiven() {
			name.given = append(name.given, given.GetValue())
		}
		if end := n.GetPeriod().GetEnd(); end != nil {
			name.ended = time.UnixMicro(end.GetValueUs())
		}
		names = append(names, name)
	}
	out.banner = Banner{Name: bestName(names, r.cfg.Now()), Birth: record.Birth,
		Sex: strings.Clone(in.Gender)}
	return out, nil
}

// languageOf is what one entry of Patient.communication says by itself, whatever its flag.
func (r *Reader) languageOf(in fhir.Communication, updated time.Time) Source {
	alone := fhir.Patient{Communication: []fhir.Communication{{Language: in.Language}}}
	said, _ := r.cfg.Mapper.Patient(&alone, nil)
	out := Source{Resource: kindPatient, Element: said.Language.From, Value: said.Language,
		Updated: updated}
	if in.Preferred != nil {
		preferred := *in.Preferred
		out.Preferred = &preferred
	}
	return out
}

// moment is when the EHR last changed a resource; zero if it does not say.
func moment(v mapping.Version) time.Time {
	if v.Updated == 0 {
		return time.Time{}
	}
	return time.UnixMicro(v.Updated).UTC()
}

// contact is one encounter, without its id: this part of an answer is kept.
type contact struct {
	Start, End fhir.DateTime
	Status     string
	Class      mapping.Value
	Site       string
	Telehealth bool
	Current    bool
	Need       mapping.Value
	Needs      []Source
	Use        mapping.InterpreterUse
	UseFrom    string
}

// encounter is a contact with what tells it from others.
type encounter struct {
	id      phi.ID
	version mapping.Version
	contact contact
}

// encounter reads an Encounter of the patient. ok is false if it is not valid; owned is false if it
// is not, or not said to be, about the patient.
func (r *Reader) encounter(
	v *r4.Validator, raw []byte, patient phi.ID,
) (out encounter, ok, owned bool) {
	if v.Validate(raw) != nil {
		return encounter{}, false, false
	}
	resource, ok := decode(kindEncounter, raw)
	if !ok {
		return encounter{}, false, false
	}
	in := resource.Encounter
	record, _ := r.cfg.Mapper.Encounter(in, nil)
	if !about(record.Patient, in.Subject, patient) {
		return encounter{}, true, false
	}
	out = encounter{id: record.ID, version: record.Version, contact: contact{
		Start: record.Start, End: record.End, Status: record.Status, Class: record.Class,
		Site: record.Site.Label, Telehealth: record.Telehealth,
		Need: record.InterpreterNeed, Use: record.InterpreterUse, UseFrom: record.InterpreterUseFrom,
	}}
	for i := range in.Extension {
		alone := fhir.Encounter{ID: in.ID, Extension: in.Extension[i : i+1]}
		said, _ := r.cfg.Mapper.Encounter(&alone, nil)
		if said.InterpreterNeed.State != mapping.Missing {
			out.contact.Needs = append(out.contact.Needs, Source{
				Resource: kindEncounter, Element: said.InterpreterNeed.From,
				Value: said.InterpreterNeed, Encounter: record.Start, Updated: moment(record.Version),
			})
		}
	}
	return out, true, true
}

// harm is an Event with what tells it from others.
type harm struct {
	id      phi.ID
	version mapping.Version
	event   Event
}

// harm reads an AdverseEvent of the patient, as encounter does.
func (r *Reader) harm(v *r4.Validator, raw []byte, patient phi.ID) (out harm, ok, owned bool) {
	if v.Validate(raw) != nil {
		return harm{}, false, false
	}
	resource, ok := decode(kindEvent, raw)
	if !ok {
		return harm{}, false, false
	}
	in := resource.AdverseEvent
	record, _ := r.cfg.Mapper.AdverseEvent(in, nil)
	if !about(record.Patient, in.Subject, patient) {
		return harm{}, true, false
	}
	return harm{id: record.ID, version: record.Version, event: Event{
		Date: record.Date, Actuality: record.Actuality, Category: record.Category,
		Severity: record.Severity, Outcome: record.Outcome, Inequity: record.Inequity,
	}}, true, true
}

// about reports whether a mapped subject is the patient. A conditional reference names an
// identifier and no id, so it proves nothing, even where the two are spelt alike.
func about(subject phi.ID, ref fhir.Reference, patient phi.ID) bool {
	return subject == patient && !subject.Empty() && !strings.Contains(ref.Reference, "?")
}

// later reports whether copy a of a resource replaces copy b.
func later(a, b mapping.Version) bool {
	if a.Updated != b.Updated {
		return a.Updated > b.Updated
	}
	return a.Number >= b.Number
}

// order is a number that grows with the time that d names, so that dates of any precision stand in
// one order; a date without an offset is taken as UTC, none is before all.
func order(d fhir.DateTime) int64 {
	switch {
	case d.Precision == fhir.NoDate:
		return -1 << 63
	case d.Zoned:
		return d.Micros
	}
	const microsPerDay = int64(24 * time.Hour / time.Microsecond)
	return int64(d.Days)*microsPerDay + d.Clock
}
