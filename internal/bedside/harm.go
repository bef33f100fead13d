package bedside

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
)

// eventSearch is what the search for harm events brought.
type eventSearch struct {
	byID  map[phi.ID]harm
	first int32 // The first day of the window, in days since 1970-01-01.
	left  bool
	notes notices
}

// events searches the patient's harm events. R4 knows AdverseEvent.subject alone as a parameter;
// R5, and some servers of R4, know patient.
func (q *inquiry) events(ctx context.Context) eventSearch {
	out := eventSearch{byID: map[phi.ID]harm{}, notes: notices{},
		first: daysOf(q.cfg.Now().AddDate(-q.cfg.EventYears, 0, 0))}
	if !allows(q.access.Scopes, kindEvent, scope.Search) {
		out.notes.add(NoPermission, kindEvent, 0)
		return out
	}
	v, err := r4.NewValidator()
	if err != nil {
		out.notes.add(Unreachable, kindEvent, 0)
		q.log(ctx, kindEvent, err)
		return out
	}
	id := q.access.Patient.Reveal()
	order := descent{}
	end := q.search(ctx, kindEvent,
		ways([2]string{"subject", "Patient/" + id}, [2]string{"subject", id}, [2]string{"patient", id}),
		func(page []json.RawMessage) bool {
			for _, raw := range page {
				one, ok, owned := q.harm(v, raw, q.access.Patient)
				if !sifted(ok, owned, kindEvent, out.notes) {
					continue
				}
				order.pass(one.event.Date)
				if have, twice := out.byID[one.id]; !twice || later(one.version, have.version) {
					out.byID[one.id] = one
				}
			}
			return order.holds() && len(out.byID) > q.cfg.Events
		})
	out.left = end.left || end.err != nil && end.begun
	end.note(ctx, q, kindEvent, out.notes)
	if end.left && !order.holds() {
		out.notes.add(Partial, kindEvent, 0)
	}
	return out
}

// daysOf is the calendar day of t in days since 1970-01-01.
func daysOf(t time.Time) int32 {
	year, month, day := t.Date()
	const secondsPerDay = 86400
	start := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	return int32(start.Unix() / secondsPerDay) // #nosec G115 -- years of a clock
}

// newest picks the events of the window, the newest first and the undated last: when they were is
// not known, and to leave them out would be to say that they were long ago.
func (s eventSearch) newest(most int) (out []Event, more bool) {
	var list []harm
	more = s.left
	for _, h := range s.byID {
		if h.event.Date.Precision != fhir.NoDate && h.event.Date.LastDay() < s.first {
			more = true
			continue
		}
		list = append(list, h)
	}
	slices.SortFunc(list, func(a, b harm) int {
		return cmp.Or(-cmp.Compare(order(a.event.Date), order(b.event.Date)),
			cmp.Compare(a.id.Reveal(), b.id.Reveal()))
	})
	for _, h := range list[:min(most, len(list))] {
		out = append(out, h.event)
	}
	return out, more || len(list) > most
}

// descent watches whether dates come newest first. What has no date stands anywhere.
type descent struct {
	last    int64
	begun   bool
	ascends bool
}

func (d *descent) pass(at fhir.DateTime) {
	if at.Precision == fhir.NoDate {
		return
	}
	now := order(at)
	d.ascends = d.ascends || d.begun && now > d.last
	d.last, d.begun = now, true
}

// holds reports whether no date has come after an older one.
func (d *descent) holds() bool { return d.begun && !d.ascends }
