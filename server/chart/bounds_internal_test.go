package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// reachOf is how far a shape reaches.
func reachOf(s *sheet, one shape) (low, high point, ok bool) {
	low, high = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	take := func(x, y float64) {
		low.x, low.y = math.Min(low.x, x), math.Min(low.y, y)
		high.x, high.y = math.Max(high.x, x), math.Max(high.y, y)
		ok = true
	}
	switch one := one.(type) {
	case segment:
		take(one.from.x, one.from.y)
		take(one.to.x, one.to.y)
	case box:
		take(one.x, one.y)
		take(one.x+one.w, one.y+one.h)
	case disc:
		take(one.at.x-one.r, one.at.y-one.r)
		take(one.at.x+one.r, one.at.y+one.r)
	case trace:
		for _, part := range one.parts {
			for _, p := range part {
				take(p.x, p.y)
			}
		}
	case words:
		if one.text == "" {
			return low, high, false
		}
		w := s.letters.exact(one.text, one.size, one.bold)
		x := one.at.x
		switch one.anchor {
		case middle:
			x -= w / 2
		case end:
			x -= w
		case start:
		}
		if one.tail != "" {
			w += tailGap + s.letters.exact(one.tail, smallSize, false)
		}
		take(x, one.at.y-one.size*0.75)
		take(x+w, one.at.y+one.size*0.25)
	}
	return low, high, ok
}

// flat are the shapes of a sheet without groups.
func flat(all []shape) []shape {
	var out []shape
	for _, one := range all {
		if d, ok := one.(datum); ok {
			out = append(out, flat(d.shapes)...)
			continue
		}
		out = append(out, one)
	}
	return out
}

// outside names a shape that is not wholly in the picture, or is no number.
func outside(s *sheet) string {
	const slack = 1
	for _, one := range flat(s.shapes) {
		low, high, ok := reachOf(s, one)
		if !ok {
			continue
		}
		if !(low.x >= -slack && low.y >= -slack && high.x <= s.width+slack && high.y <= s.height()+slack) {
			return fmt.Sprintf("%T %+v of %v by %v", one, one, s.width, s.height())
		}
	}
	return ""
}

// astray names a mark of a figure that is not in a field of the picture.
func astray(s *sheet) string {
	for _, one := range s.shapes {
		d, ok := one.(datum)
		if !ok {
			continue
		}
		for _, part := range flat(d.shapes) {
			if _, isText := part.(words); isText {
				continue
			}
			low, high, ok := reachOf(s, part)
			at := point{(low.x + high.x) / 2, (low.y + high.y) / 2}
			within := func(b box) bool {
				return at.x >= b.x-0.01 && at.x <= b.x+b.w+0.01 && at.y >= b.y-8 && at.y <= b.y+b.h+0.01
			}
			if ok && !slices.ContainsFunc(s.fields, within) {
				return fmt.Sprintf("%q: %T %+v is not in %+v", d.title, part, part, s.fields)
			}
		}
	}
	return ""
}

// odd are numbers that no count gives, among some that it does.
func odd() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Float64Range(0, 1), rapid.Float64Range(-50, 5000), rapid.Float64(),
		rapid.SampledFrom([]float64{
			0, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1e15, 1e-9,
			math.MaxFloat64, math.SmallestNonzeroFloat64,
		}),
	)
}

func oddPointer() *rapid.Generator[*float64] { return rapid.Ptr(odd(), true) }

func oddInterval() *rapid.Generator[*[2]float64] {
	return rapid.Ptr(rapid.Custom(func(r *rapid.T) [2]float64 {
		return [2]float64{odd().Draw(r, "low"), odd().Draw(r, "high")}
	}), true)
}

func oddAxis() *rapid.Generator[Axis] {
	return rapid.Custom(func(r *rapid.T) Axis {
		return Axis{
			Label: "label", Min: oddPointer().Draw(r, "min"), Max: oddPointer().Draw(r, "max"),
			Log: rapid.Bool().Draw(r, "log"),
		}
	})
}

func oddRow() *rapid.Generator[Row] {
	return rapid.Custom(func(r *rapid.T) Row {
		return Row{
			Label: rapid.SampledFrom([]string{
				"", "A", "A group with a name that needs two lines or is cut",
			}).Draw(r, "label"),
			Note:     rapid.SampledFrom([]string{"", "n 1,204"}).Draw(r, "note"),
			Value:    oddPointer().Draw(r, "value"),
			Interval: oddInterval().Draw(r, "interval"),
			State:    State(rapid.IntRange(0, 2).Draw(r, "state")),
			Weight:   odd().Draw(r, "weight"), Reference: rapid.Bool().Draw(r, "reference"),
			Unknown: rapid.Bool().Draw(r, "unknown"), Unreliable: rapid.Bool().Draw(r, "unreliable"),
			Emphasis: rapid.Bool().Draw(r, "emphasis"),
		}
	})
}

// oddChart is any picture of any numbers.
func oddChart() *rapid.Generator[Chart] {
	return rapid.Custom(func(r *rapid.T) Chart {
		meta := Meta{Title: "title", Empty: "nothing"}
		some := func(name string) int { return rapid.IntRange(0, 9).Draw(r, name) }
		switch rapid.IntRange(0, 7).Draw(r, "kind") {
		case 0:
			return DotPlot{
				Meta: meta, Axis: oddAxis().Draw(r, "axis"),
				Rows: rapid.SliceOfN(oddRow(), 0, 9).Draw(r, "rows"),
				Line: &Line{odd().Draw(r, "line"), "reference"}, Legend: dotPlot().Legend,
			}
		case 1:
			return Forest{
				Meta: meta, Axis: oddAxis().Draw(r, "axis"),
				Rows: rapid.SliceOfN(oddRow(), 0, 9).Draw(r, "rows"),
				Null: odd().Draw(r, "null"), Pooled: rapid.Ptr(oddRow(), true).Draw(r, "pooled"),
				Left: "left", Right: "right",
			}
		case 2:
			c := Funnel{Meta: meta, X: oddAxis().Draw(r, "x"), Y: oddAxis().Draw(r, "y"),
				CentreLabel: "all", Centre: odd().Draw(r, "centre")}
			for range some("points") {
				c.Points = append(c.Points, FunnelPoint{
					Label: "unit", Key: "1", X: odd().Draw(r, "px"), Y: odd().Draw(r, "py"),
					Outside: rapid.Bool().Draw(r, "outside"),
				})
			}
			b := Band{Label: "95 %"}
			for range some("band") {
				b.Points = append(b.Points, BandPoint{odd().Draw(r, "bx"), odd().Draw(r, "low"),
					odd().Draw(r, "high")})
			}
			c.Bands = []Band{b}
			return c
		case 3:
			c := Control{Meta: meta, Axis: oddAxis().Draw(r, "axis"), CentreLabel: "mean",
				Marks: []Mark{{some("at") - 2, "mark"}}}
			for range some("points") {
				c.Points = append(c.Points, ControlPoint{
					Label: "Jan", Value: oddPointer().Draw(r, "value"),
					Centre: oddPointer().Draw(r, "centre"),
					Lower:  oddPointer().Draw(r, "lower"), Upper: oddPointer().Draw(r, "upper"),
					Signal: rapid.Bool().Draw(r, "signal"), Excluded: rapid.Bool().Draw(r, "excluded"),
				})
			}
			return c
		case 4:
			c := Trend{Meta: meta, Axis: oddAxis().Draw(r, "axis"),
				Zero: &Line{odd().Draw(r, "zero"), "no gap"}}
			for range some("labels") {
				c.Labels = append(c.Labels, "2025")
			}
			for range some("lines") {
				c.Lines = append(c.Lines, TrendLine{
					Label: "line", Values: rapid.SliceOfN(oddPointer(), 0, 9).Draw(r, "values"),
					Intervals: rapid.SliceOfN(oddInterval(), 0, 9).Draw(r, "intervals"),
				})
			}
			return c
		case 5:
			c := HeatMap{Meta: meta, Columns: slices.Repeat([]string{"column"}, some("columns"))}
			for range some("rows") {
				row := HeatRow{Label: "row"}
				for range some("cells") {
					row.Cells = append(row.Cells,
						HeatCell{Text: "+1", Level: odd().Draw(r, "level"),
							State: State(rapid.IntRange(0, 2).Draw(r, "state"))})
				}
				c.Rows = append(c.Rows, row)
			}
			return c
		case 6:
			c := Completeness{Meta: meta, Parts: []string{"a", "b"}}
			for range some("rows") {
				c.Rows = append(c.Rows, BarRow{Label: "row", Note: "n 1",
					Shares: rapid.SliceOfN(odd(), 0, 9).Draw(r, "shares")})
			}
			return c
		default:
			return Sparkline{Meta: meta, Last: "1",
				Values: rapid.SliceOfN(oddPointer(), 0, 9).Draw(r, "values")}
		}
	})
}

func TestAnyNumbersAreDrawnInsideThePicture(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		c := oddChart().Draw(r, "chart")
		width := rapid.SampledFrom([]int{Wide, Narrow, 1, 519, 520, 100_000, -3}).Draw(r, "width")
		s := lay(c, Options{Width: width})
		if out := outside(s); out != "" {
			r.Fatalf("%s is outside of the picture", out)
		}
		if lost := astray(s); lost != "" {
			r.Fatalf("a mark is outside of the field: %s", lost)
		}
		svg := svgOf(t, c, width)
		if wrong := fault(svg); wrong != "" {
			r.Fatalf("the picture has %s", wrong)
		}
		if svgOf(t, c, width) != svg {
			r.Fatal("drawn again, it is another picture")
		}
	})
}

func TestScalesAreMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		a := oddAxis().Draw(r, "axis")
		var e extent
		for _, v := range rapid.SliceOfN(odd(), 0, 6).Draw(r, "values") {
			if a.usable(v) {
				e.include(v)
			}
		}
		s := scale{axis: a, from: 10, to: 310}
		s.low, s.high = a.bounds(e)
		if !(s.low < s.high) {
			r.Fatalf("bounds(%+v) = %v, %v", e, s.low, s.high)
		}
		v := rapid.Float64Range(s.low, s.high).Draw(r, "v")
		w := rapid.Float64Range(s.low, s.high).Draw(r, "w")
		if v > w {
			v, w = w, v
		}
		if x, y := s.at(v), s.at(w); !(x <= y && x >= s.from-1e-6 && y <= s.to+1e-6) {
			r.Fatalf("at(%v) = %v, at(%v) = %v", v, x, w, y)
		}
		ticks := s.ticks(func(all []float64) bool { return len(all) <= 7 })
		if len(ticks) > 7 || !slices.IsSorted(ticks) || len(slices.Compact(slices.Clone(ticks))) != len(ticks) {
			r.Fatalf("the ticks from %v to %v are %v", s.low, s.high, ticks)
		}
		for _, tick := range ticks {
			if !s.within(tick) {
				r.Fatalf("the tick %v is not from %v to %v", tick, s.low, s.high)
			}
		}
	})
}

// What stands in one column does not run into what stands below it.
func TestRowsDoNotMeet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		c := DotPlot{Rows: rapid.SliceOfN(oddRow(), 1, 30).Draw(r, "rows"), Legend: dotPlot().Legend}
		s := lay(c, Options{Width: rapid.SampledFrom([]int{Wide, Narrow}).Draw(r, "width")})
		bottom := 0.0
		for _, one := range s.shapes {
			d, ok := one.(datum)
			if !ok {
				continue
			}
			if d.reach.y < bottom-0.01 {
				r.Fatalf("a row begins at %v, and the one above ends at %v", d.reach.y, bottom)
			}
			bottom = d.reach.y + d.reach.h
			for _, part := range d.shapes {
				low, high, ok := reachOf(s, part)
				if ok && (low.y < d.reach.y-1 || high.y > bottom+1) {
					r.Fatalf("%+v is not in its row, from %v to %v", part, d.reach.y, bottom)
				}
			}
		}
	})
}

func TestUnusualPictures(t *testing.T) {
	t.Parallel()
	rows := func(n int, v float64) []Row {
		out := make([]Row, n)
		for i := range out {
			out[i] = Row{Label: fmt.Sprint("Group ", i), Value: new(v), Interval: between(v-0.1, v+0.1)}
		}
		return out
	}
	words := Legend{Beyond: "beyond", Suppressed: "suppressed", NoData: "no data", Interval: "interval"}
	for _, test := range []struct {
		name  string
		chart Chart
		want  []string
	}{
		{"nothing at all says so", DotPlot{Meta: Meta{Empty: "No group has data."}},
			[]string{">No group has data.<"}},
		{"a funnel of no units says so", Funnel{Meta: Meta{Empty: "No unit."}}, []string{">No unit.<"}},
		{"a map of no measures says so", HeatMap{Meta: Meta{Empty: "No measure."}},
			[]string{">No measure.<"}},
		{"one row", DotPlot{Rows: rows(1, 3), Legend: words}, []string{">Group 0<", ">3<", ">interval<"}},
		{"all equal", DotPlot{Rows: rows(4, 0.5)}, []string{">Group 3<"}},
		{"all zero", DotPlot{Rows: rows(2, 0)}, []string{">0<"}},
		{"a name that is cut is told whole", DotPlot{
			Rows: []Row{{Label: strings.Repeat("long ", 60) + "end", Text: "3 of 4"}},
		}, []string{"long long long end: 3 of 4</title>"}},
		{"negative", DotPlot{Rows: rows(2, -3)}, []string{">-3<"}},
		{"many", DotPlot{Rows: rows(200, 0.2)}, []string{">Group 199<"}},
		{"an interval beyond the axis", DotPlot{
			Axis: Axis{Max: new(1.0)}, Legend: words,
			Rows: []Row{{Label: "A", Value: new(0.5), Interval: between(0.1, 40)}},
		}, []string{">beyond<"}},
		{"a figure beyond the axis", DotPlot{
			Axis: Axis{Max: new(1.0)}, Legend: words, Rows: []Row{{Label: "A", Value: new(5.0)}},
		}, []string{">beyond<", ">5<"}},
		{"a number that is none is no data", DotPlot{
			Legend: words, Rows: []Row{{Label: "A", Value: new(math.NaN())}, {Label: "B"}},
		}, []string{">no data<"}},
		{"a ratio of nothing is no data on an axis of ratios", Forest{
			Axis: Axis{Log: true}, Null: 1, Legend: words, Rows: []Row{{Label: "A", Value: new(0.0)}},
		}, []string{">no data<"}},
		{"what is hidden has no figure, though one be given", DotPlot{
			Legend: words, Rows: []Row{{Label: "A", Value: new(7.25),
				Interval: between(6.25, 8.25), Figure: "7.25", State: Suppressed}},
		}, []string{">suppressed<"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, width := range []int{Wide, Narrow} {
				svg := svgOf(t, test.chart, width)
				for _, want := range test.want {
					if !strings.Contains(svg, want) {
						t.Errorf("the picture of width %d has no %s", width, want)
					}
				}
				if wrong := fault(svg) + outside(lay(test.chart, Options{Width: width})); wrong != "" {
					t.Errorf("the picture of width %d: %s", width, wrong)
				}
				if strings.Contains(svg, "7.25") {
					t.Error("a hidden figure is told")
				}
			}
		})
	}
}

// The axis of a hidden figure does not tell where it lies.
func TestHiddenFiguresMoveNothing(t *testing.T) {
	t.Parallel()
	at := func(v float64) string {
		c := dotPlot()
		c.Rows[3].Value, c.Rows[3].Interval, c.Rows[3].Figure = new(v), between(v-1, v+1), fmt.Sprint(v)
		return svgOf(t, c, Wide)
	}
	if at(0.2) != at(90) {
		t.Error("two dot plots that hide different figures are not the same")
	}
	at = func(v float64) string {
		c := control()
		c.Points[13].Value, c.Points[13].Lower, c.Points[13].Upper = new(v), new(v-1), new(v+1)
		return svgOf(t, c, Wide)
	}
	if at(0.2) != at(90) {
		t.Error("two control charts that hide different figures are not the same")
	}
	at = func(v float64) string {
		c := trend()
		c.Lines[1].Values[5], c.Lines[1].Intervals[5] = new(v), between(v-1, v+1)
		return svgOf(t, c, Wide)
	}
	if at(0.2) != at(90) {
		t.Error("two trends that hide different figures are not the same")
	}
	at = func(v float64) string {
		c := heatMap()
		c.Rows[0].Cells[0] = HeatCell{Level: v, Text: fmt.Sprint(v), Clear: v > 0, State: Suppressed}
		return svgOf(t, c, Wide)
	}
	if at(-1) != at(1) {
		t.Error("two heat maps that hide different figures are not the same")
	}
	at = func(v float64) string {
		c := completeness()
		c.Rows[4].Shares = []float64{v, 1 - v}
		return svgOf(t, c, Wide)
	}
	if at(0.1) != at(0.9) {
		t.Error("two bars that hide different shares are not the same")
	}
}
