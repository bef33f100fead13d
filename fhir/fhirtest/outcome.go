package fhirtest

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
)

const (
	fhirJSON = "application/fhir+json"
	ndjson   = "application/fhir+ndjson"
)

// object is a piece of JSON in the making.
type object map[string]any

// issue is an OperationOutcome of one issue: http://hl7.org/fhir/R4/operationoutcome.html.
func issue(severity, code, details string) object {
	return object{"resourceType": "OperationOutcome", "issue": []object{
		{"severity": severity, "code": code, "details": object{"text": details}}}}
}

// refuse answers with an OperationOutcome. details names no person.
func refuse(w http.ResponseWriter, status int, code, details string) {
	answer(w, status, fhirJSON, issue("error", code, details))
}

// answer writes body as JSON. That the caller hung up is the caller's business.
func answer(w http.ResponseWriter, status int, contentType string, body any) {
	out, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "marshal answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(out)
}

// fiveHours is what one vendor was seen to ask for between polls.
const fiveHours = 18_000

// askPatience sets Retry-After, in the form that the faults choose.
func (s *Server) askPatience(w http.ResponseWriter) {
	wait := math.Ceil(s.config.RetryAfter.Seconds())
	value := strconv.Itoa(int(wait))
	switch {
	case s.faults[RetryAfterHours]:
		value = strconv.Itoa(fiveHours)
	case s.faults[RetryAfterEpoch]:
		value = strconv.FormatInt(s.config.Now().Unix()+int64(wait), 10)
	case s.faults[RetryAfterDate]:
		value = s.config.Now().Add(time.Duration(wait) * time.Second).UTC().Format(http.TimeFormat)
	}
	w.Header().Set("Retry-After", value)
}
