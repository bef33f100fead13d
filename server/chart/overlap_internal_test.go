package chart

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// overlap names two texts that run into each other.
func overlap(s *sheet) string {
	type placed struct {
		text      string
		low, high point
	}
	var all []placed
	const slack = 0.75
	for _, one := range flat(s.shapes) {
		w, ok := one.(words)
		if !ok {
			continue
		}
		low, high, ok := reachOf(s, w)
		if !ok {
			continue
		}
		for _, other := range all {
			if low.x+slack < other.high.x && other.low.x+slack < high.x &&
				low.y+slack < other.high.y && other.low.y+slack < high.y {
				return fmt.Sprintf("%q and %q, at %v and %v", other.text, w.text, other.low, low)
			}
		}
		all = append(all, placed{w.text, low, high})
	}
	return ""
}

func TestWordsDoNotRunIntoEachOther(t *testing.T) {
	t.Parallel()
	for name, c := range every() {
		for _, width := range []int{leastWidth, Narrow, narrowBelow - 1, narrowBelow, Wide, 1200} {
			t.Run(fmt.Sprintf("%s of width %d", name, width), func(t *testing.T) {
				t.Parallel()
				if found := overlap(lay(c, Options{Width: width})); found != "" {
					t.Error(found)
				}
			})
		}
	}
}

func TestWordsOfAnyLengthDoNotRunIntoEachOther(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{
		"", "A", "n 1,204", "Vietnamese", "Native Hawaiian or other Pacific Islander",
		"Wolfeschlegelsteinhausenbergerdorff", "1.42 (1.08 to 1.87)", "all patients 55 %",
		strings.Repeat("of many people ", 12),
	})
	rapid.Check(t, func(r *rapid.T) {
		rows := make([]Row, rapid.IntRange(1, 5).Draw(r, "rows"))
		for i := range rows {
			rows[i] = Row{
				Label: word.Draw(r, "label"), Note: word.Draw(r, "note"), Figure: word.Draw(r, "figure"),
				Value: new(rapid.Float64Range(0, 1).Draw(r, "value")), Unknown: i > 2,
				State: State(rapid.IntRange(0, 2).Draw(r, "state")), Emphasis: rapid.Bool().Draw(r, "emphasis"),
			}
		}
		text := word.Draw(r, "text")
		axis := Axis{Label: text, Format: func(v float64) string { return plainNumber(v) + text }}
		c := rapid.SampledFrom([]Chart{
			DotPlot{Meta: Meta{Title: text, Subtitle: text, Source: text}, Axis: axis, Rows: rows, Line: &Line{0.4, text}},
			Forest{Rows: rows, Axis: axis, Left: text, Right: text, NullLabel: text},
			Control{
				Axis: axis, CentreLabel: text, UpperLabel: text, LowerLabel: text, Marks: []Mark{{0, text}, {1, text}},
				Points: []ControlPoint{
					{Label: text, Value: new(1.0), Centre: new(1.1), Lower: new(0.9), Upper: new(1.2)},
					{Label: text, Value: new(2.0), Centre: new(1.1), Lower: new(0.9), Upper: new(1.2)},
				},
			},
			Trend{
				Axis: axis, Labels: []string{text, text}, Zero: &Line{0.5, text},
				Lines: []TrendLine{
					{Label: text, Values: []*float64{new(0.5), new(0.6)}}, {Label: text, Values: []*float64{new(0.5), new(0.61)}},
				},
			},
			HeatMap{
				Columns: []string{text, "A", text, text}, Legend: HeatLegend{NoData: text},
				Rows: []HeatRow{{Label: text, Cells: []HeatCell{{Text: text}}}, {Label: text}},
			},
			Completeness{
				Parts: []string{text, text}, Format: axis.Format,
				Rows: []BarRow{{Label: text, Note: text, Shares: []float64{0.5}}, {Label: "A", Note: text}},
			},
			Funnel{
				X: axis, Y: axis, Centre: 1, CentreLabel: text,
				Points: []FunnelPoint{
					{Label: text, Key: "1", X: 1, Y: 1, Outside: true}, {Label: text, Key: "2", X: 1.01, Y: 1, Outside: true},
				},
			},
		}).Draw(r, "chart")
		width := rapid.SampledFrom([]int{leastWidth, Narrow, narrowBelow, Wide}).Draw(r, "width")
		if found := overlap(lay(c, Options{Width: width})); found != "" {
			r.Fatalf("%T of width %d: %s", c, width, found)
		}
	})
}

// Two pictures in one page have no id in common.
func TestIDsAreOfOnePicture(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name, c := range every() {
		for _, width := range []int{Wide, Narrow} {
			all, err := parsed(svgOf(t, c, width))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				id, here := e.attr["id"], fmt.Sprint(name, " of width ", width)
				if other, ok := seen[id]; ok && id != "" {
					t.Errorf("%s and %s have the id %s", here, other, id)
				}
				seen[id] = here
			}
		}
	}
}
