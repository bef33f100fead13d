package exchange

import (
	"net/http"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/server"
)

// published is a resource that anyone may read: what codes and questions mean. Each is active.
type published struct {
	id, url, version, name string
	resource               proto.Message
}

// publishedParameters are those of a canonical resource.
func publishedParameters(of, prefix string) []server.SearchParameter {
	definition := func(name string) string {
		if prefix == "" {
			return of + "-" + name
		}
		return prefix + "-" + name
	}
	return []server.SearchParameter{
		token("_id", "Resource-id"), {Name: "url", Definition: definition("url"), Kind: "uri"},
		token("version", definition("version")),
		{Name: "name", Definition: definition("name"), Kind: "string"},
		token("status", definition("status")),
	}
}

// terminologyRoutes are for anybody: what a code means says nothing of a person or an institution.
func (e *Exchange) terminologyRoutes() []server.Resource {
	const conformance = "conformance"
	return append(
		e.published("CodeSystem", "What the codes of ours mean, in English and Spanish.",
			publishedParameters("CodeSystem", conformance), codeSystems),
		e.published("ValueSet", "All codes of each of our code systems.",
			publishedParameters("ValueSet", conformance), valueSets)...)
}

func codeSystems() []published {
	var list []published
	for _, one := range form.CodeSystems() {
		list = append(list, published{
			id: one.GetId().GetValue(), url: one.GetUrl().GetValue(), version: one.GetVersion().GetValue(),
			name: one.GetName().GetValue(), resource: one,
		})
	}
	return list
}

func valueSets() []published {
	var list []published
	for _, one := range form.ValueSets() {
		list = append(list, published{
			id: one.GetId().GetValue(), url: one.GetUrl().GetValue(), version: one.GetVersion().GetValue(),
			name: one.GetName().GetValue(), resource: one,
		})
	}
	return list
}

// questionnaires is the one that an institution is asked.
func (e *Exchange) questionnaires() []published {
	one := form.Questionnaire(e.cfg.Assessments.Questionnaire())
	return []published{{
		id: one.GetId().GetValue(), url: one.GetUrl().GetValue(), version: one.GetVersion().GetValue(),
		name: one.GetName().GetValue(), resource: one,
	}}
}

// published makes the routes of resources that anyone may read.
func (e *Exchange) published(
	kind, about string, parameters []server.SearchParameter, list func() []published,
) []server.Resource {
	const why = "what a code or a question means says nothing of a person or an institution"
	route := func(path string, does audit.Interaction, f server.Responder) server.Resource {
		return server.Resource{
			Method: http.MethodGet, Path: "/fhir/" + kind + path, Public: why, Does: does,
			Handler: f, Type: kind,
		}
	}
	search := route("", audit.Search, func(r *http.Request) (server.Answer, error) {
		return e.searchPublished(r, kind, parameters, list())
	})
	search.Search, search.Documentation = parameters, about
	read := route("/{id}", audit.Read, func(r *http.Request) (server.Answer, error) {
		for _, one := range list() {
			if one.id == r.PathValue("id") {
				return server.Answer{Resource: one.resource}, nil
			}
		}
		return server.Answer{}, noneOf(kind)
	})
	return []server.Resource{search, read}
}

func (e *Exchange) searchPublished(
	r *http.Request, kind string, parameters []server.SearchParameter, list []published,
) (server.Answer, error) {
	q, err := server.ReadQuery(r, kind, names(parameters)...)
	if err != nil {
		return server.Answer{}, err
	}
	id := func(one published) string { return one.id }
	found, total, next, err := page(q, list, id, func(one published) (bool, error) {
		return q.Matches(func(name, value string) (bool, error) { return one.holds(name, value), nil })
	})
	if err != nil {
		return server.Answer{}, err
	}
	var entries []form.Entry
	for _, one := range found {
		entries = append(entries, form.Entry{URL: e.address(kind, one.id), Resource: one.resource})
	}
	return e.bundle(q, entries, total, next)
}

// holds compares one value of a search parameter. A name is met by its beginning, in any case.
func (p published) holds(name, value string) bool {
	switch name {
	case "_id":
		return value == p.id
	case "url":
		return value == p.url
	case "version":
		return code(value) == p.version
	case "status":
		return code(value) == "active"
	}
	return len(value) <= len(p.name) && strings.EqualFold(value, p.name[:len(value)])
}

// spanMatches compares a stretch of days, whose end may be open, with a date of a search.
func spanMatches(name, value, start, end string) (bool, error) {
	last, err := time.Parse(time.DateOnly, end)
	if err != nil {
		return sinceMatches(name, value, start)
	}
	first, err := time.Parse(time.DateOnly, start)
	if err != nil {
		return dayMatches(name, value, end)
	}
	return server.DateMatches(name, value, first, last.AddDate(0, 0, 1))
}
