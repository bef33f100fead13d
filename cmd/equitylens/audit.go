package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/measure"
)

// auditFile keeps who looked at whom: a FHIR AuditEvent a line, on disk before the answer is given. It
// is a server.Auditor.
type auditFile struct {
	mu   sync.Mutex
	file *os.File
}

func openAudit(path string) (*auditFile, error) {
	if _, err := ensureFolder(path); err != nil {
		return nil, err
	}
	const ownerFile = 0o600
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, ownerFile) // #nosec G304 -- configured
	if err != nil {
		return nil, fmt.Errorf("open audit file: %w", err)
	}
	return &auditFile{file: file}, nil
}

// Audit appends an event.
func (a *auditFile) Audit(_ context.Context, event []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.file.Write(append(event, '\n')); err != nil {
		return fmt.Errorf("write audit file: %w", err)
	}
	if err := a.file.Sync(); err != nil {
		return fmt.Errorf("write audit file: %w", err)
	}
	return nil
}

// Close closes the file.
func (a *auditFile) Close() error { return a.file.Close() }

// auditPath is where the configuration wants the audit file.
func auditPath(cfg *config.Config) string {
	if cfg.Server.Audit != "" {
		return cfg.Server.Audit
	}
	return filepath.Join(cfg.Data, "audit.ndjson")
}

// explainedEvent is the AuditEvent of an explanation on the command line.
func explainedEvent(e measure.Explanation, user string, now time.Time) ([]byte, error) {
	if user == "" {
		user = "unknown"
	}
	type object = map[string]any
	coding := func(system, code, display string) object {
		return object{"system": system, "code": code, "display": display}
	}
	event := object{
		"resourceType": "AuditEvent",
		"type":         coding("http://dicom.nema.org/resources/ontology/DCM", "110112", "Query"),
		"action":       "R",
		"recorded":     now.UTC().Format("2006-01-02T15:04:05.000Z"),
		"outcome":      "0",
		"agent":        []object{{"altId": user, "name": "user of the command line", "requestor": true}},
		"source":       object{"observer": object{"display": "EquityLens command line"}},
		"entity": []object{
			{
				"what": object{"reference": "Patient/" + e.Patient.Reveal()},
				"type": coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "1", "Person"),
				"role": coding("http://terminology.hl7.org/CodeSystem/object-role", "1", "Patient"),
			},
			{
				"what": object{"display": e.Measure + "|" + e.Version},
				"type": coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2", "System Object"),
				"role": coding("http://terminology.hl7.org/CodeSystem/object-role", "24", "Query"),
				"detail": []object{
					{"type": "period", "valueString": e.Period.String()},
					{"type": "snapshot", "valueString": e.Snapshot},
				},
			},
		},
	}
	text, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("write audit event: %w", err)
	}
	if _, err := r4.Unmarshal(text); err != nil {
		return nil, errors.New("write audit event: it is no valid AuditEvent")
	}
	return text, nil
}
