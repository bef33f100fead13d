package trail

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"strconv"
)

// Head is where a trail stands: how many events it holds, and the digest that covers all of them.
type Head struct {
	N     uint64
	Chain string
}

// line is one line of a file.
type line struct {
	N     uint64          `json:"n"`
	Chain string          `json:"chain"`
	Event json.RawMessage `json:"event"`
}

// maxEvent bounds an event; a line is some 90 bytes longer.
const (
	maxEvent = 4 << 20
	maxLine  = maxEvent + 128
)

var (
	// ErrEvent refuses what is no JSON object on one line, or too long.
	ErrEvent = errors.New("not an event: a JSON object on one line of at most 4 MiB")
	errLine  = errors.New("not a line of the trail")
)

// digest is the chain after an event.
func digest(key []byte, before Head, event []byte) string {
	var h hash.Hash
	if len(key) > 0 {
		h = hmac.New(sha256.New, key)
	} else {
		h = sha256.New()
	}
	h.Write([]byte(before.Chain + "\n" + strconv.FormatUint(before.N+1, 10) + "\n"))
	h.Write(event)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// appendLine writes the line of an event that follows before, and returns the head after it.
func appendLine(to, key []byte, before Head, event []byte) ([]byte, Head) {
	after := Head{N: before.N + 1, Chain: digest(key, before, event)}
	to = append(to, `{"n":`...)
	to = strconv.AppendUint(to, after.N, 10)
	to = append(to, `,"chain":"`...)
	to = append(to, after.Chain...)
	to = append(to, `","event":`...)
	to = append(to, event...)
	return append(to, "}\n"...), after
}

// parseLine reads a line without its end. What is written otherwise than we write it is none.
func parseLine(text []byte) (line, error) {
	var l line
	rest, ok := bytes.CutPrefix(text, []byte(`{"n":`))
	if !ok || len(text) > maxLine {
		return l, errLine
	}
	number, rest, ok := bytes.Cut(rest, []byte(`,"chain":"`))
	if !ok {
		return l, errLine
	}
	n, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != string(number) {
		return l, errLine
	}
	chain, rest, ok := bytes.Cut(rest, []byte(`","event":`))
	event, closed := bytes.CutSuffix(rest, []byte("}"))
	if !ok || !closed || len(chain) != base64.RawURLEncoding.EncodedLen(sha256.Size) ||
		!isEvent(event) {
		return l, errLine
	}
	return line{N: n, Chain: string(chain), Event: event}, nil
}

// isEvent reports whether a text may stand as an event.
func isEvent(text []byte) bool {
	return len(text) <= maxEvent && len(text) > 1 && text[0] == '{' &&
		bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0 && json.Valid(text)
}
