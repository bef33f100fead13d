package population

// status indexes statuses.
type status int8

const (
	finished status = iota
	inProgress
	cancelled
	planned
	enteredInError
)

var statuses = [...]string{"finished", "in-progress", "cancelled", "planned", "entered-in-error"}

// periodShape is how much of Encounter.period is written.
type periodShape int8

const (
	periodFull periodShape = iota
	periodDays
	periodNoEnd
	periodAbsent
	periodNoStart
)

// classShape is the system of Encounter.class.
type classShape int8

const (
	classStandard classShape = iota
	classLocal
	// classUnmapped is a local code that the ConceptMap does not know.
	classUnmapped
)

// codeShape is the system of the discharge disposition.
type codeShape int8

const (
	codeTHO codeShape = iota
	codeNUBC
	// codeNUBCShort has the older system and no leading zero.
	codeNUBCShort
	codeLocal
)

// linkShape is how a reference is written.
type linkShape int8

const (
	linkRelative linkShape = iota
	linkAbsolute
	linkVersioned
	linkURN
)

// encounter is one contact, as it stands at the horizon.
type encounter struct {
	class class
	site  int8
	start minute
	end   minute
	// posted is when the finished record reaches the EHR's FHIR server; until then it is in progress.
	posted minute
	// withdrawn is when the record is deleted; never if it is not.
	withdrawn   minute
	status      status
	elective    bool
	disposition disposition
	use         use

	period    periodShape
	classAs   classShape
	codeAs    codeShape
	link      linkShape
	older     stale
	onDouble  bool
	siteless  bool
	utc       bool
	available bool
	// admitted is the index of the short inpatient stay that an emergency visit led to, or -1.
	admitted int
	// observed says that an observation stay of the same episode starts within 24 hours of the visit,
	// contains that it lies wholly inside it.
	observed bool
	contains bool
	// transferred says that the stay went on in another hospital the same or the next day.
	transferred bool
	// readmitted is the outcome of a short stay, as settle finds it.
	readmitted bool
}

// created is when the record first appears, as one in progress.
func (e *encounter) created() minute {
	if e.posted < e.start+4 {
		return e.posted
	}
	return e.start + 4
}

// updated is when the record last changed, as it stands at horizon.
func (e *encounter) updated(horizon minute) minute {
	if e.posted <= horizon {
		return e.posted
	}
	return e.created()
}

// endDay is the calendar date of the end, or noDay where none is written.
func (e *encounter) endDay() day {
	if e.status == inProgress || e.period == periodNoEnd || e.period == periodAbsent {
		return noDay
	}
	return e.end.day()
}

// counts says that the record is there and finished.
func (e *encounter) counts() bool { return e.available && e.status == finished }

// completeDays is the complete 24-hour days of a stay, at least one.
func (e *encounter) completeDays() int {
	return max(1, int((e.end-e.start)/minutesPerDay))
}

// covers says that the period of e includes the moment or the date.
func (e *encounter) covers(at minute, dayOnly bool) bool {
	if e.status == inProgress || e.period >= periodNoEnd {
		return false
	}
	if dayOnly || e.period == periodDays {
		return e.start.day() <= at.day() && at.day() <= e.end.day()
	}
	return e.start <= at && at <= e.end
}
