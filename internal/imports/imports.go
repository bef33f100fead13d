// Package imports keeps what other engines computed beside the snapshots: who is in which population of a
// measure over a period. The files name patients; they are the owner's alone, and are made again by
// importing again.
package imports

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
)

// document is the form of a file. It is the one place where ids of imports are revealed.
type document struct {
	Measure     string              `json:"measure"`
	Version     string              `json:"version,omitempty"`
	Title       string              `json:"title,omitempty"`
	URL         string              `json:"url,omitempty"`
	Scoring     measure.Scoring     `json:"scoring"`
	Improvement measure.Improvement `json:"improvement"`
	Unit        measure.Unit        `json:"unit"`
	Period      measure.Period      `json:"period"`
	Rates       []rate              `json:"rates"`
	Members     []member            `json:"members"`
}

type rate struct {
	ID          string              `json:"id"`
	Title       string              `json:"title,omitempty"`
	Improvement measure.Improvement `json:"improvement,omitempty"`
}

type member struct {
	Patient  string                         `json:"patient"`
	Unit     string                         `json:"unit,omitempty"`
	Rate     string                         `json:"rate"`
	In       []measure.Population           `json:"in"`
	Observed map[measure.Population]float64 `json:"observed,omitempty"`
}

// Save keeps imports, each in the place of an earlier one of the same measure and period.
func Save(dir *facts.Dir, all []measure.Import) error {
	for _, i := range all {
		text, err := json.Marshal(written(i))
		if err != nil {
			return fmt.Errorf("keep import of %s: %w", i.Measure, err)
		}
		if err := dir.SaveImport(name(i), text); err != nil {
			return fmt.Errorf("keep import of %s: %w", i.Measure, err)
		}
	}
	return nil
}

// name is that of the file of an import.
func name(i measure.Import) string {
	sum := sha256.Sum256([]byte(i.Measure + "\x00" + i.Period.String()))
	return hex.EncodeToString(sum[:16])
}

// Load reads all imports, in the order of their files.
func Load(dir *facts.Dir) ([]measure.Import, error) {
	files, err := dir.Imports()
	if err != nil {
		return nil, err
	}
	var all []measure.Import
	for _, name := range slices.Sorted(maps.Keys(files)) {
		var d document
		if err := json.Unmarshal(files[name], &d); err != nil {
			return nil, fmt.Errorf("read import %s: %w", name, err)
		}
		all = append(all, read(d))
	}
	return all, nil
}

// Version tells one set of imports from another, by the names, sizes and times of the files alone; it is
// empty where there are none.
func Version(dir *facts.Dir) (string, error) {
	files, err := os.ReadDir(filepath.Join(dir.Path(), "imports"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("list imports: %w", err)
	}
	sum, n := sha256.New(), 0
	for _, f := range files {
		info, err := f.Info()
		if err != nil || strings.HasPrefix(f.Name(), ".") {
			continue // It is being written or has just been replaced: the next look sees it.
		}
		_, _ = fmt.Fprintln(sum, f.Name(), info.Size(), info.ModTime().UnixNano())
		n++
	}
	if n == 0 {
		return "", nil
	}
	return hex.EncodeToString(sum.Sum(nil)[:4]), nil
}

func written(i measure.Import) document {
	d := document{
		Measure: i.Measure, Version: i.Version, Title: i.Title, URL: i.URL, Scoring: i.Scoring,
		Improvement: i.Improvement, Unit: i.Unit, Period: i.Period,
	}
	for _, r := range i.Rates {
		d.Rates = append(d.Rates, rate{r.ID, r.Title, r.Improvement})
	}
	for _, m := range i.Members {
		d.Members = append(d.Members,
			member{m.Patient.Reveal(), m.Unit.Reveal(), m.Rate, m.In, m.Observed})
	}
	return d
}

func read(d document) measure.Import {
	i := measure.Import{
		Measure: d.Measure, Version: d.Version, Title: d.Title, URL: d.URL, Scoring: d.Scoring,
		Improvement: d.Improvement, Unit: d.Unit, Period: d.Period,
	}
	for _, r := range d.Rates {
		i.Rates = append(i.Rates,
			measure.GroupDefinition{ID: r.ID, Title: r.Title, Improvement: r.Improvement})
	}
	for _, m := range d.Members {
		i.Members = append(i.Members, measure.ImportedMember{
			Patient: phi.New(m.Patient), Unit: phi.New(m.Unit), Rate: m.Rate, In: m.In, Observed: m.Observed,
		})
	}
	return i
}

// Summary says what imports hold, without a name.
func Summary(all []measure.Import) string {
	var lines []string
	for _, i := range all {
		lines = append(lines, fmt.Sprintf("%s %s, %s: %d memberships", i.Measure, i.Version, i.Period,
			len(i.Members)))
	}
	return strings.Join(lines, "\n")
}
