package review

import (
	"errors"
	"slices"
	"time"
)

var (
	// ErrUnknown: there is no event of that review, and nobody has reviewed it.
	ErrUnknown = errors.New("there is no such harm event")
	// ErrSettled: the review has an answer, and is opened again before another one is given.
	ErrSettled = errors.New("the review is settled")
	// ErrNotSettled: only a settled review can be opened again.
	ErrNotSettled = errors.New("the review is not settled")
	// ErrNotDisagreed: only two opinions that differ are settled by a third person.
	ErrNotDisagreed = errors.New("there are no two opinions that differ")
	// ErrParty: neither of two who differ settles it; they may each change their opinion.
	ErrParty = errors.New("neither of the two reviewers can settle what they differ about")
	// ErrTwoAnswered: two have answered, and a third person settles what they differ about.
	ErrTwoAnswered = errors.New("two reviewers have answered")
	// ErrFull: the review holds MaxOpinions.
	ErrFull = errors.New("the review holds as many answers as one can hold")
)

// MaxOpinions is how many opinions a review holds before nobody can change theirs or open it again:
// each version holds all of those before it, so that their room grows by the square.
const MaxOpinions = 100

// States lists the states in the order in which a review goes through them.
func States() []State { return []State{Open, Waiting, Disagreed, Settled} }

// round returns the opinions since the review was last opened, in the order in which they came.
func (r *Review) round() []Opinion {
	if n := len(r.Reopenings); n > 0 {
		return r.Opinions[r.Reopenings[n-1].Opinions:]
	}
	return r.Opinions
}

// standing returns the last opinion of each reviewer of a round, in the order in which they first
// answered.
func standing(round []Opinion) []Opinion {
	var out []Opinion
	for _, o := range round {
		if i := slices.IndexFunc(out, o.sameReviewer); i >= 0 {
			out[i] = o
			continue
		}
		out = append(out, o)
	}
	return out
}

// first returns the first opinion of each reviewer of a round, in the order in which they came.
func first(round []Opinion) []Opinion {
	var out []Opinion
	for _, o := range round {
		if !slices.ContainsFunc(out, o.sameReviewer) {
			out = append(out, o)
		}
	}
	return out
}

// sameReviewer reports whether two opinions are of one person, who is known by their subject.
func (o Opinion) sameReviewer(other Opinion) bool {
	return o.Reviewer.Subject == other.Reviewer.Subject
}

// agrees reports whether two opinions come to the same: what is written down of an event is one answer,
// one set of factors and one way of detection.
func (o Opinion) agrees(other Opinion) bool {
	return o.Answer == other.Answer && o.Detection == other.Detection && slices.Equal(o.Factors, other.Factors)
}

// Standing returns the opinions that count: the last of each reviewer since the review was last opened.
func (r *Review) Standing() []Opinion { return standing(r.round()) }

// AnsweredBy reports whether an opinion of that subject counts.
func (r *Review) AnsweredBy(subject string) bool {
	return slices.ContainsFunc(r.round(), func(o Opinion) bool { return o.Reviewer.Subject == subject })
}

// state works out where the review stands from what it holds.
func (r *Review) state() State {
	opinions := r.Standing()
	switch {
	case r.Settlement != nil:
		return Settled
	case len(opinions) == 0:
		return Open
	case len(opinions) < r.Needed:
		return Waiting
	}
	return Disagreed
}

// answer adds an opinion, and settles the review if that is all it takes.
func (r *Review) answer(o Opinion, rule Rule) error {
	if r.Settlement != nil {
		return ErrSettled
	}
	standing := r.Standing()
	if len(standing) == 0 {
		r.Needed = rule.needed(r.Seen)
	}
	if len(standing) >= r.Needed && !r.AnsweredBy(o.Reviewer.Subject) {
		return ErrTwoAnswered
	}
	if len(r.Opinions) >= MaxOpinions && r.AnsweredBy(o.Reviewer.Subject) {
		return ErrFull
	}
	r.Opinions = append(slices.Clone(r.Opinions), o)
	standing = r.Standing()
	if len(standing) == r.Needed && !slices.ContainsFunc(standing, func(x Opinion) bool { return !x.agrees(o) }) {
		how := Agreed
		if r.Needed == 1 {
			how = Single
		}
		r.Settlement = &Settlement{
			Answer: o.Answer, Factors: slices.Clone(o.Factors), Detection: o.Detection, At: o.At, How: how,
			By: o.Reviewer,
		}
	}
	r.State = r.state()
	return nil
}

// settle ends a disagreement by what a third person says.
func (r *Review) settle(s Settlement) error {
	switch {
	case r.Settlement != nil:
		return ErrSettled
	case r.state() != Disagreed:
		return ErrNotDisagreed
	case r.AnsweredBy(s.By.Subject):
		return ErrParty
	}
	s.How = Adjudicated
	r.Settlement = &s
	r.State = r.state()
	return nil
}

// reopen takes the settlement back, so that a new round begins.
func (r *Review) reopen(by Reviewer, at time.Time, reason string) error {
	if r.Settlement == nil {
		return ErrNotSettled
	}
	if len(r.Opinions) >= MaxOpinions {
		return ErrFull
	}
	r.Reopenings = append(slices.Clone(r.Reopenings), Reopening{
		By: by, At: at, Reason: reason, Before: *r.Settlement, Opinions: len(r.Opinions),
	})
	r.Settlement = nil
	r.State = r.state()
	return nil
}

// For returns the review as a reviewer may see it, and whether something is withheld: while it waits
// for a second opinion, the first is shown to nobody else. What was given before the review was last
// opened is no secret.
func (r Review) For(subject string) (seen Review, withheld bool) {
	if r.State != Waiting {
		return r, false
	}
	seen = r.hiding(len(r.Opinions)-len(r.round()), subject)
	return seen, len(seen.Opinions) < len(r.Opinions)
}

// hiding leaves out the opinions from a place on that are not of a subject.
func (r Review) hiding(from int, subject string) Review {
	var shown []Opinion
	for i, o := range r.Opinions {
		if i < from || o.Reviewer.Subject == subject {
			shown = append(shown, o)
		}
	}
	r.Opinions = shown
	return r
}

// WithoutNarrative returns the review without its free text.
func (r Review) WithoutNarrative() Review {
	r.Opinions = slices.Clone(r.Opinions)
	for i := range r.Opinions {
		r.Opinions[i].Evidence, r.Opinions[i].Else = "", ""
	}
	r.Reopenings = slices.Clone(r.Reopenings)
	for i := range r.Reopenings {
		r.Reopenings[i].Reason, r.Reopenings[i].Before.Evidence = "", ""
	}
	if r.Settlement != nil {
		s := *r.Settlement
		s.Evidence = ""
		r.Settlement = &s
	}
	return r
}
