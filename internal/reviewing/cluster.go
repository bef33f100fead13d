package reviewing

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/server/page"
)

// leastDefault is of how many reviewed events a cluster is made, unless the reader says otherwise.
const leastDefault = 2

// mostReviews is how many reviews of a cluster are listed, and go along to an action: their ids stand in
// its address.
const mostReviews = 40

// The parameters of the page on which an action begins.
const (
	actReview = "review"
	actCause  = "cause"
)

// clusters is the page of what reviewed events have in common.
func (p *Pages) clusters(v *room.Visit) (room.Show, error) {
	q, err := v.Query(append(filterParams(), paramLeast)...)
	if err != nil {
		return nil, err
	}
	f, err := readFilter(q)
	if err != nil {
		return nil, err
	}
	least := leastDefault
	if text := q.Get(paramLeast); text != "" {
		const most = 1000
		if least, err = strconv.Atoi(text); err != nil || least < 1 || least > most {
			return nil, &room.InputError{Field: paramLeast, Why: "want a number from 1 to 1000"}
		}
	}
	found, err := p.cfg.Desk.Clusters(v.Context(), f, least)
	if err != nil {
		return nil, fmt.Errorf("find clusters of reviews: %w", err)
	}
	tally, err := p.cfg.Desk.Tally(v.Context(), f)
	if err != nil {
		return nil, fmt.Errorf("count reviews: %w", err)
	}
	var sites map[string]string
	err = p.cfg.Hold(func(events review.Events) error {
		sites = events.SiteLabels()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the names of sites: %w", err)
	}
	t := tellerOf(v, sites)
	out := page.Clusters{
		Board: v.Board(t.Say("review.clusters"), ListPath), Says: t.rate(review.List{}, tally),
		Notes: []string{t.Say("review.clusters.note"), t.Say("review.detection.apart"), t.Say("review.harm")},
	}
	out.Lead, out.Crumbs = t.Say("review.clusters.lead"), t.crumbs(v)
	out.Form = t.choices(v, q, ClustersPath)
	out.Form.More = append(out.Form.More, page.Field{
		Name: paramLeast, Label: t.Label("review.by", paramLeast), Value: strconv.Itoa(least),
	})
	for i := range found {
		out.Clusters = append(out.Clusters, t.cluster(v, &found[i], i))
	}
	if len(found) == 0 {
		out.Nothing = t.Say("review.clusters.none")
	}
	return func(w http.ResponseWriter, r *http.Request) { p.cfg.Room.Pages().Clusters(w, r, out) }, nil
}

// crumbs lead back to the list.
func (t *teller) crumbs(v *room.Visit) []page.Link {
	return []page.Link{{Text: t.Say("review.title"), URL: v.To(ListPath, nil)}}
}

func (t *teller) cluster(v *room.Visit, c *review.Cluster, i int) page.Cluster {
	n := len(c.Reviews)
	out := page.Cluster{
		ID: "cluster-" + strconv.Itoa(i+1),
		Title: t.Say("review.cluster.title", t.factor(c.Factor), t.DimensionTitle(c.Dimension),
			t.group(c.Dimension, c.Key)),
		Says: []string{t.Say("review.cluster.says", n, t.Count(float64(n)), t.Count(float64(c.Of)))},
	}
	for _, d := range review.Detections() {
		if k := c.Ways[review.Detection(d.Code)]; k > 0 {
			out.Says = append(out.Says, t.in(d.Display)+": "+t.Count(float64(k)))
		}
	}
	if c.First != "" {
		out.Says = append(out.Says, t.Say("review.cluster.span", t.date(c.First), t.date(c.Last)))
	}
	for k, id := range c.Reviews[:min(n, mostReviews)] {
		out.Reviews = append(out.Reviews, page.Link{
			Text: t.Say("review.cluster.one", strconv.Itoa(k+1)), URL: v.To(ListPath+"/"+id, nil),
		})
	}
	if n > mostReviews {
		out.More = t.Say("review.cluster.more", n-mostReviews)
	}
	out.Act = t.act(v, c.Factor, c.Reviews...)
	return out
}

// act leads to an action about reviews; nowhere for who keeps no actions.
func (t *teller) act(v *room.Visit, cause review.Factor, reviews ...string) page.Link {
	if !v.May(scope.Improve) {
		return page.Link{}
	}
	q := url.Values{actReview: reviews[:min(len(reviews), mostReviews)], actCause: {string(cause)}}
	return page.Link{Text: t.Say("board.act"), URL: v.To(newActionPath, q)}
}
