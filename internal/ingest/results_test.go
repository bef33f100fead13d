package ingest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/store/facts"
)

// folderOfPeople is an export of people.
func folderOfPeople(t *testing.T) ingest.Folder {
	t.Helper()
	folder := t.TempDir()
	if err := people().WriteNDJSON(t.Context(), folder, 1, false); err != nil {
		t.Fatal(err)
	}
	return ingest.Folder{Path: folder, ID: "ehr"}
}

func TestResultsAreInTheSnapshot(t *testing.T) {
	t.Parallel()
	definitions, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	const id = "of-a-value"
	broken := definitions[0]
	broken.ID, broken.Populations = id, map[measure.Population]string{
		measure.InitialPopulation: "site::INTEGER > 0", measure.Denominator: "true", measure.Numerator: "true",
	}
	definitions = append(definitions, broken)
	store := openStore(t)
	store.config.Results = measure.Precomputation{Definitions: definitions}
	report := store.sync(t, folderOfPeople(t))
	if d := cmp.Diff([]string{id}, report.Uncounted); d != "" {
		t.Errorf("uncounted (-want +got):\n%s", d)
	}
	if text := store.log.String(); !strings.Contains(text, id) || strings.Contains(text, "onvert") {
		t.Errorf("the log ought to name the measure and not the value: %s", text)
	}
	s, err := store.Snapshot(t.Context(), report.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	year, err := measure.ParsePeriod("2025")
	if err != nil {
		t.Fatal(err)
	}
	e := measure.NewEngine(s, definitions)
	for _, d := range definitions {
		_, ok, err := e.Stored(t.Context(), measure.Question{Measure: d.ID, Period: year, By: measure.Dimensions()})
		if err != nil || ok != (d.ID != id) {
			t.Errorf("%s is stored: %t, %v", d.ID, ok, err)
		}
	}
}

// cannot is a Results that fails as a whole.
type cannot struct{ cause error }

func (c cannot) Results(context.Context, *facts.Snapshot) ([]facts.Result, []string, error) {
	return nil, nil, c.cause
}

func TestNothingIsPublishedWhereCountingIsInterrupted(t *testing.T) {
	t.Parallel()
	cause := errors.New("interrupted")
	s := openStore(t)
	s.config.Results = cannot{cause}
	_, err := ingest.Sync(t.Context(), s.config, folderOfPeople(t))
	if !errors.Is(err, cause) || s.live(t) != "" {
		t.Errorf("Sync = %v with %q live, want %v and none", err, s.live(t), cause)
	}
}
