package evidence

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"

	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

//go:embed evidence.html
var pageText string

//go:embed evidence.css
var styleText string

// sheet is what the template shows.
type sheet struct {
	Language, Title, Organization, Audience, Made, Source string
	// Style is the style sheet of the page, and Policy lets it and nothing else be used.
	Style  template.CSS
	Policy string
	// Warnings are what a reader must know before anything else.
	Warnings []string
	Contents string
	Sections []block
}

// page writes the page: one file that needs no other, without scripts and without addresses of others.
func (b *builder) page(out *bytes.Buffer) error {
	t, err := template.New("evidence").Funcs(template.FuncMap{"picture": picture}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	sum := sha256.Sum256([]byte(styleText))
	s := sheet{
		Language: b.w.Tag().String(), Title: b.title(), Organization: words.Plain(b.o.Organization),
		Audience: b.audience(), Made: b.w.Say("evidence.made", b.w.Moment(b.m.Made), words.Plain(b.o.Software)),
		Source: b.w.Say("evidence.source", words.Plain(b.m.Info.ID), b.w.Moment(b.m.Info.DataAsOf)),
		Style:  template.CSS(styleText), // #nosec G203 -- our own style sheet, which nobody else writes
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; form-action 'none'",
		Warnings: b.warnings(), Contents: b.w.Say("evidence.contents"),
	}
	for _, section := range []block{
		b.asked(), b.gapSection(), b.planSection(), b.actSection(), b.reviewSection(), b.dataSection(),
		b.tableSection(), b.originSection(),
	} {
		if section.ID != "" {
			s.Sections = append(s.Sections, section)
		}
	}
	if err := t.Execute(out, s); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// picture is a chart as an element of the page. It has its colours with it and needs no style sheet.
func picture(c chart.Chart) (template.HTML, error) {
	var out bytes.Buffer
	if err := chart.SVG(&out, c, chart.Options{Width: chart.Wide}); err != nil {
		return "", fmt.Errorf("draw a picture: %w", err)
	}
	return template.HTML(out.String()), nil // #nosec G203 -- every text in it is escaped by chart
}

// warnings name what is partial, and what is not there at all.
func (b *builder) warnings() []string {
	var out []string
	for _, r := range b.m.Results {
		if !r.Complete {
			out = append(out, b.w.Say("evidence.partial", b.measureTitle(r.Measure)))
		}
	}
	for _, l := range b.m.Info.Loads {
		if !l.Complete {
			out = append(out, b.w.Say("evidence.partial.load", b.w.Resource(l.Type), words.Plain(l.Source)))
		}
	}
	if last := b.m.Info.DataAsOf; !last.IsZero() && last.Before(b.m.Period.End.AddDate(0, 0, 1)) {
		out = append(out, b.w.Say("evidence.partial.period", b.w.DayOf(last), b.w.Period(b.m.Period)))
	}
	return out
}

// asked says what programmes ask for and where it stands in the pack.
func (b *builder) asked() block {
	out := block{
		ID: sectionAsked, Title: b.sectionTitle(sectionAsked), Sentences: []string{b.w.Say("evidence.asked.change")},
	}
	for _, p := range programmes() {
		part := table{
			Caption: b.w.Say(p.Key), Headed: true,
			Columns: []figure.Column{b.column("evidence.asked.what"), b.column("evidence.asked.where")},
		}
		for _, one := range p.Asked {
			where := cell{Text: b.w.Say("evidence.asked.nowhere")}
			if b.has(one.Section) {
				where = cell{Text: b.sectionTitle(one.Section), Link: one.Section}
			}
			part.Rows = append(part.Rows, row{Cells: []cell{{Text: b.w.Say(one.Key)}, where}})
		}
		out.Parts = append(out.Parts, block{
			Title: b.w.Say(p.Key), Sentences: []string{b.w.Say(p.Key + ".note")}, Tables: []table{part},
		})
	}
	return out
}

// has reports whether the pack has a section. A public one has none on reviews.
func (b *builder) has(section string) bool {
	return section != "" && (section != sectionReviews || !b.public())
}

// sectionTitle is the title of a section.
func (b *builder) sectionTitle(section string) string { return b.w.Say("evidence.section." + section) }
