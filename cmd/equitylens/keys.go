package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/internal/config"
)

// keySet is one of the sets of keys that the program signs with.
type keySet struct {
	name string
	// purpose is what its signatures say.
	purpose string
	open    func() (*keys.Set, error)
}

// keySets lists the sets. Each signs one thing alone, so that no signature of one can pass for one of
// another.
func (p *program) keySets(cfg *config.Config) []keySet {
	opened := func(named, name string, algorithms ...jose.SignatureAlgorithm) func() (*keys.Set, error) {
		return func() (*keys.Set, error) {
			path, err := ensureFolder(keyFile(cfg, named, name))
			if err != nil {
				return nil, err
			}
			return keys.Open(path, keys.Config{Algorithms: algorithms, Now: p.now})
		}
	}
	return []keySet{
		// Only our own validator reads these tokens; one elliptic key is enough and quick to make.
		{"tokens", "access tokens of our API", opened(cfg.Server.TokenKeys, "token.json", jose.ES384)},
		// OpenID Connect wants RS256 of every provider.
		{"identity", "id_tokens for programs", opened(cfg.Server.IDKeys, "identity.json", jose.RS256)},
		{"client", "who we are to EHRs", opened(cfg.ClientKeys, "client.json")},
	}
}

func (p *program) openKeySet(cfg *config.Config, name string) (*keys.Set, error) {
	for _, s := range p.keySets(cfg) {
		if s.name == name {
			return s.open()
		}
	}
	return nil, exitError{fmt.Errorf("%q is no set of keys; want tokens, identity or client", name), exitUsage}
}

func (p *program) keysCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "List and replace the keys that sign tokens and assertions",
		Long: `List and replace the keys that the program signs with. There are three sets: tokens (the access tokens
of our API), identity (id_tokens) and client (who we are to EHRs).

A key is replaced in two steps, so that no valid signature is ever refused:

  equitylens keys prepare tokens    a next key is made and published; it does not sign yet
  equitylens keys promote tokens    once everybody has had time to read it: it signs, the old one retires

A retired key verifies what it has signed for another hour. A running server takes up the change within
half a minute. An EHR that was given the keys of the set client as a file, and not by their address, has
to be given the new file between the two steps.`,
		Args: cobra.NoArgs,
	}
	list := &cobra.Command{
		Use: "list", Short: "List the keys of all sets", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.listKeys() },
	}
	p.jsonFlag(list)
	prepare := &cobra.Command{
		Use: "prepare SET", Short: "Make and publish the next key", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.prepareKeys(args[0]) },
	}
	promote := &cobra.Command{
		Use: "promote SET", Short: "Let the next key sign, and retire the one that signed", Args: cobra.ExactArgs(1),
	}
	force := promote.Flags().Bool("at-once", false,
		"do not wait until everybody has read the next key: for a key that was stolen")
	promote.RunE = func(_ *cobra.Command, args []string) error { return p.promoteKeys(args[0], *force) }
	drop := &cobra.Command{
		Use: "drop SET KID", Short: "Remove a key that does not sign; what it has signed is void", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			set, err := p.chosenKeys(args[0])
			if err != nil {
				return err
			}
			if err := set.Drop(args[1]); err != nil {
				return err
			}
			p.print("%s is gone\n", args[1])
			return nil
		},
	}
	for _, sub := range []*cobra.Command{list, prepare, promote, drop} {
		p.dataFlag(sub)
		c.AddCommand(sub)
	}
	return c
}

func (p *program) chosenKeys(name string) (*keys.Set, error) {
	cfg, err := p.config()
	if err != nil {
		return nil, err
	}
	return p.openKeySet(&cfg, name)
}

// listedKey is a key as `keys list --json` prints it.
type listedKey struct {
	Set string `json:"set"`
	keys.Info
}

func (p *program) listKeys() error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	var list []listedKey
	var rows [][]string
	for _, s := range p.keySets(&cfg) {
		set, err := s.open()
		if err != nil {
			return err
		}
		for _, k := range set.Keys() {
			list = append(list, listedKey{s.name, k})
			rows = append(rows, []string{s.name, s.purpose, k.Algorithm, string(k.State), dayTime(k.Since), k.ID})
		}
	}
	if p.json {
		return document(p.out, list)
	}
	return table(p.out, []string{"SET", "SIGNS", "ALGORITHM", "STATE", "SINCE", "KID"}, rows)
}

// dayTime writes a moment for people; "unknown" where there is none.
func dayTime(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

func (p *program) prepareKeys(name string) error {
	set, err := p.chosenKeys(name)
	if err != nil {
		return err
	}
	if err := set.Prepare(); err != nil {
		return err
	}
	at, _ := set.PromotableAt()
	p.print("the next key is published; promote it from %s on\n", dayTime(at.Add(time.Minute)))
	return nil
}

func (p *program) promoteKeys(name string, atOnce bool) error {
	set, err := p.chosenKeys(name)
	if err != nil {
		return err
	}
	at, ok := set.PromotableAt()
	switch {
	case !ok:
		return fmt.Errorf("the set %s has no next key; make one with: equitylens keys prepare %s", name, name)
	case at.After(p.now()) && !atOnce:
		return fmt.Errorf("the next key may not be known to everybody before %s; if the old one was stolen, "+
			"give --at-once and drop it", dayTime(at))
	}
	if err := set.Promote(); err != nil {
		return err
	}
	p.print("the next key signs; the old one verifies for another hour\n")
	return nil
}

// keyWatch is how often a running server looks whether its keys were replaced: well below the five
// minutes for which others may keep the published set.
const keyWatch = 30 * time.Second

// watchKeys takes up keys that another process has replaced, until ctx ends.
func (a *api) watchKeys(ctx context.Context, sets ...*keys.Set) error {
	tick := time.NewTicker(keyWatch)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, set := range sets {
			if err := set.Reload(); err != nil {
				a.logger.Error("keys cannot be read again; the old ones stay", slog.Any("cause", err))
			}
		}
	}
}
