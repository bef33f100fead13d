package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/trail"
)

// trailKey is the key of the digests that chain the audit trail. It is made at first use.
func trailKey(cfg *config.Config) ([]byte, error) {
	path, err := ensureFolder(keyFile(cfg, cfg.Server.AuditKey, "audit.key"))
	if err != nil {
		return nil, err
	}
	key, err := cache.LoadSealKey(path, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of the audit trail: %w", err)
	}
	return key, nil
}

// openTrail opens the audit trail for writing and searching.
func (p *program) openTrail(cfg *config.Config, logger *slog.Logger) (*trail.Trail, error) {
	key, err := trailKey(cfg)
	if err != nil {
		return nil, err
	}
	return trail.Open(trail.Config{Dir: trailPath(cfg), Key: key, Now: p.now, Logger: logger})
}

// trailWatch is how often a running server says in its log where the audit trail stands, so that somebody
// who cuts off its newest events has to change another machine's log too.
const trailWatch = time.Hour

// watchTrail does so until ctx ends.
func (a *api) watchTrail(ctx context.Context) error {
	tick := time.NewTicker(trailWatch)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			head := a.trail.Head()
			a.logger.Info("the audit trail", slog.Uint64("events", head.N), slog.String("digest", head.Chain))
		}
	}
}

// trailPath is where the configuration wants the audit trail.
func trailPath(cfg *config.Config) string {
	if cfg.Server.Audit != "" {
		return cfg.Server.Audit
	}
	return filepath.Join(cfg.Data, "audit")
}

// explained is the AuditEvent of an explanation on the command line.
func (p *program) explained(e measure.Explanation, user string) ([]byte, error) {
	if user == "" {
		user = "unknown"
	}
	builder := audit.Builder{Observer: "EquityLens command line", Now: p.now}
	return builder.Command(audit.Command{
		User: user, Patients: []phi.ID{e.Patient}, Subjects: []string{e.Measure + "|" + e.Version},
		Details: []audit.Detail{{Name: "period", Value: e.Period.String()}, {Name: "snapshot", Value: e.Snapshot}},
	})
}

func (p *program) auditCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Verify the audit trail",
		Args:  cobra.NoArgs,
	}
	verify := &cobra.Command{
		Use:   "verify",
		Short: "Check that no event of the audit trail was changed, left out or put in",
		Long: `Read the whole audit trail and check the digest of every event, which covers all events before it.

What cannot show within the trail is that its newest events were cut off: compare the number and the
digest that are printed with those that the log of the server had.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			key, err := trailKey(&cfg)
			if err != nil {
				return err
			}
			report, err := trail.Verify(c.Context(), trailPath(&cfg), key)
			if errors.Is(err, trail.ErrTampered) {
				return err
			}
			if err != nil {
				return fmt.Errorf("verify the audit trail: %w", err)
			}
			p.print("the audit trail is whole: %d events in %d files, digest %s\n",
				report.Head.N, report.Files, report.Head.Chain)
			return nil
		},
	}
	p.dataFlag(verify)
	c.AddCommand(verify)
	return c
}
