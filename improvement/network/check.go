package network

import (
	"errors"
	"time"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/measure"
)

// CheckConfig is what submissions are checked against. Everything must be set.
type CheckConfig struct {
	// Definitions are the measures that may be reported, each in the version in which it is here.
	Definitions   []measure.Definition
	Questionnaire *readiness.Questionnaire
	Now           func() time.Time
}

// Checker checks submissions: at the member before they are sent, at the coordinator before they are
// kept. It is safe for concurrent use.
type Checker struct{ cfg CheckConfig }

// NewChecker returns a Checker.
func NewChecker(cfg CheckConfig) (*Checker, error) {
	if len(cfg.Definitions) == 0 || cfg.Questionnaire == nil || cfg.Now == nil {
		return nil, errors.New("make checker of submissions: definitions, a questionnaire and a clock must be given")
	}
	return &Checker{cfg: cfg}, nil
}

// definition finds a measure.
func (c *Checker) definition(id string) (*measure.Definition, bool) {
	for i := range c.cfg.Definitions {
		if c.cfg.Definitions[i].ID == id {
			return &c.cfg.Definitions[i], true
		}
	}
	return nil, false
}
