package dashboard

import (
	"strings"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// board is what all pages have in common.
func (v *visit) board(here string) page.Board {
	var b page.Board
	b.Nav = page.Places{
		Figures: v.rights.Figures, Data: true, Reviews: v.rights.Review, Improve: v.rights.Improve,
		Network: v.network,
	}.Nav(v.words, here, v.away)
	info := v.snapshot.Facts().Info
	if v.stale {
		b.Notices = append(b.Notices, page.Notice{
			Tone: "check", Text: v.words.Say("board.stale", v.words.Moment(info.DataAsOf)),
		})
	}
	if v.Audience == release.Public {
		b.Notices = append(b.Notices, page.Notice{Tone: "note", Text: v.words.Say("board.public")})
	}
	b.Provenance = []page.Term{
		{Name: v.words.Say("board.asof"), Value: v.words.Moment(info.DataAsOf)},
		{Name: v.words.Say("board.snapshot"), Value: info.ID},
		{Name: v.words.Say("board.audience"), Value: v.words.Label("audience", string(v.Audience))},
	}
	return b
}

// away is the address of another page with what the reader chose, as far as that page knows it: those that
// are not about figures know the language alone.
func (v *visit) away(path string) string {
	a := v.to(path)
	switch path {
	case OverviewPath, DefinitionsPath, ComparePath, QualityPath:
	default:
		a.Period, a.Audience = "", ""
	}
	return a.String()
}

// released puts the snapshot that a release was made of in the place of the one that is live.
func (v *visit) released(b *page.Board, results []measure.Result) {
	if v.Audience != release.Public || len(results) == 0 || results[0].Snapshot == "" {
		return
	}
	for i := range b.Provenance {
		switch b.Provenance[i].Name {
		case v.words.Say("board.asof"):
			b.Provenance[i].Value = v.words.Moment(results[0].DataAsOf)
		case v.words.Say("board.snapshot"):
			b.Provenance[i].Value = words.Plain(results[0].Snapshot)
		}
	}
}

// part shows a figure with its files.
func (v *visit) part(f figure.Figure) page.Part {
	p := page.Part{Figure: v.sourced(f)}
	if f.Chart != nil {
		p.Files = append(p.Files, v.files(f.ID, endingSVG, endingPNG)...)
	}
	if len(f.Table.Rows) > 0 {
		p.Files = append(p.Files, v.files(f.ID, endingCSV)...)
	}
	return p
}

// files lead to a file in some forms, by their names, which are the same in every language.
func (v *visit) files(stem string, endings ...string) []page.Link {
	links := make([]page.Link, len(endings))
	for i, ending := range endings {
		links[i] = page.Link{Text: strings.ToUpper(ending), URL: v.file(stem + "." + ending)}
		if ending == endingParquet {
			links[i].Text = "Parquet"
		}
	}
	return links
}

// tables are the files of all figures of a page.
func (v *visit) tables() []page.Link {
	return append(v.files(tableFile, endingCSV, endingXLSX, endingParquet), page.Link{
		Text: "FHIR MeasureReport", URL: v.file(reportFile + "." + endingJSON),
	})
}

// seesFigures opens a page to those who may see figures.
func seesFigures(may rights) bool { return may.Figures }
