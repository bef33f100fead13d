package pagetest

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/chromedp/chromedp"
)

// axePath is the setting of the path of axe.min.js of axe-core 4.
const axePath = "EQUITYLENS_AXE"

// Axe is axe-core, which holds pages to WCAG 2.2, levels A and AA, as far as a program can tell.
type Axe struct{ source string }

// LoadAxe reads axe-core from where scripts/test.sh has put it. It is nil where nobody has set a place.
func LoadAxe() (*Axe, error) {
	name := os.Getenv(axePath)
	if name == "" {
		return nil, nil //nolint:nilnil // without it the other checks are made all the same
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read axe: %w", err)
	}
	return &Axe{string(text)}, nil
}

// Unchecked says why pages were not held to WCAG.
const Unchecked = axePath + " is not set to the path of axe.min.js, so that WCAG was not checked: " +
	"scripts/test.sh fetches it"

// Audit is what axe-core found in a page.
type Audit struct {
	// Violations are rules that are broken, with the element each.
	Violations []string
	// Passed counts the rules that hold; Unsure names those of which a person has to judge, by how many
	// elements there are of each.
	Passed int
	Unsure map[string]int
}

// Load puts axe-core into the page that is open, until another is.
func (a *Axe) Load(ctx context.Context) error {
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](a.source+";0")); err != nil {
		return fmt.Errorf("load axe: %w", err)
	}
	return nil
}

// Check holds the page that is open, in which it has been loaded, to WCAG.
func (a *Axe) Check(ctx context.Context) (Audit, error) {
	// It would fetch the style sheet once more, which the policy of the page forbids.
	const run = `axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
		resultTypes: ["violations", "incomplete"], preload: false,
	}).then(r => ({
		Violations: r.violations.flatMap(v => v.nodes.map(n =>
			v.help + " (" + v.id + ")\n" + n.html.slice(0, 300) + "\n" + n.failureSummary)),
		Passed: r.passes.length,
		Unsure: Object.fromEntries(r.incomplete.map(v => [v.id, v.nodes.length])),
	}))`
	found, err := chromedp.Run(ctx, chromedp.Evaluate[Audit](run, chromedp.EvalAwaitPromise))
	if err != nil {
		return Audit{}, fmt.Errorf("run axe: %w", err)
	}
	if found.Passed == 0 {
		return Audit{}, errors.New("run axe: it checked nothing")
	}
	return found, nil
}
