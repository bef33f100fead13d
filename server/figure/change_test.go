package figure_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/store/facts"
)

// standing is what a snapshot says of one measure.
func standing(t testing.TB, snapshot string, strata ...counts) figure.Standing {
	t.Helper()
	r := resultOf(t, interpreter(language.English), "language_group", strata...)
	gaps, err := gap.Of([]measure.Result{r}, gap.Options{Even: true})
	if err != nil {
		t.Fatalf("gap.Of = %v", err)
	}
	return figure.Standing{Snapshot: snapshot, DataAsOf: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC),
		Results: []measure.Result{r}, Gaps: gaps}
}

func TestChangedSays(t *testing.T) {
	t.Parallel()
	before := standing(t, "s-1", counts{"english", "English", "", 240, 400},
		counts{"spanish", "Spanish", "", 180, 300}, counts{"chinese", "Chinese", "", 20, 40})
	after := standing(t, "s-2", counts{"english", "English", "", 250, 410},
		counts{"spanish", "Spanish", "", 120, 320}, counts{"sign", "Sign language", "", 3, 9})
	open := standing(t, "s-2", counts{"english", "English", "", 240, 400})
	open.Results[0].DataAsOf = time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)
	other := standing(t, "s-2", counts{"english", "English", "", 240, 400})
	other.Results[0].Version = "2.0.0"
	public := standing(t, "s-2", counts{"english", "English", "", 240, 400})
	public.Results[0].Audience = "public"
	hidden := standing(t, "s-2", counts{"english", "English", "", 240, 400},
		counts{"spanish", "Spanish", "", 180, 300})
	hidden.Results[0].Groups[0].Strata["language_group"][1].Cell = measure.Cell{Suppressed: true}
	for _, test := range []struct {
		name          string
		before, after figure.Standing
	}{
		{"change", before, after}, {"change-none", before, before}, {"change-first", figure.Standing{}, after},
		{"change-open", before, open}, {"change-version", before, other}, {"change-audience", before, public},
		{"change-suppressed", before, hidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBoth(t, test.name, func(s *figure.Teller, tag language.Tag) figure.Figure {
				return s.Changed(test.before, test.after, []figure.Measure{interpreter(tag)})
			})
		})
	}
}

func TestFresh(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 2, 30, 0, 0, time.UTC)
	loads := []facts.Load{{Source: "epic", Type: "Patient", Complete: true},
		{Source: "epic", Type: "Encounter", Complete: true, Refused: 2}}
	lacking := append([]facts.Load{{Source: "ep\u202eic", Type: "AdverseEvent"}}, loads...)
	for _, test := range []struct {
		name   string
		info   facts.Info
		en, es []string
	}{
		{"of today and complete", facts.Info{DataAsOf: at.Add(-3 * time.Hour), Loads: loads[:1]},
			[]string{"The data are of February 28, 2026, 11:30 PM UTC, less than a day ago.",
				"All loads of data are complete."},
			[]string{"Los datos son del 28 de febrero de 2026, 23:30 UTC, hace menos de un día.",
				"Todas las cargas de datos están completas."}},
		{"a day old, with some that is refused", facts.Info{DataAsOf: at.Add(-30 * time.Hour), Loads: loads},
			[]string{"The data are of February 27, 2026, 8:30 PM UTC, one day ago.",
				"All loads of data are complete.", "2 records could not be read and were refused."},
			[]string{"Los datos son del 27 de febrero de 2026, 20:30 UTC, hace un día.",
				"Todas las cargas de datos están completas.", "2 registros no se pudieron leer y se rechazaron."}},
		{"old and incomplete", facts.Info{DataAsOf: at.AddDate(0, 0, -9), Loads: lacking, Orphans: 1},
			[]string{"The data are of February 20, 2026, 2:30 AM UTC, 9 days ago.",
				"Not complete: adverse events from epic.", "2 records could not be read and were refused.",
				"One visit or event names a patient who is not in the data, and is not counted."},
			[]string{"Los datos son del 20 de febrero de 2026, 02:30 UTC, hace 9 días.",
				"Sin completar: eventos adversos de epic.", "2 registros no se pudieron leer y se rechazaron.",
				"Una visita o un evento remite a un paciente que no está en los datos, y no se cuenta."}},
		{"of no moment", facts.Info{},
			[]string{"Of which moment the data are is not known.", "No load of data is on record."},
			[]string{"No se sabe de qué momento son los datos.", "No consta ninguna carga de datos."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for tag, want := range map[language.Tag][]string{language.English: test.en, language.Spanish: test.es} {
				if diff := cmp.Diff(want, speaks(t, tag).Fresh(test.info, at)); diff != "" {
					t.Errorf("in %v (-want +got):\n%s", tag, diff)
				}
			}
		})
	}
}
