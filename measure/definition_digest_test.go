package measure

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWordsAreInNoDigest holds that figures which are stored stay good where only words change, and
// that the JSON of a definition, by which servers tell questions apart, stays as it is.
func TestWordsAreInNoDigest(t *testing.T) {
	t.Parallel()
	bare := Definition{ID: "own", Title: "Visits", Groups: []GroupDefinition{{ID: "far"}, {ID: "near"}}}
	words := map[string]Words{"es": {"Visitas", "Dice.", "{n} visitas", "Cuidado."}}
	changes := map[string]func(d *Definition){
		"reads":                 func(d *Definition) { d.Reads = "{n} visits" },
		"caution":               func(d *Definition) { d.Caution = "Beware." },
		"other languages":       func(d *Definition) { d.In = words },
		"says of a rate":        func(d *Definition) { d.Groups[0].Says = "Says." },
		"reads of a rate":       func(d *Definition) { d.Groups[0].Reads = "{n} visits" },
		"caution of a rate":     func(d *Definition) { d.Groups[0].Caution = "Beware." },
		"languages of a rate":   func(d *Definition) { d.Groups[1].In = words },
		"what Rates() fills in": func(d *Definition) { d.Reads, d.In = "{n}", words; d.Rates() },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := bare
			d.Groups = append([]GroupDefinition(nil), bare.Groups...)
			change(&d)
			if cmp.Diff(bare, d) == "" {
				t.Fatal("the definition was not changed")
			}
			want, err := bare.digest()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := d.digest(); err != nil || got != want {
				t.Errorf("digest() = %s, %v; want %s", got, err, want)
			}
			before, _ := json.Marshal(bare)
			after, _ := json.Marshal(d)
			if diff := cmp.Diff(string(before), string(after)); diff != "" {
				t.Errorf("JSON (-before +after):\n%s", diff)
			}
		})
	}
	other := bare
	other.Per = 1000
	a, _ := bare.digest()
	if b, _ := other.digest(); a == b {
		t.Error("a definition of other figures has the same digest")
	}
}
