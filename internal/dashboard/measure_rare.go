package dashboard

import (
	"context"
	"fmt"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
)

// rare is what lies between the events of those groups that have too few a month. It is asked for where
// some group wants it, and where units have a day. It tells of single events, and so only those inside.
func (s *study) rare(ctx context.Context, report gap.TrendReport) ([]gap.RareSeries, error) {
	if s.Audience != release.Internal || !s.rights.Small ||
		s.definition.Unit == measure.PatientUnit || !gap.RareIn(report) {
		return nil, nil
	}
	sequences, err := s.snapshot.Sequences(ctx, measure.Question{
		Measure: s.definition.ID, Period: report.Period, By: []string{s.By}, Policy: s.Policy, Where: s.Where,
	}, s.Rate)
	if err != nil {
		return nil, fmt.Errorf("list the days of rare events: %w", err)
	}
	found, err := gap.Rare(report, sequences)
	if err != nil {
		return nil, fmt.Errorf("follow rare events: %w", err)
	}
	return found, nil
}
