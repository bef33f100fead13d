package chart

import (
	"fmt"
	"math"
)

func percent(v float64) string { return fmt.Sprintf("%.4g %%", 100*v) }

func ratio(v float64) string { return fmt.Sprintf("%.3g", v) }

func plainNumber(v float64) string { return fmt.Sprintf("%.4g", v) }

func between(low, high float64) *[2]float64 { return &[2]float64{low, high} }

func dotPlot() DotPlot {
	return DotPlot{
		Meta: Meta{
			Title:       "Visits with a documented interpreter",
			Subtitle:    "Patients who need an interpreter, by preferred language, 2025",
			Description: "Spanish 62 percent; Vietnamese 41 percent; all 55 percent.",
			Lang:        "en",
			Source:      "interpreter-documented 1.2.0 · snapshot 8f3a21 · data as of 31 Dec 2025 · EquityLens 0.5",
		},
		Axis: Axis{Label: "Share of visits", Format: percent},
		Rows: []Row{
			{Label: "Arabic", Note: "n 214", Value: new(0.48), Interval: between(0.41, 0.55),
				Text: "Arabic: 48 % of 214 visits"},
			{Label: "Chinese, Mandarin", Note: "n 388", Value: new(0.57),
				Interval: between(0.52, 0.62), Reference: true},
			{Label: "Haitian Creole", Note: "n 41", Value: new(0.44),
				Interval: between(0.30, 0.59), Unreliable: true},
			{Label: "Portuguese", Note: "n 12", State: Suppressed},
			{Label: "Somali", Note: "n 30", Value: new(0.0), Interval: between(0, 0.11)},
			{Label: "Spanish", Note: "n 1,204", Value: new(0.62), Interval: between(0.59, 0.65)},
			{Label: "Tagalog", Note: "n 0", State: NoData},
			{Label: "Vietnamese", Note: "n 176", Value: new(0.34), Interval: between(0.27, 0.41),
				Emphasis: true, Text: "Vietnamese: 34 % of 176 visits"},
			{Label: "Language declined", Note: "n 58", Value: new(0.5),
				Interval: between(0.37, 0.63), Unknown: true},
			{Label: "Asked, and not known to the patient or to anybody who came with the patient",
				Note: "n 97", Value: new(0.39), Interval: between(0.3, 0.49), Unknown: true},
			{Label: "Not asked", State: NoData, Unknown: true},
		},
		Line: &Line{0.55, "all patients 55 %"},
		Legend: Legend{
			Interval: "95 % interval", Beyond: "goes on beyond the axis", Reference: "reference group",
			Emphasis: "largest gap", Unknown: "group not known", Unreliable: "rests on few",
			Suppressed: "suppressed", NoData: "no data",
		},
	}
}

func forest() Forest {
	row := func(label string, v, low, high, weight float64) Row {
		return Row{
			Label: label, Value: new(v), Interval: between(low, high), Weight: weight,
			Figure: fmt.Sprintf("%.2f (%.2f–%.2f)", v, low, high), Note: fmt.Sprintf("n %.0f", 3000*weight),
		}
	}
	c := Forest{
		Meta: Meta{
			Title: "Readmission, Black against White patients, by site", Lang: "en",
			Subtitle: "Ratio of rates, 2025", Description: "All sites together 1.21.", Source: "readmission 2.0.1 · snapshot 8f3a21",
		},
		Axis: Axis{Label: "Ratio of rates (logarithmic)", Format: ratio, Log: true},
		Rows: []Row{
			row("Eastside Hospital", 1.42, 1.08, 1.87, 0.6), row("Harbor Clinic", 0.91, 0.55, 1.5, 0.2),
			row("Mercy General", 1.18, 0.98, 1.42, 1),
			row("Northgate Children’s Hospital and Rehabilitation Center", 2.4, 0.7, 19, 0.05),
			{Label: "Southview", Note: "n 9", State: Suppressed},
			{Label: "Westfield", Note: "n 0", State: NoData},
		},
		Null: 1, NullLabel: "no gap", Left: "fewer readmissions for Black patients", Right: "more readmissions for Black patients",
		Legend: Legend{Interval: "95 % interval; the square grows with n",
			Beyond: "goes on beyond the axis", Suppressed: "suppressed", NoData: "no data"},
	}
	all := row("All sites", 1.21, 1.05, 1.39, 1)
	c.Pooled = &all
	return c
}

func funnel() Funnel {
	c := Funnel{
		Meta: Meta{
			Title: "Falls with injury by unit", Subtitle: "2025", Lang: "en", Source: "falls 1.0.0 · snapshot 8f3a21",
			Description: "Two of 24 units lie outside the limits.",
		},
		X: Axis{Label: "Patient days", Format: plainNumber}, Y: Axis{Label: "Falls per 1,000 days", Format: plainNumber},
		Centre: 3, CentreLabel: "all units 3.0", OutsideLabel: "outside the limits", InsideLabel: "inside",
	}
	outer, inner := Band{Label: "99.8 %"}, Band{Label: "95 %"}
	for x := 200.0; x <= 9000; x += 400 {
		se := math.Sqrt(3 / x * 1000)
		outer.Points = append(outer.Points, BandPoint{x, math.Max(0, 3-3.09*se), 3 + 3.09*se})
		inner.Points = append(inner.Points, BandPoint{x, math.Max(0, 3-1.96*se), 3 + 1.96*se})
	}
	c.Bands = []Band{outer, inner}
	for i := range 24 {
		x := 300 + 350*float64(i)
		y := 3 + 1.6*math.Sin(float64(i)*2.3)*math.Sqrt(3/x*1000)
		p := FunnelPoint{Label: fmt.Sprintf("Unit %d", i+1), Key: fmt.Sprint(i + 1), X: x, Y: y,
			Text: fmt.Sprintf("Unit %d: %.1f", i+1, y)}
		if i == 9 || i == 10 {
			p.Y, p.Outside, p.Label = 6.4+float64(i)/100, true, fmt.Sprintf("Medical ward %d East", i)
		}
		if i == 18 {
			p.Y, p.Outside = 0.4, true
		}
		c.Points = append(c.Points, p)
	}
	return c
}

func control() Control {
	c := Control{
		Meta: Meta{
			Title: "Interpreter documented: Vietnamese", Subtitle: "p chart, monthly", Lang: "en",
			Description: "One month is beyond the limits.", Source: "interpreter-documented 1.2.0 · snapshot 8f3a21",
		},
		Axis:        Axis{Label: "Share of visits", Format: percent},
		CentreLabel: "mean", LowerLabel: "lower limit", UpperLabel: "upper limit",
		Legend: ControlLegend{Signal: "signal", Excluded: "not part of the limits",
			Partial: "month not over", Limits: "limits of chance", Suppressed: "suppressed", NoData: "no data"},
		Marks: []Mark{{9, "video interpreters"}},
	}
	months := []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
	for i := range 24 {
		centre := 0.36
		if i >= 9 {
			centre = 0.52
		}
		half := 0.14 + 0.05*math.Abs(math.Sin(float64(i)*1.7))
		p := ControlPoint{
			Label:  fmt.Sprintf("%s %d", months[i%12], 24+i/12),
			Value:  new(centre + 0.8*half*math.Sin(float64(i)*2.1)),
			Centre: new(centre), Lower: new(centre - half), Upper: new(centre + half),
			Text: fmt.Sprintf("month %d", i+1),
		}
		switch i {
		case 4:
			p.Value = nil
		case 6:
			p.Value, p.Excluded = new(0.1), true
		case 13:
			p.State = Suppressed
		case 17:
			p.Value, p.Signal = new(0.79), true
		case 23:
			p.Partial = true
		}
		c.Points = append(c.Points, p)
	}
	return c
}

func trend() Trend {
	c := Trend{
		Meta: Meta{Title: "The gap over time", Subtitle: "Difference to all patients, in points",
			Lang: "en", Description: "The gap of Vietnamese became smaller.", Source: "snapshot 8f3a21"},
		Axis: Axis{Label: "Percentage points",
			Format: func(v float64) string { return fmt.Sprintf("%+.3g", 100*v) }},
		Zero: &Line{0, "no gap"}, IntervalLabel: "95 % interval", Suppressed: "suppressed", NoData: "no data",
	}
	for q := range 8 {
		c.Labels = append(c.Labels, fmt.Sprintf("%d Q%d", 2024+q/4, q%4+1))
	}
	for i, name := range []string{"Vietnamese", "Arabic", "Spanish"} {
		line := TrendLine{Label: name}
		for q := range 8 {
			v := -0.24 + 0.11*float64(i) + 0.012*float64(q) + 0.02*math.Sin(float64(q*(i+2)))
			line.Values = append(line.Values, new(v))
			line.Intervals = append(line.Intervals, between(v-0.05, v+0.05))
		}
		if i == 1 {
			line.Values[3], line.Intervals[3] = nil, nil
			line.States = []State{3: NoData, 5: Suppressed}
		}
		c.Lines = append(c.Lines, line)
	}
	return c
}

func heatMap() HeatMap {
	c := HeatMap{
		Meta: Meta{Title: "Where to look first", Subtitle: "Gap to all patients, 2025",
			Lang: "en", Description: "Five measures by six groups.", Source: "snapshot 8f3a21"},
		Columns: []string{"American Indian or Alaska Native", "Asian",
			"Black or African American", "Hispanic or Latino", "Middle Eastern or North African", "White", "Declined"},
		Legend: HeatLegend{Worse: "worse than all", Better: "better", Same: "about the same",
			Clear: "more than chance", Suppressed: "suppressed", NoData: "no data", Reference: "reference"},
	}
	for i, name := range []string{"Falls with injury", "Interpreter documented", "Readmission within 30 days", "Time to treatment of pain in the emergency department", "Left without being seen"} {
		row := HeatRow{Label: name}
		for j := range c.Columns {
			v := math.Sin(float64(i*7+j*3)) * 1.1
			cell := HeatCell{Text: fmt.Sprintf("%+.1f", 10*v), Level: v, Clear: math.Abs(v) > 0.8,
				Title: name + " " + c.Columns[j]}
			switch {
			case j == 0 && i%2 == 0:
				cell = HeatCell{State: Suppressed, Title: "suppressed"}
			case j == 4 && i == 1:
				cell = HeatCell{State: NoData, Title: "no data"}
			case j == 5 && i == 3:
				cell.Text, cell.Level, cell.Clear = "0.0", 0, false
			}
			row.Cells = append(row.Cells, cell)
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}

func completeness() Completeness {
	return Completeness{
		Meta: Meta{Title: "How complete the fields are",
			Subtitle: "Patients with a visit in 2025", Lang: "en", Description: "Race is known of 81 percent.", Source: "snapshot 8f3a21"},
		Parts: []string{"known", "declined", "asked, unknown", "not asked", "unmapped code", "conflicting"},
		Rows: []BarRow{
			{Label: "Race", Note: "n 14,204",
				Shares: []float64{0.81, 0.05, 0.03, 0.07, 0.03, 0.01}, Text: "Race: 81 % known"},
			{Label: "Ethnicity", Note: "n 14,204", Shares: []float64{0.74, 0.08, 0.04, 0.12, 0.01, 0.01}},
			{Label: "Preferred language", Note: "n 14,204", Shares: []float64{0.92, 0, 0, 0.08, 0, 0}},
			{Label: "Interpreter need", Note: "n 14,204", Shares: []float64{0.41, 0.01, 0.02, 0.56}},
			{Label: "Gender identity", Note: "n 12", State: Suppressed},
			{Label: "Disability", Note: "n 0", State: NoData},
		},
		Suppressed: "suppressed", NoData: "no data", Format: percent,
	}
}

func sparkline() Sparkline {
	c := Sparkline{Meta: Meta{Title: "Interpreter documented", Description: "From 31 % to 52 %.",
		Lang: "en"}, Last: "52 %"}
	for i := range 24 {
		v := 0.31 + 0.009*float64(i) + 0.03*math.Sin(float64(i)*1.9)
		c.Values = append(c.Values, new(v))
	}
	c.Values[7] = nil
	return c
}

// every is one picture of each kind.
func every() map[string]Chart {
	return map[string]Chart{
		"dotplot": dotPlot(), "forest": forest(), "funnel": funnel(), "control": control(), "trend": trend(),
		"heatmap": heatMap(), "completeness": completeness(), "sparkline": sparkline(),
	}
}
