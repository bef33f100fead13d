package review

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// Tally counts what reviews came to.
type Tally struct {
	// Events is how many are in the worklist, Settled of how many there is an answer, Withdrawn how many
	// of those their source does not have any more.
	Events, Settled, Withdrawn int
	// Recorded is of how many others an answer came with the event. Measures count it until somebody
	// reviews the event.
	Recorded int
	// Ways are the settled ones by how the events came to be known, in the order of Detections, each by
	// itself: their sum says nothing, because what is reported depends on who reports.
	Ways []Way
}

// Way counts the reviews of events that came to be known in one way.
type Way struct {
	Detection Detection
	Events    int
	Answers   map[Answer]int
	// Factors counts those that a yes names; one event may have several.
	Factors map[Factor]int
}

// settled lists the settled reviews that a filter means, in the order of the worklist, and counts.
func settled(f *Filter, items []item) ([]Review, Tally, error) {
	var out []Review
	var t Tally
	for i := range items {
		if !f.matches(&items[i].Entry) {
			continue
		}
		t.Events++
		if items[i].State != Settled {
			if slices.Contains([]Answer{Yes, No, Undetermined}, Answer(items[i].Recorded)) {
				t.Recorded++
			}
			continue
		}
		t.Settled++
		if items[i].Withdrawn {
			t.Withdrawn++
		}
		r, err := read(items[i].document)
		if err != nil {
			return nil, Tally{}, err
		}
		out = append(out, r)
	}
	return out, t, nil
}

// Tally counts the reviews that a filter means, whatever its States.
func (d *Desk) Tally(ctx context.Context, f Filter) (t Tally, err error) {
	err = d.cfg.Hold(func(events Events) error {
		items, err := d.items(ctx, events)
		if err != nil {
			return err
		}
		t, err = tallied(&f, items)
		return err
	})
	return t, err
}

func tallied(f *Filter, items []item) (Tally, error) {
	reviews, t, err := settled(f, items)
	if err != nil {
		return Tally{}, err
	}
	for _, c := range Detections() {
		t.Ways = append(t.Ways, way(Detection(c.Code), reviews))
	}
	return t, nil
}

func way(of Detection, reviews []Review) Way {
	w := Way{Detection: of, Answers: map[Answer]int{}, Factors: map[Factor]int{}}
	for i := range reviews {
		s := reviews[i].Settlement
		if s.Detection != of {
			continue
		}
		w.Events++
		w.Answers[s.Answer]++
		for _, factor := range s.Factors {
			w.Factors[factor]++
		}
	}
	return w
}

// Cluster is a factor that several reviewed events of one group have in common. It is a place to look,
// not a rate: it says nothing of events that nobody reviewed.
type Cluster struct {
	Factor    Factor
	Dimension string
	// Key is the group: the code, or "~" and a state.
	Key string
	// Reviews are the ids, in the order in which the events came to be known, by the way in which they
	// did.
	Reviews []string
	Ways    map[Detection]int
	// Of is of how many events of that group there is an answer.
	Of int
	// First and Last are the days of the first and the last event; empty if nobody knows.
	First, Last string
}

// ClusterDimensions are those by whose groups Clusters looks.
func ClusterDimensions() []string {
	return []string{
		mapping.DimensionSite, mapping.DimensionRaceEthnicity, mapping.DimensionLanguage,
		mapping.DimensionInterpreter,
	}
}

// Clusters finds the factors that at least so many of the reviewed events which a filter means have in
// common in a group, the largest first. Events that their source has withdrawn, and those of patients
// who are not here, are in none.
func (d *Desk) Clusters(ctx context.Context, f Filter, least int) (out []Cluster, err error) {
	err = d.cfg.Hold(func(events Events) error {
		items, err := d.items(ctx, events)
		if err != nil {
			return err
		}
		reviews, _, err := settled(&f, items)
		if err != nil {
			return err
		}
		filter := facts.EventFilter{Keys: make([]facts.EventKey, len(reviews))}
		for i := range reviews {
			filter.Keys[i] = facts.EventKey(reviews[i].Key)
		}
		found, err := events.Events(ctx, filter)
		if err != nil {
			return fmt.Errorf("read the events of reviews: %w", err)
		}
		out = clusters(reviews, found, least)
		return nil
	})
	return out, err
}

func clusters(reviews []Review, events []facts.Event, least int) []Cluster {
	groups := make(map[Key]map[string]string, len(events))
	for i := range events {
		groups[Key(events[i].Key())] = events[i].Groups
	}
	type group struct{ dimension, key string }
	type place struct {
		group
		factor Factor
	}
	answered, found := map[group]int{}, map[place]*Cluster{}
	for i := range reviews {
		r := &reviews[i]
		for _, dimension := range ClusterDimensions() {
			key, known := groups[r.Key][dimension]
			if !known {
				continue
			}
			at := group{dimension, key}
			answered[at]++
			for _, factor := range r.Settlement.Factors {
				c := found[place{at, factor}]
				if c == nil {
					c = &Cluster{Factor: factor, Dimension: dimension, Key: key, Ways: map[Detection]int{}}
					found[place{at, factor}] = c
				}
				c.add(r)
			}
		}
	}
	var out []Cluster
	for at, c := range found {
		if c.Of = answered[at.group]; len(c.Reviews) >= max(least, 1) {
			out = append(out, *c)
		}
	}
	dimensions := ClusterDimensions()
	slices.SortFunc(out, func(a, b Cluster) int {
		return cmp.Or(cmp.Compare(len(b.Reviews), len(a.Reviews)),
			cmp.Compare(slices.Index(dimensions, a.Dimension), slices.Index(dimensions, b.Dimension)),
			strings.Compare(a.Key, b.Key), strings.Compare(string(a.Factor), string(b.Factor)))
	})
	return out
}

// add takes a review in.
func (c *Cluster) add(r *Review) {
	c.Reviews = append(c.Reviews, r.ID)
	c.Ways[r.Settlement.Detection]++
	if date := r.Seen.Date; date != "" {
		if c.First == "" || date < c.First {
			c.First = date
		}
		c.Last = max(c.Last, date)
	}
}
