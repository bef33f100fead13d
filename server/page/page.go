package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/server/words"
)

//go:embed templates/*.html
var markup embed.FS

// Config is what the pages need to know of the place where they are shown.
type Config struct {
	// Location is where times of day are read; nil is UTC.
	Location *time.Location
	// Logger hears of a page that could not be made, which is a fault of this package; nil: nobody does.
	Logger *slog.Logger
}

// Pages writes pages. It is not changed once made, and may be used by many goroutines at once.
type Pages struct {
	editions []edition
	matcher  language.Matcher
	assets   *assets
	logger   *slog.Logger
}

// edition is every page in one language.
type edition struct {
	words *voice
	pages map[string]*template.Template
}

// shared lists the templates that every page can use; each of the others is a page.
func shared() []string { return []string{"frame", "board", "casework"} }

// names lists the pages: each is a file below templates.
func names() ([]string, error) {
	files, err := markup.ReadDir("templates")
	if err != nil {
		return nil, fmt.Errorf("page: list the templates: %w", err)
	}
	var out []string
	for _, file := range files {
		if name := strings.TrimSuffix(file.Name(), ".html"); !slices.Contains(shared(), name) {
			out = append(out, name)
		}
	}
	return out, nil
}

// New reads what is built in: an error is a fault of the build.
func New(c Config) (*Pages, error) {
	if c.Location == nil {
		c.Location = time.UTC
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	held, err := newAssets()
	if err != nil {
		return nil, err
	}
	p := &Pages{assets: held, logger: c.Logger, matcher: language.NewMatcher(words.Languages())}
	for _, tag := range words.Languages() {
		said, err := words.New(tag, c.Location)
		if err != nil {
			return nil, err
		}
		w := &voice{said}
		pages, err := parse(w)
		if err != nil {
			return nil, err
		}
		p.editions = append(p.editions, edition{words: w, pages: pages})
	}
	return p, nil
}

// parse reads the templates of one language.
func parse(w *voice) (map[string]*template.Template, error) {
	common := make([]string, 0, len(shared()))
	for _, name := range shared() {
		common = append(common, "templates/"+name+".html")
	}
	frame, err := template.New("frame.html").
		Funcs(template.FuncMap{"say": w.Say, "wide": wide, "narrow": narrow, "small": small}).
		ParseFS(markup, common...)
	if err != nil {
		return nil, fmt.Errorf("page: parse the frame: %w", err)
	}
	list, err := names()
	if err != nil {
		return nil, err
	}
	pages := make(map[string]*template.Template, len(list))
	for _, name := range list {
		one, err := frame.Clone()
		if err != nil {
			return nil, fmt.Errorf("page: copy the frame: %w", err)
		}
		if pages[name], err = one.ParseFS(markup, "templates/"+name+".html"); err != nil {
			return nil, fmt.Errorf("page: parse %s: %w", name, err)
		}
	}
	return pages, nil
}

// frame is what surrounds every page.
type frame struct {
	Lang, Title string
	Style, Mark string
	// Script is that of the page; "" where there is none.
	Script          string
	Other, OtherURL string
	// Nav are the pages of the dashboard; none on other pages.
	Nav  []Link
	Page any
}

// sheet is one page before it is written.
type sheet struct {
	name   string
	policy policy
	nav    []Link
	// script is the asset that the page runs; "" is none.
	script string
	// title is what the browser shows of the page in its history, and so names nobody.
	title func(*voice) string
	// page is what the template shows.
	page func(*voice) any
}

// send writes a page in the language of the reader.
func (p *Pages) send(w http.ResponseWriter, r *http.Request, status int, s sheet) {
	i := p.choose(r)
	e := p.editions[i]
	other := p.editions[(i+1)%len(p.editions)].words.Tag().String()
	var out bytes.Buffer
	err := e.pages[s.name].Execute(&out, frame{
		Lang: e.words.Tag().String(), Title: s.title(e.words),
		Style: p.assets.style, Mark: p.assets.mark, Script: s.script,
		Other: other, OtherURL: inLanguage(r, other),
		Nav: s.nav, Page: s.page(e.words),
	})
	if err != nil {
		p.logger.ErrorContext(r.Context(), "a page could not be made",
			slog.String("page", s.name), slog.Any("error", err))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	s.policy.set(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", e.words.Tag().String())
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Language")
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // A reader who has gone needs no page.
}
