package stat_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat"
)

func TestLevels(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		at    func(l stat.Level, x, n float64) (lo, hi float64)
		plain func(x, n float64) (lo, hi float64)
	}{
		{"Wilson", stat.Level.Wilson, stat.Wilson},
		{"ClopperPearson", stat.Level.ClopperPearson, stat.ClopperPearson},
		{"Garwood", stat.Level.Garwood, stat.Garwood},
		{"Byar", stat.Level.Byar, stat.Byar},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				x, n := part(t, "group")
				lo, hi := tt.plain(x, n)
				if sameLo, sameHi := tt.at(stat.Level95, x, n); sameLo != lo || sameHi != hi {
					t.Fatalf("at 95 %% %s is [%v, %v], not [%v, %v]", tt.name, sameLo, sameHi, lo, hi)
				}
				// Close to 95 % is close to that interval, which the exact tails of 95 % must not hide.
				almostLo, almostHi := tt.at(0.95+1e-13, x, n)
				if math.Abs(almostLo-lo) > 1e-9*hi || math.Abs(almostHi-hi) > 1e-9*hi {
					t.Fatalf("next to 95 %% %s is [%v, %v], not [%v, %v]", tt.name, almostLo, almostHi, lo, hi)
				}
				outerLo, outerHi := tt.at(stat.Level998, x, n)
				if !(outerLo <= lo && outerHi >= hi) {
					t.Fatalf("at 99.8 %% %s is [%v, %v], which does not hold [%v, %v]",
						tt.name, outerLo, outerHi, lo, hi)
				}
			})
		})
	}
}
