package exchange

import (
	"slices"

	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/server"
)

// page is the part of all matches that is on a page, and the cursor of the next one; empty on the
// last. A cursor is the id of the last entry of the page before, which is found in every entry that
// there is, so that it holds when that entry has ceased to match.
func page[T any](
	q server.Query, every []T, id func(T) string, match func(T) (bool, error),
) (entries []T, total int, next string, err error) {
	place := -1
	if q.Cursor != "" {
		place = slices.IndexFunc(every, func(one T) bool { return id(one) == q.Cursor })
		if place < 0 {
			return nil, 0, "", server.Refuse(server.Refusal{
				Expression: "_cursor", Text: "the list has changed; begin with its first page",
			})
		}
	}
	for i, one := range every {
		ok, err := match(one)
		if err != nil {
			return nil, 0, "", err
		}
		if !ok {
			continue
		}
		total++
		switch {
		case i <= place:
		case len(entries) < q.Count:
			entries = append(entries, one)
		case next == "" && q.Count > 0:
			next = id(entries[q.Count-1])
		}
	}
	return entries, total, next, nil
}

// bundle makes the searchset of a page.
func (e *Exchange) bundle(
	q server.Query, entries []form.Entry, total int, next string,
) (server.Answer, error) {
	if !q.Total {
		total = -1
	}
	bundle, err := form.Searchset(entries, formLinks(q.Links(e.cfg.BaseURL, next)), total)
	if err != nil {
		return server.Answer{}, err
	}
	return server.Answer{Resource: bundle}, nil
}

func formLinks(links []server.Link) []form.Link {
	out := make([]form.Link, len(links))
	for i, one := range links {
		out[i] = form.Link(one)
	}
	return out
}
