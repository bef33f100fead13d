package dashboard

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/measure/export"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// sourced adds to the foot of a picture what the figure cannot know: for whom it is, by which rule races
// became groups, and what counted and drew it. The page, its files and the command line all pass here.
func (v *visit) sourced(f figure.Figure) figure.Figure {
	sentences := []string{v.words.Say("file.internal")}
	switch v.Audience {
	case release.Public:
		sentences[0] = v.words.Say("file.public")
	case release.Regulator:
		sentences[0] = v.words.Say("file.regulator")
	case release.Internal:
	}
	if v.Policy != "" {
		sentences = append(sentences, v.words.Say("file.policy", v.words.Say("choice.policy."+string(v.Policy))))
	}
	program := v.words.Say("file.software", v.software)
	if mapped := v.snapshot.Facts().Info.Software; mapped != "" && mapped != v.software {
		program = v.words.Say("file.software.mapped", v.software, mapped)
	}
	if v.software != "" {
		sentences = append(sentences, program)
	}
	return f.Sourced(sentences...)
}

// from says where the figures of a sheet come from, under the names that the columns of the table of all
// figures have.
func (v *visit) from(s *sheet) []export.Named {
	var measures, versions, periods []string
	add := func(to *[]string, text string) {
		if text = words.Plain(text); text != "" && !slices.Contains(*to, text) {
			*to = append(*to, text)
		}
	}
	for _, r := range s.results {
		add(&measures, r.Measure)
		add(&versions, r.Measure+" "+r.Version)
		add(&periods, r.Period.String())
	}
	if len(measures) == 1 {
		versions = []string{strings.TrimPrefix(versions[0], measures[0]+" ")}
	}
	var kept []string
	for _, key := range slices.Sorted(maps.Keys(v.Where)) {
		kept = append(kept, key+"="+strings.Join(v.Where[key], ","))
	}
	info := v.snapshot.Facts().Info
	if v.Audience == release.Public && len(s.results) > 0 { // A release is of the snapshot that it was made of.
		info.ID, info.DataAsOf = s.results[0].Snapshot, s.results[0].DataAsOf
	}
	return []export.Named{
		{Name: "measure", Value: strings.Join(measures, "; ")},
		{Name: "version", Value: strings.Join(versions, "; ")},
		{Name: "period", Value: strings.Join(periods, "; ")},
		{Name: "data_as_of", Value: info.DataAsOf.UTC().Format(time.RFC3339)},
		{Name: "snapshot", Value: info.ID},
		{Name: "audience", Value: string(v.Audience)},
		{Name: "race_policy", Value: string(v.Policy)},
		{Name: "filter", Value: strings.Join(kept, "; ")},
		{Name: "reference_rule", Value: string(v.Reference)},
		{Name: "mapped_by", Value: info.Software},
		{Name: "software", Value: v.software},
	}
}

// fileName says what a file is: measure, period, dimension and figure. A name that holds anything but
// the letters of codes could be taken for something else by a browser or a shell.
func (v *visit) fileName(s *sheet, name string) string {
	stem, ending, _ := strings.Cut(name, ".")
	page := strings.Trim(strings.TrimSuffix(v.Path, "/files/"+name), "/")
	parts := []string{page[strings.LastIndexByte(page, '/')+1:]}
	if parts[0] == "" {
		parts[0] = "overview"
	}
	if id := v.More.Get(paramMeasure); id != "" {
		parts = append(parts, id)
	}
	for _, name := range []string{paramSource, paramSite} {
		parts = append(parts, v.More.Get(name))
	}
	period := v.Period
	if period == "" && len(s.results) > 0 {
		period = periodName(s.results[0].Period)
	}
	parts = append(parts, period, v.By, v.Group, stem)
	if v.Audience != release.Internal {
		parts = append(parts, string(v.Audience))
	}
	if v.Language != "" {
		parts = append(parts, v.Language)
	}
	var kept []string
	for _, part := range parts {
		if part = plainName(part); part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "-") + "." + ending
}

// plainName keeps the letters that no system minds in the name of a file.
func plainName(text string) string {
	const most = 60
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r == '*', r == '/', r == '.', r == ':':
			return '_'
		}
		return -1
	}, text)
	return clean[:min(len(clean), most)]
}
