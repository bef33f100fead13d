package bedside

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
)

// patient reads the Patient, without whom there is no view.
func (q *inquiry) patient(ctx context.Context) (chartOwner, error) {
	body, err := q.get(ctx, q.address(kindPatient, q.access.Patient), maxOne)
	if err == nil {
		var out chartOwner
		if out, err = q.owner(body, q.access.Patient); err == nil {
			return out, nil
		}
	} else {
		err = errorOf(err, ErrNoPatient)
	}
	q.log(ctx, kindPatient, err)
	return chartOwner{}, inWords("read Patient", err)
}

// visitSearch is what the search for encounters brought.
type visitSearch struct {
	byID map[phi.ID]encounter
	// passed are those that were passed over and counted.
	passed map[phi.ID]bool
	left   bool
	notes  notices
}

// visits searches the patient's encounters until the newest are known: when they come newest first
// as asked, as soon as there are enough; else all of them, as far as maxPages goes.
func (q *inquiry) visits(ctx context.Context) visitSearch {
	out := visitSearch{byID: map[phi.ID]encounter{}, passed: map[phi.ID]bool{}, notes: notices{}}
	if !allows(q.access.Scopes, kindEncounter, scope.Search) {
		out.notes.add(NoPermission, kindEncounter, 0)
		return out
	}
	v, err := r4.NewValidator()
	if err != nil {
		out.notes.add(Unreachable, kindEncounter, 0)
		q.log(ctx, kindEncounter, err)
		return out
	}
	id := q.access.Patient.Reveal()
	order := descent{}
	end := q.search(ctx, kindEncounter,
		ways([2]string{"patient", id}, [2]string{"subject", "Patient/" + id}),
		func(page []json.RawMessage) bool {
			for _, raw := range page {
				one, ok, owned := q.encounter(v, raw, q.access.Patient)
				if !sifted(ok, owned, kindEncounter, out.notes) {
					out.passed[idOf(raw)] = true
					continue
				}
				order.pass(one.contact.Start)
				if have, twice := out.byID[one.id]; !twice || later(one.version, have.version) {
					out.byID[one.id] = one
				}
			}
			return order.holds() && out.shown() >= q.cfg.Visits
		})
	out.left = end.left || end.err != nil && end.begun
	end.note(ctx, q, kindEncounter, out.notes)
	if end.left && !order.holds() {
		out.notes.add(Partial, kindEncounter, 0)
	}
	return out
}

// sifted counts what is passed over, and reports whether the resource is not.
func sifted(ok, owned bool, kind string, into notices) bool {
	switch {
	case !ok:
		into.add(Unreadable, kind, 1)
	case !owned:
		into.add(OtherPatient, kind, 1)
	}
	return ok && owned
}

// idOf is the id that a resource claims, valid or not.
func idOf(raw []byte) phi.ID {
	var head struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(raw, &head) // Without an id it is one of no name.
	return phi.New(head.ID)
}

// shown is how many of the encounters are visits.
func (s visitSearch) shown() (n int) {
	for _, e := range s.byID {
		if e.contact.tookPlace() {
			n++
		}
	}
	return n
}

// tookPlace reports whether the encounter is a visit: begun, or of a status that R4 does not know.
func (c contact) tookPlace() bool {
	switch c.Status {
	case "planned", "cancelled", voided:
		return false
	}
	return true
}

// voided is the status of an encounter that never was.
const voided = "entered-in-error"

// currentVisit is the encounter from which the page was launched, read by its id.
type currentVisit struct {
	id    phi.ID
	got   *encounter
	notes notices
}

// current reads the current encounter by itself: a search may not reach it, and a token may be good
// for it alone.
func (q *inquiry) current(ctx context.Context) currentVisit {
	out := currentVisit{id: q.access.Encounter, notes: notices{}}
	if out.id.Empty() {
		return out
	}
	one, err := q.oneEncounter(ctx)
	if err != nil && !errors.Is(err, ErrRefused) {
		q.log(ctx, kindEncounter, err)
	}
	switch {
	case err == nil:
		out.got = &one
	case errors.Is(err, ErrRefused):
		out.notes.add(NoPermission, kindEncounter, 0)
	case errors.Is(err, ErrOtherPatient):
		out.notes.add(OtherPatient, kindEncounter, 1)
	case errors.Is(err, ErrUnavailable):
		out.notes.add(Unreachable, kindEncounter, 0)
	default:
		out.notes.add(Unreadable, kindEncounter, 1)
	}
	return out
}

// oneEncounter reads Access.Encounter.
func (q *inquiry) oneEncounter(ctx context.Context) (encounter, error) {
	switch {
	case !usableID(q.access.Encounter):
		return encounter{}, ErrNoEncounter
	case !allows(q.access.Scopes, kindEncounter, scope.Read):
		return encounter{}, inWords("read Encounter: no scope covers it", ErrRefused)
	}
	body, err := q.get(ctx, q.address(kindEncounter, q.access.Encounter), maxOne)
	if err != nil {
		return encounter{}, inWords("read Encounter", errorOf(err, ErrNoEncounter))
	}
	one, err := q.thisEncounter(body, q.access)
	return one, inWords("read Encounter", err)
}

// thisEncounter reads the encounter of a from a document. One that never was is no encounter.
func (r *Reader) thisEncounter(raw []byte, a Access) (encounter, error) {
	v, err := r4.NewValidator()
	if err != nil {
		return encounter{}, err
	}
	one, ok, owned := r.encounter(v, raw, a.Patient)
	switch {
	case !ok:
		return encounter{}, ErrUnreadable
	case !owned || one.id != a.Encounter:
		return encounter{}, ErrOtherPatient
	case one.contact.Status == voided:
		return encounter{}, ErrNoEncounter
	}
	return one, nil
}

// notesBeside are the notes on the current encounter, or none where the search has brought it too,
// be it to be passed over.
func (c currentVisit) notesBeside(s visitSearch) notices {
	if _, found := s.byID[c.id]; found || s.passed[c.id] {
		return nil
	}
	return c.notes
}

// newestVisits picks what is shown, the newest first, and reports whether there are others.
func newestVisits(s visitSearch, current currentVisit, most int) (out []contact, more bool) {
	if current.got != nil {
		if have, found := s.byID[current.id]; !found || later(current.got.version, have.version) {
			s.byID[current.id] = *current.got
		}
	}
	var list []encounter
	for id, e := range s.byID {
		e.contact.Current = !current.id.Empty() && id == current.id
		if e.contact.tookPlace() || e.contact.Current && e.contact.Status != voided {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b encounter) int {
		return cmp.Or(-cmp.Compare(order(a.contact.Start), order(b.contact.Start)),
			-cmp.Compare(order(a.contact.End), order(b.contact.End)),
			cmp.Compare(a.id.Reveal(), b.id.Reveal()))
	})
	more = s.left || len(list) > most
	for i, e := range list {
		if len(out) < most {
			out = append(out, e.contact)
		} else if e.contact.Current {
			out[most-1] = list[i].contact
		}
	}
	return out, more
}
