package dashboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/facts"
)

// The parameters of the page about the data.
const (
	paramSource = "source"
	paramSite   = "site"
	paramField  = "field"
	paramRun    = "run"
	// paramStart says what came of the button that starts a sync.
	paramStart = "start"
)

// completenessMeasure is the measure of which the public may see how much is on record.
const completenessMeasure = "real-completeness"

// quality is the page about the data: what is on record, what cannot be read, what was loaded and how, and
// the sync.
func (d *Dashboard) quality() builder {
	return builder{
		open:   func(may rights) bool { return may.Figures || may.Sync },
		params: []string{paramSource, paramSite, paramField, paramRun, paramStart},
		moves:  d.syncMoves,
		make: func(ctx context.Context, v *visit) (*sheet, error) {
			if err := v.checkQuality(); err != nil {
				return nil, err
			}
			s := &sheet{}
			out := page.Quality{}
			var err error
			if v.inside() {
				err = d.insideQuality(ctx, v, s, &out)
			} else {
				err = v.publicQuality(ctx, s, &out)
			}
			if err != nil {
				return nil, err
			}
			s.page = func(w http.ResponseWriter, r *http.Request) { d.cfg.Pages.Quality(w, r, http.StatusOK, out) }
			return s, nil
		},
	}
}

// inside reports whether somebody sees the data as those who care for them do: counts of people by what is
// known of them, and never an outcome. Whoever runs the sync does, and whoever sees small groups and did
// not ask for the public's view.
func (v *visit) inside() bool {
	return v.Audience != release.Public || v.rights.Sync && !v.rights.Small
}

// checkQuality refuses what an address of another page may ask for.
func (v *visit) checkQuality() error {
	if len(v.Where) > 0 {
		return fmt.Errorf("%w: the data are shown by source and site, and not filtered", errAddress)
	}
	for _, name := range []string{paramSource, paramSite, paramField, paramRun, paramStart} {
		if len(v.More[name]) > 1 {
			return fmt.Errorf("%w: %s stands there twice", errAddress, name)
		}
	}
	if field := v.More.Get(paramField); field != "" && !slices.Contains(qualityFields(), field) {
		return fmt.Errorf("%w: field: want one of %s", errAddress, strings.Join(qualityFields(), ", "))
	}
	return nil
}

// insideQuality is the page for those inside.
func (d *Dashboard) insideQuality(ctx context.Context, v *visit, s *sheet, out *page.Quality) error {
	v.Audience = release.Internal
	q := &dataView{visit: v, sites: v.snapshot.Facts().Sites}
	v.settleBoard(out)
	counted, err := v.snapshot.Facts().Quality(ctx)
	switch {
	case errors.Is(err, facts.ErrSchema):
		out.Nothing = v.words.Say("quality.earlier")
		counted.Loads = v.snapshot.Facts().Info.Loads
	case err != nil:
		return fmt.Errorf("read how good the data are: %w", err)
	default:
		q.Quality = counted
		if err := q.settle(); err != nil {
			return err
		}
		if err := q.fill(ctx, s, out); err != nil {
			return err
		}
	}
	loads := slices.DeleteFunc(slices.Clone(counted.Loads), func(l facts.Load) bool {
		return q.source != "" && l.Source != q.source
	})
	q.others(s, out, v.tell.Loads(loads))
	for _, l := range loads {
		if !l.Complete && l.Reason != "" {
			out.Reasons = append(out.Reasons, page.Term{
				Name: v.words.Say("time.fresh.load", v.words.Resource(l.Type), words.Plain(l.Source)), Value: words.Prose(l.Reason),
			})
		}
	}
	return d.goingOn(ctx, v, s, out)
}

// settleBoard gives the page what it has in common with others.
func (v *visit) settleBoard(out *page.Quality) {
	out.Board = v.board(QualityPath)
	out.Title = v.words.Say("quality.title")
}

// dataView is what is known of the data of one source and site, or of all.
type dataView struct {
	*visit
	facts.Quality
	sites        map[string]string
	source, site string
	field        string
}

// qualityFields are the fields that are looked at, in the order in which they are asked.
func qualityFields() []string {
	return []string{
		mapping.DimensionRace, mapping.DimensionEthnicity, mapping.DimensionLanguage, mapping.DimensionInterpreter,
		mapping.DimensionSex,
	}
}

// sources and keys are the sources that gave anything, and the sites by their keys, those by name first.
func (q *dataView) sources() []string {
	found := map[string]bool{}
	for _, l := range q.Loads {
		found[l.Source] = true
	}
	for _, c := range q.Completeness {
		found[c.Source] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func (q *dataView) keys() []string {
	found := map[string]bool{}
	for _, c := range q.Completeness {
		found[c.Site] = true
	}
	for _, l := range q.Loose {
		found[l.Site] = true
	}
	unknown := func(key string) int {
		if strings.HasPrefix(key, "~") {
			return 1
		}
		return 0
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b string) int {
		return cmp.Or(unknown(a)-unknown(b), cmp.Compare(q.siteName(a), q.siteName(b)), cmp.Compare(a, b))
	})
}

func (q *dataView) siteName(key string) string { return q.tell.Site(key, q.sites) }

// settle reads source, site and field from the address.
func (q *dataView) settle() error {
	q.source, q.site, q.field = q.More.Get(paramSource), q.More.Get(paramSite), q.More.Get(paramField)
	if list := q.sources(); q.source != "" && !slices.Contains(list, q.source) {
		return fmt.Errorf("%w: source: want one of %s", errAddress, some(list))
	}
	if list := q.keys(); q.site != "" && !slices.Contains(list, q.site) {
		return fmt.Errorf("%w: site: want one of %s", errAddress, some(list))
	}
	return nil
}

// some joins the first of a list.
func some(list []string) string {
	const most = 20
	text := words.Plain(strings.Join(list[:min(len(list), most)], ", "))
	if len(list) > most {
		text += " …"
	}
	return text
}

// here reports whether a source and a site are those that are looked at.
func (q *dataView) here(source, site string) bool {
	return (q.source == "" || source == q.source) && (q.site == "" || site == q.site)
}

// fill is everything that was counted.
func (q *dataView) fill(ctx context.Context, s *sheet, out *page.Quality) error {
	rows := q.byField()
	if q.field == "" {
		q.field = q.least(rows)
	}
	of := q.data()
	add := func(f figure.Figure) {
		s.figures = append(s.figures, f)
		out.Records = append(out.Records, q.part(f))
	}
	add(q.tell.OnRecord("completeness", q.words.Say("quality.record"), q.words.Say("time.complete.field"), rows, of))
	title := q.words.DimensionTitle(q.field)
	if list := q.sources(); q.source == "" && len(list) > 1 {
		by := q.by(list, func(c facts.Completeness) string { return c.Source }, words.Plain)
		add(q.tell.OnRecord("completeness-source", q.words.Say("quality.record.source", title),
			q.words.Say("quality.source.name"), by, of))
	}
	if list := q.keys(); q.site == "" && len(list) > 1 {
		by := q.by(list, func(c facts.Completeness) string { return c.Site }, q.siteName)
		add(q.tell.OnRecord("completeness-site", q.words.Say("quality.record.site", title),
			q.words.Say("quality.site"), by, of))
	}
	calls := q.tell.Calls()
	out.Calls = &calls
	out.Form = q.form()
	codes, err := q.codes(ctx, s, out)
	if err != nil {
		return err
	}
	out.Says = q.tell.Whole(rows, codes)
	odd, err := q.issues(ctx, 0, slices.DeleteFunc(mapping.IssueKinds(), func(k mapping.IssueKind) bool {
		return k == mapping.UnmappedCode
	})...)
	if err != nil {
		return err
	}
	q.others(s, out, q.tell.Odd(odd))
	var ends []facts.Loose
	for _, e := range q.Loose {
		if q.here(e.Source, e.Site) {
			ends = append(ends, e)
		}
	}
	q.others(s, out, q.tell.Loose(ends, q.sites))
	return nil
}

// others shows a figure behind the codes.
func (q *dataView) others(s *sheet, out *page.Quality, f figure.Figure) {
	s.figures = append(s.figures, f)
	out.Others = append(out.Others, q.part(f))
}

func (q *dataView) data() figure.Data {
	info := q.snapshot.Facts().Info
	var where []string
	if q.source != "" {
		where = append(where, q.words.Say("quality.where.source", words.Plain(q.source)))
	}
	if q.site != "" {
		where = append(where, q.words.Say("quality.where.site", q.siteName(q.site)))
	}
	return figure.Data{Where: strings.Join(where, " · "), Snapshot: info.ID, AsOf: info.DataAsOf}
}

// byField counts every field of the people who are looked at.
func (q *dataView) byField() []figure.OnRecord {
	rows := make([]figure.OnRecord, len(qualityFields()))
	for i, field := range qualityFields() {
		rows[i] = figure.OnRecord{Label: q.words.DimensionTitle(field), Counts: map[mapping.State]int64{}}
		for _, c := range q.Completeness {
			if c.Field == field && q.here(c.Source, c.Site) {
				rows[i].Counts[c.State] += c.People
			}
		}
	}
	return rows
}

// least is the field that is on record of the fewest.
func (q *dataView) least(rows []figure.OnRecord) string {
	answers := func(o figure.OnRecord) int64 { return o.Counts[mapping.Known] + o.Counts[mapping.AskedDeclined] }
	worst := 0
	for i := range rows {
		if answers(rows[i]) < answers(rows[worst]) {
			worst = i
		}
	}
	return qualityFields()[worst]
}

// by counts one field by a list of parts, and all of them.
func (q *dataView) by(
	list []string, of func(facts.Completeness) string, name func(string) string,
) []figure.OnRecord {
	all := figure.OnRecord{Label: q.words.Say("quality.all"), All: true, Counts: map[mapping.State]int64{}}
	rows := make([]figure.OnRecord, 0, len(list)+1)
	for _, key := range list {
		row := figure.OnRecord{Label: name(key), Counts: map[mapping.State]int64{}}
		people := int64(0)
		for _, c := range q.Completeness {
			if c.Field == q.field && of(c) == key && q.here(c.Source, c.Site) {
				row.Counts[c.State] += c.People
				all.Counts[c.State] += c.People
				people += c.People
			}
		}
		if people > 0 {
			rows = append(rows, row)
		}
	}
	return append(rows, all)
}

// form is what can be chosen.
func (q *dataView) form() *page.Form {
	choice := func(name, label, chosen, all string, list []string, say func(string) string) page.Field {
		f := page.Field{Name: name, Label: label, Value: chosen}
		if all != "" {
			f.Options = append(f.Options, page.Option{Label: all, Chosen: chosen == ""})
		}
		for _, value := range list {
			f.Options = append(f.Options, page.Option{Value: value, Label: say(value), Chosen: value == chosen})
		}
		return f
	}
	all := q.words.Say("quality.all")
	f := &page.Form{
		Action: QualityPath, Hidden: q.hidden(),
		Fields: []page.Field{
			choice(paramSource, q.words.Say("quality.source.name"), q.source, all, q.sources(), words.Plain),
			choice(paramSite, q.words.Say("quality.site"), q.site, all, q.keys(), q.siteName),
			choice(paramField, q.words.Say("quality.field"), q.field, "", qualityFields(), q.words.DimensionTitle),
		},
		More:  q.audienceFields(),
		Clear: address{Path: QualityPath, Language: q.Language}.String(),
	}
	if len(f.More) > 0 {
		f.More[0].Value = "" // It stands open where it says something unusual.
	}
	return f
}

// publicQuality is what everybody may see: the shares that a release holds, and nothing of how the data
// came.
func (v *visit) publicQuality(ctx context.Context, s *sheet, out *page.Quality) error {
	span, err := v.span(ctx)
	if err != nil {
		return err
	}
	period := v.settlePeriod(span)
	v.settleBoard(out)
	out.Form = &page.Form{
		Action: QualityPath, Hidden: v.hidden(),
		Fields: append([]page.Field{v.periodField(span, period, monthsInYear)}, v.audienceFields()...),
	}
	out.Says = []string{v.words.Say("quality.public.less")}
	if v.More.Get(paramSource) != "" || v.More.Get(paramSite) != "" || v.More.Get(paramRun) != "" {
		out.Notices = append(out.Notices, page.Notice{Tone: "check", Text: v.words.Say("quality.public.all")})
	}
	result, err := v.snapshot.Answer(ctx, measure.Question{Measure: completenessMeasure, Period: period}, v.Audience)
	if errors.Is(err, server.ErrNotPublic) || errors.Is(err, measure.ErrUnknownMeasure) {
		out.Nothing = v.words.Say("quality.public.none", v.words.Period(period))
		return nil
	}
	if err != nil {
		return err
	}
	var rates []figure.Measure
	for _, definition := range v.snapshot.Definitions() {
		if definition.ID != completenessMeasure {
			continue
		}
		for _, g := range result.Groups {
			rates = append(rates, v.tell.MeasureOf(definition, g))
		}
	}
	f := v.tell.Published(result, rates)
	s.figures, s.results = append(s.figures, f), append(s.results, result)
	out.Records, out.Files = append(out.Records, v.part(f)), v.tables()
	v.released(&out.Board, s.results)
	return nil
}

// broken logs what should have been shown beside the rest of a page, which is shown without it.
func (d *Dashboard) broken(ctx context.Context, what string, err error) {
	d.cfg.Logger.ErrorContext(ctx, what, slog.Any("cause", err))
}
