package client

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Backoff is a wait that doubles from First to Max.
type Backoff struct {
	First time.Duration
	Max   time.Duration
}

// Wait returns the wait after failure number n, counted from 1. A chance in [0,1) spreads it over
// the upper half, so that clients that failed together do not come back together.
func (b Backoff) Wait(n int, chance float64) time.Duration {
	wait := b.First
	for ; n > 1 && wait < b.Max; n-- {
		wait *= 2
	}
	wait = min(wait, b.Max)
	return wait/2 + time.Duration(chance*float64(wait/2))
}

// retryJitter is how much is added to a Retry-After at most, as a share of it. Nothing is ever
// taken off: a server that asks for a minute is not asked again sooner.
const retryJitter = 0.1

// Obeyed returns how long to wait for an asked Retry-After: asked, clamped to limit, plus jitter.
func Obeyed(asked, limit time.Duration, chance float64) time.Duration {
	wait := min(asked, limit)
	return wait + time.Duration(chance*retryJitter*float64(wait))
}

// Retry calls attempt up to tries times while it fails with what Temporary accepts, waiting between
// as the server asked or as the backoff says. Zero tries means Config.MaxTries.
func (c *Client) Retry(ctx context.Context, tries int, attempt func(context.Context) error) error {
	if tries <= 0 {
		tries = c.cfg.MaxTries
	}
	for n := 1; ; n++ {
		err := attempt(ctx)
		if err == nil || ctx.Err() != nil || !Temporary(err) {
			return err
		}
		if n >= tries {
			if n > 1 {
				return fmt.Errorf("after %d tries: %w", n, err)
			}
			return err
		}
		wait := c.retryWait(err, n)
		c.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "fhir request will be tried again",
			slog.Int("try", n), slog.Duration("wait", wait), slog.String("error", err.Error()))
		if err := c.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// retryWait returns the wait after failure number n.
func (c *Client) retryWait(err error, n int) time.Duration {
	wait := Backoff{First: c.cfg.RetryFirst, Max: c.cfg.RetryMax}.Wait(n, c.Chance())
	var status *StatusError
	if errors.As(err, &status) && status.Waits {
		wait = max(wait, Obeyed(status.RetryAfter, c.cfg.RetryMax, c.Chance()))
	}
	return wait
}

// Now is the clock of the client.
func (c *Client) Now() time.Time { return c.cfg.Now() }

// Sleep waits for d or until ctx ends, and then returns its cause.
func (c *Client) Sleep(ctx context.Context, d time.Duration) error { return c.cfg.Sleep(ctx, d) }

// Chance returns a number in [0,1) for jitter.
func (c *Client) Chance() float64 {
	var b [8]byte
	if _, err := io.ReadFull(c.cfg.Random, b[:]); err != nil {
		return 0
	}
	const bits = 53 // As many as a float64 holds.
	return float64(binary.LittleEndian.Uint64(b[:])>>(64-bits)) / (1 << bits)
}

// gate holds back every request to an origin that has asked one of them to wait, so that parallel
// downloads meet a rate limit once and not each on its own.
type gate struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// shut closes the gate until a moment, if that is later than what it holds.
func (g *gate) shut(origin string, until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until == nil {
		g.until = make(map[string]time.Time)
	}
	if until.After(g.until[origin]) {
		g.until[origin] = until
	}
}

// opens returns how long the gate stays shut from now.
func (g *gate) opens(origin string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	until, shut := g.until[origin]
	if !shut {
		return 0
	}
	if !until.After(now) {
		delete(g.until, origin)
		return 0
	}
	return until.Sub(now)
}
