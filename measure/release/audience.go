package release

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/disclose"
)

// Audience is for whom figures are.
type Audience string

// The audiences.
const (
	Internal  Audience = "internal"
	Regulator Audience = "regulator"
	Public    Audience = "public"
)

// Audiences lists them, those who see most first.
func Audiences() []Audience { return []Audience{Internal, Regulator, Public} }

// ErrNotPublic says that what was asked is not part of any release.
var ErrNotPublic = errors.New("not public")

// ErrUnknownAudience says that there is no such audience.
var ErrUnknownAudience = errors.New("unknown audience")

// Engine answers questions; measure.Engine is one.
type Engine interface {
	Definitions() []measure.Definition
	Evaluate(ctx context.Context, asked measure.Question) (measure.Result, error)
}

// Ledger keeps releases. PutIfAbsent returns the entry that stands; store/ledger is one.
type Ledger interface {
	Get(ctx context.Context, name string) (document []byte, ok bool, err error)
	PutIfAbsent(ctx context.Context, name string, document []byte) ([]byte, error)
	Names(ctx context.Context) ([]string, error)
}

// Config fixes what becomes public. Ledger and Now must be set.
type Config struct {
	Ledger Ledger
	// Granularity is the length of the periods that are released: Year if empty.
	Granularity Granularity
	// Policies are those with overlapping strata that are released besides: alone_or_in_combination,
	// spd15_2024, both or none. Each asks for more to be hidden.
	Policies []mapping.Policy
	// Measures are preferred, in this order, where two that count the same encounters or events otherwise
	// cannot both be released.
	Measures []string
	// Cross names the one cross of a release, such as race*language; empty for none.
	Cross    string
	Software string
	Now      func() time.Time
	// Disclose bounds the audit.
	Disclose disclose.Config
}

// Desk answers for an audience. It is safe for concurrent use.
type Desk struct {
	cfg Config
}

// New returns a Desk, or says what is wrong with the configuration.
func New(cfg Config) (*Desk, error) {
	if cfg.Granularity == "" {
		cfg.Granularity = Year
	}
	if err := cfg.Granularity.check(); err != nil {
		return nil, err
	}
	if cfg.Cross != "" {
		s, err := measure.ParseStratifier(cfg.Cross)
		if err != nil {
			return nil, fmt.Errorf("cross to release: %w", err)
		}
		if len(s) < 2 {
			return nil, fmt.Errorf("cross to release: %q crosses nothing", cfg.Cross)
		}
	}
	for _, p := range cfg.Policies {
		if p != mapping.PolicyAlone && p != mapping.PolicySPD15 {
			return nil, fmt.Errorf("policies to release: %q is none of %s, %s", string(p),
				mapping.PolicyAlone, mapping.PolicySPD15)
		}
	}
	if cfg.Ledger == nil || cfg.Now == nil {
		return nil, errors.New("make release desk: a ledger and a clock must be given")
	}
	return &Desk{cfg: cfg}, nil
}

// Answer evaluates a question for an audience. It fails with ErrNotPublic, which says what the public
// may ask instead, or as the engine does. Where small counts cannot be protected nothing is answered.
func (d *Desk) Answer(
	ctx context.Context, engine Engine, asked measure.Question, audience Audience,
) (measure.Result, error) {
	switch audience {
	case Public:
		return d.public(ctx, engine, asked)
	case Internal, Regulator, "":
	default:
		return measure.Result{}, fmt.Errorf("%w: %q", ErrUnknownAudience, audience)
	}
	result, err := engine.Evaluate(ctx, asked)
	if err != nil || audience != Regulator {
		return result, err
	}
	return forRegulator(result), nil
}
