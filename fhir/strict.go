package fhir

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// maxDepth is how deep a resource may nest. No R4 resource of ours passes 20; fastjson itself stops
// at 300.
const maxDepth = 64

// suspicious scans a line eight bytes at a time for what fastjson takes on trust: control
// characters, escapes and bytes beyond ASCII.
func suspicious(line []byte) (control, wide bool) {
	const ones = 0x0101010101010101
	const tops = 0x8080808080808080
	var below, high uint64
	rest := line
	for len(rest) >= 8 {
		word := binary.LittleEndian.Uint64(rest)
		below |= (word - ones*0x20) &^ word
		high |= word
		rest = rest[8:]
	}
	for _, b := range rest {
		if b < 0x20 {
			below |= 0x80
		}
		high |= uint64(b)
	}
	return below&tops != 0, high&tops != 0
}

// checkText refuses what RFC 8259 refuses and fastjson does not: bad escapes, raw control characters,
// lone surrogates and bytes that are not UTF-8. A plain line costs one pass.
func checkText(line []byte) *RefusedError {
	control, wide := suspicious(line)
	if wide && !utf8.Valid(line) {
		return &RefusedError{Reason: NotUTF8}
	}
	escaped := bytes.IndexByte(line, '\\') >= 0
	if !control && !escaped {
		return nil
	}
	if fastjson.ValidateBytes(line) != nil {
		return &RefusedError{Reason: NotJSON}
	}
	if escaped && noText(line) {
		return &RefusedError{Reason: NotUTF8}
	}
	return nil
}

// noText looks for \uD800-\uDFFF outside a pair, and for \u0000, which no FHIR string may hold, in a
// text whose escapes are valid: http://hl7.org/fhir/R4/datatypes.html#string
func noText(line []byte) bool {
	for i := 0; i+1 < len(line); i++ {
		if line[i] != '\\' {
			continue
		}
		if line[i+1] != 'u' {
			i++
			continue
		}
		unit := hex4(line[i+2:])
		i += 5
		switch {
		case unit == 0:
			return true
		case unit < 0xD800 || unit > 0xDFFF:
		case unit > 0xDBFF:
			return true
		default:
			next := line[i+1:]
			if len(next) < 6 || next[0] != '\\' || next[1] != 'u' || hex4(next[2:])&^0x3FF != 0xDC00 {
				return true
			}
			i += 6
		}
	}
	return false
}

func hex4(b []byte) (v int) {
	for _, c := range b[:min(4, len(b))] {
		v <<= 4
		switch {
		case c >= '0' && c <= '9':
			v |= int(c - '0')
		case c >= 'a' && c <= 'f':
			v |= int(c-'a') + 10
		case c >= 'A' && c <= 'F':
			v |= int(c-'A') + 10
		}
	}
	return v
}

// walk goes through a parsed value once. It refuses what makes JSON ambiguous, repeated keys, depth
// without end and words that only look like numbers, in every part of the value, whether the part is
// read or skipped.
type walk struct {
	keys    [][]byte
	values  []*fastjson.Value
	depth   int
	number  []byte
	refused *RefusedError
	// visit is collect, bound once so that a walk allocates nothing.
	visit func(key []byte, v *fastjson.Value)
}

func (w *walk) start() {
	w.keys, w.values = w.keys[:0], w.values[:0]
	w.depth, w.refused = 0, nil
	if w.visit == nil {
		w.visit = w.collect
	}
}

func (w *walk) collect(key []byte, v *fastjson.Value) {
	w.keys = append(w.keys, key)
	w.values = append(w.values, v)
}

func (w *walk) refuse(reason Reason) {
	if w.refused == nil {
		w.refused = &RefusedError{Reason: reason}
	}
}

// enter lays the members of an object open at keys[from:to] and values[from:to], until leave.
func (w *walk) enter(object *fastjson.Object) (from, to int) {
	from = len(w.keys)
	object.Visit(w.visit)
	to = len(w.keys)
	if repeated(w.keys[from:to]) {
		w.refuse(DuplicateKey)
	}
	w.deeper()
	return from, to
}

func (w *walk) leave(from int) {
	w.keys, w.values = w.keys[:from], w.values[:from]
	w.depth--
}

func (w *walk) deeper() {
	if w.depth++; w.depth > maxDepth {
		w.refuse(TooDeep)
	}
}

// skip passes over a value that nobody reads.
func (w *walk) skip(v *fastjson.Value) {
	if w.refused != nil {
		return
	}
	switch v.Type() {
	case fastjson.TypeObject:
		object, _ := v.Object()
		from, to := w.enter(object)
		for i := from; i < to; i++ {
			w.skip(w.values[i])
		}
		w.leave(from)
	case fastjson.TypeArray:
		items, _ := v.Array()
		w.deeper()
		for _, item := range items {
			w.skip(item)
		}
		w.depth--
	case fastjson.TypeNumber:
		w.number = v.MarshalTo(w.number[:0])
		if !isNumber(w.number) {
			w.refuse(NotJSON)
		}
	case fastjson.TypeString, fastjson.TypeTrue, fastjson.TypeFalse, fastjson.TypeNull:
	}
}

// fewKeys is where comparing all pairs gets dearer than hashing.
const fewKeys = 24

func repeated(keys [][]byte) bool {
	if len(keys) > fewKeys {
		seen := make(map[string]struct{}, len(keys))
		for _, key := range keys {
			seen[string(key)] = struct{}{}
		}
		return len(seen) < len(keys)
	}
	for i, key := range keys {
		for _, earlier := range keys[:i] {
			if len(key) == len(earlier) && string(key) == string(earlier) {
				return true
			}
		}
	}
	return false
}

// No decimal of ours is near these; what is, is meant to break a reader.
const (
	longestNumber   = 400
	longestExponent = 3
)

// isNumber holds text to the grammar of RFC 8259 section 6, and to a size that a double can take.
func isNumber(text []byte) bool {
	if len(text) > longestNumber {
		return false
	}
	i := 0
	digits := func() bool {
		start := i
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(text) && text[i] == '-' {
		i++
	}
	zero := i < len(text) && text[i] == '0'
	start := i
	if !digits() || (zero && i > start+1) {
		return false
	}
	if i < len(text) && text[i] == '.' {
		i++
		if !digits() {
			return false
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		start := i
		if !digits() || i-start > longestExponent {
			return false
		}
	}
	return i == len(text)
}
