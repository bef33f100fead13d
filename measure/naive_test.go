package measure_test

import (
	"cmp"
	"slices"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
)

// world evaluates the measures of the catalogue a second time: row by row in plain Go on the
// records as mapped, after docs/measures.md, without SQL and without a thought for speed.
type world struct {
	patients   []mapping.Patient
	encounters []mapping.Encounter
	events     []mapping.AdverseEvent
	// asOf is the day of the data.
	asOf int32

	// seen and links are settled once, at their first use.
	seen  []visit
	links map[*mapping.AdverseEvent]*visit
	// rated keeps the rows of measures, whose populations do not depend on the period.
	rated map[string]map[string][]row
}

// row is one unit and the populations of one rate that it is in.
type row struct {
	who *mapping.Patient
	// unit is the id of an encounter or an event; "" for a patient.
	unit string
	// groups are the keys of the nine dimensions.
	groups       map[string]string
	practitioner phi.ID
	dated        bool
	day          int32

	in map[measure.Population]bool
	// v is what the denominator or the measure population observes of it, w what the numerator does.
	v, w *float64
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func hasDay(d fhir.DateTime) bool { return d.Precision >= fhir.Day }

// owner finds the patient whose unit it is: the one survivor at the ends of all links, else the
// record itself; nil for an orphan.
func (w *world) owner(id string) *mapping.Patient {
	if ends := w.ends(id, map[string]bool{}); len(ends) == 1 {
		for end := range ends {
			return w.patient(end)
		}
	}
	return w.patient(id)
}

func (w *world) patient(id string) *mapping.Patient {
	for i := range w.patients {
		if w.patients[i].ID.Reveal() == id {
			return &w.patients[i]
		}
	}
	return nil
}

// ends walks the links from a record to the survivors that are here and go no further.
func (w *world) ends(id string, seen map[string]bool) map[string]bool {
	ends := map[string]bool{}
	seen[id] = true
	next := map[string]bool{}
	for i := range w.patients {
		p := &w.patients[i]
		own := p.ID.Reveal()
		if own == id && !p.ReplacedBy.Empty() && p.ReplacedBy.Reveal() != id &&
			w.patient(p.ReplacedBy.Reveal()) != nil {
			next[p.ReplacedBy.Reveal()] = true
		}
		for _, retired := range p.Replaces {
			if retired.Reveal() == id && own != id {
				next[own] = true
			}
		}
	}
	if len(next) == 0 {
		return map[string]bool{id: true}
	}
	for n := range next {
		if seen[n] {
			continue
		}
		for end := range w.ends(n, seen) {
			ends[end] = true
		}
	}
	return ends
}

// persons are the records that no other one survives.
func (w *world) persons() []*mapping.Patient {
	var out []*mapping.Patient
	for i := range w.patients {
		if p := &w.patients[i]; w.owner(p.ID.Reveal()) == p {
			out = append(out, p)
		}
	}
	return out
}

// groups are the keys of the nine dimensions.
func groups(p *mapping.Patient, need, age mapping.Value, site mapping.Value) map[string]string {
	return map[string]string{
		"race": facts.Key(p.Race), "ethnicity": facts.Key(p.Ethnicity),
		"race_ethnicity": facts.Key(p.RaceEthnicity), "language": facts.Key(p.Language),
		"language_group": facts.Key(p.LanguageGroup), "interpreter_need": facts.Key(need),
		"sex": facts.Key(p.Sex), "age_band": facts.Key(age), "site": facts.Key(site),
	}
}

func ageAt(p *mapping.Patient, d fhir.DateTime) mapping.Value {
	if !hasDay(d) {
		return mapping.Value{State: mapping.Missing}
	}
	return mapping.AgeBand(p.Birth, d.Days)
}

// visit is an encounter whose patient is here.
type visit struct {
	*mapping.Encounter
	who *mapping.Patient
}

func (v visit) is(classes ...string) bool {
	return v.Class.State == mapping.Known && slices.Contains(classes, v.Class.Code)
}

func (v visit) finished() bool { return v.Status == "finished" }

func (v visit) left(disposition string) bool {
	return v.Disposition.State == mapping.Known && v.Disposition.Code == disposition
}

func counted(status string) bool {
	return status != "planned" && status != "cancelled" && status != "entered-in-error"
}

// micros is the length, where both ends are instants.
func (v visit) micros() (int64, bool) {
	if !v.Start.Zoned || !v.End.Zoned || v.End.Micros < v.Start.Micros {
		return 0, false
	}
	return v.End.Micros - v.Start.Micros, true
}

func (v visit) need() mapping.Value {
	return mapping.ResolveNeed(v.InterpreterNeed, v.who.InterpreterNeed)
}

func (v visit) row() row {
	return row{who: v.who, unit: v.ID.Reveal(), practitioner: v.Practitioner,
		groups: groups(v.who, v.need(), ageAt(v.who, v.Start), v.Site.Value),
		dated:  hasDay(v.End), day: v.End.Days}
}

func (w *world) visits() []visit {
	if w.seen != nil {
		return w.seen
	}
	owners := map[string]*mapping.Patient{}
	for i := range w.encounters {
		e := &w.encounters[i]
		id := e.Patient.Reveal()
		if _, known := owners[id]; !known {
			owners[id] = w.owner(id)
		}
		if who := owners[id]; who != nil {
			w.seen = append(w.seen, visit{e, who})
		}
	}
	return w.seen
}

// holding are the conditions of the populations, each by itself.
type holding map[measure.Population]bool

// as puts a row into the populations of a scoring, in the order that the standard has.
func (r row) as(scoring measure.Scoring, holds holding) row {
	in := map[measure.Population]bool{}
	in[measure.InitialPopulation] = holds[measure.InitialPopulation]
	in[measure.Denominator] = in[measure.InitialPopulation] && holds[measure.Denominator]
	in[measure.DenominatorExclusion] = in[measure.Denominator] && holds[measure.DenominatorExclusion]
	left := in[measure.Denominator] && !in[measure.DenominatorExclusion]
	switch scoring {
	case measure.Proportion:
		in[measure.Numerator] = left && holds[measure.Numerator]
		in[measure.DenominatorException] = left && !in[measure.Numerator] &&
			holds[measure.DenominatorException]
		in[measure.NumeratorExclusion] = in[measure.Numerator] && holds[measure.NumeratorExclusion]
	case measure.Ratio:
		initial, own := holds[measure.NumeratorInitial]
		if !own {
			initial = in[measure.InitialPopulation]
		}
		in[measure.NumeratorInitial] = own && initial
		in[measure.Numerator] = initial && holds[measure.Numerator]
		in[measure.NumeratorExclusion] = in[measure.Numerator] && holds[measure.NumeratorExclusion]
	case measure.ContinuousVariable:
		in[measure.MeasurePopulation] = in[measure.InitialPopulation] && holds[measure.MeasurePopulation]
		in[measure.MeasureExclusion] = in[measure.MeasurePopulation] &&
			(r.v == nil || holds[measure.MeasureExclusion])
	case measure.Cohort:
	}
	r.in = in
	return r
}

// proportion fills a row of a plain proportion.
func (r row) proportion(initial, denominator, excluded, numerator bool) row {
	return r.as(measure.Proportion, holding{measure.InitialPopulation: initial,
		measure.Denominator: denominator, measure.DenominatorExclusion: excluded,
		measure.Numerator: numerator})
}

// rates evaluates a measure: the rows of each of its rates, those out of the period included.
func (w *world) rates(id string, period measure.Period) map[string][]row {
	if id == "real-completeness" || id == "seen" {
		return w.rate(id, period)
	}
	if w.rated[id] == nil {
		if w.rated == nil {
			w.rated = map[string]map[string][]row{}
		}
		w.rated[id] = w.rate(id, period)
	}
	return w.rated[id]
}

func (w *world) rate(id string, period measure.Period) map[string][]row {
	switch id {
	case "real-completeness":
		return w.completeness(period)
	case "inequity-factor-captured", "reporting-ratio":
		return w.eventRates(id)
	case "readmission-30-day", "length-of-stay", "harm-per-1000-days":
		return map[string][]row{"main": w.stays(id)}
	}
	if own := w.ownRates(id, period); own != nil {
		return own
	}
	out := map[string][]row{}
	all := w.visits()
	for _, v := range all {
		r := v.row()
		emergency := v.is("EMER") && v.finished()
		switch id {
		case "language-recorded":
			inScope := v.finished() && v.is("IMP", "ACUTE", "NONAC", "OBSENC", "EMER", "AMB", "VR")
			out["main"] = append(out["main"], r.proportion(inScope, true, false,
				v.who.Language.State == mapping.Known))
		case "interpreter-documented":
			needed := v.finished() && v.need().Code == mapping.Yes
			excluded := v.left("lwbs") || v.left("aadvice") || v.who.Language.Code == "en"
			for rate, use := range map[string]mapping.InterpreterUse{
				"main": mapping.Documented, "arranged": mapping.Arranged, "ad-hoc": mapping.AdHoc,
			} {
				out[rate] = append(out[rate], r.proportion(needed, true, excluded, v.InterpreterUse == use))
			}
		case "telehealth-share":
			out["main"] = append(out["main"], r.proportion(v.finished() && v.is("AMB", "VR"), true, false,
				v.Telehealth))
		case "ed-left-without-being-seen":
			out["main"] = append(out["main"], r.proportion(emergency, true, false, v.left("lwbs")))
		case "ed-stay-over-8h":
			length, clocked := v.micros()
			out["main"] = append(out["main"], r.proportion(emergency, true,
				!clocked || containsObservation(v, all), length >= 481*60_000_000))
		case "ed-boarding-over-4h":
			admitted, watched, boarding := boards(v, all)
			out["main"] = append(out["main"], r.proportion(emergency && admitted, true,
				watched || boarding == nil, boarding != nil && *boarding >= 241*60_000_000))
		}
	}
	return out
}

func (w *world) completeness(period measure.Period) map[string][]row {
	out := map[string][]row{}
	all := w.visits()
	first, last := dayOf(period.Start), dayOf(period.End)
	for _, p := range w.persons() {
		seen := false
		var stated []mapping.Value
		for _, v := range all {
			if v.who != p || !hasDay(v.End) || v.End.Days < first || v.End.Days > last {
				continue
			}
			seen = seen || v.finished()
			if counted(v.Status) {
				stated = append(stated, v.InterpreterNeed)
			}
		}
		need := needOfPatient(p.InterpreterNeed, stated)
		r := w.patientRow(p, need, first)
		for rate, v := range map[string]mapping.Value{
			"race": p.Race, "ethnicity": p.Ethnicity, "language": p.Language, "interpreter-need": need,
		} {
			answered := v.State == mapping.Known || v.State == mapping.AskedDeclined
			out[rate] = append(out[rate], r.proportion(seen, true, false, answered))
		}
	}
	return out
}

func (w *world) patientRow(p *mapping.Patient, need mapping.Value, first int32) row {
	return row{who: p, practitioner: p.GeneralPractitioner, dated: true, day: first,
		groups: groups(p, need, mapping.AgeBand(p.Birth, first), p.Site.Value)}
}

// needOfPatient is the patient's own, else that of any encounter, else the absence that says most.
func needOfPatient(own mapping.Value, stated []mapping.Value) mapping.Value {
	has := map[string]bool{facts.Key(own): true}
	switch facts.Key(own) {
	case "~unknown", "~asked-no-answer", "~asked-declined", "~missing":
	default:
		return own
	}
	for _, v := range stated {
		has[facts.Key(v)] = true
	}
	if has["yes"] && has["no"] {
		return mapping.Value{State: mapping.Conflicting}
	}
	for _, key := range []string{"~conflicting", "yes", "no", "~unmapped", "~asked-declined",
		"~asked-no-answer", "~unknown", "~text-only"} {
		if has[key] {
			return facts.ValueOf(key)
		}
	}
	return mapping.Value{State: mapping.Missing}
}

func containsObservation(v visit, all []visit) bool {
	for _, o := range all {
		if o.who != v.who || !o.is("OBSENC") || !counted(o.Status) {
			continue
		}
		if v.Start.Zoned && v.End.Zoned && o.Start.Zoned && o.End.Zoned {
			if o.Start.Micros >= v.Start.Micros && o.End.Micros <= v.End.Micros {
				return true
			}
			continue
		}
		if hasDay(v.Start) && hasDay(v.End) && hasDay(o.Start) && hasDay(o.End) &&
			o.Start.Days >= v.Start.Days && o.End.Days <= v.End.Days {
			return true
		}
	}
	return false
}

// boards says whether a visit led to an admission within 24 hours, whether to observation, and how
// long after the admission the patient left; nil where a clock is missing.
func boards(v visit, all []visit) (admitted, watched bool, boarding *int64) {
	var first *int64
	clockless := false
	for _, o := range all {
		if o.who != v.who || !o.is("IMP", "ACUTE", "OBSENC") || !counted(o.Status) {
			continue
		}
		var soon bool
		if v.Start.Zoned && o.Start.Zoned {
			after := o.Start.Micros - v.Start.Micros
			soon = after >= 0 && after <= 24*3600*1_000_000
		} else {
			soon = hasDay(v.Start) && hasDay(o.Start) &&
				o.Start.Days >= v.Start.Days && o.Start.Days <= v.Start.Days+1
		}
		switch {
		case soon && o.is("OBSENC"):
			watched = true
		case soon:
			admitted = true
			clockless = clockless || !o.Start.Zoned
			if o.Start.Zoned && (first == nil || o.Start.Micros < *first) {
				first = &o.Start.Micros
			}
		}
	}
	if first != nil && !clockless && v.End.Zoned {
		length := v.End.Micros - *first
		boarding = &length
	}
	return admitted, watched, boarding
}

func (w *world) stays(id string) []row {
	var out []row
	all := w.visits()
	for _, v := range all {
		if !v.is("IMP", "ACUTE", "NONAC", "OBSENC") || !counted(v.Status) {
			continue
		}
		r := v.row()
		switch id {
		case "readmission-30-day":
			adult := false
			if v.who.Birth.Precision != fhir.NoDate && hasDay(v.Start) {
				youngest := fhir.DateTime{Precision: fhir.Day, Days: v.who.Birth.LastDay()}
				years, ok := mapping.AgeAt(youngest, v.Start.Days)
				adult = ok && years >= 18
			}
			transferred, readmitted := w.after(v, all)
			died := v.left("exp") || hasDay(v.who.DeceasedDate) && v.who.DeceasedDate.Days <= v.End.Days
			r = r.proportion(v.is("IMP", "ACUTE") && v.finished() && adult, true,
				died || v.left("aadvice") || transferred || w.asOf-v.End.Days < 30, readmitted)
		case "length-of-stay":
			days := float64(v.End.Days - v.Start.Days)
			if hasDay(v.Start) && days >= 0 {
				r.v = &days
			}
			r = r.as(measure.ContinuousVariable, holding{
				measure.InitialPopulation: v.is("IMP", "ACUTE", "NONAC") && v.finished(),
				measure.MeasurePopulation: true, measure.MeasureExclusion: days >= 365})
		case "harm-per-1000-days":
			length, clocked := v.micros()
			days, harm := float64(max(1, length/86_400_000_000)), w.harm(v, all)
			if clocked {
				r.v, r.w = &days, &harm
			}
			r = r.as(measure.Ratio, holding{
				measure.InitialPopulation: v.finished() && (!clocked || days <= 120),
				measure.Denominator:       true, measure.Numerator: clocked})
		}
		out = append(out, r)
	}
	return out
}

// after looks at what followed a stay.
func (w *world) after(a visit, all []visit) (transferred, readmitted bool) {
	var later []visit
	for _, b := range all {
		if b.who != a.who || b.ID == a.ID || !b.is("IMP", "ACUTE") || !counted(b.Status) ||
			!hasDay(b.Start) {
			continue
		}
		days := b.Start.Days - a.End.Days
		afterStart := hasDay(a.Start) && b.Start.Days > a.Start.Days ||
			a.Start.Zoned && b.Start.Zoned && b.Start.Micros > a.Start.Micros
		if afterStart && days >= 0 && days <= 30 {
			later = append(later, b)
		}
	}
	slices.SortFunc(later, func(x, y visit) int {
		return cmp.Or(cmp.Compare(x.Start.Days, y.Start.Days), cmp.Compare(bit(!x.Start.Zoned),
			bit(!y.Start.Zoned)),
			cmp.Compare(x.Start.Micros, y.Start.Micros), cmp.Compare(bit(x.Elective), bit(y.Elective)),
			cmp.Compare(facts.Key(x.Site.Value), facts.Key(y.Site.Value)))
	})
	if len(later) > 0 {
		b := later[0]
		transferred = b.Start.Days-a.End.Days <= 1 && a.Site.State == mapping.Known &&
			b.Site.State == mapping.Known && a.Site.Code != b.Site.Code
	}
	for _, b := range later {
		if b.Start.Days > a.End.Days {
			return transferred, !b.Elective
		}
	}
	return transferred, false
}
