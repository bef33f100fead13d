package room_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/internal/room"
)

// FuzzForm holds a form to be read or refused, whatever is sent, and what is wrong with it to be said
// without repeating any of it.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		"", "text=a&answer=yes&version=1&day=2026-03-01", "text=%00%e2%80%ae&answer=%3Cscript%3E", "a=%zz", "version=-1",
		"factor=a&factor=b&factor=a", "text=1;text=2", "day=0000-00-00", strings.Repeat("text=x&", 100), "\xff=\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		r := newRig(t, room.Config{}, role.Reviewer)
		request := httptest.NewRequest(http.MethodPost, "/reviews", strings.NewReader(sent))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		r.Open("", func(v *room.Visit) (room.Show, error) {
			form, err := v.Form("text", "answer", "factor", "version", "day")
			if err != nil {
				return nil, err
			}
			form.Text("text", 100, true)
			form.Choice("answer", []string{"yes", "no"}, true)
			form.Choices("factor", []string{"a", "b"})
			form.Day("day", false)
			if _, err := form.Version("version"); err != nil {
				return nil, err
			}
			for _, fault := range form.Faults(v.Words) {
				if fault.Text == "" || strings.Contains(fault.Text, "%!") {
					t.Errorf("the fault of %s says %q", fault.Field, fault.Text)
				}
			}
			return text("shown"), nil
		}).ServeHTTP(w, request)
		switch w.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		default:
			t.Errorf("status %d", w.Code)
		}
		if strings.Contains(w.Body.String(), "<script") {
			t.Error("the page holds a script")
		}
	})
}
