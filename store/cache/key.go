package cache

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// Key derives a key from a namespace of ours and parts that may name a person or come from
// outside. The parts are hashed with their lengths, so that they are neither readable in the
// store nor confused with each other ("a","bc" is not "ab","c").
//
// Keys of equal parts share one slot whatever their namespace, so Key("code", id) and
// Key("used", id) can be in one Batch.
func Key(namespace string, parts ...string) string {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return namespace + ":{" + base64.RawURLEncoding.EncodeToString(h.Sum(nil)) + "}"
}

// slot returns the part of key that decides where Redis Cluster keeps it: what stands between
// the first "{" and the next "}", or the whole key when there is nothing between them.
// https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
func slot(key string) string {
	_, rest, found := strings.Cut(key, "{")
	if !found {
		return key
	}
	tag, _, found := strings.Cut(rest, "}")
	if !found || tag == "" {
		return key
	}
	return tag
}

// maxTTL is longer than anything that may expire should live, and far from overflow.
const maxTTL = 10 * 365 * 24 * time.Hour

// checkWrite holds the rules for one key and one TTL.
func checkWrite(key string, ttl time.Duration) error {
	if ttl <= 0 || ttl > maxTTL {
		return fmt.Errorf("%w: ttl %s is not within (0, %s]", ErrInvalid, ttl, maxTTL)
	}
	return checkKey(key)
}

// checkKey refuses the empty key.
func checkKey(key string) error {
	if key == "" {
		return fmt.Errorf("%w: empty key", ErrInvalid)
	}
	return nil
}

// check holds the rules of Batch on every implementation, so that what works in memory works on
// a cluster: at least one write, no key written twice, one slot.
func (b Batch) check() error {
	if len(b.Put)+len(b.Del) == 0 {
		return fmt.Errorf("%w: batch without a write", ErrInvalid)
	}
	written := make(map[string]bool, len(b.Put)+len(b.Del))
	keys := make([]string, 0, len(b.If)+len(b.Put)+len(b.Del))
	for _, c := range b.If {
		if err := checkKey(c.Key); err != nil {
			return err
		}
		keys = append(keys, c.Key)
	}
	for _, p := range b.Put {
		if err := checkWrite(p.Key, p.TTL); err != nil {
			return err
		}
		if written[p.Key] {
			return fmt.Errorf("%w: batch writes a key twice", ErrInvalid)
		}
		written[p.Key] = true
		keys = append(keys, p.Key)
	}
	for _, k := range b.Del {
		if err := checkKey(k); err != nil {
			return err
		}
		if written[k] {
			return fmt.Errorf("%w: batch writes a key twice", ErrInvalid)
		}
		written[k] = true
		keys = append(keys, k)
	}
	for _, k := range keys[1:] {
		if slot(k) != slot(keys[0]) {
			return fmt.Errorf("%w: batch across slots", ErrInvalid)
		}
	}
	return nil
}

// millis rounds ttl up to whole milliseconds, the grain of Redis, so that no value lives shorter
// than it was promised.
func millis(ttl time.Duration) int64 {
	ms := int64(ttl / time.Millisecond)
	if ttl%time.Millisecond > 0 {
		ms++
	}
	return ms
}
