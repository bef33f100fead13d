package evidence_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/equitylens/equitylens/improvement/evidence"
)

// hostile are texts that would do something in a browser or in a spreadsheet.
var hostile = []string{
	`<script>alert(1)</script>`, `"><iframe src=//evil.example>`, `</style><img src=x onerror=alert(1)>`,
	"\u202egnp.exe", `=cmd|' /C calc'!A0`, "@SUM(A1)", "+1+cmd", "\tx", `{{.Title}}`, `javascript:alert(1)`,
}

func TestHostileTextIsInert(t *testing.T) {
	t.Parallel()
	allowed := []string{
		"html", "head", "meta", "title", "style", "body", "header", "p", "bdi", "h1", "h2", "h3", "h4", "nav", "ol",
		"li", "a", "main", "section", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "small",
		"svg", "desc", "g", "path", "line", "rect", "circle", "polygon", "text", "tspan",
	}
	for n, bad := range hostile {
		if raceDetector && n%3 != 0 {
			continue // A pack takes ten times as long then, and nothing here goes on at once.
		}
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			o := options(t, "en")
			o.Organization = bad
			p := pack(t, material(t, bad), o)
			root := page(t, p)
			for n := range root.Descendants() {
				if n.Type != html.ElementNode {
					continue
				}
				if !slices.Contains(allowed, n.Data) {
					t.Errorf("the page has a <%s>", n.Data)
				}
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "style" ||
						a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
						t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
					}
				}
			}
			if strings.ContainsRune(text(root), '\u202e') {
				t.Error("the page turns around the direction of what follows")
			}
			rows, err := csv.NewReader(bytes.NewReader(file(t, p, evidence.TableFile))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				for _, cell := range row {
					if _, err := strconv.ParseFloat(cell, 64); err != nil && cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
						t.Errorf("a spreadsheet runs %q", cell)
					}
				}
			}
		})
	}
}
