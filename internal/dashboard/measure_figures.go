package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
)

// monthsShown is how many months are shown of a series: two years, so that each season is there twice.
const monthsShown = 24

// sections are the parts of the page, each about one figure.
func (s *study) sections(ctx context.Context) ([]page.Section, error) {
	out := []page.Section{s.groups()}
	if !s.public() && len(s.codes()) > 0 {
		out = append(out, s.section("unknown", s.tell.Unknowns(s.result, s.comparison, s.told)))
	}
	over, err := s.overTime(ctx)
	if err != nil {
		return nil, err
	}
	out = append(out, over...)
	places, err := s.places()
	if err != nil {
		return nil, err
	}
	out = append(out, places...)
	if s.with != "" {
		f, err := s.tell.Cross(s.result, s.cross(), s.told)
		if err != nil {
			return nil, fmt.Errorf("cross: %w", err)
		}
		out = append(out, s.section("cross", f))
	}
	counted := s.section("population", s.tell.Population(s.result, s.definition, s.told))
	counted.TableName = s.words.Say("measure.steps")
	return append(out, counted), nil
}

// sentencesShown is how many sentences stand above a picture that is not the first.
const sentencesShown = 4

// section shows a figure under the short name of its kind. The caution of the measure is said once, with
// the figure that the page is about.
func (s *study) section(name string, f figure.Figure) page.Section {
	out := page.Section{Part: s.part(f), Name: s.words.Say("measure.part." + name)}
	if name == groupsPart {
		return out
	}
	out.Notes = slices.DeleteFunc(slices.Clone(out.Notes), func(note string) bool {
		return note == s.told.Words.Caution
	})
	if len(out.Sentences) > sentencesShown {
		out.Further = out.Sentences[sentencesShown:]
		out.Sentences = out.Sentences[:sentencesShown:sentencesShown]
	}
	return out
}

// groupsPart is the section that the page is about.
const groupsPart = "groups"

// groups is the figure that the page is about. Each group leads to the page that looks at it.
func (s *study) groups() page.Section {
	f := s.tell.Groups(s.comparison, s.told)
	const everybody = 1 // The row above those of the groups.
	for i, c := range s.comparison.Groups {
		if c.State != string(mapping.Known) || i+everybody >= len(f.Table.Rows) {
			continue
		}
		f.Table.Rows[i+everybody].Cells[0].Href = s.about(c.Code)
	}
	out := s.section(groupsPart, f)
	c := s.reference()
	// An action is for everybody of a group; a figure of some of them is no finding to begin with.
	if link := s.act(s.definition.ID, s.Rate, s.By, s.Group, s.Period); link.URL != "" && len(s.Where) == 0 {
		out.Links = append(out.Links, link)
	}
	if c == nil || s.Group == "" || c.Code == s.Group {
		return out
	}
	out.Links = append(out.Links, page.Link{
		Text: s.words.Say("measure.compare", s.groupName(s.Group), s.referenceName(*c)),
		URL:  s.comparing(c.Code),
	})
	return out
}

// about is the address of this page, looking at another group.
func (s *study) about(code string) string {
	a := s.address
	a.Group = code
	return a.String()
}

// comparing is the address of the page that compares the group with another; "" is everybody, and leaves
// the other side to that page.
func (s *study) comparing(code string) string {
	a := s.to(ComparePath)
	a.Rate, a.By, a.Policy, a.Where = s.Rate, s.By, s.Policy, s.Where
	a.More = url.Values{paramMeasure: {s.definition.ID}, paramKind: {kindGroups}, paramA: {s.Group}}
	if code != "" {
		a.More.Set(paramB, code)
	}
	return a.String()
}

// overTime is how the rate of the group and its gap go month by month, and that of all others.
func (s *study) overTime(ctx context.Context) ([]page.Section, error) {
	report, refused, err := s.trend(ctx)
	if err != nil {
		return nil, err
	}
	if refused != "" {
		f := figure.Figure{ID: "time", Title: s.words.Say("measure.part.time"), Notes: []string{s.words.Say(refused)}}
		return []page.Section{s.section("time", f)}, nil
	}
	rare, err := s.rare(ctx, report)
	if err != nil {
		return nil, err
	}
	var out []page.Section
	if f, ok := s.tell.GapTime(report, s.Group, s.told); ok {
		out = append(out, s.section("gap", f))
	}
	first := max(0, slices.IndexFunc(report.Series, func(one gap.Series) bool {
		return s.Group != "" && one.Code == s.Group && one.State == string(mapping.Known)
	}))
	series := s.section("time", s.tell.Course(report, rare, first, s.told))
	for i := range report.Series {
		if i != first {
			series.Others = append(series.Others, s.part(s.tell.Course(report, rare, i, s.told)))
		}
	}
	series.OthersName = s.words.Say("measure.others", len(series.Others))
	return append(out, series), nil
}

// trend asks for the months that end with the period. Where there are none, refused is the key of the
// sentence that says why.
func (s *study) trend(ctx context.Context) (report gap.TrendReport, refused string, err error) {
	if s.public() {
		return report, "measure.time.public", nil
	}
	if s.definition.Imported {
		return report, "measure.time.imported", nil
	}
	asked, ok := s.monthly()
	if !ok {
		return report, "measure.time.none", nil
	}
	months, err := s.months(ctx, measure.Question{
		Measure: s.definition.ID, Period: asked, By: []string{s.By}, Policy: s.Policy, Where: s.Where,
	})
	if err != nil {
		return report, "", fmt.Errorf("count the months: %w", err)
	}
	report, err = gap.Trend(months, s.Rate, s.By, gap.Options{Reference: s.against()})
	if errors.Is(err, gap.ErrNoReference) { // In these months too few are of that group.
		report, err = gap.Trend(months, s.Rate, s.By, gap.Options{})
	}
	if errors.Is(err, gap.ErrNoMonths) {
		return report, "measure.time.none", nil
	}
	if err != nil {
		return report, "", fmt.Errorf("follow the months: %w", err)
	}
	return report, "", nil
}

// months counts each month. Patients are counted anew for each, so that of them it is asked for one by
// one: the figures of whole months are stored.
func (s *study) months(ctx context.Context, asked measure.Question) ([]measure.Result, error) {
	if s.definition.Unit != measure.PatientUnit || asked.Policy != "" || len(asked.Where) > 0 {
		return s.snapshot.Months(ctx, asked)
	}
	var out []measure.Result
	one := asked
	for at := asked.Period.Start; at.Before(asked.Period.End); at = at.AddDate(0, 1, 0) {
		one.Period = measure.Period{Start: at, End: at.AddDate(0, 1, -1)}
		r, err := s.snapshot.Answer(ctx, one, s.Audience)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// monthly is the time of the months: whole ones, up to the end of the period or of the data, from where
// there are data.
func (s *study) monthly() (measure.Period, bool) {
	month := func(t time.Time) time.Time {
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	last := month(s.period.End)
	if s.span.asOf.Before(last) {
		last = month(s.span.asOf)
	}
	first := last.AddDate(0, 1-monthsShown, 0)
	if s.span.first.After(first) {
		first = month(s.span.first)
	}
	return measure.Period{Start: first, End: last.AddDate(0, 1, -1)}, !first.After(last)
}

// against is the reference of the page as the months take it: the group that was found for the whole
// period, so that all figures of the page are about the same two.
func (s *study) against() gap.Reference {
	c := s.reference()
	if c == nil || c.Rule == gap.Overall {
		return s.Reference
	}
	return gap.Reference(c.Code)
}

// places is the rate by site: the gap of the group at each, and each against the limits of chance.
func (s *study) places() ([]page.Section, error) {
	var out []page.Section
	if !s.public() && s.By != mapping.DimensionSite {
		out = append(out, s.section("sites", s.tell.Sites(s.result, s.comparison, s.Group, s.told)))
	}
	if _, ok := s.group.Strata[mapping.DimensionSite]; !ok {
		return out, nil
	}
	c, err := gap.Compare(s.result, s.Rate, mapping.DimensionSite, gap.Options{Reference: gap.Overall})
	if err != nil {
		return nil, fmt.Errorf("compare sites: %w", err)
	}
	return append(out, s.section("funnel", s.tell.Funnel(c, s.told))), nil
}
