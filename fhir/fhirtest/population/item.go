package population

import "context"

// item is one line of an export: a resource of the person at hand, or a stale copy of it.
type item struct {
	kind   Type
	number int
	older  bool
}

// everything is a since that no change lies before.
const everything = never

// items appends to list what the person has of the type, as of the horizon, changed at since or
// later. A current resource comes before or after its stale copy.
func (g *generator) items(list []item, kind Type, since minute) []item {
	p, horizon := &g.person, g.config.horizon
	if !p.present(horizon) {
		return list
	}
	switch kind {
	case Patient:
		if p.orphan {
			return list
		}
		if p.updatedPatient(horizon) >= since {
			list = withStale(list, item{kind: Patient}, p.older, since == everything)
		}
		if p.doubled && p.registered >= since {
			list = append(list, item{kind: Patient, number: 1})
		}
	case Encounter:
		for i := range p.encounters {
			e := &p.encounters[i]
			if e.available && e.updated(horizon) >= since {
				list = withStale(list, item{kind: Encounter, number: i}, e.older, since == everything)
			}
		}
	case AdverseEvent:
		for i := range p.events {
			v := &p.events[i]
			if v.available && v.posted >= since {
				list = withStale(list, item{kind: AdverseEvent, number: i}, v.older, since == everything)
			}
		}
	case Organization:
	}
	return list
}

func withStale(list []item, it item, older stale, full bool) []item {
	if !full || older == notStale {
		return append(list, it)
	}
	copied := it
	copied.older = true
	if older == staleBefore {
		return append(list, copied, it)
	}
	return append(list, it, copied)
}

func (g *generator) append(buf []byte, it item) []byte {
	switch it.kind {
	case Patient:
		return g.appendPatient(buf, it.number == 1, it.older)
	case Encounter:
		return g.appendEncounter(buf, it.number, it.older)
	case AdverseEvent:
		return g.appendEvent(buf, it.number, it.older)
	case Organization:
	}
	return appendOrganization(buf, it.number)
}

// checkEvery is how many people pass between two looks at a context.
const checkEvery = 256

// each makes the people first to last-1 and stops early when ctx ends or use returns an error.
func (g *generator) each(ctx context.Context, first, last int, use func() error) error {
	for i := first; i < last; i++ {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		g.make(i)
		if err := use(); err != nil {
			return err
		}
	}
	return nil
}
