package review

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// ErrCursor: the page before this one has gone out of date; begin with the first.
var ErrCursor = errors.New("the list has changed since its last page")

// Filter says which reviews are meant. Its zero value means all in the worklist.
type Filter struct {
	States []State
	// From and To are days of events, both inside; the zero time is no bound. An event without a date is
	// in no bounded span.
	From, To time.Time
	// Sites, Categories and Severities are keys: the code, or "~" and a state.
	Sites      []string
	Categories []string
	Severities []string
	Actuality  string
	// Detection and Answer are those of a settled review.
	Detection Detection
	Answer    Answer
	// After is the Next of the page before; Limit 0 is without bound. Only Worklist looks at them.
	After string
	Limit int
}

// Entry is a review as the worklist shows it.
type Entry struct {
	// ID is that of the review.
	ID  string
	Key Key
	// Event is what is known of the event now; if it is Withdrawn, what was when it was last reviewed.
	Event     Particulars
	Withdrawn bool
	// Recorded is the answer that came with the event, as a key.
	Recorded string
	State    State
	Needed   int
	Version  int
	// Answer and Detection are those of a settled review.
	Answer    Answer
	Detection Detection
	// Due is the day by which it should be settled; zero for one that is, and where no day is known.
	Due     time.Time
	Overdue bool
}

// List is one page of the worklist, those first that have waited longest.
type List struct {
	Entries []Entry
	// Next is the After of the next page; empty on the last. It names nobody.
	Next string
	// Total is how many entries there are on all pages, Overdue how many of them are late.
	Total, Overdue int
	// States counts by state what the filter means in any state.
	States map[State]int
	// Sites names the sites of the entries, by their keys.
	Sites map[string]string
}

// Worklist lists the reviews that a filter means, also of events that nobody has begun to review, and of
// those that their source has withdrawn since.
func (d *Desk) Worklist(ctx context.Context, f Filter) (list List, err error) {
	err = d.cfg.Hold(func(events Events) error {
		items, err := d.items(ctx, events)
		if err != nil {
			return err
		}
		list, err = listed(&f, items, events)
		return err
	})
	return list, err
}

// listed is a page of the worklist.
func listed(f *Filter, items []item, events Events) (List, error) {
	list := List{States: map[State]int{}, Sites: map[string]string{}}
	place := -1
	if f.After != "" {
		place = slices.IndexFunc(items, func(i item) bool { return i.ID == f.After })
		if place < 0 {
			return list, ErrCursor
		}
	}
	labels := events.SiteLabels()
	for i := range items {
		list.add(f, &items[i].Entry, i > place, labels)
	}
	return list, nil
}

// Survey is a page of the worklist with what all reviews of its filter come to, of one state of the
// store and of one snapshot.
type Survey struct {
	List      List
	Tally     Tally
	Agreement Agreement
}

// Survey is Worklist, Tally and Agreement, at the cost of one of them.
func (d *Desk) Survey(ctx context.Context, f Filter) (s Survey, err error) {
	err = d.cfg.Hold(func(events Events) error {
		items, err := d.items(ctx, events)
		if err != nil {
			return err
		}
		if s.List, err = listed(&f, items, events); err != nil {
			return err
		}
		if s.Tally, err = tallied(&f, items); err != nil {
			return err
		}
		s.Agreement, err = agreed(&f, items)
		return err
	})
	return s, err
}

// add counts an entry, and takes it in if it belongs onto the page.
func (l *List) add(f *Filter, e *Entry, beyond bool, labels map[string]string) {
	if !f.matches(e) {
		return
	}
	l.States[e.State]++
	if len(f.States) > 0 && !slices.Contains(f.States, e.State) {
		return
	}
	l.Total++
	if e.Overdue {
		l.Overdue++
	}
	switch {
	case !beyond:
	case f.Limit > 0 && len(l.Entries) == f.Limit:
		l.Next = l.Entries[f.Limit-1].ID
	default:
		l.Entries = append(l.Entries, *e)
		if label := labels[e.Event.Site]; label != "" {
			l.Sites[e.Event.Site] = label
		}
	}
}

// matches is the filter but for the states.
func (f *Filter) matches(e *Entry) bool {
	in := func(list []string, key string) bool { return len(list) == 0 || slices.Contains(list, key) }
	return in(f.Sites, e.Event.Site) && in(f.Categories, e.Event.Category) &&
		in(f.Severities, e.Event.Severity) &&
		(f.Actuality == "" || f.Actuality == e.Event.Actuality) &&
		(f.Detection == "" || f.Detection == e.Detection) &&
		(f.Answer == "" || f.Answer == e.Answer) && f.spans(e.Event.Date)
}

func (f *Filter) spans(day string) bool {
	if f.From.IsZero() && f.To.IsZero() {
		return true
	}
	return day != "" && (f.From.IsZero() || day >= f.From.Format(dayLayout)) &&
		(f.To.IsZero() || day <= f.To.Format(dayLayout))
}

// item is an entry with the document of its review, if anybody has begun it.
type item struct {
	Entry
	document *decisions.Document
}

// items lists every event of the worklist with its review, in the order of the worklist: an event since
// the first day, one without a date, and every one of which there is a review.
func (d *Desk) items(ctx context.Context, events Events) ([]item, error) {
	documents, err := d.cfg.Records.Find(ctx, decisions.Query{Kind: decisions.Review})
	if err != nil {
		return nil, fmt.Errorf("find reviews: %w", err)
	}
	begun := make(map[string]*decisions.Document, len(documents))
	for i := range documents {
		begun[documents[i].ID] = &documents[i]
	}
	heads, err := events.EventHeads(ctx, facts.EventFilter{From: d.cfg.Since, Undated: true})
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	out := make([]item, 0, len(heads)+len(begun))
	take := func(head *facts.EventHead) {
		id := IDOf(Key(head.Key()))
		out = append(out, d.item(id, head, begun[id]))
		delete(begun, id)
	}
	for i := range heads {
		take(&heads[i])
	}
	rest := make(map[string]Review, len(begun))
	filter := facts.EventFilter{Keys: []facts.EventKey{}}
	for id, document := range begun {
		r, err := read(document)
		if err != nil {
			return nil, err
		}
		rest[id], filter.Keys = r, append(filter.Keys, facts.EventKey(r.Key))
	}
	if heads, err = events.EventHeads(ctx, filter); err != nil {
		return nil, fmt.Errorf("find events: %w", err)
	}
	for i := range heads {
		take(&heads[i])
	}
	for id, document := range begun {
		i := item{Entry: Entry{ID: id, Key: rest[id].Key, Event: rest[id].Seen, Withdrawn: true}, document: document}
		i.stand(d)
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b item) int {
		return cmp.Or(strings.Compare(a.Event.known(), b.Event.known()), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// item is the entry of an event.
func (d *Desk) item(id string, head *facts.EventHead, document *decisions.Document) item {
	i := item{
		Entry:    Entry{ID: id, Key: Key(head.Key()), Event: particulars(head), Recorded: head.Recorded},
		document: document,
	}
	i.stand(d)
	return i
}

// stand says where the review stands, from the terms of its document.
func (i *item) stand(d *Desk) {
	i.State, i.Needed = Open, d.cfg.TwoPerson.needed(i.Event)
	if doc := i.document; doc != nil {
		i.State, i.Version = State(doc.Terms[TermState]), doc.Version
		i.Answer, i.Detection = Answer(doc.Terms[TermAnswer]), Detection(doc.Terms[TermDetection])
		if i.State != Open && doc.Terms[TermNeeded] == "1" {
			i.Needed = 1
		} else if i.State != Open {
			i.Needed = 2
		}
	}
	if i.State != Settled {
		i.Due, i.Overdue = d.due(i.Event)
	}
}

// known is the day from which a review could be asked for: that on which the event came to be known,
// else that on which it happened; empty if nobody knows.
func (p Particulars) known() string { return cmp.Or(p.Known, p.Date) }

// due is the day by which the review of an event should be settled, and whether it has passed.
func (d *Desk) due(of Particulars) (time.Time, bool) {
	known, err := time.Parse(dayLayout, of.known())
	if err != nil || d.cfg.DueAfter == 0 {
		return time.Time{}, false
	}
	due := known.Add(d.cfg.DueAfter).Truncate(day)
	return due, d.now().After(due.Add(day))
}

const day = 24 * time.Hour
