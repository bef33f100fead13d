package script

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
)

// encounter maps what a line says of an encounter.
func (p *parser) encounter(w words) (mapping.Encounter, error) {
	if w["patient"] == "" {
		return mapping.Encounter{}, errors.New("patient= is missing: a name, key:value, or all")
	}
	if err := w.ids("site", "practitioner"); err != nil {
		return mapping.Encounter{}, err
	}
	in := fhir.Encounter{
		ID: "e", Status: "finished", ServiceProvider: organization(w["site"]),
		Extension: needExtensions(w["need"]),
		Subject:   fhir.Reference{Reference: "Patient/p"},
	}
	if status := w["status"]; status != "" {
		in.Status = status
	}
	if class := w["class"]; class != "" {
		in.Class, _ = coding(systemActCode, class)
	}
	in.Hospitalization.DischargeDisposition = disposition(w["disposition"])
	faults := []error{
		participants(&in, w), visitType(&in, w["telehealth"]), priority(&in, w["elective"]),
	}
	var err error
	in.Period, err = period(w["start"], w["end"])
	faults = append(faults, err)
	out, issues := p.mapper.Encounter(&in, nil)
	for _, i := range issues {
		if i.Kind == mapping.UnmappedCode && i.Element == "Encounter.status" {
			faults = append(faults, fmt.Errorf("%q is no status of an encounter", w["status"]))
		}
	}
	faults = append(faults, refused(issues), meant("class", w["class"], out.Class),
		meant("disposition", w["disposition"], out.Disposition),
		meant("need", w["need"], out.InterpreterNeed))
	return out, errors.Join(faults...)
}

// disposition writes a discharge disposition. Who left without being seen has a code of SNOMED CT.
func disposition(word string) fhir.CodeableConcept {
	if word == mapping.LeftWithoutBeingSeen {
		return concept(systemSNOMED, "21541000119102")
	}
	return concept(systemDisposition, word)
}

// participants writes who took part: the practitioner, and an interpreter or a relative who
// interpreted.
func participants(in *fhir.Encounter, w words) error {
	if id := w["practitioner"]; id != "" {
		in.Participant = append(in.Participant, fhir.Participant{
			Type:       []fhir.CodeableConcept{concept(systemPart, "ATND")},
			Individual: refer("Practitioner", id),
		})
	}
	translator := fhir.Participant{
		Type: []fhir.CodeableConcept{concept(systemTakesPart, "translator")},
	}
	switch w["interpreter"] {
	case "", "none":
	case "documented":
		in.Participant = append(in.Participant, translator)
	case "ad-hoc":
		translator.Individual = fhir.Reference{Reference: "RelatedPerson/r"}
		in.Participant = append(in.Participant, translator)
	case "arranged":
		in.Hospitalization.SpecialArrangement = []fhir.CodeableConcept{
			concept(systemArrangements, "int"),
		}
	default:
		return fmt.Errorf("interpreter=%s is none of documented, arranged, ad-hoc, none",
			w["interpreter"])
	}
	return nil
}

func visitType(in *fhir.Encounter, word string) error {
	switch word {
	case "", mapping.No:
	case mapping.Yes, mapping.Video, mapping.Audio:
		in.Type = []fhir.CodeableConcept{concept(systemVisitType, word)}
	default:
		return fmt.Errorf("telehealth=%s is none of yes, video, audio, no", word)
	}
	return nil
}

func priority(in *fhir.Encounter, word string) error {
	switch word {
	case "", mapping.No:
	case mapping.Yes:
		in.Priority = concept(systemPriority, "EL")
	default:
		return fmt.Errorf("elective=%s is neither yes nor no", word)
	}
	return nil
}

// moment reads a day, a month, a year, or a day and a time as in 2026-03-01T10:15. A time without
// an offset is that of UTC.
func moment(text string) (string, error) {
	_, clock, timed := strings.Cut(text, "T")
	if timed && !strings.ContainsAny(clock, "Z+-") {
		text += "Z"
	}
	d, err := fhir.ParseDateTime(text)
	if err != nil || !d.Plausible() {
		return "", fmt.Errorf("%q is no date; write 2026-03-01 or 2026-03-01T10:15", text)
	}
	return text, nil
}

var spanForm = regexp.MustCompile(`^\+(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?$`)

// period reads the two ends of an encounter. The end may be a span after the start, as in +2d3h30m.
func period(start, end string) (fhir.Period, error) {
	var out fhir.Period
	var err error
	if start != "" {
		if out.Start, err = moment(start); err != nil {
			return out, fmt.Errorf("start: %w", err)
		}
	}
	switch {
	case end == "":
		return out, nil
	case strings.HasPrefix(end, "+"):
		out.End, err = after(out.Start, end)
	default:
		out.End, err = moment(end)
	}
	if err != nil {
		return out, fmt.Errorf("end: %w", err)
	}
	return out, nil
}

// after adds a span to a start. One that is only a day has no clock to add hours to.
func after(start, span string) (string, error) {
	m := spanForm.FindStringSubmatch(span)
	if m == nil || span == "+" {
		return "", fmt.Errorf("%q is no span; write days, hours and minutes as in +2d3h30m", span)
	}
	var parts [3]int
	for i := range parts {
		parts[i], _ = strconv.Atoi(m[i+1]) // What is absent is 0.
	}
	if day, err := time.Parse(time.DateOnly, start); err == nil {
		if m[2] != "" || m[3] != "" {
			return "", fmt.Errorf("%s: the start has no time of day to count from", span)
		}
		return moment(day.AddDate(0, 0, parts[0]).Format(time.DateOnly))
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, start); err == nil {
			// A day of a span is 24 hours.
			hours := time.Duration(24*parts[0]+parts[1]) * time.Hour
			return moment(at.Add(hours + time.Duration(parts[2])*time.Minute).Format(time.RFC3339))
		}
	}
	return "", fmt.Errorf("%s needs a start that is a day, or a day and a time", span)
}
