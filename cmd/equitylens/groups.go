package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/server"
)

// groups are the FHIR Groups of patients that the configuration names, by id. It is a server.Groups.
type groups map[string][]phi.ID

// loadGroups reads every *.json file of a folder as an R4 Group of patients. Errors name the file and
// the member, never whom it refers to.
func loadGroups(folder string) (groups, error) {
	all := groups{}
	if folder == "" {
		return all, nil
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	var faults []error
	for _, file := range files {
		id, members, err := readGroup(file)
		if err == nil && all[id] != nil {
			err = errors.New("another file holds a Group of the same id")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("groups: %s: %w", filepath.Base(file), err))
			continue
		}
		all[id] = members
	}
	return all, errors.Join(faults...)
}

// readGroup reads one file: its id and its active members.
func readGroup(path string) (id string, members []phi.ID, err error) {
	text, err := os.ReadFile(path) // #nosec G304 -- a folder that the operator names
	if err != nil {
		return "", nil, fmt.Errorf("read group: %w", err)
	}
	// It is held against all rules of R4 first; what those say may quote a value.
	if resource, err := r4.Unmarshal(text); err != nil || resource.GetGroup() == nil {
		return "", nil, errors.New("it is no valid R4 Group")
	}
	var group struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Actual bool   `json:"actual"`
		Member []struct {
			Entity   struct{ Reference string } `json:"entity"`
			Inactive bool                       `json:"inactive"`
		} `json:"member"`
	}
	if err := json.Unmarshal(text, &group); err != nil {
		return "", nil, errors.New("it is no JSON object")
	}
	switch {
	case group.ID == "":
		return "", nil, errors.New("the Group has no id")
	case group.Type != "person" || !group.Actual:
		return "", nil, errors.New("the Group is not one of actual persons")
	}
	members = make([]phi.ID, 0, len(group.Member))
	for i, m := range group.Member {
		if m.Inactive {
			continue
		}
		kind, patient := fhir.Reference{Reference: m.Entity.Reference}.Target()
		if kind != "Patient" || patient == "" {
			return "", nil, fmt.Errorf("member[%d] is no reference to a Patient", i)
		}
		members = append(members, phi.New(patient))
	}
	return group.ID, members, nil
}

// Group lists the members of a Group.
func (g groups) Group(_ context.Context, id string) ([]phi.ID, error) {
	members, ok := g[id]
	if !ok {
		return nil, server.ErrUnknownGroup
	}
	return members, nil
}
