package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/trail"
)

func (p *program) serveCommand() *cobra.Command {
	listen := ""
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the FHIR API, and sync on the schedule of the configuration",
		Long: `Serve the FHIR API of the live snapshot until the process is told to end.

A new snapshot, made by this process on its schedule or by another, is taken up without dropping a
request. Without a snapshot the server runs and says on /readyz that it has no data.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			if listen != "" {
				cfg.Server.Listen = listen
				if err := cfg.Validate(); err != nil {
					return err
				}
			}
			return p.serve(c.Context(), &cfg)
		},
	}
	c.Flags().StringVar(&listen, "listen", "", "`ADDRESS` to listen on (default: that of the configuration, else 127.0.0.1:8080)")
	p.dataFlag(c)
	return c
}

// serve checks what check checks, then listens.
func (p *program) serve(ctx context.Context, cfg *config.Config) error {
	list, err := check(ctx, cfg)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", cfg.Server.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	api, err := p.newAPI(ctx, cfg, list, listener.Addr().String(), 0)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if len(cfg.Server.Clients) == 0 {
		api.logger.Warn("no client is configured, so nobody can get a token; see server.clients")
	}
	return api.run(ctx, listener)
}

// api is the running program: the server, what it serves, and the nightly run.
type api struct {
	program  *program
	cfg      *config.Config
	logger   *slog.Logger
	live     *live.Engine
	server   *server.Server
	locker   cache.Locker
	night    *night
	registry *prometheus.Registry
	trail    *trail.Trail
	// improving is what people decide.
	improving *improving
	// board is nil where nobody signs in.
	board *dashboard.Dashboard
	// sets are the keys that may be replaced while the program runs.
	sets     []*keys.Set
	closers  []io.Closer
	url      string
	tokenURL string
}

// newAPI builds everything from the leaves up. address is where it listens.
func (p *program) newAPI(
	ctx context.Context, cfg *config.Config, list []measure.Definition, address string, tokenLife time.Duration,
) (a *api, err error) {
	a = &api{program: p, cfg: cfg, logger: p.logger(cfg), url: publicURL(cfg, address), registry: prometheus.NewRegistry()}
	a.tokenURL = a.url + "/oauth/token"
	dir, err := p.dir(cfg)
	if err != nil {
		return nil, err
	}
	desk, err := p.desk(cfg)
	if err != nil {
		return nil, err
	}
	a.live, err = live.New(ctx, live.Config{Dir: dir, Definitions: list, Desk: desk, Logger: a.logger})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, a.live)
	opened := a
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.close())
		}
	}()
	store, err := a.cache(ctx)
	if err != nil {
		return nil, err
	}
	a.locker = cache.Locker{Store: store, Now: p.now}
	a.night = &night{api: a}
	trail, err := p.openTrail(cfg, a.logger)
	if err != nil {
		return nil, err
	}
	a.closers, a.trail = append(a.closers, trail), trail
	if err := a.improve(ctx, list); err != nil {
		return nil, err
	}
	a.server, err = a.serverOf(store, trail, tokenLife)
	return a, err
}

// serverOf joins the authorization server, what receives people, and what answers.
func (a *api) serverOf(
	store cache.Store, trail *trail.Trail, tokenLife time.Duration,
) (*server.Server, error) {
	p, cfg := a.program, a.cfg
	tokens, err := p.openKeySet(cfg, "tokens")
	if err != nil {
		return nil, err
	}
	ours, err := p.openKeySet(cfg, "client")
	if err != nil {
		return nil, err
	}
	door, err := a.receive(store, ours, trail)
	if err != nil {
		return nil, err
	}
	a.board = door.board
	a.sets = append(a.sets, tokens, ours)
	published := []*keys.Set{ours}
	if door.idKeys != nil {
		a.sets, published = append(a.sets, door.idKeys), append(published, door.idKeys)
	}
	clients, err := oauthClients(cfg)
	if err != nil {
		return nil, err
	}
	settings := auth.Config{
		Issuer: a.url, TokenURL: a.tokenURL, Audience: a.url + "/fhir", Clients: clients, Keys: tokens,
		Store: store, TokenLifetime: tokenLife, AllowPrivateNetworks: cfg.Server.PrivateNetworks,
		Now: p.now, Logger: a.logger,
	}
	door.hospitality(&settings)
	oauth, err := auth.New(settings)
	if err != nil {
		return nil, err
	}
	people, err := loadGroups(cfg.Groups)
	if err != nil {
		return nil, err
	}
	resources, err := a.resources()
	if err != nil {
		return nil, err
	}
	return server.New(server.Config{
		Measures: a.live, Snapshots: a.live, Members: a.live, Releases: a.live, Patients: a.live,
		Reports: a.live, Importer: a.live, Groups: people, Auditor: trail, Trail: trail, Jobs: jobs{store},
		Syncer: a.night, Ender: door, Pages: door.pages(), CDS: door.cds(),
		Resources:  resources,
		Authorizer: server.Bearer(oauth.Validator()), OAuth: endpoints(oauth, published, door.signsIn()),
		BaseURL: a.url + "/fhir", Organization: cfg.Server.Organization, Version: p.version,
		Registry: a.registry, Logger: a.logger, Now: p.now,
		StaleAfter: cfg.Server.StaleAfter.Duration, Origins: cfg.Server.Origins,
		Limits: server.Limits{
			Address: cfg.Server.RateLimits.Address, Client: cfg.Server.RateLimits.Client,
		},
		BehindProxy: cfg.Server.BehindProxy,
	})
}

// endpoints are those of the authorization server; those for people only where people sign in.
func endpoints(oauth *auth.Server, published []*keys.Set, people bool) server.OAuth {
	scopes := server.Scopes()
	o := server.OAuth{
		Token: oauth.Token(), Keys: oauth.JWKS(published...), SMART: oauth.SMARTConfiguration(scopes...),
		Introspect: oauth.Introspect(), Revoke: oauth.Revoke(), Metadata: oauth.Metadata(scopes...),
	}
	if people {
		o.Authorize, o.PAR = oauth.Authorize(), oauth.PushedAuthorization()
		o.OpenID = oauth.OpenIDConfiguration(scopes...)
	}
	return o
}

// jobs keeps the state of requests that are answered later in the sealed store.
type jobs struct{ cache.Store }

// Load is Get, without its error where there is nothing.
func (j jobs) Load(ctx context.Context, key string) (value []byte, found bool, err error) {
	entry, err := j.Get(ctx, key)
	if errors.Is(err, cache.ErrNotFound) {
		return nil, false, nil
	}
	return entry.Value, err == nil, err
}

func publicURL(cfg *config.Config, address string) string {
	switch {
	case cfg.Server.PublicURL != "":
		return strings.TrimSuffix(cfg.Server.PublicURL, "/")
	case cfg.Server.TLS.CertFile != "":
		return "https://" + address
	}
	return "http://" + address
}

// cache is memory, or Redis where it is configured; sealed either way.
func (a *api) cache(ctx context.Context) (cache.Store, error) {
	path, err := ensureFolder(keyFile(a.cfg, a.cfg.Cache.KeyFile, "cache.key"))
	if err != nil {
		return nil, err
	}
	key, err := cache.LoadSealKey(path, rand.Reader)
	if err != nil {
		return nil, err
	}
	ring, err := cache.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	var home cache.Store = cache.NewMemory(cache.MemoryConfig{Now: a.program.now})
	if redis := a.cfg.Cache.Redis; len(redis.Addresses) > 0 {
		settings := cache.RedisConfig{
			Addrs: redis.Addresses, Master: redis.Master, Cluster: redis.Cluster, Username: redis.Username,
			DB: redis.Database, Logger: a.logger,
		}
		if redis.PasswordFile != "" {
			password, err := os.ReadFile(redis.PasswordFile)
			if err != nil {
				return nil, fmt.Errorf("cache.redis.password_file: %w", err)
			}
			settings.Password = strings.TrimSpace(string(password))
		}
		if redis.TLS {
			settings.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		remote, err := cache.NewRedis(ctx, settings)
		if err != nil {
			return nil, err
		}
		a.closers = append(a.closers, remote)
		home = remote
	}
	rejected := func() { a.logger.Error("a value of the cache was not ours; it was passed over") }
	return cache.Seal(home, cache.SealConfig{Keys: ring, Rejected: rejected})
}

// run serves, watches and syncs until ctx ends.
func (a *api) run(ctx context.Context, listener net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return a.server.Run(ctx, server.RunConfig{
			Listener: listener, CertFile: a.cfg.Server.TLS.CertFile, KeyFile: a.cfg.Server.TLS.KeyFile,
		})
	})
	group.Go(func() error { return a.live.Run(ctx) })
	group.Go(func() error { return a.watchKeys(ctx, a.sets...) })
	group.Go(func() error { return a.watchTrail(ctx) })
	if a.board != nil {
		group.Go(func() error { return a.warm(ctx) })
	}
	a.night.live(ctx)
	if a.cfg.Sync.Schedule != "" {
		group.Go(func() error { return a.night.schedule(ctx) })
	}
	a.logger.Info("listening", slog.String("address", listener.Addr().String()), slog.String("url", a.url))
	err := group.Wait()
	a.night.wait()
	return errors.Join(err, a.close())
}

// warm makes the first page of the dashboard ready whenever another snapshot is served.
func (a *api) warm(ctx context.Context) error {
	const often = time.Second
	tick := time.NewTicker(often)
	defer tick.Stop()
	for last := ""; ; {
		if now, ok := a.live.Current(); ok && now.ID != last {
			last = now.ID
			if err := a.board.Warm(ctx); err != nil && ctx.Err() == nil {
				a.logger.Warn("the first page was not made ready", slog.Any("cause", err))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// close lets go of what was opened, the last first.
func (a *api) close() error {
	var faults []error
	for _, c := range slices.Backward(a.closers) {
		faults = append(faults, c.Close())
	}
	return errors.Join(faults...)
}

// oauthClients reads the clients of the configuration.
func oauthClients(cfg *config.Config) ([]auth.Client, error) {
	var clients []auth.Client
	for _, c := range cfg.Server.Clients {
		client := auth.Client{
			ID: c.ID, Name: c.Name, Public: c.Public, JWKSURI: c.JWKSURI, RedirectURIs: c.RedirectURIs,
			Scopes: c.Scopes, Trusted: c.Trusted,
		}
		if c.JWKSFile != "" {
			text, err := os.ReadFile(c.JWKSFile)
			if err != nil {
				return nil, fmt.Errorf("client %s: %w", c.ID, err)
			}
			if client.JWKS, err = parseJWKS(text); err != nil {
				return nil, fmt.Errorf("client %s: %s: %w", c.ID, c.JWKSFile, err)
			}
		}
		clients = append(clients, client)
	}
	return clients, nil
}
