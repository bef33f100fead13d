package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/store/decisions"
)

// decisionsFile is the name of the store in the data directory.
const decisionsFile = "decisions.db"

// decisions opens the store of what people decide: the PostgreSQL that the configuration names, else a
// file in the data directory.
func (p *program) decisions(ctx context.Context, cfg *config.Config) (decisions.Store, error) {
	return p.openDecisions(ctx, cfg, false)
}

// openDecisions opens it, or only an existing one, as it stands.
func (p *program) openDecisions(
	ctx context.Context, cfg *config.Config, existing bool,
) (*decisions.Database, error) {
	where, err := p.decisionsConfig(cfg)
	if err != nil {
		return nil, err
	}
	where.Existing = existing
	store, err := decisions.Open(ctx, where)
	if existing && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; equitylens decisions forward makes the store", err)
	}
	if errors.Is(err, decisions.ErrSchema) {
		return nil, fmt.Errorf("%w; use that program, or its \"equitylens decisions back\"", err)
	}
	return store, err
}

// decisionsConfig says where the store is. The URL of a PostgreSQL comes from a file, since it may hold a
// password.
func (p *program) decisionsConfig(cfg *config.Config) (decisions.Config, error) {
	url, err := decisionsURL(cfg)
	if err != nil {
		return decisions.Config{}, err
	}
	return decisions.Config{Path: filepath.Join(cfg.Data, decisionsFile), URL: url, Now: p.now}, nil
}

// decisionsURL reads the URL of the PostgreSQL that the configuration names; "" where it names none.
func decisionsURL(cfg *config.Config) (string, error) {
	name := cfg.Decisions.PostgresURLFile
	if name == "" {
		return "", nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("decisions.postgres_url_file: %w", err)
	}
	url := strings.TrimSpace(string(text))
	if url == "" {
		return "", fmt.Errorf("decisions.postgres_url_file: %s is empty", name)
	}
	return url, nil
}

func (p *program) decisionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "decisions",
		Short: "Back up, restore and look at what people decide",
		Long: `Reviews, actions, conditions, assessments, submissions and harm events from outside the EHR cannot
be rebuilt from anything, so every version of them is kept, in an SQLite file in the data directory or in
the PostgreSQL that decisions.postgres_url_file names.

Back them up every day. A copy of the file while the program runs is not a backup; this is:

  equitylens decisions backup decisions-2026-03-01.ndjson`,
		Args: cobra.NoArgs,
	}
	for _, sub := range []*cobra.Command{
		p.decisionsBackup(), p.decisionsRestore(), p.decisionsStatus(), p.decisionsHistory(),
		p.decisionsForward(), p.decisionsBack(),
	} {
		p.dataFlag(sub)
		c.AddCommand(sub)
	}
	return c
}

// withDecisions opens the store as it stands, so that looking at it changes nothing.
func (p *program) withDecisions(c *cobra.Command, use func(*config.Config, *decisions.Database) error) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	store, err := p.openDecisions(c.Context(), &cfg, true)
	if err != nil {
		return err
	}
	return errors.Join(use(&cfg, store), store.Close())
}

func (p *program) decisionsBackup() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write every version of every decision into a new file",
		Long: `Write one state of the store into a new file while others go on working. The file is lines of JSON
and ends with a digest; "equitylens decisions restore" puts it into an empty store, of SQLite or of
PostgreSQL. It holds free text of reviews, which may name patients: keep it as you keep the record.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.withDecisions(c, func(_ *config.Config, store *decisions.Database) error {
				archive, err := store.Backup(c.Context(), args[0])
				if err != nil {
					return err
				}
				p.print("%s holds %d decisions with %d versions, sha256 %s\n",
					args[0], archive.Documents, archive.Versions, archive.Digest)
				return nil
			})
		},
	}
}

func (p *program) decisionsRestore() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup into an empty store",
		Long: `Put every version of a backup into an empty store. The file is verified before anything is written,
and what was written is read back before it counts; a file that was cut short or altered is refused.

Stop the server first. To restore over decisions, move decisions.db (with decisions.db-wal and
decisions.db-shm) out of the data directory, or make a new database in PostgreSQL.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			store, err := p.openDecisions(c.Context(), &cfg, false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			archive, err := store.Restore(c.Context(), args[0])
			if err != nil {
				return err
			}
			p.print("restored %d decisions with %d versions, as they were at %s\n",
				archive.Documents, archive.Versions, archive.At.Format(time.RFC3339))
			return nil
		},
	}
}

// counted is what `decisions status --json` prints.
type counted struct {
	Backend string        `json:"backend"`
	Schema  int           `json:"schema"`
	Newest  int           `json:"schema_of_program"`
	Kinds   []countedKind `json:"kinds"`
}

type countedKind struct {
	Kind      decisions.Kind `json:"kind"`
	Documents int            `json:"documents"`
	Versions  int            `json:"versions"`
	Last      string         `json:"last"`
}

func (p *program) decisionsStatus() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Say where the store is, of which schema, and how much is in it",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withDecisions(c, func(_ *config.Config, store *decisions.Database) error {
				status, err := store.Status(c.Context())
				if err != nil {
					return err
				}
				return p.printStatus(status)
			})
		},
	}
	p.jsonFlag(c)
	return c
}

func (p *program) printStatus(status decisions.Status) error {
	all := counted{
		Backend: status.Backend, Schema: status.Schema, Newest: status.Newest, Kinds: []countedKind{},
	}
	var rows [][]string
	for _, k := range status.Kinds {
		last := k.Last.Format(time.RFC3339)
		all.Kinds = append(all.Kinds, countedKind{k.Kind, k.Documents, k.Versions, last})
		rows = append(rows, []string{string(k.Kind), strconv.Itoa(k.Documents), strconv.Itoa(k.Versions), last})
	}
	if p.json {
		return document(p.out, all)
	}
	p.print("%s, schema %d", all.Backend, all.Schema)
	if all.Schema < all.Newest {
		p.print("; forward or serve brings it to %d", all.Newest)
	}
	p.print("\n")
	return table(p.out, []string{"KIND", "DECISIONS", "VERSIONS", "NEWEST"}, rows)
}

// versionOf is a version as `decisions history --json` prints it.
type versionOf struct {
	Version int               `json:"version"`
	At      string            `json:"at"`
	By      string            `json:"by"`
	Terms   map[string]string `json:"terms"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

func (p *program) decisionsHistory() *cobra.Command {
	var bodies bool
	c := &cobra.Command{
		Use:   "history KIND ID",
		Short: "List the versions of one decision: when, and by whom",
		Long: `List the versions of one decision, the oldest first: when it was written, and by whom, under the
pseudonym of the audit trail. KIND is ` + kindNames() + `.

With --bodies also what was written, which may hold free text that names patients. That is noted in the
audit trail.`,
		Example: "  equitylens decisions history review 3f6c0a\n" +
			"  equitylens decisions history action a-1 --bodies --json",
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			kind, id := decisions.Kind(args[0]), args[1]
			if !slices.Contains(decisions.Kinds(), kind) {
				return fmt.Errorf("there is no kind %q; the kinds are %s", args[0], kindNames())
			}
			return p.withDecisions(c, func(cfg *config.Config, store *decisions.Database) error {
				history, err := store.History(c.Context(), kind, id)
				if err != nil {
					return err
				}
				if bodies {
					if err := p.noteHistory(cfg, kind, id); err != nil {
						return err
					}
				}
				return p.printHistory(history, bodies)
			})
		},
	}
	c.Flags().BoolVar(&bodies, "bodies", false, "print what was written, too")
	p.jsonFlag(c)
	return c
}

func kindNames() string {
	names := make([]string, 0, len(decisions.Kinds()))
	for _, kind := range decisions.Kinds() {
		names = append(names, string(kind))
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func (p *program) printHistory(history []decisions.Document, bodies bool) error {
	list := make([]versionOf, 0, len(history))
	rows := make([][]string, 0, len(history))
	for _, d := range history {
		v := versionOf{Version: d.Version, At: d.At.Format(time.RFC3339Nano), By: d.By, Terms: d.Terms}
		row := []string{strconv.Itoa(d.Version), v.At, d.By}
		if bodies {
			v.Body = d.Body
			row = append(row, strings.Join(strings.Fields(string(d.Body)), " "))
		}
		list, rows = append(list, v), append(rows, row)
	}
	if p.json {
		return document(p.out, list)
	}
	header := []string{"VERSION", "AT", "BY"}
	if bodies {
		header = append(header, "BODY")
	}
	return table(p.out, header, rows)
}

// noteHistory adds an event to the audit trail: that the words of a decision were read, by which user of
// this machine.
func (p *program) noteHistory(cfg *config.Config, kind decisions.Kind, id string) error {
	trail, err := p.openTrail(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	builder := audit.Builder{Observer: "EquityLens command line", Now: p.now}
	event, err := builder.Command(audit.Command{
		User:    os.Getenv("USER"),
		Details: []audit.Detail{{Name: "decision", Value: string(kind) + " " + id}},
	})
	if err == nil {
		err = trail.Audit(context.Background(), event)
	}
	return errors.Join(err, trail.Close())
}

func (p *program) decisionsForward() *cobra.Command {
	return &cobra.Command{
		Use:   "forward",
		Short: "Make the store, or bring it to the schema of this program",
		Long: `Take the steps of the schema that are missing. A server does so by itself when it starts, unless it
runs as a role of PostgreSQL that may not: then this is for the role that may.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			store, err := p.openDecisions(c.Context(), &cfg, false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			status, err := store.Status(c.Context())
			if err != nil {
				return err
			}
			p.print("%s, schema %d\n", status.Backend, status.Schema)
			return nil
		},
	}
}

func (p *program) decisionsBack() *cobra.Command {
	return &cobra.Command{
		Use:   "back",
		Short: "Take the newest step of the schema back, for the program of before",
		Long: `Take one step of the schema back, so that the program of before can open the store again. Every
version stays. Stop all servers first, and start the older program afterwards: this one would take the
step again as soon as it opens the store.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			where, err := p.decisionsConfig(&cfg)
			if err != nil {
				return err
			}
			from, to, err := decisions.Back(c.Context(), where)
			if err != nil {
				return err
			}
			p.print("the schema is %d, it was %d\n", to, from)
			return nil
		},
	}
}
