package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// The parameters that the page of a measure knows beside those of all.
const (
	// paramOf names the dimension for which a form was made: a group or a reference that was chosen in
	// it is one of that dimension.
	paramOf = "of"
	// paramWith is what the dimension is crossed with.
	paramWith = "with"
	// paramSpan is a period that was typed.
	paramSpan = "span"
	// paramView is viewPrint, for the page as it is printed.
	paramView = "view"
	viewPrint = "print"
)

// measure is the page of a measure.
func (d *Dashboard) measure() builder {
	return builder{
		params: []string{paramOf, paramWith, paramSpan, paramView}, open: seesFigures,
		make: func(ctx context.Context, v *visit) (*sheet, error) {
			s, err := v.study(ctx)
			if err != nil {
				return nil, err
			}
			out := page.Measure{Board: s.head(), Printed: s.More.Get(paramView) == viewPrint}
			made := &sheet{page: func(w http.ResponseWriter, r *http.Request) {
				d.cfg.Pages.Measure(w, r, http.StatusOK, out)
			}}
			if s.withheld != "" {
				s.refuse(&out)
				return made, nil
			}
			if out.Sections, err = s.sections(ctx); err != nil {
				return nil, err
			}
			for _, section := range out.Sections {
				made.figures = append(made.figures, figuresOf(section)...)
			}
			made.results = []measure.Result{s.result}
			made.gaps, err = gap.Of([]measure.Result{s.result}, gap.Options{Reference: s.Reference})
			if err != nil && !errors.Is(err, gap.ErrNoReference) { // Too few to compare with leave no gap.
				return nil, fmt.Errorf("list the gaps: %w", err)
			}
			s.finish(&out)
			return made, nil
		},
	}
}

// figuresOf are the figures of a section.
func figuresOf(s page.Section) []figure.Figure {
	out := []figure.Figure{s.Figure}
	for _, other := range s.Others {
		out = append(out, other.Figure)
	}
	return out
}

// head is what the page says before any figure.
func (s *study) head() page.Board {
	b := s.board(DefinitionsPath)
	s.released(&b, []measure.Result{s.result})
	b.Crumbs = []page.Link{{Text: s.words.Say("board.definitions"), URL: s.to(DefinitionsPath).String()}}
	b.Title, b.Lead = words.Plain(s.told.Words.Title), words.Plain(s.told.Words.Says)
	b.Form = s.form()
	terms := []page.Term{
		{Name: s.words.Say("measure.measure"), Value: words.Plain(s.definition.ID + " " + s.definition.Version)},
		{Name: s.words.Say("choice.period"), Value: words.Capital(s.words.Period(s.period))},
	}
	if len(s.definition.Rates()) > 1 {
		terms = append(terms, page.Term{Name: s.words.Say("measure.rate"), Value: words.Plain(s.told.Words.Title)})
	}
	if s.By != "" {
		terms = append(terms, page.Term{
			Name: s.words.Say("choice.by"), Value: s.words.DimensionTitle(s.By),
		})
	}
	if c := s.reference(); c != nil {
		terms = append(terms, page.Term{
			Name: s.words.Say("choice.reference"), Value: s.referenceName(*c),
		})
	}
	if s.Policy != "" {
		terms = append(terms, page.Term{
			Name: s.words.Say("choice.policy"), Value: s.words.Say("choice.policy." + string(s.Policy)),
		})
	}
	for _, text := range s.absent {
		b.Notices = append(b.Notices, page.Notice{Tone: "check", Text: text})
	}
	kept := s.kept(s.words.DimensionTitle)
	terms = append(terms, kept...)
	if len(kept) > 0 {
		var names []string
		for _, k := range kept {
			names = append(names, k.Value)
		}
		b.Title = s.words.Say("measure.only", b.Title, strings.Join(names, "; "))
	}
	b.Provenance = append(terms, b.Provenance...)
	return b
}

// finish adds what stands around the figures.
func (s *study) finish(out *page.Measure) {
	about := []string{words.Capital(s.words.Period(s.period)), s.words.Say("measure.by", s.words.Dimension(s.By))}
	if c := s.reference(); c != nil {
		about = append(about, s.words.Say("measure.against", s.referenceName(*c)))
	}
	for _, k := range s.kept(s.words.Dimension) {
		about = append(about, s.words.Say("figure.kept", k.Name, k.Value))
	}
	out.About = strings.Join(about, " · ")
	out.Files = s.tables()
	if s.public() {
		out.Notices = append(out.Notices, page.Notice{Tone: "note", Text: s.words.Say("measure.public")})
	}
	a := s.address
	a.More = map[string][]string{}
	if s.with != "" {
		a.More.Set(paramWith, s.with)
	}
	out.Back = a.String()
	a.More = map[string][]string{paramView: {viewPrint}}
	out.Print = a.String()
	if out.Printed {
		out.Form, out.Files = nil, nil
		return
	}
	for _, section := range out.Sections {
		out.Contents = append(out.Contents, page.Link{Text: section.Name, URL: "#" + section.ID})
	}
	out.Contents = append(out.Contents, page.Link{Text: s.words.Say("measure.part.counted"), URL: "#counted"})
	out.Counted = &page.Counted{
		Facts: s.facts(&s.definition), Source: words.Plain(s.definition.Source),
		FHIR: fhirMeasures + s.definition.ID, URL: s.to(DefinitionsPath).String() + "#" + s.definition.ID,
	}
}

// refuse says why there are no figures, and what there is instead.
func (s *study) refuse(out *page.Measure) {
	out.Refused = s.words.Say(s.withheld)
	for _, p := range s.instead {
		a := s.to(s.Path)
		a.Period, a.Rate = periodName(p), s.Rate
		out.Instead = append(out.Instead, page.Link{Text: words.Capital(s.words.Period(p)), URL: a.String()})
	}
}

// reference is what the groups are compared with, nil where they are not.
func (s *study) reference() *gap.Chosen {
	if s.comparison.GapsRefused != nil {
		return nil
	}
	return s.comparison.Reference
}

// referenceName names what the groups are compared with.
func (s *study) referenceName(c gap.Chosen) string {
	if c.Rule == gap.Overall {
		return s.words.Say("choice.reference.overall")
	}
	return s.words.Group(s.By, measure.Coding{
		Code: c.Code, State: string(mapping.Known), Label: c.Label,
	})
}

// groupName names a group of the dimension by its code.
func (s *study) groupName(code string) string {
	i := slices.IndexFunc(s.comparison.Groups, func(c gap.Compared) bool {
		return c.Code == code && c.State == string(mapping.Known)
	})
	if i < 0 {
		return code
	}
	c := s.comparison.Groups[i]
	return s.words.Group(s.By, measure.Coding{Code: c.Code, State: c.State, Label: c.Label})
}

// kept says what the figures are narrowed to, by the names of the groups where they are known.
func (s *study) kept(dimension func(string) string) []page.Term {
	var out []page.Term
	for _, key := range measure.FilterKeys() {
		if len(s.Where[key]) == 0 {
			continue
		}
		if key == measure.FilterPractitioner {
			out = append(out, page.Term{
				Name: s.words.Say("measure.practitioner"), Value: s.words.Say("measure.practitioner.one"),
			})
			continue
		}
		var names []string
		for _, value := range s.Where[key] {
			names = append(names, s.valueName(key, value))
		}
		out = append(out, page.Term{Name: dimension(key), Value: strings.Join(names, ", ")})
	}
	return out
}

// valueName names a value of a filter.
func (s *study) valueName(key, value string) string {
	coding := measure.Coding{Code: value, State: string(mapping.Known)}
	if state, ok := strings.CutPrefix(value, "~"); ok {
		coding = measure.Coding{State: state}
	}
	for _, stratum := range s.strata(key) {
		if stratum.Code == coding.Code && stratum.State == coding.State {
			coding = stratum.Coding
		}
	}
	return s.words.Group(key, coding)
}
