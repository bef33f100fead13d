package dashboard

import (
	"context"
	"sync"
)

// mostWaiting is how many pages one session may wait for at a time: more tabs than anybody reads.
const mostWaiting = 32

// line lets as many pages be made at once as there are processors, and of one session half as many:
// nobody, whatever they ask for, keeps the others from their pages. What is kept needs no turn.
type line struct {
	all chan struct{}
	// own is how many may be made at once for one session.
	own int

	mu sync.Mutex
	of map[string]*queue
}

// queue are the turns of one session. It is there as long as anybody is in it.
type queue struct {
	turns chan struct{}
	in    int
}

func newLine(processors int) *line {
	return &line{
		all: make(chan struct{}, processors), own: max(1, processors/2), of: map[string]*queue{},
	}
}

// enter waits for a turn of a session, which ends with leave.
func (l *line) enter(ctx context.Context, session string) (leave func(), err error) {
	l.mu.Lock()
	q, ok := l.of[session]
	if !ok {
		q = &queue{turns: make(chan struct{}, l.own)}
		l.of[session] = q
	}
	if q.in == mostWaiting {
		l.mu.Unlock()
		return nil, errBusy
	}
	q.in++
	l.mu.Unlock()
	// Who waits for the others holds a turn of their own session, and so waits there once or twice alone.
	if err := turn(ctx, q.turns); err != nil {
		l.out(session, q)
		return nil, err
	}
	if err := turn(ctx, l.all); err != nil {
		<-q.turns
		l.out(session, q)
		return nil, err
	}
	return func() {
		<-l.all
		<-q.turns
		l.out(session, q)
	}, nil
}

// turn takes one of some turns as soon as there is one.
func turn(ctx context.Context, turns chan<- struct{}) error {
	select {
	case turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// out forgets a queue that nobody is in.
func (l *line) out(session string, q *queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q.in--; q.in == 0 {
		delete(l.of, session)
	}
}
