package fhir

import (
	"github.com/valyala/fastjson"
)

// reader turns a parsed tree into the structs of resource.go, in one walk: a member that has a field
// is read, any other is passed over. Slices come from arenas that are reused from one resource to the
// next. The first element whose JSON type is not that of R4 is refused.
type reader struct {
	walk
	kind string

	codings        []Coding
	concepts       []CodeableConcept
	extensions     []Extension
	participants   []Participant
	communications []Communication
	links          []PatientLink
	references     []Reference
}

func (r *reader) start(kind string) {
	r.walk.start()
	r.kind = kind
	r.codings = r.codings[:0]
	r.concepts = r.concepts[:0]
	r.extensions = r.extensions[:0]
	r.participants = r.participants[:0]
	r.communications = r.communications[:0]
	r.links = r.links[:0]
	r.references = r.references[:0]
}

// fail refuses an element whose JSON type is not that of R4.
func (r *reader) fail(element string) {
	if r.refused == nil {
		r.refused = &RefusedError{Reason: NotR4, Element: r.kind + "." + element}
	}
}

// members calls read for every member of an object that is not null; null is absence, as in FHIR's
// JSON arrays. read reports whether the member has a field; if it has none it is passed over.
func (r *reader) members(v *fastjson.Value, element string, read func(key string, v *fastjson.Value) bool) {
	object, err := v.Object()
	if err != nil {
		r.fail(element)
		return
	}
	from, to := r.enter(object)
	for i := from; i < to && r.refused == nil; i++ {
		c := r.values[i]
		if c.Type() != fastjson.TypeNull && !read(view(r.keys[i]), c) {
			r.skip(c)
		}
	}
	r.leave(from)
}

func (r *reader) text(v *fastjson.Value, element string) string {
	s, err := v.StringBytes()
	if err != nil {
		r.fail(element)
		return ""
	}
	return view(s)
}

func (r *reader) textPointer(v *fastjson.Value, element string) *string {
	s := r.text(v, element)
	return &s
}

func (r *reader) boolPointer(v *fastjson.Value, element string) *bool {
	b, err := v.Bool()
	if err != nil {
		r.fail(element)
	}
	return &b
}

// items returns the elements of an array.
func (r *reader) items(v *fastjson.Value, element string) []*fastjson.Value {
	items, err := v.Array()
	if err != nil {
		r.fail(element)
		return nil
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

func (r *reader) meta(v *fastjson.Value) (out Meta) {
	r.members(v, "meta", func(key string, v *fastjson.Value) bool {
		switch key {
		case "versionId":
			out.VersionID = r.text(v, "meta.versionId")
		case "lastUpdated":
			out.LastUpdated = r.text(v, "meta.lastUpdated")
		default:
			return false
		}
		return true
	})
	return out
}

func (r *reader) coding(v *fastjson.Value, element string) (out Coding) {
	r.members(v, element, func(key string, v *fastjson.Value) bool {
		switch key {
		case "system":
			out.System = r.text(v, element)
		case "code":
			out.Code = r.text(v, element)
		default:
			return false
		}
		return true
	})
	return out
}

func (r *reader) concept(v *fastjson.Value, element string) (out CodeableConcept) {
	r.members(v, element, func(key string, v *fastjson.Value) bool {
		switch key {
		case "coding":
			items := r.items(v, element)
			out.Coding = grow(&r.codings, len(items))
			for i, item := range items {
				out.Coding[i] = r.coding(item, element)
			}
		case "text":
			out.Text = r.text(v, element)
		default:
			return false
		}
		return true
	})
	return out
}

func (r *reader) conceptList(v *fastjson.Value, element string) []CodeableConcept {
	items := r.items(v, element)
	concepts := grow(&r.concepts, len(items))
	for i, item := range items {
		concepts[i] = r.concept(item, element)
	}
	return concepts
}

func (r *reader) reference(v *fastjson.Value, element string) (out Reference) {
	r.members(v, element, func(key string, v *fastjson.Value) bool {
		switch key {
		case "reference":
			out.Reference = r.text(v, element)
		case "display":
			out.Display = r.text(v, element)
		case "identifier":
			out.Identifier = r.identifier(v, element)
		default:
			return false
		}
		return true
	})
	return out
}

func (r *reader) referenceList(v *fastjson.Value, element string) []Reference {
	items := r.items(v, element)
	list := grow(&r.references, len(items))
	for i, item := range items {
		list[i] = r.reference(item, element)
	}
	return list
}

func (r *reader) identifier(v *fastjson.Value, element string) (out Identifier) {
	r.members(v, element, func(key string, v *fastjson.Value) bool {
		switch key {
		case "system":
			out.System = r.text(v, element)
		case "value":
			out.Value = r.text(v, element)
		default:
			return false
		}
		return true
	})
	return out
}

func (r *reader) period(v *fastjson.Value, element string) (out Period) {
	r.members(v, element, func(key string, v *fastjson.Value) bool {
		switch key {
		case "start":
			out.Start = r.text(v, element)
		case "end":
			out.End = r.text(v, element)
		default:
			return false
		}
		return true
	})
	return out
}

func (r *reader) extensionList(v *fastjson.Value) []Extension {
	items := r.items(v, "extension")
	list := grow(&r.extensions, len(items))
	for i, item := range items {
		list[i] = r.extension(item)
	}
	return list
}

func (r *reader) extension(v *fastjson.Value) (out Extension) {
	const element = "extension"
	r.members(v, element, func(key string, v *fastjson.Value) bool {
		switch key {
		case "url":
			out.URL = r.text(v, element)
		case "valueCoding":
			coding := r.coding(v, element)
			out.ValueCoding = &coding
		case "valueCodeableConcept":
			concept := r.concept(v, element)
			out.ValueCodeableConcept = &concept
		case "valueString":
			out.ValueString = r.textPointer(v, element)
		case "valueCode":
			out.ValueCode = r.textPointer(v, element)
		case "valueBoolean":
			out.ValueBoolean = r.boolPointer(v, element)
		case "extension":
			out.Extension = r.extensionList(v)
		default:
			return false
		}
		return true
	})
	return out
}

func (r *reader) patient(v *fastjson.Value) (out Patient) {
	r.members(v, "", func(key string, v *fastjson.Value) bool {
		switch key {
		case "id":
			out.ID = r.text(v, key)
		case "meta":
			out.Meta = r.meta(v)
		case "extension":
			out.Extension = r.extensionList(v)
		case "gender":
			out.Gender = r.text(v, key)
		case "birthDate":
			out.BirthDate = r.text(v, key)
		case "deceasedBoolean":
			out.DeceasedBoolean = r.boolPointer(v, key)
		case "deceasedDateTime":
			out.DeceasedDateTime = r.text(v, key)
		case "communication":
			out.Communication = r.communicationList(v)
		case "generalPractitioner":
			out.GeneralPractitioner = r.referenceList(v, key)
		case "managingOrganization":
			out.ManagingOrganization = r.reference(v, key)
		case "link":
			out.Link = r.linkList(v)
		default:
			return false
		}
		return true
	})
	return out
}

func (r *reader) communicationList(v *fastjson.Value) []Communication {
	items := r.items(v, "communication")
	list := grow(&r.communications, len(items))
	for i, item := range items {
		out := &list[i]
		r.members(item, "communication", func(key string, v *fastjson.Value) bool {
			switch key {
			case "language":
				out.Language = r.concept(v, "communication.language")
			case "preferred":
				out.Preferred = r.boolPointer(v, "communication.preferred")
			default:
				return false
			}
			return true
		})
	}
	return list
}

func (r *reader) linkList(v *fastjson.Value) []PatientLink {
	items := r.items(v, "link")
	list := grow(&r.links, len(items))
	for i, item := range items {
		out := &list[i]
		r.members(item, "link", func(key string, v *fastjson.Value) bool {
			switch key {
			case "other":
				out.Other = r.reference(v, "link.other")
			case "type":
				out.Type = r.text(v, "link.type")
			default:
				return false
			}
			return true
		})
	}
	return list
}

func (r *reader) encounter(v *fastjson.Value) (out Encounter) {
	r.members(v, "", func(key string, v *fastjson.Value) bool {
		switch key {
		case "id":
			out.ID = r.text(v, key)
		case "meta":
			out.Meta = r.meta(v)
		case "extension":
			out.Extension = r.extensionList(v)
		case "status":
			out.Status = r.text(v, key)
		case "class":
			out.Class = r.coding(v, key)
		case "type":
			out.Type = r.conceptList(v, key)
		case "serviceType":
			out.ServiceType = r.concept(v, key)
		case "priority":
			out.Priority = r.concept(v, key)
		case "subject":
			out.Subject = r.reference(v, key)
		case "participant":
			out.Participant = r.participantList(v)
		case "period":
			out.Period = r.period(v, key)
		case "hospitalization":
			out.Hospitalization = r.hospitalization(v)
		case "serviceProvider":
			out.ServiceProvider = r.reference(v, key)
		default:
			return false
		}
		return true
	})
	return out
}

func (r *reader) participantList(v *fastjson.Value) []Participant {
	items := r.items(v, "participant")
	list := grow(&r.participants, len(items))
	for i, item := range items {
		out := &list[i]
		r.members(item, "participant", func(key string, v *fastjson.Value) bool {
			switch key {
			case "type":
				out.Type = r.conceptList(v, "participant.type")
			case "individual":
				out.Individual = r.reference(v, "participant.individual")
			case "period":
				out.Period = r.period(v, "participant.period")
			default:
				return false
			}
			return true
		})
	}
	return list
}

func (r *reader) hospitalization(v *fastjson.Value) (out Hospitalization) {
	r.members(v, "hospitalization", func(key string, v *fastjson.Value) bool {
		switch key {
		case "specialArrangement":
			out.SpecialArrangement = r.conceptList(v, "hospitalization.specialArrangement")
		case "dischargeDisposition":
			out.DischargeDisposition = r.concept(v, "hospitalization.dischargeDisposition")
		default:
			return false
		}
		return true
	})
	return out
}

func (r *reader) adverseEvent(v *fastjson.Value) (out AdverseEvent) {
	r.members(v, "", func(key string, v *fastjson.Value) bool {
		switch key {
		case "id":
			out.ID = r.text(v, key)
		case "meta":
			out.Meta = r.meta(v)
		case "extension":
			out.Extension = r.extensionList(v)
		case "actuality":
			out.Actuality = r.text(v, key)
		case "category":
			out.Category = r.conceptList(v, key)
		case "event":
			out.Event = r.concept(v, key)
		case "subject":
			out.Subject = r.reference(v, key)
		case "encounter":
			out.Encounter = r.reference(v, key)
		case "date":
			out.Date = r.text(v, key)
		case "detected":
			out.Detected = r.text(v, key)
		case "recordedDate":
			out.RecordedDate = r.text(v, key)
		case "seriousness":
			out.Seriousness = r.concept(v, key)
		case "severity":
			out.Severity = r.concept(v, key)
		case "outcome":
			out.Outcome = r.concept(v, key)
		default:
			return false
		}
		return true
	})
	return out
}
