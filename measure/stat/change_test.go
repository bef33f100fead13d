package stat_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat"
)

func TestChange(t *testing.T) {
	t.Parallel()
	type change = func(before, after stat.Count) (stat.Change, bool)
	tests := []struct {
		name          string
		of            change
		before, after stat.Count
		wantMethod    stat.Method
		wantP         float64
		wantOK        bool
	}{
		{
			// Newcombe RG, Stat Med 1998;17:873, Table II: χ² of 56/70 and 48/80 is 150·(56·32−14·48)²/
			// (70·80·104·46).
			"many units are scored", stat.ProportionChange, count(48, 80), count(56, 70),
			stat.ScoreTest, math.Erfc(math.Sqrt(150. * 1120 * 1120 / (70 * 80 * 104 * 46) / 2)), true,
		},
		{
			"few units are counted exactly", stat.ProportionChange, count(3, 4), count(1, 4),
			stat.FisherTest, 34. / 70, true,
		},
		{
			"no event on either side is no change", stat.ProportionChange, count(0, 400), count(0, 500),
			stat.FisherTest, 1, true,
		},
		{
			"rates are conditional", stat.RateChange, count(0, 10), count(5, 10),
			stat.ConditionalTest, 1. / 16, true,
		},
		{"nobody before", stat.ProportionChange, count(0, 0), count(1, 4), "", 0, false},
		{"no day after", stat.RateChange, count(1, 4), count(0, 0), "", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := tt.of(tt.before, tt.after)
			if ok != tt.wantOK || got.Method != tt.wantMethod || math.Abs(got.P-tt.wantP) > 1e-12 {
				t.Errorf("the change from %v to %v = %+v, %v; want %v, p = %v",
					tt.before, tt.after, got, ok, tt.wantMethod, tt.wantP)
			}
		})
	}
}

func TestChangesAreSymmetric(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(before, after stat.Count) (stat.Change, bool){
		"ProportionChange": stat.ProportionChange, "RateChange": stat.RateChange,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				before, after := countOf(t, "before"), countOf(t, "after")
				c, ok := of(before, after)
				back, _ := of(after, before)
				if ok != (before.Of > 0 && after.Of > 0) {
					t.Fatalf("%s(%v, %v) exists: %v", name, before, after, ok)
				}
				if !ok {
					return
				}
				d := c.Difference
				holds(t, name, d.Lo, d.Value, d.Hi)
				if !(c.P >= 0 && c.P <= 1) || math.Abs(c.P-back.P) > slack ||
					math.Abs(d.Lo+back.Difference.Hi) > slack || math.Abs(d.Hi+back.Difference.Lo) > slack {
					t.Fatalf("%s(%v, %v) = %+v, and back %+v", name, before, after, c, back)
				}
			})
		})
	}
}

func TestDifferenceInDifferences(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		of     func(before, after stat.Layer) (stat.Estimate, bool)
		change func(before, after stat.Count) (stat.Change, bool)
	}{
		{"proportions", stat.DifferenceInDifferences, stat.ProportionChange},
		{"rates", stat.DifferenceInRateDifferences, stat.RateChange},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				before := stat.Layer{Group: countOf(t, "group"), Reference: countOf(t, "reference")}
				after := stat.Layer{Group: countOf(t, "group after"), Reference: countOf(t, "reference after")}
				e, ok := tt.of(before, after)
				group, groupOK := tt.change(before.Group, after.Group)
				other, otherOK := tt.change(before.Reference, after.Reference)
				if ok != (groupOK && otherOK) {
					t.Fatalf("the difference exists: %v", ok)
				}
				if !ok {
					return
				}
				if math.Abs(e.Value-(group.Difference.Value-other.Difference.Value)) > slack {
					t.Fatalf("%v less %v = %v", group.Difference, other.Difference, e)
				}
				holds(t, tt.name, e.Lo, e.Value, e.Hi)
				width := e.Hi - e.Lo
				if width < group.Difference.Hi-group.Difference.Lo-slack ||
					width < other.Difference.Hi-other.Difference.Lo-slack {
					t.Fatalf("%v is surer than %v or %v", e, group.Difference, other.Difference)
				}
				back, _ := tt.of(swapped([]stat.Layer{before})[0], swapped([]stat.Layer{after})[0])
				if math.Abs(back.Lo+e.Hi) > slack || math.Abs(back.Hi+e.Lo) > slack {
					t.Fatalf("of swapped groups it is %v, not the negative of %v", back, e)
				}
				still, _ := tt.of(before, before)
				if math.Abs(still.Value) > slack || still.Clear() {
					t.Fatalf("nothing changed, and yet %v", still)
				}
			})
		})
	}
}

// TestDifferenceInDifferencesOfLargeGroups compares the interval with that of the four variances.
func TestDifferenceInDifferencesOfLargeGroups(t *testing.T) {
	t.Parallel()
	million := func(p float64) stat.Count { return count(p*1e6, 1e6) }
	e, ok := stat.DifferenceInDifferences(
		stat.Layer{Group: million(0.3), Reference: million(0.2)},
		stat.Layer{Group: million(0.24), Reference: million(0.19)})
	want := stat.Z * math.Sqrt((0.3*0.7+0.2*0.8+0.24*0.76+0.19*0.81)/1e6)
	if !ok || math.Abs(e.Value+0.05) > 1e-12 || math.Abs((e.Hi-e.Lo)/2/want-1) > 1e-4 {
		t.Errorf("the difference is %v, want −0.05 ∓ %v", e, want)
	}
}
