package decisions_test

import (
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/decisions/decisionstest"
)

func FuzzWrite(f *testing.F) {
	for _, seed := range [][5]string{
		{"a", "somebody", "state", "open", `{}`},
		{strings.Repeat("a", 65), "", "", "\x00", `{`},
		{"a/../b", "a\nb", "1", "\xff", "\xff"},
		{"-.", "é", "a_b", "' or ''='", "\"\u2028\""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], []byte(seed[4]))
	}
	store := open(f, backends["sqlite"](f))
	var runs atomic.Int64
	f.Fuzz(func(t *testing.T, id, by, name, value string, body []byte) {
		// Nothing may stand there before.
		kind := decisions.Kinds()[len(body)%len(decisions.Kinds())]
		if _, err := store.Get(t.Context(), kind, id); err == nil {
			id = "run" + strconv.FormatInt(runs.Add(1), 10)
		}
		document := decisions.Document{Kind: kind, ID: id, By: by, Terms: map[string]string{name: value}, Body: body}
		if err := decisionstest.Keeps(t, store, document); err != nil {
			t.Error(err)
		}
	})
}
