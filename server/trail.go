package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"
	"google.golang.org/protobuf/proto"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/trail"
)

// Trail is the audit trail as it is read.
type Trail interface {
	// Search answers a query, the newest event first. The error wraps trail.ErrCursor where the
	// cursor is none.
	Search(ctx context.Context, q trail.Query) (trail.Page, error)
	// Load returns the event of an id. The error wraps trail.ErrNoEvent where there is none.
	Load(ctx context.Context, id string) (json.RawMessage, error)
}

// cursorParameter is ours; a client takes it from the link to the next page.
const cursorParameter = "_cursor"

// trailParameters are those of AuditEvent that a search takes.
func trailParameters() []string {
	return []string{
		"_id", "date", "agent", "patient", "type", "subtype", "action", "outcome", cursorParameter,
	}
}

func noTrail() error { return notConfigured("the audit trail cannot be read here") }

// readEvent answers with one event of the trail.
func (s *Server) readEvent(r *http.Request) (proto.Message, error) {
	if s.cfg.Trail == nil {
		return nil, noTrail()
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.EvaluateTimeout)
	defer cancel()
	text, err := s.cfg.Trail.Load(ctx, mux.Vars(r)["id"])
	if err != nil {
		return nil, fmt.Errorf("read the audit trail: %w", err)
	}
	event, err := eventIn(text)
	if err != nil {
		return nil, fmt.Errorf("read the audit trail: %w", err)
	}
	return event.GetAuditEvent(), nil
}

// searchTrail answers a search of the trail, the newest event first. How many there are in all is
// not said: nobody knows without reading everything.
func (s *Server) searchTrail(r *http.Request) (proto.Message, error) {
	if s.cfg.Trail == nil {
		return nil, noTrail()
	}
	asked, err := readSearch(r, "/AuditEvent", trailParameters())
	if err != nil {
		return nil, err
	}
	q, err := s.trailQuery(asked)
	if err != nil {
		return nil, err
	}
	if q.Patient != nil {
		about(r, phi.New(q.Patient.Reveal()))
	}
	if asked.count == 0 {
		return asked.stream(s.cfg.BaseURL, ""), nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.EvaluateTimeout)
	defer cancel()
	page, err := s.cfg.Trail.Search(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("search the audit trail: %w", err)
	}
	bundle := asked.stream(s.cfg.BaseURL, page.Next)
	for _, text := range page.Events {
		event, err := eventIn(text)
		if err != nil {
			return nil, fmt.Errorf("search the audit trail: %w", err)
		}
		id := event.GetAuditEvent().GetId().GetValue()
		bundle.Entry = append(bundle.Entry, found(s.cfg.BaseURL+"/AuditEvent/"+id, event))
	}
	return bundle, nil
}

// eventIn reads an event. What is wrong with one is a fault of the trail, not of who asks, so that
// the cause is not handed on.
func eventIn(text []byte) (*rpb.ContainedResource, error) {
	event, err := r4.Unmarshal(text)
	if err != nil || event.GetAuditEvent() == nil {
		return nil, errors.New("an event of it is no valid AuditEvent")
	}
	return event, nil
}

// trailQuery reads the criteria. Each but date may be given once, without alternatives.
func (s *Server) trailQuery(asked search) (trail.Query, error) {
	q := trail.Query{Count: asked.count}
	for name, values := range asked.used {
		if name == "date" {
			for _, value := range values {
				if err := narrow(&q, value); err != nil {
					return q, err
				}
			}
			continue
		}
		if len(values) != 1 {
			return q, repeated(name)
		}
		value := values[0]
		if value == "" || strings.Contains(value, ",") {
			return q, malformedValue(name)
		}
		if err := s.criterion(&q, name, value); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (s *Server) criterion(q *trail.Query, name, value string) error {
	switch name {
	case "_id":
		q.ID = value
	case "agent":
		q.Agent = value
	case "patient":
		id, ok := s.local(value, "Patient")
		if !ok {
			return malformedReference(name, "Patient/id")
		}
		q.Patient = phi.New(id)
	case "type":
		q.Type = code(value)
	case "subtype":
		q.Subtype = code(value)
	case "action":
		q.Action = code(value)
	case "outcome":
		q.Outcome = code(value)
	case cursorParameter:
		q.Cursor = value
	}
	return nil
}

// code is what stands behind the bar of a system.
func code(token string) string { return token[strings.LastIndexByte(token, '|')+1:] }

// narrow takes a date in: with every further one fewer events match.
func narrow(q *trail.Query, value string) error {
	prefix := "eq"
	if len(value) > 2 && value[0] >= 'a' && value[0] <= 'z' {
		prefix, value = value[:2], value[2:]
	}
	at, ok := spanOf(value)
	if !ok || !slices.Contains([]string{"eq", "ge", "gt", "sa", "lt", "le", "eb"}, prefix) {
		return malformedSearchDate("date")
	}
	from, to := at.from, at.to
	switch prefix {
	case "ge":
		to = forever()
	case "gt", "sa":
		from, to = at.to, forever()
	case "lt", "eb":
		from, to = q.From, at.from
	case "le":
		from = q.From
	}
	if from.After(q.From) {
		q.From = from
	}
	if q.To.IsZero() || to.Before(q.To) {
		q.To = to
	}
	return nil
}

// stream makes the searchset of a page that is read on from where it ended, without its entries.
func (f search) stream(base, next string) *rpb.Bundle {
	bundle := &rpb.Bundle{Type: &rpb.Bundle_TypeCode{Value: cpb.BundleTypeCode_SEARCHSET}}
	link := func(relation string) {
		bundle.Link = append(bundle.Link, &rpb.Bundle_Link{
			Relation: r4.Text(relation), Url: r4.URI(f.link(base, 0)),
		})
	}
	link("self")
	if next != "" {
		f.own.Set(cursorParameter, next)
		delete(f.used, cursorParameter)
		link("next")
	}
	return bundle
}

// trailRoutes are for who looks after the looking.
func (s *Server) trailRoutes() []Route {
	const get = http.MethodGet
	return []Route{
		scoped(get, "/fhir/AuditEvent", scopeTrail, searches, s.fhir(s.searchTrail)),
		scoped(get, "/fhir/AuditEvent/"+resourceID, scopeTrail, reads, s.fhir(s.readEvent)),
	}
}
