package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/jwks"
	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/dial"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/decisions"
)

// networkFlags are those of the commands of a network.
type networkFlags struct {
	period string
	reason string
	out    string
	dryRun bool
	by     []string
}

func (p *program) networkCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "network",
		Short: "Hand figures in to a network of institutions, and see them beside those of others",
		Long: `Hand figures in to a network of institutions, and see them beside those of others.

A member hands in a submission for a calendar period: figures as they are released to the public, the
levels of its self-assessment, and of each action what it should move and what came of it. No name, no
free text, nothing about a person, no count of 1 to 10. docs/network.md shows one byte for byte. The
configuration names the coordinator (network.coordinator), or the members (network.members).`,
		Args: cobra.NoArgs,
	}
	for _, sub := range []*cobra.Command{p.submitCommand(), p.showCommand(), p.verifyCommand()} {
		p.dataFlag(sub)
		c.AddCommand(sub)
	}
	return c
}

func (p *program) submitCommand() *cobra.Command {
	var flags networkFlags
	c := &cobra.Command{
		Use:   "submit --period PERIOD",
		Short: "Hand in the submission of a period, signed",
		Long: `Put together the submission of a period, check it as the coordinator will, sign it with the client
key and hand it in.

The figures are those of the public release of the period, which is made if there is none and stays as it
is from then on. What had to be left out is told on standard error. A second submission for a period
needs --reason: progress where answers or actions have changed, correction where figures were wrong.`,
		Example: `  equitylens network submit --period 2025 --dry-run
  equitylens network submit --period 2025
  equitylens network submit --period 2025 --out 2025.jws`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.submit(c.Context(), flags) },
	}
	c.Flags().StringVar(&flags.period, "period", "", "calendar `PERIOD`: 2025, 2025-Q1 or 2025-03")
	c.Flags().StringVar(&flags.reason, "reason", string(network.Initial), "`WHY`: initial, progress or correction")
	c.Flags().StringVar(&flags.out, "out", "", "write the signed submission to `FILE` and send nothing")
	c.Flags().BoolVar(&flags.dryRun, "dry-run", false, "print what would be signed and send nothing")
	_ = c.MarkFlagRequired("period")
	c.MarkFlagsMutuallyExclusive("out", "dry-run")
	p.jsonFlag(c)
	return c
}

func (p *program) showCommand() *cobra.Command {
	var flags networkFlags
	c := &cobra.Command{
		Use:   "show --period PERIOD",
		Short: "Show a period of the network: as a member from the coordinator, as the coordinator from its store",
		Long: `Show how members compare in a period. A member is shown by name to itself and to the coordinator; to
the others it has a number, another one for each of them and in each period. Nothing is pooled of fewer
than three. A figure outside the limits of 99.8 is one that chance alone gives once in 500; it says
nothing of why.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.showNetwork(c.Context(), flags) },
	}
	c.Flags().StringVar(&flags.period, "period", "", "calendar `PERIOD`: 2025, 2025-Q1 or 2025-03")
	c.Flags().StringSliceVar(&flags.by, "by", network.UsualDimensions(), "`DIMENSIONS`")
	_ = c.MarkFlagRequired("period")
	p.jsonFlag(c)
	return c
}

func (p *program) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a submission: its signature if it has one, its form, and that it tells of no few people",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			return p.verifySubmission(c.Context(), &cfg, args[0])
		},
	}
}

// submit composes, checks, signs and sends.
func (p *program) submit(ctx context.Context, flags networkFlags) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	period, err := measure.ParsePeriod(flags.period)
	if err != nil {
		return exitError{err, exitUsage}
	}
	if cfg.Network.Coordinator.URL == "" {
		return errors.New("this installation is no member of a network; see network.coordinator")
	}
	payload, withheld, err := p.composeSubmission(ctx, &cfg, period, network.Reason(flags.reason))
	if err != nil {
		return err
	}
	for _, w := range withheld {
		p.note("left out: %s: %s", w.What, w.Why)
	}
	if flags.dryRun {
		var indented bytes.Buffer
		if err := json.Indent(&indented, payload, "", "  "); err != nil {
			return fmt.Errorf("print submission: %w", err)
		}
		p.print("%s\n", indented.String())
		return nil
	}
	signed, err := p.signSubmission(&cfg, payload)
	if err != nil {
		return err
	}
	if flags.out != "" {
		const ownerOnly = 0o600
		if err := os.WriteFile(flags.out, []byte(signed), ownerOnly); err != nil {
			return fmt.Errorf("write submission: %w", err)
		}
		return nil
	}
	receipt, err := p.sendSubmission(ctx, &cfg, signed)
	if err != nil {
		return err
	}
	if p.json {
		return document(p.out, receipt)
	}
	p.print("%s is version %d of %s for %s, received %s\n", receipt.Digest[:12], receipt.Version,
		receipt.Member, receipt.Period, dayTime(receipt.At))
	return nil
}

// signSubmission signs with the key by which the coordinator knows this program.
func (p *program) signSubmission(cfg *config.Config, payload []byte) (string, error) {
	key, err := p.memberKey(cfg)
	if err != nil {
		return "", err
	}
	return network.Sign(payload, key)
}

// memberKey is our client key in the algorithm of the configuration.
func (p *program) memberKey(cfg *config.Config) (jose.JSONWebKey, error) {
	set, err := p.openKeySet(cfg, "client")
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	algorithm := jose.SignatureAlgorithm(cfg.Network.Coordinator.Algorithm)
	if algorithm == "" {
		algorithm = jose.RS384
	}
	return set.Signing(algorithm)
}

// networkChecker checks submissions by the measures and the questionnaire of this program.
func (p *program) networkChecker(cfg *config.Config) (*network.Checker, error) {
	list, err := definitions(cfg)
	if err != nil {
		return nil, err
	}
	q, err := readiness.Shipped()
	if err != nil {
		return nil, err
	}
	return network.NewChecker(network.CheckConfig{Definitions: list, Questionnaire: q, Now: p.now})
}

// networkDesk is the coordinator, or nil where the configuration names no members.
func (p *program) networkDesk(
	cfg *config.Config, store decisions.Store, logger *slog.Logger,
) (*network.Desk, error) {
	if len(cfg.Network.Members) == 0 {
		return nil, nil //nolint:nilnil // To be no coordinator is no fault.
	}
	list, err := definitions(cfg)
	if err != nil {
		return nil, err
	}
	q, err := readiness.Shipped()
	if err != nil {
		return nil, err
	}
	registered, err := p.newClientKeys(cfg)
	if err != nil {
		return nil, err
	}
	secret, err := networkSecret(cfg)
	if err != nil {
		return nil, err
	}
	settings := network.Config{
		Records: store, Definitions: list, Questionnaire: q, Keys: registered, Secret: secret,
		Now: p.now, Logger: logger,
	}
	for _, m := range cfg.Network.Members {
		settings.Members = append(settings.Members, network.Member{ID: m.ID, Name: m.Name, Client: m.Client})
	}
	return network.New(settings)
}

// networkSecret reads the key by which members are numbered, and makes it at first use.
func networkSecret(cfg *config.Config) ([]byte, error) {
	path, err := ensureFolder(keyFile(cfg, "", "network.key"))
	if err != nil {
		return nil, err
	}
	const length, ownerOnly = 32, 0o600
	secret := make([]byte, length)
	_, _ = rand.Read(secret)                                                     // It never fails: https://pkg.go.dev/crypto/rand#Read
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ownerOnly) // #nosec G304 -- ours
	switch {
	case errors.Is(err, fs.ErrExist):
		if secret, err = os.ReadFile(path); err != nil { // #nosec G304 -- ours
			return nil, fmt.Errorf("read the key of the network: %w", err)
		}
		return secret, nil
	case err != nil:
		return nil, fmt.Errorf("make the key of the network: %w", err)
	}
	_, err = file.Write(secret)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return nil, fmt.Errorf("make the key of the network: %w", err)
	}
	return secret, nil
}

// clientKeys finds the public keys of the clients of the configuration.
type clientKeys struct {
	clients   []auth.Client
	published *jwks.Source
}

func (p *program) newClientKeys(cfg *config.Config) (*clientKeys, error) {
	clients, err := oauthClients(cfg)
	if err != nil {
		return nil, err
	}
	const timeout = 5 * time.Second
	private := cfg.Server.PrivateNetworks
	return &clientKeys{clients: clients, published: jwks.New(jwks.Config{
		Now: p.now, Client: &http.Client{
			Timeout: timeout, CheckRedirect: dial.Home(0),
			Transport: dial.NewTransport(dial.Config{
				Guard:   dial.Guard{Loopback: private, Private: private},
				Connect: timeout, Header: timeout,
			}),
		},
	})}, nil
}

// Keys implements network.Keys.
func (k *clientKeys) Keys(
	ctx context.Context, client string, header jose.Header,
) (found []jose.JSONWebKey, err error) {
	for _, c := range k.clients {
		switch {
		case c.ID != client:
		case c.JWKS != nil:
			return jwks.Fitting(*c.JWKS, header), nil
		case c.JWKSURI != "":
			_, err = k.published.Try(ctx, c.JWKSURI, func(set jose.JSONWebKeySet) bool {
				found = jwks.Fitting(set, header)
				return len(found) > 0
			})
			return found, err
		}
	}
	return nil, nil
}

// ownKeys are our own public keys, for a member who looks at what it has signed.
type ownKeys struct{ key jose.JSONWebKey }

// Keys implements network.Keys.
func (k ownKeys) Keys(_ context.Context, _ string, header jose.Header) ([]jose.JSONWebKey, error) {
	return jwks.Fitting(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k.key.Public()}}, header), nil
}

// verifySubmission checks a file as the coordinator checks what comes in.
func (p *program) verifySubmission(ctx context.Context, cfg *config.Config, path string) error {
	text, err := os.ReadFile(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return fmt.Errorf("read submission: %w", err)
	}
	checker, err := p.networkChecker(cfg)
	if err != nil {
		return err
	}
	text = bytes.TrimSpace(text)
	member, signed := cfg.Network.Coordinator.Member, !bytes.HasPrefix(text, []byte("{"))
	if signed {
		if text, member, err = p.verified(ctx, cfg, text); err != nil {
			return err
		}
	}
	if member == "" {
		return errors.New("whose submission it is cannot be told without network.coordinator or a signature")
	}
	s, err := checker.Check(text, member)
	if err != nil {
		return err
	}
	p.print("%s, %s: %d reports, %d actions; the form is right and no count of 1 to 10 can be told from it",
		s.Member, s.Period, len(s.Reports), len(s.Actions))
	if signed {
		p.print("; the signature is good")
	}
	p.print("\n")
	return nil
}

// verified returns what a member has signed: one of ours where we coordinate, else ourselves.
func (p *program) verified(
	ctx context.Context, cfg *config.Config, signed []byte,
) (payload []byte, member string, err error) {
	if len(cfg.Network.Members) == 0 {
		key, err := p.memberKey(cfg)
		if err != nil {
			return nil, "", err
		}
		payload, err = network.Verify(ctx, signed, "", ownKeys{key})
		return payload, cfg.Network.Coordinator.Member, err
	}
	registered, err := p.newClientKeys(cfg)
	if err != nil {
		return nil, "", err
	}
	var faults []error
	for _, m := range cfg.Network.Members {
		if payload, err = network.Verify(ctx, signed, m.Client, registered); err == nil {
			return payload, m.ID, nil
		}
		faults = append(faults, fmt.Errorf("%s: %w", m.ID, err))
	}
	return nil, "", errors.Join(faults...)
}

// networkTable prints the figures of an overview.
func (p *program) networkTable(o network.Overview) error {
	p.print("%s: %d of %d members handed in; %d have adopted, %d have demonstrated that a gap became smaller\n\n",
		o.Period, o.HandedIn, o.Members, o.Adopted, o.Demonstrated)
	var rows [][]string
	few := 0
	for _, f := range o.Figures {
		if !f.Enough {
			few++
			continue
		}
		row := []string{f.Measure, f.Rate, strings.ReplaceAll(f.Dimension, "_", " "), f.Label,
			fmt.Sprintf("%d", f.Showing), "", "", "", ""}
		if f.Score != nil {
			row[5] = fmt.Sprintf("%.3f", *f.Score)
		}
		if f.Gap != nil && f.Gap.Difference != nil {
			row[6] = fmt.Sprintf("%+.3f to %s", f.Gap.Difference.Value, f.Gap.Label)
		}
		outside := 0
		for _, s := range f.Standings {
			if s.Own {
				row[7] = fmt.Sprintf("%.3f", s.Score)
			}
			if s.Outside == network.Below998 || s.Outside == network.Above998 {
				outside++
			}
		}
		row[8] = fmt.Sprintf("%d", outside)
		rows = append(rows, row)
	}
	header := []string{"MEASURE", "RATE", "BY", "GROUP", "MEMBERS", "POOLED", "GAP", "OWN", "OUTSIDE 99.8"}
	if err := table(p.out, header, rows); err != nil {
		return err
	}
	if few > 0 {
		p.print("\n%d figures are shown by fewer than %d members, and nothing of them is pooled.\n", few, network.Least)
	}
	return nil
}
