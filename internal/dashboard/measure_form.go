package dashboard

import (
	"maps"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// filteredBy are the dimensions that the form offers to filter by. An address may name any.
func filteredBy() []string {
	return []string{
		mapping.DimensionSite, mapping.DimensionAgeBand, mapping.DimensionSex, mapping.DimensionLanguage,
	}
}

// form offers what there is to choose. Each of its options leads to a page.
func (s *study) form() *page.Form {
	f := &page.Form{Action: s.Path, Clear: s.to(s.Path).String()}
	f.Hidden = s.hiddenFields()
	if rates := s.rateField(); len(rates.Options) > 1 {
		f.Fields = append(f.Fields, rates)
	}
	f.Fields = append(f.Fields, s.dimensionField(s.words.Say("choice.by"), s.By, measure.Dimensions()))
	if s.withheld == "" {
		if s.reference() != nil {
			f.Fields = append(f.Fields, s.referenceField(s.Reference, s.references()...))
		}
		if groups := s.groupField(); len(groups.Options) > 1 {
			f.Fields = append(f.Fields, groups)
		}
	}
	lengths := []int{monthsInYear, monthsInQuarter, 1}
	if s.public() {
		lengths = lengths[:1]
	}
	f.Fields = append(f.Fields, s.periodField(s.span, s.period, lengths...))
	if !s.public() {
		f.More = append(f.More, s.withField(), page.Field{
			Name: paramSpan, Label: s.words.Say("measure.span"), Help: s.words.Say("measure.span.help"),
		})
		f.More = append(f.More, s.filterFields()...)
	}
	f.More = append(f.More, s.policyField())
	for _, field := range s.audienceFields() {
		if !s.public() {
			field.Value = "" // What is usual is no choice that was made.
		}
		f.More = append(f.More, field)
	}
	return f
}

// hiddenFields keep what the form does not ask for.
func (s *study) hiddenFields() []page.Term {
	var kept []page.Term
	if s.By != "" {
		kept = append(kept, page.Term{Name: paramOf, Value: s.By})
	}
	for _, key := range slices.Sorted(maps.Keys(s.Where)) {
		if slices.Contains(filteredBy(), key) && len(s.strata(key)) > 0 {
			continue
		}
		for _, value := range s.Where[key] {
			kept = append(kept, page.Term{Name: paramWhere + key, Value: value})
		}
	}
	return s.hidden(kept...)
}

// rateField offers the rates of a measure that has several.
func (s *study) rateField() page.Field {
	f := page.Field{Name: paramRate, Label: s.words.Say("measure.rate"), Value: s.Rate}
	for _, rate := range s.definition.Rates() {
		f.Options = append(f.Options, page.Option{
			Value: rate.ID, Label: words.Plain(s.said(rate).Title), Chosen: rate.ID == s.Rate,
		})
	}
	return f
}

// references are the groups that can be compared with.
func (s *study) references() []page.Option {
	var out []page.Option
	for _, c := range s.comparison.Groups {
		if c.State != string(mapping.Known) || c.Suppressed || c.Score == nil ||
			c.GapRefused != nil && c.GapRefused.Reason != gap.IsReference {
			continue
		}
		out = append(out, page.Option{Value: c.Code, Label: s.groupName(c.Code)})
	}
	return out
}

// groupField offers the groups to look at by themselves.
func (s *study) groupField() page.Field {
	f := page.Field{Name: paramGroup, Label: s.words.Say("measure.group"), Value: s.Group}
	for _, code := range s.codes() {
		f.Options = append(f.Options, page.Option{
			Value: code, Label: s.groupName(code), Chosen: code == s.Group,
		})
	}
	if s.Group == "" {
		f.Options = slices.Insert(f.Options, 0, page.Option{Label: s.words.Say("measure.none"), Chosen: true})
	}
	return f
}

// withField offers to look at two dimensions at once. Those that say nearly the same are left out.
func (s *study) withField() page.Field {
	f := page.Field{Name: paramWith, Label: s.words.Say("measure.with"), Value: s.with}
	f.Options = []page.Option{{Label: s.words.Say("measure.none"), Chosen: s.with == ""}}
	for _, d := range measure.Dimensions() {
		if d == s.By || kin(d) == kin(s.By) {
			continue
		}
		f.Options = append(f.Options, page.Option{
			Value: d, Label: s.words.DimensionTitle(d), Chosen: d == s.with,
		})
	}
	if !slices.ContainsFunc(f.Options, func(o page.Option) bool { return o.Chosen }) {
		f.Options = append(f.Options, page.Option{
			Value: s.with, Label: s.words.DimensionTitle(s.with), Chosen: true,
		})
	}
	return f
}

// kin names what several dimensions are forms of.
func kin(dimension string) string {
	for _, stem := range []string{"race", "language"} {
		if strings.HasPrefix(dimension, stem) {
			return stem
		}
	}
	if dimension == mapping.DimensionEthnicity {
		return "race"
	}
	return dimension
}

// strata are the values of a dimension that the form can filter by.
func (s *study) strata(dimension string) []measure.Stratum {
	for _, g := range s.choices.Groups {
		if g.ID == s.Rate {
			return g.Strata[dimension]
		}
	}
	return nil
}

// filterFields offer the groups that there are, and whatever is chosen beside them.
func (s *study) filterFields() []page.Field {
	var fields []page.Field
	for _, key := range filteredBy() {
		f := page.Field{
			Name: paramWhere + key, Label: s.words.DimensionTitle(key), Many: true,
			Value: strings.Join(s.Where[key], ","),
		}
		offered := map[string]bool{}
		for _, stratum := range s.strata(key) {
			if stratum.State != string(mapping.Known) {
				continue
			}
			offered[stratum.Code] = true
			f.Options = append(f.Options, page.Option{
				Value: stratum.Code, Label: s.words.Stratum(key, stratum),
				Chosen: slices.Contains(s.Where[key], stratum.Code),
			})
		}
		if len(f.Options) == 0 {
			continue
		}
		for _, value := range s.Where[key] {
			if !offered[value] {
				f.Options = append(f.Options, page.Option{
					Value: value, Label: s.valueName(key, value), Chosen: true,
				})
			}
		}
		fields = append(fields, f)
	}
	return fields
}
