package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/equitylens/equitylens/store/facts"
)

// RefreshName is the name by which a Refresh is known in the history of runs. No source may have it.
const RefreshName = "reviews"

// Refresh is a Source that fetches nothing: the live snapshot is made again, with the answers of reviews
// as they are now and with the measures counted anew. The EHR is not asked.
type Refresh struct {
	Dir *facts.Dir
}

// Name returns RefreshName.
func (Refresh) Name() string { return RefreshName }

// Fetch makes sure that there is a snapshot to be made again. The error is facts.ErrNoSnapshot if not.
func (r Refresh) Fetch(
	_ context.Context, _ string, _ map[string]facts.Load, progress func(Progress),
) (Delivery, error) {
	if _, err := r.Dir.Current(); errors.Is(err, facts.ErrNoSnapshot) {
		return Delivery{}, fmt.Errorf("make the live snapshot again: %w", err)
	} else if err != nil {
		return Delivery{}, err
	}
	progress(Progress{Phase: "fetch"})
	return Delivery{Kept: true}, nil
}
