package room_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/server/page"
)

// filled calls use with a form that somebody sent, and returns what became of it.
func filled(t *testing.T, sent string, use func(v *room.Visit, f *room.Form)) int {
	t.Helper()
	r := newRig(t, room.Config{}, role.Reviewer)
	return r.ask("", func(v *room.Visit) (room.Show, error) {
		f, err := v.Form("text", "answer", "factor", "version", "day")
		if err != nil {
			return nil, err
		}
		use(v, f)
		return text("shown"), nil
	}, "/reviews/r1?text=of-the-address", sent).Code
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, sent string
		needed     bool
		want       string
		faults     []page.Fault
	}{
		{"as it is", "a b", false, "a b", nil},
		{"lines", "a\r\nb\n", false, "a\nb", nil},
		{"nothing", "", false, "", nil},
		{"nothing where something is needed", " \n", true, "", []page.Fault{{Field: "text", Text: "This is needed."}}},
		{"a text that turns around", "a\u202eb", false, "ab", nil},
		{"a sign of control", "a\x00b", false, "ab", nil},
		{"bytes that are no text", "a\xffb", false, "a\uFFFDb", []page.Fault{{
			Field: "text", Text: "There were signs in it that are no text. Please look at it again.",
		}}},
		{"too much", "123456789", false, "123456789",
			[]page.Fault{{Field: "text", Text: "This is too long: 9 characters. There is room for about 8."}}},
		{"a family of one letter", "👩‍👧", true, "👩‍👧",
			[]page.Fault{{Field: "text", Text: "This is too long: 3 characters. There is room for about 8."}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			filled(t, url.Values{"text": {test.sent}}.Encode(), func(v *room.Visit, f *room.Form) {
				if got := f.Text("text", 8, test.needed); got != test.want {
					t.Errorf("Text() = %q, want %q", got, test.want)
				}
				if diff := cmp.Diff(test.faults, f.Faults(v.Words), cmp.Transformer("none", none)); diff != "" {
					t.Errorf("Faults() (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// none reads an empty list as none.
func none(all []page.Fault) map[string]string {
	out := map[string]string{}
	for _, f := range all {
		out[f.Field] = f.Text
	}
	return out
}

// TestTextIsText holds that whatever is sent, what is read can be written between the words of a page.
func TestTextIsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		sent := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("ab\r\n\t\u202e\u2066\x00\ufeff"))),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(rt, "sent")
		filled(t, url.Values{"text": {sent}}.Encode(), func(_ *room.Visit, f *room.Form) {
			got := f.Text("text", 1<<20, false)
			bad := strings.IndexFunc(got, func(c rune) bool {
				return unicode.IsControl(c) && c != '\n' && c != '\t' || unicode.Is(unicode.Bidi_Control, c)
			})
			if bad >= 0 || !utf8.ValidString(got) {
				rt.Errorf("Text of %q = %q", sent, got)
			}
			again := url.Values{"text": {got}}.Encode()
			filled(t, again, func(_ *room.Visit, g *room.Form) {
				if twice := g.Text("text", 1<<20, false); twice != got || g.Faulty() {
					rt.Errorf("read again, Text of %q = %q, faulty: %t", got, twice, g.Faulty())
				}
			})
		})
	})
}

func TestChoices(t *testing.T) {
	t.Parallel()
	among := []string{"yes", "no"}
	for _, test := range []struct {
		name, sent string
		one        string
		many       []string
		faults     map[string]string
	}{
		{"what is there", "answer=no&factor=no&factor=yes", "no", []string{"yes", "no"}, map[string]string{}},
		{"nothing", "", "", nil, map[string]string{"answer": "Please choose one."}},
		{"what is not there", "answer=%3Cb%3E&factor=maybe", "", nil, map[string]string{
			"answer": "Please choose one of those that are there.",
			"factor": "Please choose one of those that are there.",
		}},
		{"one thing twice", "answer=no&answer=yes", "no", nil, map[string]string{"answer": "This was sent twice."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			filled(t, test.sent, func(v *room.Visit, f *room.Form) {
				one, many := f.Choice("answer", among, true), f.Choices("factor", among)
				if one != test.one || !cmp.Equal(many, test.many) {
					t.Errorf("Choice() = %q, Choices() = %q; want %q and %q", one, many, test.one, test.many)
				}
				if diff := cmp.Diff(test.faults, none(f.Faults(v.Words))); diff != "" {
					t.Errorf("Faults() (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestDay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, sent string
		faulty     bool
	}{
		{"a day", "2026-03-01", false}, {"the 30th of February", "2026-02-30", true}, {"no day", "", true},
		{"a day of another form", "3/1/2026", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			filled(t, url.Values{"day": {test.sent}}.Encode(), func(_ *room.Visit, f *room.Form) {
				if got := f.Day("day", true); got != test.sent || f.Faulty() != test.faulty {
					t.Errorf("Day() = %q, faulty: %t; want %q, %t", got, f.Faulty(), test.sent, test.faulty)
				}
			})
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, sent string
		want       int
		bad        bool
	}{
		{"none yet", "version=0", 0, false}, {"one", "version=7", 7, false}, {"a negative one", "version=-1", 0, true},
		{"a word", "version=latest", 0, true}, {"none at all", "", 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			filled(t, test.sent, func(_ *room.Visit, f *room.Form) {
				if got, err := f.Version("version"); got != test.want || (err != nil) != test.bad {
					t.Errorf("Version() = %d, %v", got, err)
				}
			})
		})
	}
}

func TestAFormIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, kind, sent string
		want             int
	}{
		{"that is none", "application/json", "{}", http.StatusBadRequest},
		{"that has no type", "", "text=a", http.StatusBadRequest},
		{"with another field", "application/x-www-form-urlencoded", "script=a", http.StatusBadRequest},
		{"that cannot be read", "application/x-www-form-urlencoded", "a=%zz", http.StatusBadRequest},
		{"that is too large", "application/x-www-form-urlencoded", "text=" + strings.Repeat("x", room.MaxForm), http.StatusRequestEntityTooLarge},
		{"but not one that is right", "application/x-www-form-urlencoded; charset=utf-8", "text=a", http.StatusOK},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, room.Config{}, role.Reviewer)
			request := httptest.NewRequest(http.MethodPost, "/reviews", strings.NewReader(test.sent))
			request.Header.Set("Content-Type", test.kind)
			w := httptest.NewRecorder()
			r.Open("", func(v *room.Visit) (room.Show, error) {
				_, err := v.Form("text")
				return text("shown"), err
			}).ServeHTTP(w, request)
			if w.Code != test.want {
				t.Errorf("status %d, want %d", w.Code, test.want)
			}
		})
	}
}
