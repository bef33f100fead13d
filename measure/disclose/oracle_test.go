package disclose_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure/disclose"
)

// vectors is testdata/suppression.json.
type vectors struct {
	Lines []struct {
		ID     string `json:"id"`
		Inputs struct {
			Cells []struct {
				Label string `json:"label"`
				N     int64  `json:"n"`
			} `json:"cells"`
			TotalPublished bool `json:"total_published"`
		} `json:"inputs"`
		Expected struct {
			Primary       []string `json:"primary"`
			Complementary []string `json:"complementary"`
			Shown         []string `json:"shown"`
			Total         int64    `json:"total"`
			Sum           int64    `json:"suppressed_sum"`
			Upper         *int64   `json:"feasible_upper_each"`
		} `json:"expected"`
	} `json:"one_dimensional"`
	Rates []struct {
		ID     string `json:"id"`
		Inputs struct {
			Numerator   int64 `json:"numerator"`
			Denominator int64 `json:"denominator"`
		} `json:"inputs"`
		Expected struct {
			Show bool `json:"show_rate"`
		} `json:"expected"`
	} `json:"rates"`
	Tables []struct {
		ID     string `json:"id"`
		Inputs struct {
			Table      [][]int64 `json:"table"`
			Suppressed [][]int   `json:"suppressed"`
			Rows       []int64   `json:"row_totals"`
			Columns    []int64   `json:"col_totals"`
		} `json:"inputs"`
		Expected struct {
			Intervals map[string][2]int64 `json:"feasible_intervals"`
			Protected bool                `json:"protected"`
		} `json:"expected"`
	} `json:"two_dimensional"`
	Differences []struct {
		ID     string `json:"id"`
		Inputs struct {
			Published struct {
				N           int64   `json:"n"`
				Percent     float64 `json:"rate_percent"`
				Denominator int64   `json:"denominator"`
			} `json:"published"`
			Query struct {
				N int64 `json:"n"`
			} `json:"query"`
		} `json:"inputs"`
		Expected struct {
			Difference *int64 `json:"difference"`
			Numerator  *int64 `json:"derivable_numerator"`
			Allow      bool   `json:"allow"`
		} `json:"expected"`
	} `json:"differencing"`
}

func load(t *testing.T) vectors {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "suppression.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all vectors
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestOracleLines holds the choice of complements, under both readings of what a hidden figure
// tells.
func TestOracleLines(t *testing.T) {
	t.Parallel()
	all := load(t)
	compared := 0
	for _, c := range all.Lines {
		for _, config := range []disclose.Config{{}, {HiddenMayBeZero: true}} {
			var s disclose.System
			var cells []disclose.Cell
			var figures []disclose.Figure
			var primary, hidden, shown []string
			var sum int64
			for _, in := range c.Inputs.Cells {
				cells = append(cells, s.Count(in.N))
				figures = append(figures, s.Show(disclose.Display{}, cells[len(cells)-1]))
			}
			total := s.Count(c.Expected.Total)
			s.Sum(total, cells...)
			totalFigure := disclose.Figure(-1)
			if c.Inputs.TotalPublished {
				totalFigure = s.Show(disclose.Display{Rank: 1}, total)
			}
			p, err := disclose.Protect(&s, config)
			if err != nil {
				t.Fatalf("%s: %v", c.ID, err)
			}
			var hiddenFigures []disclose.Figure
			for i, in := range c.Inputs.Cells {
				switch {
				case p.Shown(figures[i]):
					shown = append(shown, in.Label)
					continue
				case disclose.Small(in.N):
					primary = append(primary, in.Label)
				default:
					hidden = append(hidden, in.Label)
				}
				sum += in.N
				hiddenFigures = append(hiddenFigures, figures[i])
			}
			if c.Inputs.TotalPublished == disclose.Small(c.Expected.Total) && p.Shown(totalFigure) {
				t.Errorf("%s: the total is shown", c.ID)
			}
			got := [][]string{orEmpty(primary), orEmpty(hidden), orEmpty(shown)}
			e := c.Expected
			want := [][]string{orEmpty(e.Primary), orEmpty(e.Complementary), orEmpty(e.Shown)}
			if diff := cmp.Diff(want, got); diff != "" || sum != c.Expected.Sum {
				t.Errorf("%s, %+v: hidden sum %d, want %d; (-want +got):\n%s", c.ID, config, sum, e.Sum, diff)
			}
			compared += 4
			if c.Expected.Upper == nil || len(hiddenFigures) == 0 {
				continue
			}
			// The vectors count up to what the others, each at least 1, leave of the hidden sum,
			// and that the reader knows the total; where it was never to be shown they say the cell
			// itself.
			if !c.Inputs.TotalPublished || disclose.Small(c.Expected.Total) {
				s.Show(disclose.Display{}, total)
			}
			bounds, err := disclose.Bounds(&s, disclose.Config{}, hiddenFigures...)
			if err != nil {
				t.Fatalf("%s: %v", c.ID, err)
			}
			most := int64(0)
			for i, f := range figures {
				if !p.Shown(f) {
					most = max(most, bounds[cells[i]].Max)
				}
			}
			compared++
			if most != *c.Expected.Upper {
				t.Errorf("%s: a hidden cell can be at most %d, want %d", c.ID, most, *c.Expected.Upper)
			}
		}
	}
	report(t, len(all.Lines), compared)
}

func TestOracleRates(t *testing.T) {
	t.Parallel()
	all := load(t)
	for _, c := range all.Rates {
		in := c.Inputs
		if got := disclose.Rate(in.Numerator, in.Denominator); got != c.Expected.Show {
			t.Errorf("%s: Rate(%d, %d) = %v, want %v",
				c.ID, in.Numerator, in.Denominator, got, c.Expected.Show)
		}
		// The same by way of a system: the rate and its denominator, with the rest latent.
		var s disclose.System
		n, d := s.Count(in.Numerator), s.Count(in.Denominator)
		s.Rest(d, n)
		s.Show(disclose.Display{}, d)
		rate := s.Show(disclose.Display{}, n, d)
		p, err := disclose.Protect(&s, disclose.Config{})
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		if got := p.Shown(rate); got != c.Expected.Show {
			t.Errorf("%s: the rate is shown: %v, want %v", c.ID, got, c.Expected.Show)
		}
	}
	report(t, len(all.Rates), 2*len(all.Rates))
}

func TestOracleTables(t *testing.T) {
	t.Parallel()
	all := load(t)
	compared := 0
	for _, c := range all.Tables {
		var s disclose.System
		cells := make([][]disclose.Cell, len(c.Inputs.Table))
		columns := make([][]disclose.Cell, len(c.Inputs.Columns))
		figures := map[disclose.Cell]disclose.Figure{}
		for i, row := range c.Inputs.Table {
			for j, n := range row {
				cell := s.Count(n)
				cells[i], columns[j] = append(cells[i], cell), append(columns[j], cell)
				figures[cell] = s.Show(disclose.Display{}, cell)
			}
		}
		margin := func(n int64, parts []disclose.Cell) {
			total := s.Count(n)
			s.Sum(total, parts...)
			s.Show(disclose.Display{Rank: 1}, total)
		}
		for i, n := range c.Inputs.Rows {
			margin(n, cells[i])
		}
		for j, n := range c.Inputs.Columns {
			margin(n, columns[j])
		}
		var hidden []disclose.Figure
		for _, at := range c.Inputs.Suppressed {
			hidden = append(hidden, figures[cells[at[0]][at[1]]])
		}
		bounds, err := disclose.Bounds(&s, disclose.Config{HiddenMayBeZero: true}, hidden...)
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		safe := true
		for _, at := range c.Inputs.Suppressed {
			got := bounds[cells[at[0]][at[1]]]
			safe = safe && got.Protected(c.Inputs.Table[at[0]][at[1]])
			want := c.Expected.Intervals[strconv.Itoa(at[0])+","+strconv.Itoa(at[1])]
			compared += 2
			if got.Min != want[0] || got.Max != want[1] {
				t.Errorf("%s: cell %v is within %v, want %v", c.ID, at, got, want)
			}
		}
		compared++
		if safe != c.Expected.Protected {
			t.Errorf("%s: protected %v, want %v", c.ID, safe, c.Expected.Protected)
		}
	}
	report(t, len(all.Tables), compared)
}

func TestOracleDifferences(t *testing.T) {
	t.Parallel()
	all := load(t)
	compared := 0
	for _, c := range all.Differences {
		published, query := c.Inputs.Published, c.Inputs.Query
		compared++
		if c.Expected.Numerator != nil {
			lo, hi, ok := disclose.Numerators(published.Percent, 1, published.Denominator)
			if !ok || lo != *c.Expected.Numerator || hi != lo {
				t.Errorf("%s: numerator within %d and %d, want %d", c.ID, lo, hi, *c.Expected.Numerator)
			}
			if got := disclose.Percent(published.Percent, 1, published.Denominator); got != c.Expected.Allow {
				t.Errorf("%s: Percent = %v, want %v", c.ID, got, c.Expected.Allow)
			}
			compared++
			continue
		}
		both := min(published.N, query.N) // One holds the other.
		if strings.HasPrefix(c.ID, "disjoint") {
			both = 0
		}
		if got := disclose.Difference(published.N, query.N, both); got != c.Expected.Allow {
			t.Errorf("%s: Difference(%d, %d, %d) = %v, want %v",
				c.ID, published.N, query.N, both, got, c.Expected.Allow)
		}
	}
	report(t, len(all.Differences), compared)
}

func report(t *testing.T, cases, compared int) {
	t.Helper()
	if cases == 0 || compared < cases {
		t.Fatalf("%d cases, %d values compared", cases, compared)
	}
	t.Logf("suppression.json: %d cases, %d values compared, largest difference 0", cases, compared)
}

func orEmpty(s []string) []string { return append([]string{}, s...) }
