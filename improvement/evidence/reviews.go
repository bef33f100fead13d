package evidence

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/server/figure"
)

// reviewSection says what the reviews of harm events came to, with how many were asked about first. The
// public has none of it but the measure in the table, whose small numbers are hidden.
func (b *builder) reviewSection() block {
	if !b.has(sectionReviews) {
		return block{}
	}
	out := block{ID: sectionReviews, Title: b.sectionTitle(sectionReviews)}
	if b.m.Reviews == nil {
		out.Sentences = []string{b.w.Say("evidence.reviews.missing")}
		return out
	}
	tally := b.m.Reviews.Tally
	if tally.Events == 0 {
		out.Sentences = []string{b.w.Say("evidence.reviews.none")}
		return out
	}
	out.Sentences = []string{b.w.Say("evidence.reviews.rate", b.w.Count(float64(tally.Events)),
		b.w.Count(float64(tally.Settled)), b.w.Percent(float64(tally.Settled)/float64(tally.Events), 1))}
	if tally.Withdrawn > 0 {
		out.Notes = append(out.Notes, b.w.Say("evidence.reviews.withdrawn", b.w.Count(float64(tally.Withdrawn))))
	}
	out.Tables = []table{b.ways(tally, review.Answers(), "evidence.reviews.answers",
		func(w review.Way, code string) int { return w.Answers[review.Answer(code)] })}
	if slices.ContainsFunc(tally.Ways, func(w review.Way) bool { return w.Answers[review.Yes] > 0 }) {
		out.Tables = append(out.Tables, b.ways(tally, review.Factors(), "evidence.reviews.factors",
			func(w review.Way, code string) int { return w.Factors[review.Factor(code)] }))
	}
	out.Notes = append(out.Notes, b.w.Say("evidence.reviews.apart"), b.w.Say("evidence.reviews.judgement"))
	out.Sentences = append(out.Sentences, b.agreement()...)
	return out
}

// ways counts codes by how events came to be known, each way in a column of its own: they are never
// added up.
func (b *builder) ways(
	tally review.Tally, codes []review.Concept, caption string, count func(review.Way, string) int,
) table {
	t := table{Caption: b.w.Say(caption), Columns: []figure.Column{b.column("evidence.reviews.answer")}}
	for _, w := range tally.Ways {
		name := string(w.Detection)
		for _, c := range review.Detections() {
			if c.Code == name {
				name = c.Display.In(b.language)
			}
		}
		t.Columns = append(t.Columns, figure.Column{Title: name, Number: true})
	}
	for _, c := range codes {
		cells := []cell{{Text: c.Display.In(b.language)}}
		for _, w := range tally.Ways {
			cells = append(cells, cell{Text: b.w.Count(float64(count(w, c.Code)))})
		}
		t.Rows = append(t.Rows, row{Cells: cells})
	}
	return t
}

// agreement says how far two reviewers agreed before they talked.
func (b *builder) agreement() []string {
	a := b.m.Reviews.Agreement
	if a.Measured.N == 0 {
		return []string{b.w.Say("evidence.reviews.single")}
	}
	text := b.w.Say("evidence.reviews.agreed", b.w.Count(a.Measured.N), b.w.Percent(a.Measured.Observed, 0))
	if !a.Exists {
		return []string{text, b.w.Say("evidence.reviews.no-kappa")}
	}
	k := a.Measured.Kappa
	return []string{strings.TrimSpace(text), b.w.Say("evidence.reviews.kappa", b.w.Number(k.Value, 2),
		b.teller.Ninetyfive(), b.w.Number(k.Lo, 2), b.w.Number(k.Hi, 2))}
}
