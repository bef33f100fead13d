package fhir

import (
	"github.com/valyala/fastjson"
)

// reader turns a parsed tree into the structs of resource.go. Slices come from arenas that are
// reused from one resource to the next. The first element whose JSON type is not that of R4 is kept
// in wrong.
type reader struct {
	at    string
	wrong string

	codings        []Coding
	concepts       []CodeableConcept
	extensions     []Extension
	participants   []Participant
	communications []Communication
	links          []PatientLink
}

func (r *reader) reset() {
	r.at, r.wrong = "", ""
	r.codings = r.codings[:0]
	r.concepts = r.concepts[:0]
	r.extensions = r.extensions[:0]
	r.participants = r.participants[:0]
	r.communications = r.communications[:0]
	r.links = r.links[:0]
}

func (r *reader) fail(element string) {
	if r.wrong == "" {
		r.wrong = r.at + "." + element
	}
}

// child returns the element if it is there; null is absence, as in FHIR's JSON arrays.
func child(v *fastjson.Value, key string) *fastjson.Value {
	c := v.Get(key)
	if c == nil || c.Type() == fastjson.TypeNull {
		return nil
	}
	return c
}

func (r *reader) text(v *fastjson.Value, key string) string {
	c := child(v, key)
	if c == nil {
		return ""
	}
	s, err := c.StringBytes()
	if err != nil {
		r.fail(key)
		return ""
	}
	return view(s)
}

func (r *reader) optionalText(v *fastjson.Value, key string) *string {
	if child(v, key) == nil {
		return nil
	}
	s := r.text(v, key)
	return &s
}

func (r *reader) optionalBool(v *fastjson.Value, key string) *bool {
	c := child(v, key)
	if c == nil {
		return nil
	}
	b, err := c.Bool()
	if err != nil {
		r.fail(key)
		return nil
	}
	return &b
}

func (r *reader) object(v *fastjson.Value, key string) *fastjson.Value {
	c := child(v, key)
	if c == nil {
		return nil
	}
	if c.Type() != fastjson.TypeObject {
		r.fail(key)
		return nil
	}
	return c
}

// objects returns the elements of an array of objects.
func (r *reader) objects(v *fastjson.Value, key string) []*fastjson.Value {
	c := child(v, key)
	if c == nil {
		return nil
	}
	items, err := c.Array()
	if err != nil {
		r.fail(key)
		return nil
	}
	for _, item := range items {
		if item.Type() != fastjson.TypeObject {
			r.fail(key)
			return nil
		}
	}
	return items
}

// grow appends n zero elements to an arena and returns them, so that what an element itself
// allocates lies behind its siblings.
func grow[T any](arena *[]T, n int) []T {
	var zero T
	start := len(*arena)
	for range n {
		*arena = append(*arena, zero)
	}
	return (*arena)[start : start+n : start+n]
}

func (r *reader) meta(v *fastjson.Value) Meta {
	m := r.object(v, "meta")
	if m == nil {
		return Meta{}
	}
	return Meta{VersionID: r.text(m, "versionId"), LastUpdated: r.text(m, "lastUpdated")}
}

func (r *reader) codingOf(v *fastjson.Value) Coding {
	return Coding{System: r.text(v, "system"), Code: r.text(v, "code")}
}

func (r *reader) coding(v *fastjson.Value, key string) Coding {
	c := r.object(v, key)
	if c == nil {
		return Coding{}
	}
	return r.codingOf(c)
}

func (r *reader) conceptOf(v *fastjson.Value) CodeableConcept {
	items := r.objects(v, "coding")
	codings := grow(&r.codings, len(items))
	for i, item := range items {
		codings[i] = r.codingOf(item)
	}
	return CodeableConcept{Coding: codings, Text: r.text(v, "text")}
}

func (r *reader) concept(v *fastjson.Value, key string) CodeableConcept {
	c := r.object(v, key)
	if c == nil {
		return CodeableConcept{}
	}
	return r.conceptOf(c)
}

func (r *reader) conceptList(v *fastjson.Value, key string) []CodeableConcept {
	items := r.objects(v, key)
	concepts := grow(&r.concepts, len(items))
	for i, item := range items {
		concepts[i] = r.conceptOf(item)
	}
	return concepts
}

func (r *reader) reference(v *fastjson.Value, key string) Reference {
	c := r.object(v, key)
	if c == nil {
		return Reference{}
	}
	out := Reference{Reference: r.text(c, "reference"), Display: r.text(c, "display")}
	if id := r.object(c, "identifier"); id != nil {
		out.Identifier = Identifier{System: r.text(id, "system"), Value: r.text(id, "value")}
	}
	return out
}

func (r *reader) period(v *fastjson.Value, key string) Period {
	c := r.object(v, key)
	if c == nil {
		return Period{}
	}
	return Period{Start: r.text(c, "start"), End: r.text(c, "end")}
}

func (r *reader) extensionList(v *fastjson.Value) []Extension {
	items := r.objects(v, "extension")
	list := grow(&r.extensions, len(items))
	for i, item := range items {
		list[i] = r.extension(item)
	}
	return list
}

func (r *reader) extension(v *fastjson.Value) Extension {
	out := Extension{
		URL:          r.text(v, "url"),
		ValueString:  r.optionalText(v, "valueString"),
		ValueCode:    r.optionalText(v, "valueCode"),
		ValueBoolean: r.optionalBool(v, "valueBoolean"),
		Extension:    r.extensionList(v),
	}
	if c := r.object(v, "valueCoding"); c != nil {
		coding := r.codingOf(c)
		out.ValueCoding = &coding
	}
	if c := r.object(v, "valueCodeableConcept"); c != nil {
		concept := r.conceptOf(c)
		out.ValueCodeableConcept = &concept
	}
	return out
}

func (r *reader) patient(v *fastjson.Value) Patient {
	out := Patient{
		ID:                   r.text(v, "id"),
		Meta:                 r.meta(v),
		Extension:            r.extensionList(v),
		Gender:               r.text(v, "gender"),
		BirthDate:            r.text(v, "birthDate"),
		DeceasedBoolean:      r.optionalBool(v, "deceasedBoolean"),
		DeceasedDateTime:     r.text(v, "deceasedDateTime"),
		ManagingOrganization: r.reference(v, "managingOrganization"),
	}
	spoken := r.objects(v, "communication")
	out.Communication = grow(&r.communications, len(spoken))
	for i, item := range spoken {
		out.Communication[i] = Communication{
			Language:  r.concept(item, "language"),
			Preferred: r.optionalBool(item, "preferred"),
		}
	}
	linked := r.objects(v, "link")
	out.Link = grow(&r.links, len(linked))
	for i, item := range linked {
		out.Link[i] = PatientLink{Other: r.reference(item, "other"), Type: r.text(item, "type")}
	}
	return out
}

func (r *reader) encounter(v *fastjson.Value) Encounter {
	out := Encounter{
		ID:              r.text(v, "id"),
		Meta:            r.meta(v),
		Extension:       r.extensionList(v),
		Status:          r.text(v, "status"),
		Class:           r.coding(v, "class"),
		Type:            r.conceptList(v, "type"),
		ServiceType:     r.concept(v, "serviceType"),
		Priority:        r.concept(v, "priority"),
		Subject:         r.reference(v, "subject"),
		Period:          r.period(v, "period"),
		ServiceProvider: r.reference(v, "serviceProvider"),
	}
	if h := r.object(v, "hospitalization"); h != nil {
		out.Hospitalization = Hospitalization{
			SpecialArrangement:   r.conceptList(h, "specialArrangement"),
			DischargeDisposition: r.concept(h, "dischargeDisposition"),
		}
	}
	present := r.objects(v, "participant")
	out.Participant = grow(&r.participants, len(present))
	for i, item := range present {
		out.Participant[i] = Participant{
			Type:       r.conceptList(item, "type"),
			Individual: r.reference(item, "individual"),
			Period:     r.period(item, "period"),
		}
	}
	return out
}

func (r *reader) adverseEvent(v *fastjson.Value) AdverseEvent {
	return AdverseEvent{
		ID:           r.text(v, "id"),
		Meta:         r.meta(v),
		Extension:    r.extensionList(v),
		Actuality:    r.text(v, "actuality"),
		Category:     r.conceptList(v, "category"),
		Event:        r.concept(v, "event"),
		Subject:      r.reference(v, "subject"),
		Encounter:    r.reference(v, "encounter"),
		Date:         r.text(v, "date"),
		Detected:     r.text(v, "detected"),
		RecordedDate: r.text(v, "recordedDate"),
		Seriousness:  r.concept(v, "seriousness"),
		Severity:     r.concept(v, "severity"),
		Outcome:      r.concept(v, "outcome"),
	}
}
