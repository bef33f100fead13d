package population

import (
	"context"
	"iter"
	"time"
)

// Query selects lines of an export.
type Query struct {
	Type Type
	// Part of Parts selects the people; the zero values select all of them.
	Part  int
	Parts int
	// Since leaves out what last changed before it; zero leaves out nothing. Without a Since an export
	// also holds the stale copies of a few resources, as real exports do.
	Since time.Time
	// Reverse goes through the people backwards, and puts each stale copy behind its current version.
	Reverse bool
}

func (q Query) since() minute {
	if q.Since.IsZero() {
		return everything
	}
	s := q.Since.Unix()
	if q.Since.Nanosecond() > 0 {
		s++
	}
	m := s / 60
	if s%60 > 0 {
		m++
	}
	return minute(m) - zoneMinutes
}

// Lines writes the lines that q selects, without their newlines. A line is overwritten by the next.
// The sequence ends early when ctx does.
func (p *Population) Lines(ctx context.Context, q Query) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		g := newGenerator(p.settings)
		var buf []byte
		p.walk(ctx, g, q, func(it item) bool {
			buf = g.append(buf[:0], it)
			return yield(buf)
		})
	}
}

// Count is the number of lines that q selects.
func (p *Population) Count(ctx context.Context, q Query) int {
	n := 0
	p.walk(ctx, newGenerator(p.settings), q, func(item) bool {
		n++
		return true
	})
	return n
}

// walk makes the people that q selects and hands each of their items to use, until it says no.
func (p *Population) walk(ctx context.Context, g *generator, q Query, use func(item) bool) {
	first, last := p.bounds(q.Part, max(q.Parts, 1))
	if q.Type == Organization {
		if first == 0 {
			walkOrganizations(use)
		}
		return
	}
	since := q.since()
	var list []item
	for n := range last - first {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return
		}
		i := first + n
		if q.Reverse {
			i = last - 1 - n
		}
		g.make(i)
		list = g.items(list[:0], q.Type, since)
		if q.Reverse {
			staleLast(list)
		}
		for _, it := range list {
			if !use(it) {
				return
			}
		}
	}
}

func walkOrganizations(use func(item) bool) {
	for i := range sites {
		if !use(item{kind: Organization, number: i}) {
			return
		}
	}
}

// staleLast swaps each stale copy with the current version that follows it.
func staleLast(list []item) {
	for i := 1; i < len(list); i++ {
		if list[i-1].older && !list[i].older && list[i-1].number == list[i].number {
			list[i-1], list[i] = list[i], list[i-1]
		}
	}
}

// Cursor is where a page of a search begins: the zero Cursor is the beginning.
type Cursor struct {
	Person int
	Skip   int
}

// Page returns up to count current resources from the cursor on, and where the next page begins.
// There is no next page when more is false.
func (p *Population) Page(kind Type, since time.Time, from Cursor, count int) (
	lines [][]byte, next Cursor, more bool,
) {
	g := newGenerator(p.settings)
	from.Person, from.Skip = max(from.Person, 0), max(from.Skip, 0)
	if kind == Organization {
		for i := from.Skip; i < len(sites); i++ {
			if len(lines) == count {
				return lines, Cursor{Skip: i}, true
			}
			lines = append(lines, appendOrganization(nil, i))
		}
		return lines, Cursor{}, false
	}
	limit := Query{Since: since}.since()
	var list []item
	for i := from.Person; i < p.settings.patients; i++ {
		g.make(i)
		list = g.items(list[:0], kind, limit)
		for n, it := range list {
			if (i == from.Person && n < from.Skip) || it.older {
				continue
			}
			if len(lines) == count {
				return lines, Cursor{Person: i, Skip: n}, true
			}
			lines = append(lines, g.append(nil, it))
		}
	}
	return lines, Cursor{}, false
}

// Standing says whether a resource can be read.
type Standing uint8

// The standings.
const (
	Unknown Standing = iota
	Current
	Deleted
)

// Read returns the current version of one resource.
func (p *Population) Read(kind Type, id string) ([]byte, Standing) {
	if kind == Organization {
		for i := range sites {
			if sites[i].id == id {
				return appendOrganization(nil, i), Current
			}
		}
		return nil, Unknown
	}
	number, person, ok := parseID(kind, id)
	if !ok || person >= p.settings.patients {
		return nil, Unknown
	}
	g := newGenerator(p.settings)
	g.make(person)
	for _, it := range g.items(nil, kind, everything) {
		if it.number == number && !it.older {
			return g.append(nil, it), Current
		}
	}
	deleted := false
	g.deletions(never, func(t Type, n int) bool {
		deleted = deleted || (t == kind && n == number)
		return true
	})
	if deleted {
		return nil, Deleted
	}
	return nil, Unknown
}

// Deletions lists what was deleted at since or later, by type and id. With a zero since it lists
// every deletion there ever was.
func (p *Population) Deletions(ctx context.Context, since time.Time) iter.Seq2[Type, string] {
	return func(yield func(Type, string) bool) {
		g := newGenerator(p.settings)
		limit := Query{Since: since}.since()
		for i := range p.settings.patients {
			if i%checkEvery == 0 && ctx.Err() != nil {
				return
			}
			g.make(i)
			ok := g.deletions(limit, func(t Type, n int) bool {
				return yield(t, string(appendID(nil, t, n, i)))
			})
			if !ok {
				return
			}
		}
	}
}

// deletions hands out what of the person at hand was deleted at since or later. A person is deleted
// with all that belongs to them.
func (g *generator) deletions(since minute, yield func(t Type, number int) bool) bool {
	p, horizon := &g.person, g.config.horizon
	if p.registered > horizon {
		return true
	}
	gone := happened(p.gone, horizon)
	for i := range p.events {
		v := &p.events[i]
		at := deletedAt(v.withdrawn, p.gone, gone, v.posted, horizon)
		if at != never && at >= since && !yield(AdverseEvent, i) {
			return false
		}
	}
	for i := range p.encounters {
		e := &p.encounters[i]
		at := deletedAt(e.withdrawn, p.gone, gone, e.created(), horizon)
		if at != never && at >= since && !yield(Encounter, i) {
			return false
		}
	}
	if !gone || p.orphan || p.gone < since {
		return true
	}
	return (!p.doubled || yield(Patient, 1)) && yield(Patient, 0)
}

// deletedAt is when a record that appeared at created was deleted, or never.
func deletedAt(withdrawn, personGone minute, gone bool, created, horizon minute) minute {
	switch {
	case happened(withdrawn, horizon) && created <= horizon:
		return withdrawn
	case gone && created <= personGone:
		return personGone
	}
	return never
}
