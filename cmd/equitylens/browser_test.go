package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browserShots is a folder into which pictures of what the browser shows are written, if it is set.
const browserShots = "EQUITYLENS_SHOTS"

// browser starts Chromium, which reaches nothing but this computer.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("Chromium is not installed: scripts/test.sh installs it")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("no-pings", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 1500)); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// shot writes down what the browser shows.
func shot(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv(browserShots)
	if folder == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatalf("take a picture: %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

// demonstration is a running `equitylens demo`.
type demonstration struct {
	charts, url string
	log         *lockedBuffer
}

// demonstrate starts the demonstration and waits until it invites.
func demonstrate(t *testing.T) demonstration {
	t.Helper()
	p, out, log := newProgram()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- p.run(ctx, []string{
			"demo", "--listen", "127.0.0.1:0", "--patients", "1500", "--data", t.TempDir(),
		})
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	address := regexp.MustCompile(`(?m)^  (http://127\.0\.0\.1:\d+)(/ehr|/)$`)
	d := demonstration{log: log}
	await(t, func() bool {
		select {
		case code := <-ended:
			ended <- code
			t.Fatalf("the demonstration ended with %d: %s", code, log)
		default:
		}
		for _, m := range address.FindAllStringSubmatch(out.String(), -1) {
			if m[2] == "/ehr" {
				d.charts = m[1] + m[2]
			} else {
				d.url = m[1]
			}
		}
		return d.charts != "" && d.url != ""
	})
	return d
}

// TestALaunchInABrowser opens a chart in the fake EHR with a real browser, and EquityLens in the EHR's
// frame; then signs in, and signs out again.
func TestALaunchInABrowser(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	d := demonstrate(t)
	show := func(what, name string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		// What a page lacks is waited for without end.
		bounded, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		err := chromedp.Do(bounded, steps...)
		shot(ctx, t, name)
		if err != nil {
			at, _ := chromedp.Run(ctx, chromedp.Location())
			t.Fatalf("%s: %v at %s\n%s", what, err, at, d.log)
		}
	}
	// The frame goes through three documents before it shows the page, and what is read of one that has
	// gone never comes.
	inFrame := func(selector string) (text string) {
		t.Helper()
		await(t, func() bool {
			bounded, stop := context.WithTimeout(ctx, time.Second)
			defer stop()
			frames, err := chromedp.Run(bounded, chromedp.Nodes(chromedp.CSS("iframe"), chromedp.Populate(-1, true)))
			if err != nil || len(frames) != 1 {
				return false
			}
			text, err = chromedp.Run(bounded, chromedp.Text(chromedp.CSS(selector), chromedp.FromNode(frames[0])))
			return err == nil
		})
		return text
	}

	show("open the list of patients", "ehr", chromedp.Navigate(d.charts))
	show("open a chart", "chart-in-ehr",
		chromedp.Click(chromedp.CSS(`a.button[href*="no-interpreter"]`)),
		chromedp.WaitVisible(chromedp.CSS("iframe")))
	if text := inFrame("main"); !strings.Contains(text, "No interpreter is documented for this visit") {
		t.Errorf("the frame says:\n%s", text)
	}
	shot(ctx, t, "chart-in-ehr")

	show("ask for the account", "sign-in", chromedp.Navigate(d.url+"/account"),
		chromedp.WaitVisible(chromedp.CSS("form")))
	show("sign in as an analyst", "account",
		chromedp.Click(chromedp.CSS(`input[value="wen-adeyemi"]`)),
		chromedp.Click(chromedp.CSS(`button[value="allow"]`)),
		chromedp.WaitVisible(chromedp.CSS(`form[action="/signout"]`)))
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("main")))
	if err != nil || !strings.Contains(text, "Wen Adeyemi") || !strings.Contains(text, "Quality analyst") {
		t.Errorf("the account says %q, %v", text, err)
	}
	show("sign out", "signed-out", chromedp.Click(chromedp.CSS(`form[action="/signout"] button`)),
		chromedp.WaitVisible(chromedp.CSS(`a[href="/signin"]`)))
}
