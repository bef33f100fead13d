package exchange

import (
	"net/http"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/server"
)

// Bounds of bodies, in bytes: an AdverseEvent with two texts of 8 KiB, in any escaping; an
// assessment with a comment for each item.
const (
	mostEvent    = 128 << 10
	mostTask     = 128 << 10
	mostResponse = 1 << 20
)

// Resources are the routes, for the table of a server.
func (e *Exchange) Resources() []server.Resource {
	all := e.terminologyRoutes()
	if e.cfg.Reviews != nil {
		all = append(all, e.eventRoutes()...)
	}
	if e.cfg.Incidents != nil {
		all = append(all, server.Resource{
			Method: http.MethodPost, Path: "/fhir/AdverseEvent", Scope: scope.Import, Does: audit.Create,
			Handler: server.Responder(e.acceptEvent), Body: mostEvent, Type: "AdverseEvent",
		})
	}
	if e.cfg.Reviews != nil || e.cfg.Actions != nil {
		all = append(all, e.taskRoutes()...)
	}
	if e.cfg.Actions != nil {
		all = append(all, e.actionRoutes()...)
	}
	if e.cfg.Assessments != nil {
		all = append(all, e.assessmentRoutes()...)
	}
	return all
}

// token is a search parameter of codes; definition is empty for one of ours.
func token(name, definition string) server.SearchParameter {
	return server.SearchParameter{Name: name, Definition: definition, Kind: "token"}
}

func date(name, definition string) server.SearchParameter {
	return server.SearchParameter{Name: name, Definition: definition, Kind: "date"}
}

// names lists search parameters by their names.
func names(parameters []server.SearchParameter) []string {
	out := make([]string, len(parameters))
	for i, p := range parameters {
		out[i] = p.Name
	}
	return out
}

func eventParameters() []server.SearchParameter {
	return []server.SearchParameter{
		token("_id", "Resource-id"), date("date", "AdverseEvent-date"),
		token("actuality", "AdverseEvent-actuality"), token("category", "AdverseEvent-category"),
		token("severity", "AdverseEvent-severity"), token("inequity", ""), token("review-state", ""),
	}
}

func (e *Exchange) eventRoutes() []server.Resource {
	route := func(method, path string, does audit.Interaction, f server.Responder) server.Resource {
		return server.Resource{
			Method: method, Path: "/fhir/AdverseEvent" + path, Scope: scope.Review, Does: does, Handler: f,
			Body: mostEvent, Type: "AdverseEvent",
		}
	}
	search := route(http.MethodGet, "", audit.Search, e.searchEvents)
	search.Search = eventParameters()
	search.Documentation = "Harm events of the live snapshot, each with the answer of its " +
		"equity review. An update takes that answer as the opinion of the caller, and nothing else; a " +
		"create takes in an event of an incident system."
	return []server.Resource{
		search,
		route(http.MethodGet, "/{id}", audit.Read, e.readEvent),
		route(http.MethodPut, "/{id}", server.Update, e.answerEvent),
		route(http.MethodGet, "/{id}/_history", server.History, e.eventHistory),
	}
}

func taskParameters() []server.SearchParameter {
	return []server.SearchParameter{
		token("_id", "Resource-id"), token("code", "Task-code"), token("status", "Task-status"),
		token("business-status", "Task-business-status"),
		{Name: "focus", Definition: "Task-focus", Kind: "reference"},
		date("period", "Task-period"), date("due", ""), {Name: "owner-role", Kind: "string"},
	}
}

func (e *Exchange) taskRoutes() []server.Resource {
	route := func(method, path string, does audit.Interaction, f server.Responder) server.Resource {
		return server.Resource{
			Method: method, Path: "/fhir/Task" + path, Scope: scope.Improve, Does: does, Handler: f,
			Body: mostTask, Type: "Task",
		}
	}
	search := route(http.MethodGet, "", audit.Search, e.searchTasks)
	search.Search = taskParameters()
	search.Documentation = "Reviews of harm events, of which equitylens/review is needed too, and " +
		"actions. An update or a create is of an action."
	routes := []server.Resource{
		search,
		route(http.MethodGet, "/{id}", audit.Read, e.readTask),
		route(http.MethodGet, "/{id}/_history", server.History, e.taskHistory),
	}
	if e.cfg.Acts != nil {
		routes = append(routes,
			route(http.MethodPut, "/{id}", server.Update, e.changeTask),
			route(http.MethodPost, "", audit.Create, e.addTask))
	}
	return routes
}

func goalParameters() []server.SearchParameter {
	return []server.SearchParameter{
		token("_id", "Resource-id"), token("lifecycle-status", "Goal-lifecycle-status"),
		date("start-date", "Goal-start-date"), date("target-date", "Goal-target-date"), token("measure",
			""),
	}
}

func flagParameters() []server.SearchParameter {
	return []server.SearchParameter{
		token("_id", "Resource-id"), date("date", "clinical-date"), token("status", ""), token("site",
			""),
	}
}

// actionRoutes are about what actions aim at, and about declared conditions.
func (e *Exchange) actionRoutes() []server.Resource {
	route := func(kind, path string, does audit.Interaction, f server.Responder) server.Resource {
		return server.Resource{
			Method: http.MethodGet, Path: "/fhir/" + kind + path, Scope: scope.Improve, Does: does,
			Handler: f, Type: kind,
		}
	}
	goals := route("Goal", "", audit.Search, e.searchGoals)
	goals.Search, goals.Documentation = goalParameters(),
		"What actions should move; each has the id of its Task."
	flags := route("Flag", "", audit.Search, e.searchFlags)
	flags.Search, flags.Documentation = flagParameters(), "Declared conditions of care."
	return []server.Resource{
		goals, route("Goal", "/{id}", audit.Read, e.readGoal),
		flags, route("Flag", "/{id}", audit.Read, e.readFlag),
	}
}

func responseParameters() []server.SearchParameter {
	return []server.SearchParameter{
		token("_id", "Resource-id"), token("identifier", "QuestionnaireResponse-identifier"),
		token("status", "QuestionnaireResponse-status"), date("authored",
			"QuestionnaireResponse-authored"),
		{Name: "questionnaire", Definition: "QuestionnaireResponse-questionnaire", Kind: "reference"},
	}
}

func (e *Exchange) assessmentRoutes() []server.Resource {
	route := func(method, path string, does audit.Interaction, f server.Responder) server.Resource {
		return server.Resource{
			Method: method, Path: "/fhir/QuestionnaireResponse" + path, Scope: scope.Improve, Does: does,
			Handler: f, Body: mostResponse, Type: "QuestionnaireResponse",
		}
	}
	search := route(http.MethodGet, "", audit.Search, e.searchResponses)
	search.Search = responseParameters()
	search.Documentation = "The answers of the institution to the readiness questionnaire, by period."
	asked := e.published("Questionnaire", "What an institution is asked about its readiness.",
		publishedParameters("Questionnaire", ""), e.questionnaires)
	return append(asked, search,
		route(http.MethodGet, "/{id}", audit.Read, e.readResponse),
		route(http.MethodPut, "/{id}", server.Update, e.changeResponse))
}
