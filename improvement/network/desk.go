package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/decisions"
)

var (
	// ErrNoMember: the caller's program belongs to no member of the network.
	ErrNoMember = errors.New("the program belongs to no member of the network")
	// ErrStale: another submission for the same period came in at the same time.
	ErrStale = errors.New("another submission for this period came in meanwhile")
	// ErrUnknown: what was asked about is not a figure of the network.
	ErrUnknown = errors.New("no such figure of the network")
)

// Member is one institution.
type Member struct {
	// ID is a FHIR id, Name what the coordinator calls it, Client the program that hands in.
	ID     string
	Name   string
	Client string
}

// Records is where submissions are kept: a decisions.Store.
type Records interface {
	Get(ctx context.Context, kind decisions.Kind, id string) (decisions.Document, error)
	History(ctx context.Context, kind decisions.Kind, id string) ([]decisions.Document, error)
	Find(ctx context.Context, q decisions.Query) ([]decisions.Document, error)
	Write(ctx context.Context, changes ...decisions.Change) ([]decisions.Document, error)
}

// Config is what a Desk needs. Everything must be set.
type Config struct {
	Records Records
	Members []Member
	// Definitions are the measures that members are compared by.
	Definitions   []measure.Definition
	Questionnaire *readiness.Questionnaire
	Keys          Keys
	// Secret makes the order in which a member sees the others; 32 random bytes that outlive the
	// process.
	Secret []byte
	Now    func() time.Time
	Logger *slog.Logger
}

// Desk is the coordinator of a network. It is safe for concurrent use.
type Desk struct {
	cfg     Config
	checker *Checker
	// taking keeps two submissions of one member for periods that overlap apart.
	taking sync.Mutex
}

// minSecret is the least number of bytes of Config.Secret.
const minSecret = 32

// New returns a Desk.
func New(cfg Config) (*Desk, error) {
	if cfg.Records == nil || cfg.Keys == nil || cfg.Now == nil || cfg.Logger == nil {
		return nil, errors.New("make network desk: records, keys, a clock and a logger must be given")
	}
	if len(cfg.Secret) < minSecret {
		return nil, fmt.Errorf("make network desk: the secret has fewer than %d bytes", minSecret)
	}
	checker, err := NewChecker(CheckConfig{
		Definitions: cfg.Definitions, Questionnaire: cfg.Questionnaire, Now: cfg.Now,
	})
	if err != nil {
		return nil, err
	}
	return &Desk{cfg: cfg, checker: checker}, nil
}

// Receipt says what became of a submission.
type Receipt struct {
	// ID and Version are of the document that holds it.
	ID      string    `json:"id"`
	Version int       `json:"version"`
	Member  string    `json:"member"`
	Period  string    `json:"period"`
	At      time.Time `json:"received"`
	// Digest is the SHA-256 of the bytes that were signed.
	Digest string `json:"digest"`
	// New is false where the same bytes had been accepted before, and nothing was written.
	New bool `json:"new"`
}

// memberOf finds the member whose program a client is.
func (d *Desk) memberOf(client string) (Member, error) {
	i := slices.IndexFunc(d.cfg.Members, func(m Member) bool { return m.Client == client })
	if client == "" || i < 0 {
		return Member{}, ErrNoMember
	}
	return d.cfg.Members[i], nil
}
