package population

// answer is what a review said to "was inequity a contributing factor".
type answer int8

const (
	noAnswer answer = iota
	notAsked
	undetermined
	answerNo
	answerYes
)

var answers = [...]string{"", "not-asked", "undetermined", codeNo, codeYes}

// dateField is the element that dates an event: the first of the three that is present.
type dateField int8

const (
	dateOccurred dateField = iota
	dateDetected
	dateRecorded
)

// subject is what AdverseEvent.subject points at.
type subject int8

const (
	subjectPatient subject = iota
	subjectGroup
	subjectPractitioner
)

// event is one adverse event, actual or potential.
type event struct {
	actual bool
	// when is the moment that the record gives, dayOnly that it gives no time of day.
	when    minute
	dayOnly bool
	field   dateField
	// recorded is when the report was filed, posted when it reached the EHR.
	recorded  minute
	posted    minute
	withdrawn minute
	// named is the index of the encounter that the event names, or -1.
	named    int
	subject  subject
	onDouble bool
	kind     int8
	severity int8
	outcome  int8
	answer   answer
	older    stale

	available bool
	// linked is the index of the encounter the event belongs to, or -1.
	linked int
}

var severities = [...]string{"mild", "moderate", "severe"}

var outcomes = [...]string{"resolved", "recovering", "ongoing", "resolvedWithSequelae", "fatal",
	"unknown"}

// kinds mixes the category codes of FHIR R4 and of THO, which differ; real systems send both.
var kinds = [...]string{"product-use-error", "medical-device-use-error",
	"unsafe-physical-environment",
	"medication-mishap", "procedure-mishap", "hospital-acquired-infection", "wrong-patient"}

// mostEvents bounds the events of one stay.
const mostEvents = 12

// harm draws the events of the encounters from first on.
func (g *generator) harm(first int) {
	p, d := &g.person, g.safety
	share := potentialShare(p.group())
	stays := 0
	for i := first; i < len(p.encounters); i++ {
		if p.encounters[i].class.inpatient() {
			stays++
		}
	}
	for i := first; i < len(p.encounters); i++ {
		e := &p.encounters[i]
		if e.status != finished || e.period != periodFull || e.classAs == classUnmapped || e.siteless {
			continue
		}
		count := 0
		switch {
		case e.class.stay():
			days := float64(min(e.completeDays(), 40))
			count = min(d.poisson(harmRate(p.group())*days/(1-share)), mostEvents)
		case e.class == emergency && d.chance(0.008), e.class == ambulatory && d.chance(0.0015):
			count = 1
		}
		for range count {
			g.addEvent(i, !d.chance(share), stays > 1)
		}
	}
}

// addEvent draws one event of encounter i. It must name the encounter where a date could not tell
// two stays of one episode apart.
func (g *generator) addEvent(i int, actual, mustName bool) {
	p, d := &g.person, g.safety
	e := &p.encounters[i]
	v := event{actual: actual, named: i, withdrawn: never}
	v.when = e.start + minute(d.rand.Float64()*float64(e.end-e.start))
	v.dayOnly = d.chance(0.3)
	v.named = i
	if d.chance(0.3) && !mustName {
		v.named = -1
	}
	v.kind = int8(d.between(0, len(kinds)-1))                      // #nosec G115 -- an index
	v.severity = int8(d.weighed([]float64{0.62, 0.28, 0.10}))      // #nosec G115 -- an index
	v.outcome = int8(d.weighed([]float64{6, 2, 1.5, 0.5, 0.1, 1})) // #nosec G115 -- an index
	v.answer = g.review(e.site)
	v.recorded = v.when + minute(d.between(60, 6*minutesPerDay))
	v.posted = v.recorded + minute(d.between(10, 3*minutesPerDay))
	v.onDouble = e.onDouble
	if !g.config.clean {
		g.eventMess(&v, e)
	}
	p.events = append(p.events, v)
}

func (g *generator) review(site int8) answer {
	p, d := &g.person, g.safety
	answered, yes, asked := d.chance(factorAnswered(site)), d.chance(factorYes(p.race)),
		d.rand.Float64()
	switch {
	case answered && yes:
		return answerYes
	case answered && asked < 0.7:
		return answerNo
	case answered:
		return undetermined
	case asked < 0.4:
		return notAsked
	}
	return noAnswer
}

// eventMess gives an event the traps of AdverseEvent: a date in another element or outside the
// stay, a subject that is no Patient, a stale copy, a later withdrawal.
func (g *generator) eventMess(v *event, e *encounter) {
	d := g.mess
	field, outside, who := d.rand.Float64(), d.chance(0.015), d.rand.Float64()
	withdrawn, older := d.chance(0.03), d.rand.Float64()
	later, days := minute(d.between(2, 300)*minutesPerDay), minute(d.between(3, 9)*minutesPerDay)
	if v.named >= 0 && outside {
		v.when = e.end + days
		v.recorded, v.posted = v.when+200, v.when+900
	}
	switch {
	case v.named >= 0 && field < 0.04:
		v.field, v.when, v.dayOnly = dateRecorded, v.recorded, false
	case field < 0.12:
		v.field = dateDetected
	}
	switch {
	case who < 0.006:
		v.subject, v.named = subjectGroup, -1
	case who < 0.010:
		v.subject, v.named = subjectPractitioner, -1
	}
	if withdrawn {
		v.withdrawn = v.posted + later
	}
	v.older = olderShapes.at(older)
}
