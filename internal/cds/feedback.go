package cds

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
)

// Feedback is what became of one card. It holds no patient and no user, and no words that a person
// typed: a comment may name anybody.
type Feedback struct {
	Tenant string `json:"tenant"`
	// Card is the uuid of the card.
	Card string `json:"card"`
	// Outcome is Accepted or Overridden.
	Outcome string `json:"outcome"`
	// Reason is one of Reasons, or ReasonOther; "" if none was given.
	Reason string `json:"reason,omitempty"`
	// At is when it happened by the clock of the EHR, Received by ours.
	At       time.Time `json:"at"`
	Received time.Time `json:"received"`
}

// The outcomes of a card.
const (
	Accepted   = "accepted"
	Overridden = "overridden"
)

// maxItems bounds the cards of one feedback.
const maxItems = 100

// maxAhead is how far ahead of ours the clock of an EHR may be in feedback.
const maxAhead = 24 * time.Hour

// Feedback takes what became of cards at Path/ServiceID/feedback and answers 200 once all of it is
// recorded. https://cds-hooks.hl7.org/2.0/#feedback
func (s *Service) Feedback() http.Handler {
	return s.open(http.MethodPost, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, Path+"/"+ServiceID+"/feedback") {
			s.refuse(w, &problem{http.StatusNotFound, "there is no such service"})
			return
		}
		err := s.takeFeedback(r.Context(), w, r)
		var no *problem
		if errors.As(err, &no) {
			s.cfg.Logger.LogAttrs(r.Context(), slog.LevelWarn, "cds feedback was refused",
				slog.Int("status", no.status), slog.String("error", err.Error()))
			s.refuse(w, no)
			return
		}
		write(w, http.StatusOK, struct{}{})
	})
}

// takeFeedback is the work on one feedback. Its errors hold a *problem.
func (s *Service) takeFeedback(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	t, err := s.trust(ctx, r, s.url()+"/feedback", s.url())
	if err != nil {
		return err
	}
	body, err := readBody(w, r, maxFeedback)
	if err != nil {
		return err
	}
	list, err := parseFeedback(body, t.Name, s.cfg.Now())
	if err != nil {
		return err
	}
	for _, f := range list {
		if err := s.cfg.Recorder.Record(ctx, f); err != nil {
			return errors.Join(err, &problem{http.StatusServiceUnavailable, "try again later"})
		}
	}
	return nil
}

// parseFeedback reads a body. All of it is good, or none is taken.
func parseFeedback(body []byte, tenant string, now time.Time) ([]Feedback, error) {
	bad := func(say string) ([]Feedback, error) { return nil, &problem{http.StatusBadRequest, say} }
	var doc struct {
		Feedback []struct {
			Card    string `json:"card"`
			Outcome string `json:"outcome"`
			Reason  struct {
				Reason struct {
					Code   string `json:"code"`
					System string `json:"system"`
				} `json:"reason"`
			} `json:"overrideReason"`
			At string `json:"outcomeTimestamp"`
		} `json:"feedback"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return bad("the body is not the JSON of a CDS Hooks feedback")
	}
	if len(doc.Feedback) == 0 || len(doc.Feedback) > maxItems {
		return bad("feedback is not on 1 to 100 cards")
	}
	out := make([]Feedback, 0, len(doc.Feedback))
	for _, item := range doc.Feedback {
		card, err := uuid.Parse(item.Card)
		if err != nil {
			return bad("card is not a UUID")
		}
		if item.Outcome != Accepted && item.Outcome != Overridden {
			return bad("outcome is neither " + Accepted + " nor " + Overridden)
		}
		at, err := time.Parse(time.RFC3339, item.At)
		if err != nil || at.After(now.Add(maxAhead)) || at.Year() < 2000 {
			return bad("outcomeTimestamp is not a moment of the past")
		}
		f := Feedback{Tenant: tenant, Card: card.String(), Outcome: item.Outcome, At: at.UTC(),
			Received: now.UTC()}
		given := item.Reason.Reason
		ours := given.System == ReasonSystem || given.System == "" // Some EHRs leave it out.
		switch {
		case item.Outcome != Overridden || given.Code == "":
		case ours && slices.Contains(Reasons(), given.Code):
			f.Reason = given.Code
		default:
			f.Reason = ReasonOther
		}
		out = append(out, f)
	}
	return out, nil
}
