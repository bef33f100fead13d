package cache

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// versionLen is the length of the version that stands before every value: 12 random bytes in
// base64, printable so that scripts and people can handle it.
const versionLen = 16

// absentScript writes KEYS[1] = ARGV[1] for ARGV[2] ms unless it holds a value, and answers with
// the version that the key holds afterwards. The caller won if that is its own. An answer that
// belongs to another request can therefore never look like a win, and a repeated call after a
// lost answer is told the truth.
const absentScript = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return string.sub(ARGV[1], 1, 16)
end
return redis.call('GETRANGE', KEYS[1], 0, 15)
`

// applyScript checks the versions ARGV[3..2+n] of the first n = ARGV[2] keys, then writes the
// others: a TTL of 0 deletes. It answers ARGV[1] if all held, which no other request can answer,
// and else "conflict".
const applyScript = `
local n = tonumber(ARGV[2])
for i = 1, n do
  if redis.call('GETRANGE', KEYS[i], 0, 15) ~= ARGV[2 + i] then
    return 'conflict'
  end
end
local a = 3 + n
for i = n + 1, #KEYS do
  if ARGV[a] == '0' then
    redis.call('DEL', KEYS[i])
  else
    redis.call('SET', KEYS[i], ARGV[a + 1], 'PX', ARGV[a])
  end
  a = a + 2
end
return ARGV[1]
`

// errShifted means that an answer belongs to another request.
var errShifted = errors.New("answer belongs to another request")

// Get implements Store.
func (r *Redis) Get(ctx context.Context, key string) (Entry, error) {
	if err := checkKey(key); err != nil {
		return Entry{}, fmt.Errorf("get: %w", err)
	}
	var e Entry
	err := r.again(ctx, func() error {
		raw, err := r.client.Get(ctx, r.prefix+key).Bytes()
		if err != nil {
			return err
		}
		e, err = split(raw)
		return err
	})
	if err != nil {
		return Entry{}, outcome(ctx, "get", err)
	}
	return e, nil
}

// Set implements Store.
func (r *Redis) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := checkWrite(key, ttl); err != nil {
		return fmt.Errorf("set: %w", err)
	}
	_, raw, err := r.join(value)
	if err != nil {
		return fmt.Errorf("set: %w", err)
	}
	err = r.again(ctx, func() error {
		return r.client.Set(ctx, r.prefix+key, raw, time.Duration(millis(ttl))*time.Millisecond).Err()
	})
	return outcome(ctx, "set", err)
}

// SetIfAbsent implements Store.
func (r *Redis) SetIfAbsent(
	ctx context.Context, key string, value []byte, ttl time.Duration,
) (bool, error) {
	if err := checkWrite(key, ttl); err != nil {
		return false, fmt.Errorf("set if absent: %w", err)
	}
	version, raw, err := r.join(value)
	if err != nil {
		return false, fmt.Errorf("set if absent: %w", err)
	}
	var holder string
	err = r.again(ctx, func() error {
		var err error
		holder, err = r.absent.Run(ctx, r.client, []string{r.prefix + key}, raw, millis(ttl)).Text()
		return err
	})
	if err != nil {
		return false, outcome(ctx, "set if absent", err)
	}
	return holder == version, nil
}

// Take implements Store.
func (r *Redis) Take(ctx context.Context, key string) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, fmt.Errorf("take: %w", err)
	}
	raw, err := r.client.GetDel(ctx, r.prefix+key).Bytes()
	if err != nil {
		return nil, outcome(ctx, "take", err)
	}
	e, err := split(raw)
	if err != nil {
		return nil, outcome(ctx, "take", err)
	}
	return e.Value, nil
}

// Delete implements Store.
func (r *Redis) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	err := r.again(ctx, func() error { return r.client.Del(ctx, r.prefix+key).Err() })
	return outcome(ctx, "delete", err)
}

// Apply implements Store.
func (r *Redis) Apply(ctx context.Context, b Batch) error {
	if err := b.check(); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	token, err := r.newVersion()
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	keys := make([]string, 0, len(b.If)+len(b.Put)+len(b.Del))
	args := []any{string(token), strconv.Itoa(len(b.If))}
	for _, c := range b.If {
		keys, args = append(keys, r.prefix+c.Key), append(args, string(c.Version))
	}
	for _, p := range b.Put {
		_, raw, err := r.join(p.Value)
		if err != nil {
			return fmt.Errorf("apply: %w", err)
		}
		keys, args = append(keys, r.prefix+p.Key), append(args, millis(p.TTL), raw)
	}
	for _, k := range b.Del {
		keys, args = append(keys, r.prefix+k), append(args, 0, "")
	}
	answer, err := r.apply.Run(ctx, r.client, keys, args...).Text()
	switch {
	case err != nil:
		return outcome(ctx, "apply", err)
	case answer == "conflict":
		return ErrConflict
	case answer != string(token):
		return outcome(ctx, "apply", errShifted)
	}
	return nil
}

// newVersion draws a version that no other write has.
func (r *Redis) newVersion() (Version, error) {
	var b [versionLen / 4 * 3]byte
	if _, err := io.ReadFull(r.rand, b[:]); err != nil {
		return "", fmt.Errorf("draw a version: %w", err)
	}
	return Version(base64.RawURLEncoding.EncodeToString(b[:])), nil
}

// join puts a new version before value.
func (r *Redis) join(value []byte) (version string, raw []byte, err error) {
	v, err := r.newVersion()
	if err != nil {
		return "", nil, err
	}
	return string(v), append([]byte(v), value...), nil
}

// split parts what join has put together.
func split(raw []byte) (Entry, error) {
	if len(raw) < versionLen {
		return Entry{}, ErrCorrupt
	}
	return Entry{Value: raw[versionLen:], Version: Version(raw[:versionLen])}, nil
}

// again runs op until it succeeds, fails for good, or has been repeated as often as configured.
// The client drops a broken connection itself, so that the next try goes over a fresh one.
func (r *Redis) again(ctx context.Context, op func() error) error {
	var err error
	for try := 0; try <= r.retries; try++ {
		err = op()
		if err == nil || !transient(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// transient reports whether another try may fare better: the connection broke, or the server is
// loading, failing over or not primary any more. A timeout is not: the server is slow, and more
// requests make it slower.
func transient(err error) bool {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return false
	}
	return errors.Is(err, io.EOF) || errors.As(err, &network) ||
		redis.IsReadOnlyError(err) || redis.IsLoadingError(err) ||
		redis.IsClusterDownError(err) || redis.IsTryAgainError(err) || redis.IsMasterDownError(err)
}

// outcome turns what the client said into the errors of Store, the operation named once.
func outcome(ctx context.Context, op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return ErrNotFound
	case errors.Is(err, ErrCorrupt):
		return fmt.Errorf("%s: %w", op, err)
	case redis.IsOOMError(err):
		return fmt.Errorf("%s: %w: %w", op, ErrFull, err)
	}
	return fmt.Errorf("%s: %w", op, unavailable(ctx, err))
}

// unavailable marks err as ErrUnavailable. The client reports an exceeded deadline as a timeout
// of the socket, sometimes before the context's own timer has fired; the error that callers look
// for is added.
func unavailable(ctx context.Context, err error) error {
	cause := ctx.Err()
	var network net.Error
	if cause == nil && errors.As(err, &network) && network.Timeout() {
		cause = context.DeadlineExceeded
	}
	if cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w: %w", ErrUnavailable, cause, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
