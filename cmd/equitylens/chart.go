package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/words"
)

// chartFlags are those of one picture.
type chartFlags struct {
	period, by, rate, reference, group, policy, audience string
	where                                                []string

	figure, format, lang, out string
	width                     int
}

// pictureFormats lists how a picture is written; the second is not for a terminal.
func pictureFormats() []string { return []string{"svg", "png"} }

func (p *program) chartCommand() *cobra.Command {
	var flags chartFlags
	c := &cobra.Command{
		Use:   "chart MEASURE|ADDRESS",
		Short: "Draw a picture of the dashboard, as SVG or PNG",
		Long: `Draw one picture of a measure: byte by byte the file that the dashboard offers for the same
question.

Pictures of a measure are, among others:
  groups      a dot plot by the groups of --by, with their intervals and the reference
  sites       the gap of --group at each site
  funnel      each site by its size, between the limits of chance
  time-CODE   a control chart of a group, month by month
  gap         the gap of --group over time
A picture that there is not for the question is refused with the list of those that there are.

Instead of a measure the address of a page of the dashboard may stand, as a browser shows it: what
it asks for is drawn. Flags that are given go before what is in the address.

A picture says in small print where it comes from. For --audience public it is drawn from what is
released: what is hidden there is in no byte of it.`,
		Example: `  equitylens chart interpreter-documented --period 2025 --by language > language.svg
  equitylens chart readmission-30-day --by race --figure sites --group 2054-5 --out sites.svg
  equitylens chart length-of-stay --by language --lang es --format png --width 1080 --out stay.png
  equitylens chart 'http://localhost:8080/compare?measure=length-of-stay&by=race' --figure pair > pair.svg
  equitylens chart /?by=language --figure heat > where-to-look.svg`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exitError{errors.New("name one measure, or the address of a page; equitylens measures " +
					"lists the measures"), exitUsage}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return p.chart(c.Context(), args[0], flags) },
	}
	flags.add(c)
	p.dataFlag(c)
	return c
}

// add names the flags. Those of the question are empty where the page is to choose.
func (f *chartFlags) add(c *cobra.Command) {
	to := c.Flags()
	to.StringVar(&f.period, "period", "",
		"`PERIOD` such as 2025, 2025-Q1 or 2025-03 (default: the last year that is over in the data)")
	to.StringVar(&f.by, "by", "", "`DIMENSION`: "+strings.Join(measure.Dimensions(), ", "))
	rateFlag(c, &f.rate)
	to.StringVar(&f.reference, "reference", "",
		"`REFERENCE`: best, largest, overall, or the code of a group (default: best)")
	to.StringVar(&f.group, "group", "", "`CODE` of the group that the picture is about")
	to.StringVar(&f.policy, "race-policy", "",
		"`POLICY` by which recorded races become groups: "+strings.Join(policies(), ", "))
	to.StringArrayVar(&f.where, "where", nil,
		"keep only `DIMENSION=VALUE[,VALUE]`, such as site=~missing; may be repeated")
	to.StringVar(&f.audience, "audience", string(release.Internal), "internal, regulator or public")
	to.StringVar(&f.figure, "figure", "", "`NAME` of the picture (default: the first of the page)")
	to.StringVar(&f.format, "format", pictureFormats()[0], strings.Join(pictureFormats(), " or "))
	to.StringVar(&f.lang, "lang", languageNames()[0], "`LANGUAGE` of the picture: "+
		strings.Join(languageNames(), " or "))
	to.IntVar(&f.width, "width", 0, "width in pixels of a screen (default: 720, that of the page)")
	to.StringVar(&f.out, "out", "", "write to `FILE` instead of standard output")
}

// languageNames lists the languages of pictures.
func languageNames() []string {
	var names []string
	for _, tag := range words.Languages() {
		names = append(names, tag.String())
	}
	return names
}

// address is the page that the flags ask for.
func (f *chartFlags) address(page string) (string, error) {
	at, err := url.Parse(page)
	if err != nil {
		return "", fmt.Errorf("%s is neither a measure nor an address", page)
	}
	if !strings.HasPrefix(at.Path, "/") {
		at = &url.URL{Path: dashboard.MeasurePath + page}
	}
	query := at.Query()
	for name, value := range map[string]string{
		"period": f.period, "by": f.by, "rate": f.rate, "reference": f.reference, "group": f.group,
		"policy": f.policy, "audience": f.audience,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for _, text := range f.where {
		name, values, ok := strings.Cut(text, "=")
		if !ok || name == "" || values == "" {
			return "", fmt.Errorf("--where %q is not DIMENSION=VALUE", text)
		}
		query["where."+name] = append(query["where."+name], strings.Split(values, ",")...)
	}
	return (&url.URL{Path: at.Path, RawQuery: query.Encode()}).String(), nil
}

// check finds what can be told without any data.
func (f *chartFlags) check() error {
	if !slices.Contains(pictureFormats(), f.format) {
		return fmt.Errorf("--format %q is none of %s", f.format, strings.Join(pictureFormats(), ", "))
	}
	if !slices.Contains(languageNames(), f.lang) {
		return fmt.Errorf("--lang %q is none of %s", f.lang, strings.Join(languageNames(), ", "))
	}
	if f.width < 0 {
		return fmt.Errorf("--width %d is no width", f.width)
	}
	if f.by != "" {
		if _, err := measure.ParseStratifier(f.by); err != nil {
			return fmt.Errorf("--by %s: %w", f.by, err)
		}
	}
	return nil
}

func (p *program) chart(ctx context.Context, page string, flags chartFlags) (err error) {
	if err := flags.check(); err != nil {
		return exitError{err, exitUsage}
	}
	address, err := flags.address(page)
	if err != nil {
		return exitError{err, exitUsage}
	}
	file, ok := p.out.(*os.File)
	if ok && flags.out == "" && flags.format == "png" && isatty.IsTerminal(file.Fd()) {
		return exitError{
			errors.New("--format png is not for a terminal; name a file with --out"), exitUsage,
		}
	}
	cfg, err := p.config()
	if err != nil {
		return err
	}
	engine, err := p.liveView(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	picture, err := p.draw(ctx, &cfg, engine, address, flags)
	if err != nil {
		return err
	}
	if flags.out == "" {
		_, err = p.out.Write(picture)
	} else {
		err = os.WriteFile(flags.out, picture, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	return nil
}

// draw asks the page for its picture.
func (p *program) draw(
	ctx context.Context, cfg *config.Config, engine *live.Engine, address string, flags chartFlags,
) (picture []byte, err error) {
	location, err := cfg.Location()
	if err != nil {
		return nil, err
	}
	said, err := words.New(words.Languages()[slices.Index(languageNames(), flags.lang)], location)
	if err != nil {
		return nil, err
	}
	err = engine.Hold(func(v *live.View) (err error) {
		picture, err = dashboard.Draw(ctx, v, dashboard.Picture{
			Address: address, Figure: flags.figure, Format: flags.format, Width: flags.width,
			Words: said, Software: p.version, Now: p.now,
		})
		return err
	})
	switch {
	case errors.Is(err, measure.ErrNoSnapshot):
		return nil, fmt.Errorf("%s holds no live snapshot; equitylens sync makes one", cfg.Data)
	case errors.Is(err, gap.ErrNoReference), err != nil && dashboard.Misuse(err):
		return nil, exitError{err, exitUsage}
	}
	return picture, err
}

// liveView opens what the dashboard shows: the live snapshot with the releases beside it.
func (p *program) liveView(ctx context.Context, cfg *config.Config) (*live.Engine, error) {
	list, err := definitions(cfg)
	if err != nil {
		return nil, err
	}
	dir, err := p.dir(cfg)
	if err != nil {
		return nil, err
	}
	desk, err := p.desk(cfg)
	if err != nil {
		return nil, err
	}
	return live.New(ctx, live.Config{
		Dir: dir, Definitions: list, Desk: desk, Logger: slog.New(slog.DiscardHandler),
	})
}
