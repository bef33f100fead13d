package report

import (
	"errors"
	"strings"
	"time"
)

// DefaultCanonical is the base of the canonical URLs of the measures that ship.
const DefaultCanonical = "https://equitylens.org/fhir"

// Config says what a report names besides its figures.
type Config struct {
	// Canonical is the base of the canonical URL of a measure, without a slash at its end. It names
	// the measure, not the server, so that figures of two servers can be told to be of one measure.
	// Empty means DefaultCanonical.
	Canonical string
	// Organization is the display of the reporter, which DEQM wants. Empty means "EquityLens".
	Organization string
	// Version is that of the program, kept in every report. Empty leaves it out.
	Version string
	// Now gives the date of a report. It must be set.
	Now func() time.Time
}

// Builder makes resources. It is safe for concurrent use.
type Builder struct {
	cfg Config
}

// New returns a Builder.
func New(cfg Config) (*Builder, error) {
	if cfg.Now == nil {
		return nil, errors.New("make report builder: no clock is given")
	}
	if cfg.Canonical == "" {
		cfg.Canonical = DefaultCanonical
	}
	if cfg.Organization == "" {
		cfg.Organization = "EquityLens"
	}
	cfg.Canonical = strings.TrimRight(cfg.Canonical, "/")
	return &Builder{cfg: cfg}, nil
}

// MeasureURL is the canonical URL of a measure, without its version.
func (b *Builder) MeasureURL(id string) string { return b.cfg.Canonical + "/Measure/" + id }
