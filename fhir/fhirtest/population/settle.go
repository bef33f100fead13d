package population

// present says that the person's records exist at the horizon.
func (p *person) present(horizon minute) bool {
	return p.registered <= horizon && !happened(p.gone, horizon)
}

func happened(at, horizon minute) bool { return at != never && at <= horizon }

// settle works out what is there at the horizon and what belongs together. It sees only the
// generator's own state.
func (g *generator) settle() {
	p, horizon := &g.person, g.config.horizon
	for i := range p.encounters {
		e := &p.encounters[i]
		e.available = e.created() <= horizon && !happened(e.withdrawn, horizon)
		if e.posted <= horizon {
			continue
		}
		if e.status == finished {
			e.status, e.older = inProgress, notStale
		} else {
			e.available = false
		}
	}
	for i := range p.encounters {
		if p.encounters[i].class.short() {
			p.outcome(i)
		}
	}
	for i := range p.events {
		v := &p.events[i]
		v.available = v.posted <= horizon && !happened(v.withdrawn, horizon)
		v.linked = p.link(v)
	}
}

// outcome finds what followed short stay i: a transfer on the same or the next day, a readmission
// on days 1 to 30. The first admission after day 0 decides.
func (p *person) outcome(i int) {
	e := &p.encounters[i]
	e.transferred, e.readmitted = false, false
	from := e.endDay()
	if from == noDay {
		return
	}
	next := true
	for j := i + 1; j < len(p.encounters); j++ {
		f := &p.encounters[j]
		if !f.class.short() || !f.available || f.status > inProgress {
			continue
		}
		gap := f.start.day() - from
		if next && gap <= 1 && f.site != e.site {
			e.transferred = true
		}
		next = false
		if gap >= 1 {
			e.readmitted = gap <= 30 && !f.elective
			return
		}
	}
}

// link finds the encounter of an event: the one it names, else the one that covers its date, a stay
// before a visit; -1 if there is none, or two of a kind.
func (p *person) link(v *event) int {
	if v.subject != subjectPatient {
		return -1
	}
	if v.named >= 0 {
		if p.encounters[v.named].available {
			return v.named
		}
		return -1
	}
	best, bestRank, tied := -1, 9, false
	for i := range p.encounters {
		e := &p.encounters[i]
		if !e.counts() || !e.covers(v.when, v.dayOnly) {
			continue
		}
		switch rank := linkRank(e.class); {
		case rank < bestRank:
			best, bestRank, tied = i, rank, false
		case rank == bestRank:
			tied = true
		}
	}
	if tied {
		return -1
	}
	return best
}

func linkRank(c class) int {
	switch {
	case c.inpatient():
		return 0
	case c == observation:
		return 1
	case c == emergency:
		return 2
	}
	return 3
}
