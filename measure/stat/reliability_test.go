package stat_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat"
)

func TestProportionReliability(t *testing.T) {
	t.Parallel()
	// The widths are those of R's binom.test.
	tests := []struct {
		name   string
		x, n   float64
		want   stat.Reliability
		reason stat.Reason
	}{
		{"nobody", 0, 0, stat.Unreliable, stat.FewUnits},
		{"29 units are few whatever the proportion", 15, 29, stat.Unreliable, stat.FewUnits},
		{"half of 30 is 0.31 to 0.69", 15, 30, stat.Unreliable, stat.WideInterval},
		{"half of 100 is 0.40 to 0.60", 50, 100, stat.Reliable, stat.NoReason},
		{"3 of 60 is 0.01 to 0.14", 3, 60, stat.Unreliable, stat.RelativelyWideInterval},
		{"57 of 60 is as wide for the others", 57, 60, stat.Review, stat.ComplementRelativelyWide},
		{"none of 50 may be 0.07", 0, 50, stat.Unreliable, stat.RelativelyWideInterval},
		{"all of 50 may be 0.93", 50, 50, stat.Review, stat.NoneOrAll},
		{"none of 200 is at most 0.02, and yet none", 0, 200, stat.Review, stat.NoneOrAll},
		{"1 of 1000 is relatively wide and narrow all the same", 1, 1000, stat.Reliable, stat.NoReason},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, reason := stat.ProportionReliability(tt.x, tt.n); got != tt.want || reason != tt.reason {
				t.Errorf("ProportionReliability(%v, %v) = %s, %s; want %s, %s",
					tt.x, tt.n, got, reason, tt.want, tt.reason)
			}
		})
	}
}

func TestReliabilityGrowsWithTheGroup(t *testing.T) {
	t.Parallel()
	rank := map[stat.Reliability]int{stat.Unreliable: 0, stat.Review: 1, stat.Reliable: 2}
	rapid.Check(t, func(t *rapid.T) {
		n := float64(rapid.IntRange(1, 2000).Draw(t, "n"))
		x := float64(rapid.IntRange(0, int(n)).Draw(t, "x"))
		got, reason := stat.ProportionReliability(x, n)
		more, _ := stat.ProportionReliability(4*x, 4*n)
		if rank[more] < rank[got] {
			t.Fatalf("%v of %v is %s, and four times as much %s", x, n, got, more)
		}
		if (reason == stat.NoReason) != (got == stat.Reliable) {
			t.Fatalf("%v of %v is %s for %q", x, n, got, reason)
		}
		events := float64(rapid.IntRange(0, 40).Draw(t, "events"))
		rse, ok := stat.RelativeStandardError(events)
		got, reason = stat.CountReliability(events)
		reliable := ok && rse <= 0.2237
		if (got == stat.Reliable) != reliable || (reason == stat.NoReason) != reliable {
			t.Fatalf("%v events with a standard error of %v of them are %s for %q",
				events, rse, got, reason)
		}
	})
}
