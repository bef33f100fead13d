package disclose_test

import (
	"fmt"

	"github.com/equitylens/equitylens/measure/disclose"
)

// A measure by race: each stratum prints its denominator, its numerator, its exclusions and a
// score, which gives away numerator and denominator. Nobody prints those without the event; they
// are Rest. The few of one stratum cannot be hidden alone, because the total would give them away.
func Example() {
	races := []struct {
		name                               string
		denominator, numerator, exclusions int64
	}{
		{"White", 812, 240, 31},
		{"Black", 143, 52, 14},
		{"Asian", 94, 33, 12},
		{"unknown", 160, 60, 13},
		{"NHPI", 40, 4, 0},
	}
	var s disclose.System
	stratum := func(rank int, d, n, x int64) (cells [4]disclose.Cell, figures [4]disclose.Figure) {
		cells = [4]disclose.Cell{s.Count(d), s.Count(n), s.Count(x)}
		cells[3] = s.Rest(cells[0], cells[1], cells[2])
		for i := range 3 {
			figures[i] = s.Show(disclose.Display{Rank: rank}, cells[i])
		}
		figures[3] = s.Show(disclose.Display{Rank: rank}, cells[0], cells[1], cells[2])
		return cells, figures
	}
	var columns [4][]disclose.Cell
	var rows [][4]disclose.Figure
	var sum [3]int64
	for _, r := range races {
		rank := 1
		if r.name == "unknown" {
			rank = 0 // What is not known is given up before what is.
		}
		cells, figures := stratum(rank, r.denominator, r.numerator, r.exclusions)
		for i, c := range cells {
			columns[i] = append(columns[i], c)
		}
		rows = append(rows, figures)
		sum = [3]int64{sum[0] + r.denominator, sum[1] + r.numerator, sum[2] + r.exclusions}
	}
	all, _ := stratum(2, sum[0], sum[1], sum[2])
	for i, c := range all {
		s.Sum(c, columns[i]...)
	}

	p, err := disclose.Protect(&s, disclose.Config{})
	if err != nil {
		fmt.Println(err) // Show nothing.
		return
	}
	for i, r := range races {
		fmt.Printf("%-8s", r.name)
		for k, n := range []int64{r.denominator, r.numerator, r.exclusions} {
			if p.Shown(rows[i][k]) {
				fmt.Printf(" %4d", n)
			} else {
				fmt.Printf("    -")
			}
		}
		fmt.Println(" score", p.Shown(rows[i][3]))
	}
	// Output:
	// White     812  240   31 score true
	// Black     143   52   14 score true
	// Asian      94   33   12 score true
	// unknown   160    -   13 score false
	// NHPI       40    -    0 score false
}
