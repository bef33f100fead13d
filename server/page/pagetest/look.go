package pagetest

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// View is how somebody looks at a page. Nobody who is made up here wants anything to move.
type View struct {
	// Width is that of the window in CSS pixels; 0 is 1280. To enlarge the page to twice its size is to
	// halve it.
	Width int64
	Dark  bool
	// Forced says that the reader has colours of their own (forced-colors).
	Forced bool
	// Paper shows the page as it is printed.
	Paper bool
}

// String names the view as the names of pictures do.
func (v View) String() string {
	scheme := "light"
	switch {
	case v.Paper:
		scheme = "print"
	case v.Forced:
		scheme = "forced"
	case v.Dark:
		scheme = "dark"
	}
	return fmt.Sprintf("%s-%d", scheme, v.width())
}

func (v View) width() int64 {
	const usual = 1280
	if v.Width == 0 {
		return usual
	}
	return v.Width
}

// See looks at what is open, and at what will be opened, in such a way.
func See(v View) chromedp.Action[chromedp.Void] {
	const height = 900
	params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: "light"},
		{Name: "prefers-reduced-motion", Value: "reduce"},
		{Name: "forced-colors", Value: "none"},
	}}
	if v.Dark {
		params.Features[0].Value = "dark"
	}
	if v.Forced {
		params.Features[2].Value = "active"
	}
	if v.Paper {
		params.Media = "print"
	}
	return chromedp.Steps(
		chromedp.EmulateViewport(v.width(), height),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, params)
			return err
		}),
	)
}

// Scripts lets pages run scripts, or keeps them from it. What is asked of a page here runs all the same.
func Scripts(run bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: !run})
		return err
	})
}

// Complaints are what the browser says against pages: what their policy forbids, scripts that fail,
// files that are not there.
type Complaints struct {
	mu   sync.Mutex
	list []string
}

// Listen begins to write down complaints.
func Listen(ctx context.Context) (*Complaints, error) {
	c := &Complaints{}
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			c.add(e.ExceptionDetails.Text, e.ExceptionDetails.URL)
		case *runtime.EventConsoleAPICalled:
			if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeAssert {
				return
			}
			var said []string
			for _, a := range e.Args {
				said = append(said, a.Description+string(a.Value))
			}
			c.add(said...)
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError {
				c.add(string(e.Entry.Source), e.Entry.Text, e.Entry.URL)
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("listen to the console: %w", err)
	}
	// The policy has a voice of its own, because not all that it forbids is in the console.
	const watch = `addEventListener("securitypolicyviolation",
		e => console.error("policy", e.violatedDirective, e.blockedURI))`
	_, err = chromedp.Call(ctx, cdpage.AddScriptToEvaluateOnNewDocument,
		cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
	if err != nil {
		return nil, fmt.Errorf("listen to the policy: %w", err)
	}
	return c, nil
}

func (c *Complaints) add(words ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, strings.TrimSpace(strings.Join(words, " ")))
}

// Take returns what was written down since it was asked for last.
func (c *Complaints) Take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}
