package dashboard

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/server/words"
)

// mostWarm is how many of the pages to which the first page leads are made ready with it: those of the
// gaps that it lists are among them.
const mostWarm = 8

// warmSession is whose turns the making of pages takes that nobody has asked for yet.
const warmSession = ""

// Warm makes the first page of the live snapshot ready in every language, so that nobody waits for it, and
// then those to which it leads and which most people open next. They are made for those who see the
// figures of small groups: for others they may be releases, which are made when somebody asks for them.
// Nobody has seen them, so that nothing is in the audit trail.
func (d *Dashboard) Warm(ctx context.Context) error {
	var made []rights
	for _, r := range role.All() {
		may := rightsOf([]role.Role{r})
		if !may.Figures || !may.Small || slices.Contains(made, may) {
			continue
		}
		made = append(made, may)
		for _, tag := range words.Languages() {
			first, err := d.warm(ctx, OverviewPath, tag.String(), may)
			if err != nil {
				return err
			}
			text, err := first.plain()
			if err != nil {
				return err
			}
			for _, at := range nextPages(text) {
				if _, err := d.warm(ctx, at, tag.String(), may); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// warm makes one page ready.
func (d *Dashboard) warm(ctx context.Context, at, tag string, may rights) (*written, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("warm a page: %w", err)
	}
	r.Header.Set("Accept-Language", tag)
	b := d.overview()
	switch path := r.URL.Path; {
	case path == DefinitionsPath:
		b = d.definitions()
	case path == ComparePath:
		b = d.compare()
	case strings.HasPrefix(path, MeasurePath):
		b = d.measure()
		r.SetPathValue(measureName, strings.TrimPrefix(path, MeasurePath))
	}
	asPage := func(r *http.Request, _ *visit, s *sheet) (*written, error) { return writePage(r, s) }
	made, err := d.answer(b, asPage, r, may, warmSession)
	if err != nil {
		return nil, fmt.Errorf("warm %s: %w", r.URL.Path, err)
	}
	return made, nil
}

// reference is a link of a page of ours.
var reference = regexp.MustCompile(`href="([^"#]+)`)

// nextPages are the pages to which the first one leads, in their order in it.
func nextPages(first []byte) []string {
	var list []string
	for _, found := range reference.FindAllSubmatch(first, -1) {
		at, err := url.Parse(html.UnescapeString(string(found[1])))
		if err != nil || at.IsAbs() || strings.Contains(at.Path, "/files/") {
			continue
		}
		opens := at.Path == DefinitionsPath || at.Path == ComparePath || strings.HasPrefix(at.Path, MeasurePath)
		if opens && !slices.Contains(list, at.String()) && len(list) < mostWarm {
			list = append(list, at.String())
		}
	}
	return list
}
