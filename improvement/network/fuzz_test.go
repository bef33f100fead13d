package network_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/improvement/network"
)

// FuzzCheck holds that whatever is handed in is refused with words of our own, or is the one form of what
// was read.
func FuzzCheck(f *testing.F) {
	c := newChecker(f)
	text, err := c.Encode(masked(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Provenance"}}]}`))
	f.Add(bytes.Replace(text, []byte(`"count":1000`), []byte(`"count":-9223372036854775808`), 1))
	f.Add(bytes.Replace(text, []byte(`"resourceType":"Task"`), []byte(`"resourceType":"Patient"`), 1))
	f.Add(bytes.ReplaceAll(text, []byte(`"entry"`), []byte("\"ent\xffry\"")))
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := c.Check(in, "m1")
		if err != nil {
			if !errors.Is(err, network.ErrRefused) {
				t.Errorf("Check = %v, want a refusal", err)
			}
			return
		}
		again, err := c.Encode(s)
		if err != nil || !bytes.Equal(in, again) {
			t.Errorf("what was taken is not the form of what was read (%v)", err)
		}
	})
}

// FuzzVerify holds that nothing but a signature of the member passes.
func FuzzVerify(f *testing.F) {
	w := newWorld(f, 1)
	text, err := w.checker.Encode(small(f, "m1", 10))
	if err != nil {
		f.Fatal(err)
	}
	good := string(w.sign(f, "m1", text))
	f.Add(good[:len(good)-4])
	f.Add("a.b.c")
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Fuzz(func(t *testing.T, in string) {
		if in == good {
			return
		}
		if _, err := w.desk.Accept(t.Context(), "program-m1", []byte(in)); err == nil {
			// The last digit of a signature has bits that say nothing.
			if head := good[:strings.LastIndexByte(good, '.')]; !strings.HasPrefix(strings.TrimSpace(in), head) {
				t.Error("something else than what the member has signed is taken in")
			}
		}
	})
}
