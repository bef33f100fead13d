package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/visit"
	"github.com/equitylens/equitylens/server/page/pagetest"
)

// house is a hospital whose staff signs in at a program of ours, on data that are there.
type house struct {
	*site
	// address is where the program is to listen, so that the EHR knows where to send people.
	address string
}

// openWard writes the configuration of a house. own is the file of the keys by which the EHR knows us; if it
// is empty, that of all tests. more is added to the configuration of the server, and below it.
func openWard(t *testing.T, data, own, more string) house {
	t.Helper()
	var lc net.ListenConfig
	free, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := house{address: free.Addr().String()}
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	url := "http://" + h.address
	h.site = openSite(t, population.New(population.Config{Patients: 20, Seed: 5}), func(c *fhirtest.Config) {
		known := c.Clients[0].Keys
		if own != "" {
			set, err := keys.Open(own, keys.Config{})
			if err != nil {
				t.Fatal(err)
			}
			public := set.Public()
			known = &public
		}
		c.AppLaunchURL = url + visit.LaunchPath
		c.Apps = []fhirtest.App{{
			ClientID: "equitylens-people", RedirectURIs: []string{url + visit.CallbackPath},
			Auth: fhirtest.PrivateKey, Keys: known,
		}}
	})
	text, err := os.ReadFile(h.config)
	if err != nil {
		t.Fatal(err)
	}
	h.data = data
	settings := strings.Replace(string(text), "data: data\n", "data: "+data+"\n", 1)
	if own != "" {
		settings = regexp.MustCompile(`client_keys_file: \S+`).ReplaceAllLiteralString(settings, "client_keys_file: "+own)
	}
	h.write(t, settings)
	base := regexp.MustCompile(`base_url: (\S+)`).FindSubmatch(text)
	h.add(t, fmt.Sprintf(`ehrs:
  - {name: ehr, client_id: equitylens-people, base_url: %s, loopback: true, chart: true, sign_in: true,
     algorithm: ES384}
people:
  role_claim: groups
  roles:
    equity-reviewer: [patient-safety]
    quality-analyst: [quality]
server:
  public_url: %s
  rate_limits: {per_address: 0}
%s`, base[1], url, more))
	return h
}

// open serves a house within this process, and returns what a browser is to know of it.
func (h house) open(t *testing.T) demonstration {
	t.Helper()
	p, out, log := newProgram()
	d := demonstration{url: "http://" + h.address, out: out, log: log, ended: make(chan int, 1)}
	go func() { d.ended <- p.run(t.Context(), []string{"serve", "--config", h.config, "--listen", h.address}) }()
	await(t, func() bool {
		select {
		case code := <-d.ended:
			t.Fatalf("serve ended with %d: %s", code, log)
		default:
		}
		return strings.Contains(log.String(), `"listening"`)
	})
	return d
}

// lookAtTheNetwork opens the page of the network in a browser, at the coordinator and at a member: the one
// knows all of them by name, the other itself alone.
func lookAtTheNetwork(t *testing.T, root string) {
	t.Helper()
	folder := filepath.Join(root, "coordinator")
	var clients, members strings.Builder
	for _, m := range demoMembers() {
		_, _ = fmt.Fprintf(&clients, "    - {id: program-of-%s, jwks_file: %s, scopes: [equitylens/submit]}\n", m.id,
			filepath.Join(folder, "keys", "member-"+m.id+".jwks"))
		_, _ = fmt.Fprintf(&members, "    - {id: %s, name: %q, client: program-of-%s}\n", m.id, m.name, m.id)
	}
	center := openWard(t, folder, "", "  clients:\n"+clients.String()+"network:\n  members:\n"+members.String())
	data := filepath.Join(root, "members", "harbor")
	member := openWard(t, data, filepath.Join(data, "keys", "client.json"), fmt.Sprintf(`disclosure:
  public_measures: [interpreter-documented]
network:
  coordinator: {url: "http://%s", member: harbor, client_id: program-of-harbor, algorithm: ES384, loopback: true}
`, center.address))
	w := &walk{ctx: pagetest.Browser(t)}
	var err error
	if w.says, err = pagetest.Listen(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.do(t, pagetest.See(pagetest.View{Width: 1440}))
	for _, at := range []struct {
		name   string
		demo   demonstration
		others bool
	}{{"center", center.open(t), true}, {"member", member.open(t), false}} {
		w.demo = at.demo
		// Both are the same host to a browser.
		if _, err := chromedp.Call(w.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		// A coordinator has no figures of its own, so that nothing but this page leads there.
		w.open(t, "/network?period=2025")
		w.to(t, chromedp.Click(chromedp.CSS(`button[value="`+analystUser+`"]`)))
		if got := w.asked(t, "period"); got != "2025" {
			t.Errorf("whoever signs in at the %s is sent to %s", at.name, w.at(t))
		}
		said := w.text(t, "main")
		for _, m := range demoMembers() {
			if got, want := strings.Contains(said, m.name), at.others || m.id == "harbor"; got != want {
				t.Errorf("at the %s %s is named: %v\n%s", at.name, m.name, got, said)
			}
		}
		if n := ask[int](t, w, `document.querySelectorAll("main svg[role=img]").length`); n == 0 {
			t.Errorf("at the %s there is no picture:\n%s", at.name, said)
		}
		rows := ask[int](t, w, `document.querySelectorAll("#members tbody tr").length`)
		if want := map[bool]int{true: len(demoMembers()), false: 1}[at.others]; rows != want {
			t.Errorf("at the %s %d members are listed, want %d", at.name, rows, want)
		}
		pagetest.Picture(w.ctx, t, "improve-network-"+at.name)
		if complaints := w.says.Take(); len(complaints) > 0 {
			t.Errorf("the browser says:\n%s", strings.Join(complaints, "\n"))
		}
		reader := reader{signIn(t, at.demo, firstReviewer)}
		if status, _ := reader.get("/network?period=2025"); status != http.StatusOK {
			t.Errorf("at the %s a reviewer gets %d", at.name, status)
		}
	}
}
