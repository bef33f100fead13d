package institution

import (
	"context"
	"sync"
	"time"

	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/measure"
)

const (
	// fresh is how long an answer of the coordinator is shown before it is asked again, and so how often a
	// member asks for a period at most.
	fresh = 5 * time.Minute
	// retry is how long a coordinator that did not answer is left alone.
	retry = 20 * time.Second
	// mostKept bounds the periods that are kept.
	mostKept = 12
)

// keeper keeps what the coordinator answered. It is safe for concurrent use.
type keeper struct {
	fetch Overview
	mu    sync.Mutex
	kept  map[string]*keeping
}

// keeping is a period. Whoever holds its lock asks the coordinator; the others wait for the answer.
type keeping struct {
	mu       sync.Mutex
	overview network.Overview
	// at is when it was answered, tried when it was asked last, and err what came of that.
	at, tried time.Time
	err       error
}

func newKeeper(fetch Overview) *keeper { return &keeper{fetch: fetch, kept: map[string]*keeping{}} }

// of returns the entry of a period. Where there are too many, any other one goes.
func (k *keeper) of(period measure.Period) *keeping {
	k.mu.Lock()
	defer k.mu.Unlock()
	name := period.String()
	if one, ok := k.kept[name]; ok {
		return one
	}
	for len(k.kept) >= mostKept {
		for other := range k.kept {
			delete(k.kept, other)
			break
		}
	}
	one := &keeping{}
	k.kept[name] = one
	return one
}

// get returns the overview of a period, when it was answered, and why it is not newer, if it could be: an
// old answer is better than none. The zero time says that there is none.
func (k *keeper) get(
	ctx context.Context, period measure.Period, now time.Time,
) (o network.Overview, at time.Time, err error) {
	one := k.of(period)
	one.mu.Lock()
	defer one.mu.Unlock()
	switch {
	case one.err == nil && !one.at.IsZero() && now.Sub(one.at) < fresh:
		return one.overview, one.at, nil
	case one.err != nil && now.Sub(one.tried) < retry:
		return one.overview, one.at, one.err
	}
	o, err = k.fetch(ctx, period)
	if err != nil && ctx.Err() != nil {
		return one.overview, one.at, err // Who asked has gone: that says nothing of the coordinator.
	}
	one.tried, one.err = now, err
	if err == nil {
		one.overview, one.at = o, now
	}
	return one.overview, one.at, err
}
