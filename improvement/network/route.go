package network

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server"
)

// The addresses of the coordinator.
const (
	SubmitPath = "/network/submissions"
	ReportPath = "/network/report"
)

// Resources are the routes of the coordinator. Both are for programs of members, by Backend Services.
func (d *Desk) Resources() []server.Resource {
	return []server.Resource{
		{
			Method: http.MethodPost, Path: SubmitPath, Scope: scope.Submit, Does: audit.Operation,
			Handler: http.HandlerFunc(d.serveSubmission), Body: maxSigned,
		},
		{
			Method: http.MethodGet, Path: ReportPath, Scope: scope.Submit, Does: audit.Operation,
			Handler: http.HandlerFunc(d.serveReport),
		},
	}
}

func (d *Desk) serveSubmission(w http.ResponseWriter, r *http.Request) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != MediaType {
		server.Fail(w, r, server.Refuse(server.Refusal{
			Expression: "Content-Type", Text: "the body must be a signed submission (" + MediaType + ")",
		}))
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		server.Fail(w, r, err)
		return
	}
	receipt, err := d.Accept(r.Context(), server.Caller(r.Context()).Client, body)
	if err != nil {
		server.Fail(w, r, problemOf(err))
		return
	}
	status := http.StatusOK
	if receipt.New {
		status = http.StatusCreated
	}
	answer(w, status, receipt)
}

func (d *Desk) serveReport(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	for name := range query {
		if name != "period" && name != "by" {
			server.Fail(w, r, server.Refuse(server.Refusal{
				Expression: "parameter", Text: "the parameters of a report are period and by",
			}))
			return
		}
	}
	period, err := measure.ParsePeriod(query.Get("period"))
	if err != nil || len(query["period"]) != 1 {
		server.Fail(w, r, server.Refuse(server.Refusal{
			Expression: "period", Text: "period must be a year, a quarter or a month, such as 2025, 2025-Q1 or 2025-03",
		}))
		return
	}
	by := UsualDimensions()
	if values, ok := query["by"]; ok {
		by = strings.FieldsFunc(strings.Join(values, ","), func(c rune) bool { return c == ',' })
	}
	member, err := d.memberOf(server.Caller(r.Context()).Client)
	if err != nil {
		server.Fail(w, r, problemOf(err))
		return
	}
	overview, err := d.Overview(r.Context(), period, Viewer{Member: member.ID}, slices.Compact(by)...)
	if err != nil {
		server.Fail(w, r, problemOf(err))
		return
	}
	answer(w, http.StatusOK, overview)
}

// answer writes JSON that nobody keeps: what a member sees depends on who it is.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // Who has gone is told nothing.
}

// problemOf says to a caller what an error means.
func problemOf(err error) error {
	var no *RefusedError
	switch {
	case errors.As(err, &no):
		expression := ""
		if len(no.Faults) > 0 {
			expression = no.Faults[0].Path
		}
		return server.Refuse(server.Refusal{
			Status: http.StatusUnprocessableEntity, Expression: expression, Text: no.Error(),
		})
	case errors.Is(err, ErrNoMember):
		return server.Refuse(server.Refusal{Status: http.StatusForbidden, Text: ErrNoMember.Error()})
	case errors.Is(err, ErrStale):
		return server.Refuse(server.Refusal{Status: http.StatusConflict, Text: ErrStale.Error()})
	case errors.Is(err, ErrUnknown):
		return server.Refuse(server.Refusal{Expression: "by", Text: ErrUnknown.Error()})
	}
	return err
}
