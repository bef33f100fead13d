package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/visit"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/server/page/pagetest"
)

// demonstration is a running `equitylens demo`.
type demonstration struct {
	charts, url string
	// out is what it prints, log what it complains of.
	out, log *worldtest.Log
	// stop ends it, and ended says with which code it did.
	stop  func()
	ended chan int
}

// demonstrate starts the demonstration and waits until it invites; more are arguments besides the usual ones.
func demonstrate(t *testing.T, more ...string) demonstration {
	t.Helper()
	p, out, log := newProgram()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- p.run(ctx, append([]string{
			"demo", "--listen", "127.0.0.1:0", "--patients", "1500", "--data", t.TempDir(),
		}, more...))
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	address := regexp.MustCompile(`(?m)^  (http://127\.0\.0\.1:\d+)(/ehr|/)$`)
	d := demonstration{out: out, log: log, stop: stop, ended: ended}
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
	ctx := pagetest.Browser(t)
	d := demonstrate(t)
	show := func(what, name string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		// What a page lacks is waited for without end.
		bounded, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		err := chromedp.Do(bounded, steps...)
		pagetest.Picture(ctx, t, name)
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
	pagetest.Picture(ctx, t, "chart-in-ehr")

	show("ask for the account", "sign-in", chromedp.Navigate(d.url+"/account"),
		chromedp.WaitVisible(chromedp.CSS("form")))
	show("sign in as an analyst", "account",
		chromedp.Click(chromedp.CSS(`button[value="wen-adeyemi"]`)),
		chromedp.WaitVisible(chromedp.CSS(`form[action="/signout"]`)))
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("main")))
	if err != nil || !strings.Contains(text, "Wen Adeyemi") || !strings.Contains(text, "Quality analyst") {
		t.Errorf("the account says %q, %v", text, err)
	}
	show("sign out", "signed-out", chromedp.Click(chromedp.CSS(`form[action="/signout"] button`)),
		chromedp.WaitVisible(chromedp.CSS(`a[href="/signin"]`)))
}

// twoSites is a program on https://localhost and a fake EHR on https://127.0.0.1, which is another site.
type twoSites struct{ ehr *fhirtest.Server }

func openTwoSites(t *testing.T) twoSites {
	t.Helper()
	p, _, log := newProgram()
	folder := t.TempDir()
	certFile, keyFile, _ := certificate(t, folder)
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Data, cfg.Server.TLS = folder, config.TLS{CertFile: certFile, KeyFile: keyFile}
	cfg.Server.PublicURL = fmt.Sprintf("https://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	ehr, err := fhirtest.NewServer(fhirtest.Config{
		Population: population.New(population.Config{Patients: 600, Seed: 3}), TLS: true, Now: time.Now,
		Apps: []fhirtest.App{{
			ClientID: demoApp, RedirectURIs: []string{cfg.Server.PublicURL + visit.CallbackPath},
		}},
		AppLaunchURL: cfg.Server.PublicURL + visit.LaunchPath,
	})
	if err != nil {
		t.Fatal(err)
	}
	base, err := ehr.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ehr.Close() })
	ca := filepath.Join(folder, "ehr.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ehr.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.EHRs = []config.EHR{{
		Registration: config.Registration{
			Name: "ehr", ClientID: demoApp, Identify: config.Public, Loopback: true, CAFile: ca,
		},
		BaseURL: base, Chart: true,
	}}
	list, err := definitions(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	a, err := p.newAPI(t.Context(), &cfg, list, listener.Addr().String(), 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v\n%s", err, log)
		}
	})
	return twoSites{ehr}
}

// TestALaunchInAFrameOfAnotherSite launches over TLS in a browser that blocks the cookies of third
// parties: those of a chart are partitioned, and work all the same.
func TestALaunchInAFrameOfAnotherSite(t *testing.T) {
	t.Parallel()
	ctx := pagetest.Browser(t, chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("test-third-party-cookie-phaseout", true))
	sites := openTwoSites(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(sites.ehr.ChartsURL()+"/chart/"+population.NoInterpreter),
		chromedp.WaitVisible(chromedp.CSS("iframe"))); err != nil {
		t.Fatal(err)
	}
	var text string
	await(t, func() bool {
		frames, err := chromedp.Targets(ctx)
		if err != nil {
			return false
		}
		for _, f := range frames {
			if f.Type != "iframe" || !strings.Contains(f.URL, "/chart/") {
				continue
			}
			bounded, stop := context.WithTimeout(ctx, 5*time.Second)
			frame, leave := chromedp.NewContext(bounded, chromedp.WithTargetID(f.TargetID),
				chromedp.WithDetachOnCancel())
			text, err = chromedp.Run(frame, chromedp.Text(chromedp.CSS("main")))
			leave()
			stop()
			return err == nil
		}
		return false
	})
	if !strings.Contains(text, "No interpreter is documented for this visit") {
		t.Errorf("the frame says:\n%s", text)
	}
	pagetest.Picture(ctx, t, "chart-in-another-site")
}
