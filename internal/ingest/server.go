package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/equitylens/equitylens/fhir/bulk"
	"github.com/equitylens/equitylens/fhir/client"
	"github.com/equitylens/equitylens/store/facts"
)

// Way says how a resource type is had from a server.
type Way string

// The ways. Auto asks the server's CapabilityStatement: Patient and Encounter in bulk, AdverseEvent by
// search, since few servers export it; a type that the server does not name is not available.
const (
	Auto   Way = "auto"
	Bulk   Way = "bulk"
	Search Way = "search"
)

// Server is an EHR: Bulk Data export, and paged search for what it does not export.
type Server struct {
	ID     string
	Client *client.Client
	// Types says how each type that the source gives is had.
	Types map[string]Way
	// Request is what is asked for in bulk, but for its Types and Since.
	Request bulk.Request
	// Full asks for everything, also where an increment would do.
	Full bool
	// Overlap is how far an increment reaches back before the last one; the copies that come twice
	// settle on the newest.
	Overlap time.Duration
	// PageSize is that of a search; zero leaves it to the server.
	PageSize int
	Logger   *slog.Logger
}

// Name returns the name of the source.
func (s Server) Name() string { return s.ID }

// Fetch exports in bulk and then searches.
func (s Server) Fetch(
	ctx context.Context, folder string, loaded map[string]facts.Load, progress func(Progress),
) (Delivery, error) {
	inBulk, bySearch, out, err := s.plan(ctx)
	if err != nil {
		return Delivery{}, err
	}
	if len(inBulk) > 0 {
		if err := s.export(ctx, folder, inBulk, loaded, progress, &out); err != nil {
			return Delivery{}, err
		}
	}
	for _, name := range bySearch {
		if err := s.search(ctx, filepath.Join(folder, "search"), name, progress, &out); err != nil {
			return Delivery{}, fmt.Errorf("search %s: %w", name, err)
		}
	}
	return out, nil
}

// plan settles the way of every type.
func (s Server) plan(ctx context.Context) (inBulk, bySearch []string, out Delivery, err error) {
	capability, err := s.Client.Capability(ctx)
	known := err == nil
	if err != nil && s.Logger != nil {
		s.Logger.Warn("the server gives no CapabilityStatement", slog.Any("cause", err))
	}
	for _, name := range facts.Types() {
		way, wanted := s.Types[name]
		if !wanted {
			continue
		}
		if way == Auto {
			way = s.choose(name, capability, known)
		}
		switch way {
		case Bulk:
			inBulk = append(inBulk, name)
		case Search:
			bySearch = append(bySearch, name)
		default:
			out.Skipped = append(out.Skipped, Skipped{Name: name, Reason: "the server does not offer it; not available is not none"})
		}
	}
	return inBulk, bySearch, out, nil
}

func (s Server) choose(name string, capability client.Capability, known bool) Way {
	switch {
	case known && !capability.Offers(name):
		return ""
	case name == "AdverseEvent" && known && capability.Searchable(name):
		return Search
	}
	return Bulk
}

// since is from when an increment may ask: the oldest cursor of its types, if all of them have one.
func (s Server) since(types []string, loaded map[string]facts.Load) time.Time {
	var oldest time.Time
	for _, name := range types {
		cursor := loaded[name].Cursor
		if s.Full || cursor.IsZero() {
			return time.Time{}
		}
		if oldest.IsZero() || cursor.Before(oldest) {
			oldest = cursor
		}
	}
	return oldest.Add(-s.Overlap)
}

// Abandon tells the server that an export which could not be finished is not needed any more. That it
// cannot be told is no reason not to begin another.
func (s Server) Abandon(ctx context.Context, folder string, loaded map[string]facts.Load) error {
	inBulk, _, _, err := s.plan(ctx)
	if err != nil || len(inBulk) == 0 {
		return err
	}
	exporter, err := bulk.New(s.exportConfig(folder, inBulk, loaded))
	if err != nil {
		return err
	}
	if err := exporter.Cancel(ctx); err != nil && !errors.Is(err, bulk.ErrOtherRequest) {
		return err
	}
	return nil
}

// bulkFolder is where the exports of a run folder lie.
const bulkFolder = "bulk"

func (s Server) exportConfig(folder string, types []string, loaded map[string]facts.Load) bulk.Config {
	request := s.Request
	request.Types, request.Since = types, s.since(types, loaded)
	return bulk.Config{
		Client: s.Client, Dir: filepath.Join(folder, bulkFolder), Request: request, Logger: s.Logger,
	}
}

func (s Server) export(
	ctx context.Context, folder string, types []string, loaded map[string]facts.Load,
	progress func(Progress), out *Delivery,
) error {
	config := s.exportConfig(folder, types, loaded)
	config.Progress = func(p bulk.Progress) {
		note := string(p.Phase)
		if p.Server != "" {
			note += ": " + p.Server
		}
		progress(Progress{
			Phase: "fetch", Step: stepOf(p.Phase), Note: note, Files: p.FilesDone, Total: p.FilesTotal,
		})
	}
	export, err := runExport(ctx, config)
	if err != nil {
		return err
	}
	full := config.Request.Since.IsZero()
	for _, name := range types {
		load := facts.Load{
			Source: s.ID, Type: name, Complete: true, Full: full,
			TransactionTime: export.TransactionTime, Cursor: export.Since(),
		}
		for _, p := range export.Problems {
			if export.Partial && incompleteBy(p) && (p.Type == name || p.Type == "") {
				load.Complete, load.Reason = false, p.Reason
			}
		}
		out.Loads = append(out.Loads, load)
	}
	out.Unfinished = slices.ContainsFunc(export.Problems, func(p bulk.Problem) bool {
		return p.Kind == bulk.FileFailed
	})
	for _, f := range export.Files {
		if f.Kind == bulk.Error {
			continue
		}
		out.Files = append(out.Files, File{
			Path: f.Path, Label: f.Label, Type: f.Type, Deleted: f.Kind == bulk.Deleted, Expected: f.Count,
		})
	}
	return nil
}

// stepOf names the phase of an export.
func stepOf(phase bulk.Phase) string {
	switch phase {
	case bulk.KickingOff:
		return Ordering
	case bulk.Waiting:
		return Waiting
	case bulk.Downloading, bulk.Done:
		return Downloading
	}
	return ""
}

// incompleteBy reports whether a problem means that resources are missing.
func incompleteBy(p bulk.Problem) bool {
	return p.Kind == bulk.FileFailed || p.Kind == bulk.ServerErrors
}

// runExport starts anew where the folder holds another export, and once where the server has
// forgotten this one.
func runExport(ctx context.Context, config bulk.Config) (bulk.Export, error) {
	for attempt := 0; ; attempt++ {
		exporter, err := bulk.New(config)
		if err != nil {
			return bulk.Export{}, err
		}
		export, err := exporter.Run(ctx)
		switch {
		case errors.Is(err, bulk.ErrOtherRequest) && !config.Restart:
			config.Restart = true
		case errors.Is(err, bulk.ErrExpired) && attempt == 0:
		default:
			return export, err
		}
	}
}

// search reads all of a type, page by page, into a file. It is always in full: a search tells nothing
// of what was deleted, and a withdrawn event must go.
func (s Server) search(
	ctx context.Context, folder, name string, progress func(Progress), out *Delivery,
) (err error) {
	const ownerOnly, ownerFile = 0o700, 0o600
	if err := os.MkdirAll(folder, ownerOnly); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	path := filepath.Join(folder, name+".ndjson")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, ownerFile) // #nosec G304 -- of the run
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	var lines int64
	totals, err := s.Client.Search(ctx, client.Query{Type: name, Count: s.PageSize},
		func(_ context.Context, page client.Page) error {
			for _, entry := range page.Entries {
				if _, err := f.Write(append(entry, '\n')); err != nil {
					return fmt.Errorf("write page: %w", err)
				}
			}
			lines += int64(len(page.Entries))
			progress(Progress{Phase: "fetch", Step: Searching, Note: "search " + name, Files: page.Number, Lines: lines})
			return nil
		})
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	load := facts.Load{Source: s.ID, Type: name, Complete: true, Full: true, TransactionTime: totals.Started}
	for i, n := range totals.Issues {
		if i.Failed() {
			load.Complete, load.Reason = false, fmt.Sprintf("the search reported %s, %d times", i, n)
		}
	}
	out.Loads = append(out.Loads, load)
	out.Files = append(out.Files, File{Path: path, Label: "search-" + name, Type: name, Expected: &lines})
	return nil
}

// AllAuto is every type, had by whatever way the server offers.
func AllAuto() map[string]Way {
	ways := map[string]Way{}
	for _, name := range facts.Types() {
		ways[name] = Auto
	}
	return ways
}

// Ways lists what a configuration may say.
func Ways() []Way { return slices.Clone([]Way{Auto, Bulk, Search}) }
