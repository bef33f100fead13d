package pagetest

import (
	"context"
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Tabbed walks through the page that is open with the Tab key, from its beginning past its end, and
// finds what is not reached, what is reached out of order, and where the focus does not show.
func Tabbed(ctx context.Context) ([]string, error) {
	const begin = `(() => {
	` + shown + `
	const stops = [...document.querySelectorAll(
		"a[href], button, summary, select, textarea, input:not([type=hidden]), [tabindex='0']")].filter(seen);
	const walked = window.walked = {stops, faults: [], next: 0, name};
	addEventListener("focusin", e => {
		const s = getComputedStyle(e.target), at = stops.indexOf(e.target);
		if (s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 2)
			walked.faults.push("the focus does not show at " + name(e.target));
		if (at !== walked.next)
			walked.faults.push("stop " + walked.next + " is " + name(e.target) +
				(stops[walked.next] ? ", want " + name(stops[walked.next]) : ", want the end"));
		walked.next = at + 1;
	});
	if (document.activeElement) document.activeElement.blur();
	scrollTo(0, 0);
	return stops.length;
})()`
	stops, err := chromedp.Run(ctx, chromedp.Evaluate[int](begin))
	if err != nil {
		return nil, fmt.Errorf("list what the keyboard has to reach: %w", err)
	}
	if err := chromedp.Do(ctx, chromedp.KeyEvent(strings.Repeat(kb.Tab, stops))); err != nil {
		return nil, fmt.Errorf("press Tab: %w", err)
	}
	return list(ctx, "ask where the keyboard was", `walked.next === walked.stops.length ? walked.faults :
		walked.faults.concat("after " + walked.stops.length + " times Tab the focus is at " + walked.next)`)
}

// Reach presses Tab until what the selector selects has the focus, as somebody does who has no mouse.
func Reach(ctx context.Context, selector string) error {
	const most = 400
	is := fmt.Sprintf("document.activeElement.matches(%q)", selector)
	for range most {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			return fmt.Errorf("press Tab: %w", err)
		}
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](is))
		if err != nil {
			return fmt.Errorf("find the focus: %w", err)
		}
		if there {
			return nil
		}
	}
	return fmt.Errorf("the keyboard does not reach %s within %d stops", selector, most)
}
