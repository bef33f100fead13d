package dashboard

import (
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
)

// accountPath is the page of who has signed in (visit).
const accountPath = "/account"

// board is what all pages have in common.
func (v *visit) board(here string) page.Board {
	var b page.Board
	add := func(path, key string, may bool) {
		if may {
			b.Nav = append(b.Nav, page.Link{
				Text: v.words.Say(key), URL: v.to(path).String(), Current: path == here,
			})
		}
	}
	add(OverviewPath, "board.overview", v.rights.Figures)
	add(DefinitionsPath, "board.definitions", v.rights.Figures)
	add(ComparePath, "board.compare", v.rights.Figures)
	add(QualityPath, "board.quality", true)
	add(accountPath, "board.account", true)
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

// part shows a figure with its files.
func (v *visit) part(f figure.Figure) page.Part {
	p := page.Part{Figure: f}
	if f.Chart != nil {
		p.Files = []page.Link{
			{Text: "SVG", URL: v.file(f.ID + ".svg")}, {Text: "PNG", URL: v.file(f.ID + ".png")},
		}
	}
	return p
}

// tables are the files of all figures of a page.
func (v *visit) tables() []page.Link {
	return []page.Link{
		{Text: "CSV", URL: v.file(tableFile + ".csv")}, {Text: "XLSX", URL: v.file(tableFile + ".xlsx")},
		{Text: "Parquet", URL: v.file(tableFile + ".parquet")},
	}
}

// seesFigures opens a page to those who may see figures.
func seesFigures(may rights) bool { return may.Figures }
