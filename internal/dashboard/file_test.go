package dashboard_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/server/words"
)

// filesOf are the addresses of the files that a page offers.
func (l *leaf) filesOf() []string {
	var out []string
	for _, address := range l.links() {
		if strings.Contains(address, "/files/") {
			out = append(out, address)
		}
	}
	return out
}

// ending is that of a file, as its address has it.
func ending(address string) string {
	path, _, _ := strings.Cut(address, "?")
	return path[strings.LastIndexByte(path, '.')+1:]
}

// reads opens a file as the program that it is for would, and returns what it says.
func reads(t *testing.T, address string, got answer) string {
	t.Helper()
	switch ending(address) {
	case "csv":
		lines, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
		if err != nil || len(lines) < 2 {
			t.Errorf("%s: %d lines, %v", address, len(lines), err)
		}
		return got.body
	case "xlsx":
		return unzipped(t, got.body)
	case "parquet":
		if !strings.HasPrefix(got.body, "PAR1") || !strings.HasSuffix(got.body, "PAR1") {
			t.Errorf("%s is no Parquet file", address)
		}
	case "json":
		if _, err := r4.Unmarshal([]byte(got.body)); err != nil {
			t.Errorf("%s is no FHIR: %v", address, err)
		}
	case "svg":
		for d := xml.NewDecoder(strings.NewReader(got.body)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s is no XML: %v", address, err)
				break
			}
		}
	case "png":
		if !strings.HasPrefix(got.body, "\x89PNG") {
			t.Errorf("%s is no PNG", address)
		}
	default:
		t.Errorf("%s is of no kind that anybody offered", address)
	}
	return got.body
}

// unzipped is all that the parts of a workbook say.
func unzipped(t *testing.T, body string) string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, f := range z.File {
		part, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&out, part); err != nil { // #nosec G110 -- our own file
			t.Fatal(err)
		}
		_ = part.Close()
	}
	return out.String()
}

func TestEveryFileIsWhatItSays(t *testing.T) {
	t.Parallel()
	r := newRig(t, planted)
	for _, page := range []string{wait, wait + "&kind=sites", wait + "&kind=periods&a=2024&b=2025", wait + "&lang=es"} {
		files := r.open(t, page).filesOf()
		var endings []string
		for _, address := range files {
			got := r.get(address)
			if got.status != http.StatusOK {
				t.Errorf("%s: status %d", address, got.status)
				continue
			}
			endings = append(endings, ending(address))
			_, as, err := mime.ParseMediaType(got.header.Get("Content-Disposition"))
			name := as["filename"]
			if err != nil || !strings.Contains(name, "ed-stay-over-8h") || !strings.Contains(name, "2025") {
				t.Errorf("%s is called %q, %v", address, name, err)
			}
			if got.header.Get("X-Content-Type-Options") != "nosniff" ||
				!strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") {
				t.Errorf("%s: headers %v", address, got.header)
			}
			reads(t, address, got)
		}
		for _, want := range []string{"csv", "xlsx", "parquet", "json", "svg", "png"} {
			if !slices.Contains(endings, want) {
				t.Errorf("%s offers no %s: %q", page, want, files)
			}
		}
	}
	for _, name := range []string{"nothing.svg", "pair.exe", "pair", "figures.svg", "report.csv", "pair.json"} {
		if got := r.get("/compare/files/" + name + "?measure=ed-stay-over-8h"); got.status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", name, got.status)
		}
	}
}

// TestEveryFileSaysWhereItComesFrom looks for the lines of provenance.
func TestEveryFileSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	r := newRig(t, planted)
	for _, address := range r.open(t, wait).filesOf() {
		body := reads(t, address, r.get(address))
		want := []string{"ed-stay-over-8h", "1.0.0", "2025"}
		switch ending(address) {
		case "csv", "xlsx":
			want = append(want, "1.2.3", "internal", "2026-01-10T00:00:00Z")
		case "parquet":
			want = append(want, "1.2.3", "internal")
		case "svg":
			want = append(want, "EquityLens 1.2.3", "For those inside", "January 10, 2026")
		case "png":
			want = append(want, "iTXtDescription", "Spanish")
		case "json":
			want = append(want, "1.2.3")
		}
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s does not say %q", address, text)
			}
		}
	}
}

// TestHostileNamesAreInertInFiles reads what a spreadsheet or a browser would run.
func TestHostileNamesAreInertInFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t, planted)
	for _, page := range []string{
		wait, wait + "&kind=sites", "/compare?measure=vendor&kind=sites&period=2025",
		"/compare?measure=vendor&by=language_group&period=2025",
	} {
		for _, address := range r.open(t, page).filesOf() {
			got := r.get(address)
			body := reads(t, address, got)
			switch ending(address) {
			case "csv":
				lines, _ := csv.NewReader(strings.NewReader(got.body)).ReadAll()
				for _, line := range lines {
					for _, cell := range line {
						if runs(cell) {
							t.Errorf("%s: a spreadsheet would run %q", address, cell)
						}
					}
				}
			case "xlsx":
				checkBook(t, address, got.body)
			case "svg":
				for _, sign := range []string{"<script", "<iframe", "\u202e", "\u2066", "\x00"} {
					if strings.Contains(body, sign) {
						t.Errorf("%s holds %+q", address, sign)
					}
				}
			}
		}
	}
}

// runs reports whether a spreadsheet would take a cell for a formula. A number is none.
func runs(cell string) bool {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return false
	}
	return strings.Trim(cell, "+-0123456789.eE") != ""
}

// checkBook looks at every text of a workbook, and for formulas, of which there is none.
func checkBook(t *testing.T, address, body string) {
	t.Helper()
	texts := 0
	for d := xml.NewDecoder(strings.NewReader("<book>" + headless(unzipped(t, body)) + "</book>")); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		start, ok := token.(xml.StartElement)
		switch {
		case ok && start.Name.Local == "f":
			t.Errorf("%s holds a formula", address)
		case ok && start.Name.Local == "t":
			var text string
			if err := d.DecodeElement(&text, &start); err != nil {
				t.Fatal(err)
			}
			if texts++; runs(text) {
				t.Errorf("%s: a spreadsheet would run %q", address, text)
			}
		}
	}
	if texts == 0 {
		t.Errorf("%s holds no text", address)
	}
}

// headless takes the declarations from XML, so that several documents can stand in one.
func headless(text string) string {
	return regexp.MustCompile(`<\?xml[^>]*\?>`).ReplaceAllString(text, "")
}

// TestNothingHiddenIsInAnyFile looks for the score of the seven, of whom three waited: 42.857….
func TestNothingHiddenIsInAnyFile(t *testing.T) {
	t.Parallel()
	r := newRig(t, planted)
	const hidden = "42.8571"
	inside, outside := 0, 0
	for _, page := range []string{
		"/compare?measure=ed-stay-over-8h&period=2025&by=language_group&a=chinese&b=english",
		"/compare?measure=ed-stay-over-8h&period=2025&by=language&a=zh&b=en",
	} {
		for _, audience := range []string{"internal", "public"} {
			l := r.open(t, page+"&audience="+audience)
			texts := []string{l.body}
			for _, address := range l.filesOf() {
				got := r.get(address)
				text := reads(t, address, got)
				texts = append(texts, text)
				if audience == "public" && ending(address) == "csv" {
					checkHidden(t, address, got.body)
				}
			}
			for _, text := range texts {
				for _, sign := range []string{hidden[:6], "0.42857", ": 43 of 100", "3 of 7", ">n 7<"} {
					if !strings.Contains(text, sign) {
						continue
					}
					if inside++; audience == "public" {
						outside++
						at := strings.Index(text, sign)
						t.Errorf("%s: a public text holds %q: …%s…", page, sign,
							text[max(0, at-80):min(len(text), at+80)])
					}
				}
			}
		}
	}
	if inside == 0 {
		t.Error("the figure is not found where it is shown, so that nothing was tested")
	}
}

// checkHidden looks for figures in the rows of a table whose group is too small to be told of.
func checkHidden(t *testing.T, address, body string) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, line := range lines {
		if !slices.Contains(line, "Chinese") {
			continue
		}
		found = true
		text := strings.Join(line, "|")
		if !strings.Contains(text, "suppressed") && !strings.Contains(text, "|true|") {
			t.Errorf("%s: the row is not said to be suppressed: %s", address, text)
		}
		for i, cell := range line {
			if cell == "7" || cell == "3" || cell == "4" {
				t.Errorf("%s: column %s of the hidden row holds %q", address, lines[0][i], cell)
			}
		}
	}
	if !found {
		t.Errorf("%s has no row of the hidden group", address)
	}
}

// TestAPictureIsTheFileOfThePage draws outside of a browser, and compares every byte.
func TestAPictureIsTheFileOfThePage(t *testing.T) {
	t.Parallel()
	r := newRig(t, planted)
	said, err := words.New(words.Languages()[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	draw := func(asked dashboard.Picture) (out []byte, err error) {
		asked.Words, asked.Software = said, "1.2.3"
		err = r.hold(func(s dashboard.Snapshot) error {
			out, err = dashboard.Draw(t.Context(), s, asked)
			return err
		})
		return out, err
	}
	for _, format := range []string{"svg", "png"} {
		for _, name := range []string{"pair", "parts", "sites"} {
			got, err := draw(dashboard.Picture{Address: wait, Figure: name, Format: format})
			if err != nil {
				t.Fatal(err)
			}
			file := r.get(strings.Replace(wait, "/compare", "/compare/files/"+name+"."+format, 1) + "&lang=es")
			if file.status != http.StatusOK || !bytes.Equal(got, []byte(file.body)) {
				t.Errorf("%s.%s is not the file of the page (status %d)", name, format, file.status)
			}
			if format == "svg" && !strings.Contains(r.open(t, wait+"&lang=es").body, string(got)) {
				t.Errorf("%s is not the picture in the page", name)
			}
		}
	}
	for address, figure := range map[string]string{
		wait: "nothing", "/nowhere": "", "/compare?kind=x": "", "/compare?x=y": "", "/compare?measure=x": "",
	} {
		_, err := draw(dashboard.Picture{Address: address, Figure: figure, Format: "svg"})
		if err == nil || !dashboard.Misuse(err) {
			t.Errorf("%s %s: %v, want a misuse", address, figure, err)
		}
	}
}

// TestEveryPageHasPictures draws the first picture of each page, outside of a browser.
func TestEveryPageHasPictures(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	said, err := words.New(words.Languages()[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{
		"/?by=language_group&period=2025", "/measures/telehealth-share?period=2025&by=race", "/quality",
		"/compare?kind=periods&a=2024&b=2025&by=sex",
	} {
		err := r.hold(func(s dashboard.Snapshot) error {
			picture, err := dashboard.Draw(t.Context(), s, dashboard.Picture{
				Address: address, Format: "svg", Words: said,
			})
			if err == nil && !bytes.HasPrefix(picture, []byte("<svg")) {
				t.Errorf("%s: the picture is %.60s", address, picture)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
