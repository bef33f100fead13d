package live

import (
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/equitylens/equitylens/measure"
)

// maxCells bounds the answers that are kept of one snapshot, by their cells: each takes about half a
// kibibyte, so that all of them take some 50 MiB.
const maxCells = 100_000

// kept holds answers of one snapshot, and goes with it. Of questions that are asked at once one is
// evaluated. What asks for single people is not kept.
type kept struct {
	// evaluate answers; hold is called before it, while somebody holds the snapshot, and evaluate lets go.
	evaluate func(context.Context, measure.Question) (measure.Result, error)
	hold     func()
	// limit is how many cells may be kept.
	limit int

	mu      sync.Mutex
	answers map[string]*list.Element
	// order holds answers, the one used last in front.
	order   *list.List
	cells   int
	flights map[string]*flight
}

// answer is a result that is kept.
type answer struct {
	key    string
	result measure.Result
	cells  int
}

// flight is an evaluation that is under way. It ends early when nobody waits for it any more.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int
	result  measure.Result
	err     error
}

func newKept(
	evaluate func(context.Context, measure.Question) (measure.Result, error), hold func(), limit int,
) *kept {
	return &kept{evaluate: evaluate, hold: hold, limit: limit, answers: map[string]*list.Element{},
		order: list.New(), flights: map[string]*flight{}}
}

// keyOf is equal for equal questions, which may list the values of a filter in any order.
func keyOf(q measure.Question) (string, error) {
	where := make(measure.Filter, len(q.Where))
	for key, values := range q.Where {
		where[key] = slices.Compact(slices.Sorted(slices.Values(values)))
	}
	q.Where = where
	text, err := json.Marshal(q)
	if err != nil {
		return "", fmt.Errorf("name a question: %w", err)
	}
	return string(text), nil
}

// ask answers from what is kept, or evaluates. The caller may change what it is given.
func (k *kept) ask(ctx context.Context, q measure.Question) (measure.Result, error) {
	if q.People != nil {
		k.hold()
		return k.evaluate(ctx, q) // People are few and each their own; and ids are not written into keys.
	}
	key, err := keyOf(q)
	if err != nil {
		return measure.Result{}, err
	}
	k.mu.Lock()
	if e, ok := k.answers[key]; ok {
		k.order.MoveToFront(e)
		result := e.Value.(*answer).result
		k.mu.Unlock()
		return clone(result), nil
	}
	f, ok := k.flights[key]
	if !ok {
		f = k.start(ctx, key, q)
	}
	f.waiting++
	k.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		k.leave(key, f)
		return measure.Result{}, context.Cause(ctx)
	}
	if f.err != nil {
		return measure.Result{}, f.err
	}
	return clone(f.result), nil
}

// start evaluates for all who ask, whoever of them leaves. k.mu is held.
func (k *kept) start(ctx context.Context, key string, q measure.Question) *flight {
	shared, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{done: make(chan struct{}), cancel: cancel}
	k.flights[key] = f
	k.hold()
	go func() {
		defer cancel()
		f.result, f.err = k.evaluation(shared, q)
		k.mu.Lock()
		if k.flights[key] == f {
			delete(k.flights, key)
		}
		if f.err == nil {
			k.put(key, f.result)
		}
		k.mu.Unlock()
		close(f.done)
	}()
	return f
}

// errBroken stands for a panic, which must not end a server: it is on no request's goroutine.
var errBroken = errors.New("the evaluation broke off")

// evaluation makes an error of a panic. What the panic says is passed on if it is the language's own,
// which quotes no data.
func (k *kept) evaluation(ctx context.Context, q measure.Question) (r measure.Result, err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case runtime.Error:
			err = fmt.Errorf("%w: %w", errBroken, cause)
		default:
			err = errBroken
		}
	}()
	return k.evaluate(ctx, q)
}

// leave gives up waiting. Who asks after the last has left starts anew.
func (k *kept) leave(key string, f *flight) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f.waiting--; f.waiting > 0 {
		return
	}
	f.cancel()
	if k.flights[key] == f {
		delete(k.flights, key)
	}
}

// put keeps an answer and drops those that were used longest ago. k.mu is held.
func (k *kept) put(key string, r measure.Result) {
	a := &answer{key: key, result: r, cells: cellsOf(r)}
	if _, ok := k.answers[key]; ok || a.cells > k.limit {
		return
	}
	k.answers[key] = k.order.PushFront(a)
	for k.cells += a.cells; k.cells > k.limit; {
		oldest := k.order.Remove(k.order.Back()).(*answer)
		delete(k.answers, oldest.key)
		k.cells -= oldest.cells
	}
}

func cellsOf(r measure.Result) int {
	n := 1
	for i := range r.Groups {
		n++
		for _, strata := range r.Groups[i].Strata {
			n += len(strata)
		}
	}
	return n
}
