package cache

import (
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// DefaultMaxBytes bounds a Memory whose Config names no bound: room for some hundred thousand
// tokens and hot records, and small beside the gigabyte that a sync may use.
const DefaultMaxBytes = 256 << 20

// entryOverhead is what one entry costs beside its key and value: map cell, heap item, headers.
const entryOverhead = 128

// MemoryConfig configures NewMemory; the zero value is usable.
type MemoryConfig struct {
	// Now is the clock by which values expire; nil means time.Now.
	Now func() time.Time
	// MaxBytes bounds keys and values together; 0 means DefaultMaxBytes. A write beyond it is
	// ErrFull, as on a Redis with noeviction: an evicted assertion id could be spent again.
	MaxBytes int64
}

// Memory is the Store inside one process. What it holds ends with the process.
type Memory struct {
	now      func() time.Time
	maxBytes int64

	mu      sync.Mutex
	cells   map[string]*cell
	expiry  expiryQueue
	bytes   int64
	version uint64
}

// cell is one key with its value.
type cell struct {
	key     string
	value   []byte
	version Version
	expires time.Time
	index   int
}

// size is what the cell counts for against the bound.
func (c *cell) size() int64 { return int64(len(c.key)+len(c.value)) + entryOverhead }

// NewMemory returns an empty store.
func NewMemory(cfg MemoryConfig) *Memory {
	m := &Memory{now: cfg.Now, maxBytes: cfg.MaxBytes, cells: make(map[string]*cell)}
	if m.now == nil {
		m.now = time.Now
	}
	if m.maxBytes == 0 {
		m.maxBytes = DefaultMaxBytes
	}
	return m
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string) (Entry, error) {
	if err := m.enter(ctx, checkKey(key)); err != nil {
		return Entry{}, fmt.Errorf("get: %w", err)
	}
	defer m.mu.Unlock()
	c, ok := m.cells[key]
	if !ok {
		return Entry{}, ErrNotFound
	}
	return Entry{Value: slices.Clone(c.value), Version: c.version}, nil
}

// Set implements Store.
func (m *Memory) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := m.enter(ctx, checkWrite(key, ttl)); err != nil {
		return fmt.Errorf("set: %w", err)
	}
	defer m.mu.Unlock()
	return m.write(nil, []Put{{Key: key, Value: value, TTL: ttl}})
}

// SetIfAbsent implements Store.
func (m *Memory) SetIfAbsent(
	ctx context.Context, key string, value []byte, ttl time.Duration,
) (bool, error) {
	if err := m.enter(ctx, checkWrite(key, ttl)); err != nil {
		return false, fmt.Errorf("set if absent: %w", err)
	}
	defer m.mu.Unlock()
	if _, ok := m.cells[key]; ok {
		return false, nil
	}
	if err := m.write(nil, []Put{{Key: key, Value: value, TTL: ttl}}); err != nil {
		return false, err
	}
	return true, nil
}

// Take implements Store.
func (m *Memory) Take(ctx context.Context, key string) ([]byte, error) {
	if err := m.enter(ctx, checkKey(key)); err != nil {
		return nil, fmt.Errorf("take: %w", err)
	}
	defer m.mu.Unlock()
	c, ok := m.cells[key]
	if !ok {
		return nil, ErrNotFound
	}
	m.remove(c)
	return c.value, nil
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, key string) error {
	if err := m.enter(ctx, checkKey(key)); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	defer m.mu.Unlock()
	return m.write([]string{key}, nil)
}

// Apply implements Store.
func (m *Memory) Apply(ctx context.Context, b Batch) error {
	if err := m.enter(ctx, b.check()); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	defer m.mu.Unlock()
	for _, want := range b.If {
		have := Absent
		if c, ok := m.cells[want.Key]; ok {
			have = c.version
		}
		if have != want.Version {
			return ErrConflict
		}
	}
	return m.write(b.Del, b.Put)
}

// enter ends a call that cannot go on, and else takes the lock and drops what has expired.
func (m *Memory) enter(ctx context.Context, invalid error) error {
	if invalid != nil {
		return invalid
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	m.mu.Lock()
	now := m.now()
	for len(m.expiry) > 0 && !m.expiry[0].expires.After(now) {
		m.remove(m.expiry[0])
	}
	return nil
}

// write deletes and puts, or changes nothing and returns ErrFull. The caller holds the lock.
func (m *Memory) write(del []string, put []Put) error {
	after := m.bytes
	for _, k := range del {
		if c, ok := m.cells[k]; ok {
			after -= c.size()
		}
	}
	for _, p := range put {
		if c, ok := m.cells[p.Key]; ok {
			after -= c.size()
		}
		after += int64(len(p.Key)+len(p.Value)) + entryOverhead
	}
	if len(put) > 0 && after > m.maxBytes {
		return fmt.Errorf("%w: %d bytes", ErrFull, m.maxBytes)
	}
	for _, k := range del {
		if c, ok := m.cells[k]; ok {
			m.remove(c)
		}
	}
	now := m.now()
	for _, p := range put {
		if c, ok := m.cells[p.Key]; ok {
			m.remove(c)
		}
		m.version++
		c := &cell{
			key: p.Key, value: slices.Clone(p.Value),
			version: Version(strconv.FormatUint(m.version, 36)),
			expires: now.Add(time.Duration(millis(p.TTL)) * time.Millisecond),
		}
		m.cells[p.Key] = c
		m.bytes += c.size()
		heap.Push(&m.expiry, c)
	}
	return nil
}

// remove drops a cell. The caller holds the lock.
func (m *Memory) remove(c *cell) {
	heap.Remove(&m.expiry, c.index)
	delete(m.cells, c.key)
	m.bytes -= c.size()
}

// expiryQueue is a heap with the cell that expires first on top.
type expiryQueue []*cell

// Len implements heap.Interface.
func (q expiryQueue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q expiryQueue) Less(i, j int) bool { return q[i].expires.Before(q[j].expires) }

// Swap implements heap.Interface.
func (q expiryQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *expiryQueue) Push(x any) {
	c, ok := x.(*cell)
	if !ok {
		return
	}
	c.index = len(*q)
	*q = append(*q, c)
}

// Pop implements heap.Interface.
func (q *expiryQueue) Pop() any {
	old := *q
	c := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return c
}
