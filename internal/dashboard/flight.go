package dashboard

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// flights make answers. Of those who ask for the same at once one is answered, and with it all: after a
// sync half a department opens the same page.
type flights struct {
	mu  sync.Mutex
	now map[string]*flight
}

// flight is an answer that is being made. It is nobody's: whoever asked first may leave. It ends early
// when nobody waits for it any more.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int
	made    *written
	err     error
}

// errBroken stands for a panic, which must not end the program: it is on no request's goroutine.
var errBroken = errors.New("the page broke off")

// do returns what work makes, or what is being made for the same key.
func (f *flights) do(
	ctx context.Context, key string, work func(context.Context) (*written, error),
) (*written, error) {
	f.mu.Lock()
	one, ok := f.now[key]
	if !ok {
		shared, cancel := context.WithCancel(context.WithoutCancel(ctx))
		one = &flight{done: make(chan struct{}), cancel: cancel}
		f.now[key] = one
		go f.fly(shared, key, one, work)
	}
	one.waiting++
	f.mu.Unlock()
	select {
	case <-one.done:
		return one.made, one.err
	case <-ctx.Done():
		f.leave(key, one)
		return nil, context.Cause(ctx)
	}
}

// fly makes the answer. Whoever asks later finds it kept, or makes it anew.
func (f *flights) fly(
	ctx context.Context, key string, one *flight, work func(context.Context) (*written, error),
) {
	defer one.cancel()
	one.made, one.err = unbroken(ctx, work)
	f.mu.Lock()
	f.drop(key, one)
	f.mu.Unlock()
	close(one.done)
}

// unbroken makes an error of a panic. What was thrown may hold anything, and is left out.
func unbroken(
	ctx context.Context, work func(context.Context) (*written, error),
) (made *written, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			made, err = nil, fmt.Errorf("%w: %T: %s", errBroken, thrown, debug.Stack())
		}
	}()
	return work(ctx)
}

// leave gives up waiting. Who asks after the last has left starts anew.
func (f *flights) leave(key string, one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one.waiting--; one.waiting > 0 {
		return
	}
	one.cancel()
	f.drop(key, one)
}

// drop forgets a flight. f.mu is held.
func (f *flights) drop(key string, one *flight) {
	if f.now[key] == one {
		delete(f.now, key)
	}
}
