package acting_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/server/page/pagetest"
)

func TestTwoBrowsersOnOneAction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann, ben := w.analyst(t, "ann"), w.analyst(t, "ben")
	one := ann.began(nil)
	ben.must(one, step("start", 1))
	got := ann.post(one+"/edit", anAction(url.Values{"version": {"1"}, "what": {"Ann saw the phones."}}))
	if got.status != http.StatusConflict {
		t.Fatalf("status %d", got.status)
	}
	page := pagetest.LeafOf(t, got.body)
	page.Sound()
	page.Says("Somebody else has changed the action", "Sending it again writes it over", "In progress")
	if what, version := page.Field("write", "what"), page.Field("write", "version"); what != "Ann saw the phones." || version != "2" {
		t.Errorf("the form holds %q at version %q", what, version)
	}
	found, err := w.register.Get(t.Context(), one[len("/actions/"):])
	if err != nil || found.Version != 2 || found.What != "Ask each patient, and call one." {
		t.Errorf("it is %+v, %v", found, err)
	}
	if !strings.Contains(w.trail.last(), `"outcome":"4"`) {
		t.Errorf("the trail holds %s", w.trail.last())
	}
	ann.must(one+"/edit", anAction(url.Values{"version": {"2"}, "what": {"Ann saw the phones."}}))
	ben.open(one).Says("Ann saw the phones.")
}

func TestAnActionThatWasClosedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann, ben := w.analyst(t, "ann"), w.analyst(t, "ben")
	one := ann.began(nil)
	ann.must(one, step("start", 1))
	ben.must(one, step("close", 2, "outcome", "no-change", "summary", "Ben ended it."))
	got := ann.post(one, step("close", 2, "outcome", "reduced", "summary", "Ann ended it."))
	if got.status != http.StatusConflict {
		t.Fatalf("status %d", got.status)
	}
	page := pagetest.LeafOf(t, got.body)
	page.Sound()
	page.Says("Somebody else has changed the action", "Ben ended it.", "Ann ended it.", "The gap did not change")
	edited := ann.post(one+"/edit", anAction(url.Values{"version": {"2"}, "what": {"Ann saw the phones."}}))
	if edited.status != http.StatusConflict {
		t.Fatalf("status %d", edited.status)
	}
	pagetest.LeafOf(t, edited.body).Sound()
	if got := pagetest.LeafOf(t, edited.body).Field("write", "what"); got != "Ann saw the phones." {
		t.Errorf("the form holds %q", got)
	}
	found, err := w.register.Get(t.Context(), one[len("/actions/"):])
	if err != nil || found.Result == nil || found.Result.Summary != "Ben ended it." {
		t.Errorf("it is %+v, %v", found, err)
	}
}

func TestTwoBrowsersOnOneCondition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann, ben := w.analyst(t, "ann"), w.analyst(t, "ben")
	open := crisis("Interpreter phones down")
	open.Del("end")
	ann.must("/actions/conditions", open)
	page := ann.open("/actions/conditions?done=declare")
	page.Sound()
	page.Says("The condition is declared.", "Interpreter phones down", "goes on", "Everywhere")
	all, err := w.register.Conditions(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	one := "/actions/conditions/" + all[0].ID
	ben.must(one, url.Values{"task": {"end"}, "version": {"1"}, "end": {"2025-04-30"}})
	got := ann.post(one, url.Values{"task": {"end"}, "version": {"1"}, "end": {"2025-05-15"}})
	if got.status != http.StatusConflict {
		t.Fatalf("status %d", got.status)
	}
	late := pagetest.LeafOf(t, got.body)
	late.Sound()
	late.Says("Somebody else has changed the condition", "April 30, 2025")
	form := "c" + all[0].ID
	if end, version := late.Field(form, "end"), late.Field(form, "version"); end != "2025-05-15" || version != "2" {
		t.Errorf("the form holds %q at version %q", end, version)
	}
	ann.must(one, url.Values{"task": {"withdraw"}, "version": {"2"}})
	if got := ben.post(one, url.Values{"task": {"end"}, "version": {"2"}, "end": {"2025-04-30"}}); got.status != http.StatusConflict {
		t.Errorf("what was taken back was ended: status %d", got.status)
	}
	ben.open("/actions/conditions").Says("None is declared.")
}
