package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/store/facts"
)

func (p *program) snapshotCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "snapshot",
		Short: "List, choose and remove snapshots",
		Args:  cobra.NoArgs,
	}
	list := &cobra.Command{
		Use: "list", Short: "List the snapshots, oldest first", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.listSnapshots(c) },
	}
	p.jsonFlag(list)
	use := &cobra.Command{
		Use: "use ID", Short: "Make a snapshot the live one", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := p.openData()
			if err != nil {
				return err
			}
			if err := dir.Use(args[0]); err != nil {
				return err
			}
			p.print("%s is live\n", args[0])
			return nil
		},
	}
	prune := &cobra.Command{
		Use: "prune", Short: "Remove all but the newest snapshots; never the live one", Args: cobra.NoArgs,
	}
	keep := prune.Flags().Int("keep", 0, "how `MANY` to keep (default: sync.keep_snapshots)")
	prune.RunE = func(*cobra.Command, []string) error {
		cfg, err := p.config()
		if err != nil {
			return err
		}
		dir, err := p.dir(&cfg)
		if err != nil {
			return err
		}
		if *keep < 1 {
			*keep = cfg.Sync.Keep
		}
		removed, err := dir.Prune(*keep)
		for _, id := range removed {
			p.print("removed %s\n", id)
		}
		return explainSync(err)
	}
	for _, sub := range []*cobra.Command{list, use, prune} {
		p.dataFlag(sub)
		c.AddCommand(sub)
	}
	return c
}

func (p *program) openData() (*facts.Dir, error) {
	cfg, err := p.config()
	if err != nil {
		return nil, err
	}
	return p.dir(&cfg)
}

// listed is a snapshot as `snapshot list --json` prints it.
type listed struct {
	ID       string `json:"id"`
	Live     bool   `json:"live"`
	DataAsOf string `json:"data_as_of"`
	Created  string `json:"created"`
	Complete bool   `json:"complete"`
	Holds    string `json:"holds"`
	Digest   string `json:"digest"`
}

func (p *program) listSnapshots(c *cobra.Command) error {
	dir, err := p.openData()
	if err != nil {
		return err
	}
	ids, err := dir.IDs()
	if err != nil {
		return err
	}
	live, err := dir.Current()
	if err != nil && !errors.Is(err, facts.ErrNoSnapshot) {
		return err
	}
	list := make([]listed, 0, len(ids))
	for _, id := range ids {
		snapshot, err := dir.Snapshot(c.Context(), id)
		if err != nil {
			return err
		}
		list = append(list, summarise(snapshot.Info, id == live))
		if err := snapshot.Close(); err != nil {
			return err
		}
	}
	if p.json {
		return document(p.out, list)
	}
	rows := make([][]string, 0, len(list))
	for _, s := range list {
		mark := ""
		if s.Live {
			mark = "live"
		}
		if !s.Complete {
			mark += " partial"
		}
		rows = append(rows, []string{s.ID, strings.TrimSpace(mark), s.DataAsOf, s.Holds})
	}
	return table(p.out, []string{"SNAPSHOT", "STATE", "DATA AS OF", "HOLDS"}, rows)
}

func summarise(info facts.Info, live bool) listed {
	const form = "2006-01-02T15:04:05Z07:00"
	s := listed{
		ID: info.ID, Live: live, Complete: true, Digest: info.Digest,
		DataAsOf: info.DataAsOf.Format(form), Created: info.CreatedAt.UTC().Format(form),
	}
	for _, l := range info.Loads {
		s.Complete = s.Complete && l.Complete
		if s.Holds != "" {
			s.Holds += ", "
		}
		s.Holds += fmt.Sprintf("%s from %s", l.Type, l.Source)
	}
	return s
}
