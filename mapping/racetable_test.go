package mapping

import (
	"strings"
	"testing"

	"github.com/equitylens/equitylens/fhir"
)

func TestBuiltInRaceTable(t *testing.T) {
	t.Parallel()
	table, err := ParseRaceTable(strings.NewReader(cdcrec))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[RaceSet]int{}
	hispanics, middle := 0, 0
	for _, e := range table.codes {
		counts[e.race]++
		if e.origin == hispanic {
			hispanics++
		}
		if e.middle {
			middle++
		}
	}
	// The roll-up counts of CDCREC 1.0, top categories included.
	for set, want := range map[RaceSet]int{AmericanIndian: 828, Asian: 25, Black: 19,
		PacificIslander: 27, White: 21, OtherRace: 1} {
		if counts[set] != want {
			t.Errorf("%s: %d codes, want %d", set, counts[set], want)
		}
	}
	// 2118-8, its nine children and 2129-5.
	if table.Len() != 966 || hispanics != 42 || middle != 11 {
		t.Errorf("%d codes, %d Hispanic, %d Middle Eastern", table.Len(), hispanics, middle)
	}
	if d, ok := table.Display("2123-8"); d != "Lebanese" || !ok {
		t.Errorf("Display(2123-8) = %q, %t", d, ok)
	}
}

const smallTable = "# a site's own\n" +
	"2106-3\t\t2106-3\tWhite\n2028-9\t\t2028-9\tAsian\n2054-5\t\t2054-5\tBlack\n" +
	"1002-5\t\t1002-5\tAIAN\n2076-8\t\t2076-8\tNHPI\n2131-1\t\t2131-1\tOther\n" +
	"2135-2\t\t2135-2\tHispanic\n2186-5\t\t2186-5\tNot\n\r\n"

func TestRaceTableIsReplaceable(t *testing.T) {
	t.Parallel()
	table, err := ParseRaceTable(strings.NewReader(smallTable + "9000-1\t2028-9\t2028-9\tNew\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	in := &fhir.Patient{Extension: []fhir.Extension{race(detailed("9000-1"))}}
	if p, _ := mapper(t, Config{RaceTable: table}).Patient(in, nil); p.Race.Code != "2028-9" {
		t.Errorf("with the table: Race = %+v", p.Race)
	}
	if p, _ := mapper(t, Config{}).Patient(in, nil); p.Race.State != Unmapped {
		t.Errorf("without it: Race = %+v", p.Race)
	}
}

func TestParseRaceTableRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"nothing", "", "no codes"},
		{"a short row", "1\t2\t3\n", "line 1: 3 columns, want 4"},
		{"a code twice", smallTable + "2106-3\t\t2106-3\tWhite\n",
			`line 11: code "2106-3" is empty or stands twice`},
		{"a category of its own", smallTable + "9\t\t2118-8\tX\n",
			`line 11: "2118-8" is no OMB 1997 category`},
		{"an unknown parent", smallTable + "9\t8\t2106-3\tX\n",
			`parent "8" of a code under "9" is not in the table`},
		{"a cycle", smallTable + "8\t9\t2106-3\tX\n9\t8\t2106-3\tX\n", "is its own ancestor"},
		{"a missing category", "2106-3\t\t2106-3\tWhite\n", `category "1002-5" is absent`},
		{"a category that is another",
			strings.Replace(smallTable, "\t2028-9\tAsian", "\t2106-3\tAsian", 1), `category "2028-9"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseRaceTable(strings.NewReader(tt.in))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ParseRaceTable = %v, want %q", err, tt.want)
			}
		})
	}
}
