package dashboard

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// asked is what came back to one of many.
type asked struct {
	made *written
	err  error
}

// ask asks for a key in the background.
func ask(
	ctx context.Context, f *flights, key string, work func(context.Context) (*written, error),
) <-chan asked {
	out := make(chan asked, 1)
	go func() {
		made, err := f.do(ctx, key, work)
		out <- asked{made, err}
	}()
	return out
}

func TestOfManyWhoAskAtOnceOneIsAnsweredForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &flights{now: map[string]*flight{}}
		works, leave := 0, make(chan struct{})
		page := &written{}
		work := func(ctx context.Context) (*written, error) {
			works++
			select {
			case <-leave:
				return page, nil
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		first, cancel := context.WithCancel(t.Context())
		impatient := ask(first, f, "a", work)
		synctest.Wait()
		var all []<-chan asked
		for range 50 {
			all = append(all, ask(t.Context(), f, "a", work))
		}
		synctest.Wait()
		cancel()
		if got := <-impatient; !errors.Is(got.err, context.Canceled) {
			t.Errorf("who has left is told %v", got.err)
		}
		close(leave)
		for i, one := range all {
			if got := <-one; got.made != page || got.err != nil {
				t.Errorf("reader %d has %v, %v", i, got.made, got.err)
			}
		}
		if works != 1 || len(f.now) != 0 {
			t.Errorf("it was made %d times, %d are remembered", works, len(f.now))
		}
	})
}

func TestWorkEndsWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &flights{now: map[string]*flight{}}
		ended := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		var all []<-chan asked
		for range 2 {
			all = append(all, ask(ctx, f, "a", func(ctx context.Context) (*written, error) {
				<-ctx.Done()
				ended <- context.Cause(ctx)
				return nil, context.Cause(ctx)
			}))
		}
		synctest.Wait()
		cancel()
		for _, one := range all {
			<-one
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the work ended with %v", err)
		}
		page := &written{}
		got := <-ask(t.Context(), f, "a", func(context.Context) (*written, error) { return page, nil })
		if got.made != page || got.err != nil {
			t.Errorf("who asks later has %v, %v", got.made, got.err)
		}
	})
}

func TestABrokenPageIsAnErrorForAllWhoWait(t *testing.T) {
	t.Parallel()
	f := &flights{now: map[string]*flight{}}
	_, err := f.do(t.Context(), "a", func(context.Context) (*written, error) {
		panic("patient 4711")
	})
	if !errors.Is(err, errBroken) || strings.Contains(err.Error(), "4711") {
		t.Errorf("the fault is %v", err)
	}
	if statusOf(err) != http.StatusInternalServerError {
		t.Errorf("its status is %d", statusOf(err))
	}
}

func TestOneSessionLeavesTurnsToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(4)
		working, others := make(chan func(), 100), make(chan func(), 100)
		enter := func(session string, to chan<- func()) {
			go func() {
				leave, err := l.enter(t.Context(), session)
				if err == nil {
					to <- leave
				}
			}()
		}
		for range mostWaiting {
			enter("greedy", working)
		}
		synctest.Wait()
		if _, err := l.enter(t.Context(), "greedy"); !errors.Is(err, errBusy) {
			t.Errorf("one more is told %v", err)
		}
		if statusOf(errBusy) != http.StatusTooManyRequests {
			t.Errorf("its status is %d", statusOf(errBusy))
		}
		enter("patient", others)
		enter("other", others)
		enter("late", others)
		synctest.Wait()
		if len(working) != 2 || len(others) != 2 {
			t.Errorf("%d are made for one session and %d for others, of 4 at once", len(working), len(others))
		}
		for range mostWaiting {
			(<-working)()
		}
		for range 3 {
			(<-others)()
		}
		if len(l.of) != 0 || len(l.all) != 0 {
			t.Errorf("%d sessions are remembered, %d turns are taken", len(l.of), len(l.all))
		}
	})
}

func TestWhoLeavesTheLineTakesNoTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(1)
		leave, err := l.enter(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		for _, session := range []string{"a", "b"} { // One waits for its session, the other for all.
			ctx, cancel := context.WithCancel(t.Context())
			left := make(chan error, 1)
			go func() {
				_, err := l.enter(ctx, session)
				left <- err
			}()
			synctest.Wait()
			cancel()
			if err := <-left; !errors.Is(err, context.Canceled) {
				t.Errorf("who leaves as %s is told %v", session, err)
			}
		}
		leave()
		if leave, err = l.enter(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		leave()
		if len(l.of) != 0 || len(l.all) != 0 {
			t.Errorf("%d sessions are remembered, %d turns are taken", len(l.of), len(l.all))
		}
	})
}
