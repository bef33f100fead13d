package pagetest

import (
	"context"
	"fmt"

	"github.com/chromedp/chromedp"
)

// list evaluates an expression that gives a list of faults.
func list(ctx context.Context, what, expression string) ([]string, error) {
	faults, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](expression))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return faults, nil
}

// shown begins the expressions that look at what can be seen.
const shown = `const seen = e => e.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true});
	const name = e => e.outerHTML.slice(0, 160).replace(/\s+/g, " ");`

// Wide finds what reaches beyond the window, or scrolls the page sideways. What scrolls by itself may be
// as wide as it likes; the head of a table that a narrow window does not show lies where nobody sees it.
func Wide(ctx context.Context) ([]string, error) {
	return list(ctx, "find what is too wide", `(() => {
	`+shown+`
	const root = document.documentElement, width = root.clientWidth, own = new Map();
	const scrolls = e => {
		if (e === null || e === document.body) return false;
		if (!own.has(e)) {
			own.set(e, getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
		}
		return own.get(e);
	};
	const faults = [...document.querySelectorAll("body *:not(svg *)")].filter(e => {
		const b = e.getBoundingClientRect();
		return b.width > 1 && (b.right > width + .5 || b.left < -.5) && seen(e) && !scrolls(e.parentElement);
	}).map(name);
	if (root.scrollWidth > width) faults.push("the page scrolls by " + (root.scrollWidth - width) + " px");
	return faults;
})()`)
}

// Cut finds words of pictures that their edge cuts off.
func Cut(ctx context.Context) ([]string, error) {
	return list(ctx, "find words that are cut off", `(() => {
	`+shown+`
	return [...document.querySelectorAll("svg text")].filter(e => {
		const b = e.getBoundingClientRect(), p = e.ownerSVGElement.getBoundingClientRect();
		return b.width > 0 && seen(e) &&
			(b.right > p.right + 1 || b.left < p.left - 1 || b.bottom > p.bottom + 1 || b.top < p.top - 1);
	}).map(name);
})()`)
}

// Small finds what is hard to hit: targets below 24 px (WCAG 2.5.8). A box to be ticked is hit on its
// label as well; a link in a line of text is as high as the line.
func Small(ctx context.Context) ([]string, error) {
	return list(ctx, "find small targets", `(() => {
	`+shown+`
	const controls = "a[href]:not(.skip), button, summary, select, textarea, input:not([type=hidden])";
	const inText = e => e.localName === "a" && [...e.parentElement.childNodes].some(
		n => n.nodeType === Node.TEXT_NODE && n.textContent.trim() !== "");
	return [...document.querySelectorAll(controls)].filter(e => {
		const hit = e.matches("[type=checkbox], [type=radio]") && e.closest("label") || e;
		const b = hit.getBoundingClientRect();
		return seen(e) && !inText(e) && (b.height < 23.9 || b.width < 23.9);
	}).map(e => { const b = e.getBoundingClientRect();
		return Math.round(b.width) + "x" + Math.round(b.height) + " " + name(e); });
})()`)
}

// Moving finds what moves, or would.
func Moving(ctx context.Context) ([]string, error) {
	return list(ctx, "find what moves", `(() => {
	`+shown+`
	const takes = s => s.split(",").some(d => parseFloat(d) > 0);
	return [...document.querySelectorAll("*")].filter(e => {
		const s = getComputedStyle(e);
		return takes(s.transitionDuration) || s.animationName !== "none" || s.scrollBehavior === "smooth";
	}).map(name);
})()`)
}

// Marks counts what can be seen of each picture of the page: points and lines whose filling or edge has
// another colour than what the picture lies on. An area that has no edge lies below them.
func Marks(ctx context.Context) ([]int, error) {
	counts, err := chromedp.Run(ctx, chromedp.Evaluate[[]int](`(() => {
	`+shown+`
	const clear = c => c === "none" || /^rgba\(.*, 0\)$/.test(c);
	const ground = e => {
		for (; e; e = e.parentElement) {
			const c = getComputedStyle(e).backgroundColor;
			if (!clear(c)) return c;
		}
		return "rgb(255, 255, 255)";
	};
	return [...document.querySelectorAll("svg.chart")].filter(seen).map(picture => {
		const below = ground(picture);
		return [...picture.querySelectorAll("circle, ellipse, line, polyline, [stroke]:not([stroke=none])")].filter(e => {
			const s = getComputedStyle(e);
			return seen(e) && [s.fill, s.stroke].some(c => !clear(c) && c !== below);
		}).length;
	});
})()`))
	if err != nil {
		return nil, fmt.Errorf("count the marks: %w", err)
	}
	return counts, nil
}

// Open opens everything that is folded away.
func Open(ctx context.Context) error {
	const open = `document.querySelectorAll("details").forEach(d => d.open = true)`
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](open)); err != nil {
		return fmt.Errorf("open what is folded: %w", err)
	}
	return nil
}
