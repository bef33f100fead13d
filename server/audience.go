package server

import (
	"context"
	"errors"
	"slices"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/measure"
)

// The audiences: for whom the figures of an answer are.
const (
	// audienceInternal is an authorised person inside: every figure.
	audienceInternal = "internal"
	// audienceRegulator is whoever the format demands everything for.
	audienceRegulator = "regulator"
	// audiencePublic is everyone else: small numbers and what would give them away are hidden.
	audiencePublic = "public"
)

func audiences() []string { return []string{audienceInternal, audienceRegulator, audiencePublic} }

// ErrNotPublic says that a question is none of those that are answered to the public: what is made
// public of a measure and a period is settled beforehand, so that no order of questions can give
// away what one answer hides.
var ErrNotPublic = errors.New("not among what is made public")

// askedAudience is what the parameter audience says, or what the token allows at most where it is
// not given. Figures of small groups are for who may see them, whatever the parameter says.
func askedAudience(asked parameters, p Principal) (string, error) {
	text, err := asked.one("audience")
	if err != nil {
		return "", err
	}
	switch {
	case text == "" && p.Covers(scope.Unsuppressed):
		return audienceInternal, nil
	case text == "" || text == audiencePublic:
		return audiencePublic, nil
	case !slices.Contains(audiences(), text):
		return "", unknownAudience()
	}
	return text, demand(p, scope.Unsuppressed)
}

// result answers a question for an audience. What is not for the inside passes through the release
// or is not given out at all.
func (s *Server) result(
	ctx context.Context, q measure.Question, audience string,
) (measure.Result, error) {
	if audience == audienceInternal {
		return s.cfg.Measures.Evaluate(ctx, q)
	}
	if s.cfg.Releases == nil {
		return measure.Result{}, noReleases()
	}
	return s.cfg.Releases.Release(ctx, q, audience)
}
