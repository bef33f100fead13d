package keys_test

import (
	"errors"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/keys"
)

func TestNextKeysAreNotPromotedBeforeTheyAreKnown(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := open(t, file(t), c)
	if _, ok := s.PromotableAt(); ok {
		t.Error("PromotableAt says yes without a next key")
	}
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	at, ok := s.PromotableAt()
	if want := c.now.Add(5 * time.Minute); !ok || !at.Equal(want) {
		t.Errorf("PromotableAt = %v, %v, want %v", at, ok, want)
	}
}

// TestKeysSayWhereTheyStand follows one key through its life, in the set and after it was read again.
func TestKeysSayWhereTheyStand(t *testing.T) {
	t.Parallel()
	c := newClock()
	path := file(t)
	s := open(t, path, c)
	first := signing(t, s)
	c.now = c.now.Add(time.Hour)
	prepared := c.now
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(time.Hour)
	if err := s.Promote(); err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]*keys.Set{"the set": s, "the file": open(t, path, c)} {
		all := set.Keys()
		if len(all) != 2 {
			t.Fatalf("%s has %d keys, want 2", name, len(all))
		}
		old, fresh := all[0], all[1]
		if old.ID != first || old.State != keys.Retired || !old.Retires.Equal(c.now.Add(time.Hour)) {
			t.Errorf("%s: the old key is %+v", name, old)
		}
		if fresh.State != keys.Active || !fresh.Since.Equal(c.now) || fresh.Since.Equal(prepared) {
			t.Errorf("%s: the new key is %+v", name, fresh)
		}
	}
}

func TestDrop(t *testing.T) {
	t.Parallel()
	s := open(t, file(t), newClock())
	first := signing(t, s)
	if err := s.Drop(first); !errors.Is(err, keys.ErrActive) {
		t.Errorf("Drop of the active key = %v, want ErrActive", err)
	}
	if err := s.Drop("none"); !errors.Is(err, keys.ErrUnknownKey) {
		t.Errorf("Drop of no key = %v, want ErrUnknownKey", err)
	}
	if err := errors.Join(s.Prepare(), s.Promote(), s.Drop(first)); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Verifying(first); ok {
		t.Error("a dropped key still verifies")
	}
}
