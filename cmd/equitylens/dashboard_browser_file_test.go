package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/equitylens/equitylens/server/page/pagetest"
)

// answer is what the server sends, as it sends it.
type answer struct {
	status int
	header http.Header
	// sent is the body on the wire, body what a reader makes of it.
	sent, body []byte
}

// fetch asks for an address with the cookies of the browser, and takes what is compressed as it comes.
func (w *walk) fetch(t *testing.T, address string) answer {
	t.Helper()
	kept, err := chromedp.Call(w.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{w.demo.url + "/"}})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.demo.url+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip")
	for _, c := range kept.Cookies {
		request.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	client := &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	out := answer{status: response.StatusCode, header: response.Header}
	if out.sent, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	out.body = out.sent
	if response.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(out.sent))
		if err == nil {
			out.body, err = io.ReadAll(z)
		}
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
	}
	return out
}

// takesFiles takes along a file of each kind from the page of a measure, and one from each other page
// that has any.
func (w *walk) takesFiles(t *testing.T) {
	all := map[string]bool{}
	for _, c := range w.corners() {
		w.open(t, c.address)
		links := ask[[]string](t, w, `[...document.querySelectorAll("a[download]")].map(e => e.getAttribute("href"))`)
		tried := map[string]bool{}
		for _, link := range links {
			u, err := url.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			kind := filepath.Ext(u.Path)
			if tried[kind] || len(tried) > 0 && c.name != "measure" {
				continue
			}
			tried[kind], all[kind] = true, true
			got := w.fetch(t, link)
			if got.status != http.StatusOK || !strings.Contains(got.header.Get("Content-Disposition"), kind) {
				t.Errorf("%s answers %d, %s", link, got.status, got.header.Get("Content-Disposition"))
				continue
			}
			if err := isFile(kind, got); err != nil {
				t.Errorf("%s is no file of its kind: %v", link, err)
			}
		}
	}
	for _, kind := range []string{".csv", ".xlsx", ".parquet", ".svg", ".png", ".json"} {
		if !all[kind] {
			t.Errorf("no page offers a file %s", kind)
		}
	}
}

// isFile holds a file to what its name says that it is.
func isFile(kind string, file answer) error {
	begins := func(kind, magic string) error {
		if got := file.header.Get("Content-Type"); got != kind {
			return fmt.Errorf("it is of the type %q", got)
		}
		if !bytes.HasPrefix(file.body, []byte(magic)) || len(file.body) == len(magic) {
			return fmt.Errorf("it begins with %q", file.body[:min(len(file.body), 16)])
		}
		return nil
	}
	switch kind {
	case ".csv":
		rows, err := csv.NewReader(bytes.NewReader(file.body)).ReadAll()
		if err == nil && len(rows) < 2 {
			err = errors.New("it has no rows")
		}
		return errors.Join(err, begins("text/csv; charset=utf-8", ""))
	case ".xlsx":
		return begins("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK\x03\x04")
	case ".parquet":
		if !bytes.HasSuffix(file.body, []byte("PAR1")) {
			return errors.New("it has no foot")
		}
		return begins("application/vnd.apache.parquet", "PAR1")
	case ".png":
		return begins("image/png", "\x89PNG\r\n\x1a\n")
	case ".svg":
		var picture struct {
			XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
			Title   string   `xml:"title"`
		}
		err := xml.Unmarshal(file.body, &picture)
		if err == nil && picture.Title == "" {
			err = errors.New("it has no title")
		}
		return errors.Join(err, begins("image/svg+xml", ""))
	case ".json":
		var resource struct {
			ResourceType string `json:"resourceType"`
		}
		if err := json.Unmarshal(file.body, &resource); err != nil {
			return err
		}
		if resource.ResourceType == "" {
			return errors.New("it is no resource of FHIR")
		}
		return nil
	}
	return fmt.Errorf("nobody knows files %s", kind)
}

// downloads clicks on a file, as people take it along.
func (w *walk) downloads(t *testing.T) {
	folder, told := t.TempDir(), true
	_, err := chromedp.CallBrowser(w.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder, EventsEnabled: &told,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.open(t, w.measure)
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	events := chromedp.BrowserEvents(ctx, browser.DownloadProgress)
	w.do(t, chromedp.Click(chromedp.CSS(`main a[download][href*="/figures.csv"]`)))
	for e, err := range events {
		if err != nil {
			t.Fatalf("no file comes: %v", err)
		}
		if e.State == browser.DownloadProgressStateCompleted {
			break
		}
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.csv"))
	if err != nil || len(names) != 1 {
		t.Fatalf("in the folder of downloads are %q, %v", names, err)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimPrefix(strings.SplitN(w.measure, "?", 2)[0], "/measures/")
	if !strings.Contains(filepath.Base(names[0]), id) || !bytes.Contains(text, []byte(id)) {
		t.Errorf("the file %s of %d bytes does not name the measure %s", filepath.Base(names[0]), len(text), id)
	}
}

// weighs adds up what a browser that has been nowhere yet fetches for each page.
func (w *walk) weighs(t *testing.T) {
	const most = 150_000
	var table strings.Builder
	fmt.Fprintf(&table, "%-12s %10s %10s %8s %8s\n", "page", "HTML", "compressed", "with it", "total")
	for _, c := range w.corners() {
		w.open(t, c.address)
		page := w.fetch(t, c.address)
		if page.status != http.StatusOK || page.header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s answers %d, encoded as %q", c.name, page.status, page.header.Get("Content-Encoding"))
		}
		with := 0
		for _, link := range ask[[]string](t, w, `[...new Set([...document.querySelectorAll(
			"link[rel=stylesheet], link[rel=icon], script[src], img")].map(e => e.getAttribute("href") || e.getAttribute("src")))]`) {
			got := w.fetch(t, link)
			if got.status != http.StatusOK {
				t.Errorf("%s needs %s, which answers %d", c.name, link, got.status)
			}
			with += len(got.sent)
		}
		total := len(page.sent) + with
		fmt.Fprintf(&table, "%-12s %10d %10d %8d %8d\n", c.name, len(page.body), len(page.sent), with, total)
		if total > most {
			t.Errorf("%s weighs %d bytes, want %d at most", c.name, total, most)
		}
	}
	t.Logf("bytes of each page as they are sent, with style sheet, mark and script:\n%s", &table)
}

// prints puts the measure on paper: on one page, which says what it is and where it comes from.
func (w *walk) prints(t *testing.T) {
	w.open(t, with(w.measure, "view", "print"))
	title, sentence := w.text(t, "h1"), w.text(t, ".part .saidfirst")
	snapshot := ask[string](t, w, `[...document.querySelectorAll(".provenance dd")].map(e => e.textContent).find(
		s => /^\d{8}T/.test(s)) || ""`)
	if title == "" || sentence == "" || snapshot == "" {
		t.Fatalf("the page says %q, %q, %q", title, sentence, snapshot)
	}
	for name, paper := range map[string]chromedp.PaperSize{"A4": chromedp.PaperA4, "Letter": chromedp.PaperLetter} {
		pdf, pages, err := pagetest.Print(w.ctx, paper)
		if err != nil {
			t.Fatal(err)
		}
		pagetest.Keep(t, "print-"+name+".pdf", pdf)
		if pages != 1 {
			t.Errorf("on %s it takes %d pages", name, pages)
		}
		text, ok, err := pagetest.Printed(t.Context(), pdf)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			continue
		}
		text = strings.Join(strings.Fields(text), " ")
		for _, want := range []string{title, strings.Join(strings.Fields(sentence)[:6], " "), snapshot} {
			if !strings.Contains(text, want) {
				t.Errorf("on %s there is no %q in\n%s", name, want, text)
			}
		}
	}
	w.do(t, pagetest.See(pagetest.View{Width: 720, Paper: true}))
	for _, selector := range []string{"h1", ".part .saidfirst", ".provenance dd", ".part svg", "table.figures caption"} {
		if !ask[bool](t, w, `[...document.querySelectorAll("`+selector+`")].some(e => e.checkVisibility())`) {
			t.Errorf("on paper there is no %s", selector)
		}
	}
	pagetest.Picture(w.ctx, t, "paper")
	w.do(t, pagetest.See(pagetest.View{Width: 1440}))
}
