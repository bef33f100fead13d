package dashboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// Picture asks for one picture of a page, outside of a browser.
type Picture struct {
	// Address is that of the page, with its parameters, such as /measures/length-of-stay?by=race.
	Address string
	// Figure is the id of a figure of the page, or empty for the first. Of one that comes once a group,
	// as time-es does, the part before the group will do where the address names the group.
	Figure string
	// Format is svg or png.
	Format string
	// Width is in user units; 0 is that of the files of a page.
	Width int
	// Words are the language of the picture.
	Words *words.Words
	// Software is the version of the program.
	Software string
	// Now is the clock, for pages that say how old the data are; nil means time.Now.
	Now func() time.Time
}

// ErrNoFigure says that a page has no such picture. What follows it says which there are.
var ErrNoFigure = errors.New("no such picture")

// Draw makes a picture of a page as it is: byte by byte the file that the page offers. An address that
// asks for what there is not is an error for which Misuse holds.
func Draw(ctx context.Context, snapshot Snapshot, asked Picture) ([]byte, error) {
	d := &Dashboard{cfg: Config{
		Software: asked.Software, Now: asked.Now, Logger: slog.New(slog.DiscardHandler),
	}}
	if d.cfg.Now == nil {
		d.cfg.Now = time.Now
	}
	at, err := url.Parse(asked.Address)
	if err != nil {
		return nil, fmt.Errorf("%w: it is no address", errAddress)
	}
	b, name, ok := d.builderOf(at.Path)
	if !ok {
		return nil, errNotFound
	}
	a, err := readAddress(at.Path, at.Query(), b.params...)
	if err != nil {
		return nil, err
	}
	if a.Audience == "" {
		a.Audience = release.Internal
	}
	v := &visit{
		address: a, rights: rightsOf([]role.Role{role.Analyst}), snapshot: snapshot, words: asked.Words,
		tell: figure.New(asked.Words), name: name, software: asked.Software,
	}
	s, err := b.make(ctx, v)
	if err != nil {
		return nil, err
	}
	id, err := s.pick(asked.Figure, a.Group)
	if err != nil {
		return nil, err
	}
	width := asked.Width
	if width == 0 {
		width = fileWidth
	}
	var out bytes.Buffer
	if err := v.figureAs(&out, s, id, asked.Format, width); err != nil {
		return nil, fmt.Errorf("draw %s: %w", id, err)
	}
	return out.Bytes(), nil
}

// Misuse reports whether an error of Draw is about what was asked, and not about its answer.
func Misuse(err error) bool {
	return errors.Is(err, ErrNoFigure) || statusOf(err) < http.StatusInternalServerError
}

// pick finds the id of a figure that has a picture.
func (s *sheet) pick(id, group string) (string, error) {
	var names []string
	for _, f := range s.figures {
		if f.Chart == nil {
			continue
		}
		if id == "" || f.ID == id || group != "" && f.ID == id+"-"+group {
			return f.ID, nil
		}
		names = append(names, f.ID)
	}
	if len(names) == 0 {
		return "", fmt.Errorf("%w: the page has nothing to draw for that, and says why", ErrNoFigure)
	}
	return "", fmt.Errorf("%w: %s is none of %s", ErrNoFigure, short(id), strings.Join(names, ", "))
}

// builderOf finds what makes the page of a path, and the name in it.
func (d *Dashboard) builderOf(path string) (b builder, name string, ok bool) {
	switch path {
	case OverviewPath:
		return d.overview(), "", true
	case ComparePath:
		return d.compare(), "", true
	case QualityPath:
		return d.quality(), "", true
	}
	name, ok = strings.CutPrefix(path, MeasurePath)
	return d.measure(), name, ok && name != "" && !strings.Contains(name, "/")
}
