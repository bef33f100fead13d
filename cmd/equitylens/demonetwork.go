package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/decisions"
)

// demoMember is one institution of the demonstration.
type demoMember struct {
	id, name string
	patients int
	seed     uint64
	// improves says from when on, and to which share, interpreters are documented for those who speak
	// none of the larger languages.
	improves population.Improvement
	// level is what its people answer of themselves; none are left out by a negative one.
	level readiness.Level
	// acts says that it has an action for them since the first day of 2025.
	acts bool
}

// demoMembers differ in size, in their people, in how large their gap is, and in what they did.
func demoMembers() []demoMember {
	day := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
	from := func(year int, share float64) population.Improvement {
		return population.Improvement{From: day(year), Share: share}
	}
	return []demoMember{
		{id: "river-valley", name: "River Valley Medical Center", patients: 6400, seed: 101, improves: from(2025, 0.66), level: 2, acts: true},
		{id: "north-shore", name: "North Shore Health", patients: 4200, seed: 102, level: 2, acts: true},
		{id: "high-plains", name: "High Plains Regional", patients: 2600, seed: 103, level: 1},
		{id: "harbor", name: "Harbor University Hospital", patients: 5800, seed: 104, improves: from(2025, 0.70), level: 3, acts: true},
		{id: "st-brigid", name: "St. Brigid Hospital", patients: 3400, seed: 105, improves: from(2024, 0.18), level: 0},
		{id: "lakeside", name: "Lakeside Community Care", patients: 2200, seed: 106, level: -1},
		{id: "canyon", name: "Canyon Health System", patients: 5000, seed: 107, improves: from(2024, 0.60), level: 2},
		{id: "old-mill", name: "Old Mill Clinic and Hospital", patients: 3000, seed: 108, level: 2, acts: true},
	}
}

// demoNetworkFlags are those of the demonstration.
type demoNetworkFlags struct {
	listen  string
	once    bool
	refusal bool
	scale   float64
}

func (p *program) demoNetworkCommand() *cobra.Command {
	var flags demoNetworkFlags
	c := &cobra.Command{
		Use:   "demo-network",
		Short: "Let eight made-up institutions hand in to a coordinator, and show how they compare",
		Long: `Make eight institutions with different people, each with its own data directory and its own key; sync
each from a fake EHR, let each answer the self-assessment and act on a gap, and hand in to a coordinator on
this machine, over HTTP and with tokens. Then the coordinator serves. Nothing leaves this machine.

A directory that holds the demonstration already is served as it is.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.demoNetwork(c.Context(), flags) },
	}
	c.Flags().StringVar(&flags.listen, "listen", "127.0.0.1:8081", "`ADDRESS` of the coordinator; port 0 takes a free one")
	c.Flags().BoolVar(&flags.once, "once", false, "end after the figures instead of serving")
	c.Flags().BoolVar(&flags.refusal, "show-refusal", false, "show how submissions are refused that were tampered with")
	c.Flags().Float64Var(&flags.scale, "scale", 1, "`FACTOR` of how many people each institution has")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

const demoNetworkData = "./equitylens-network"

func (p *program) demoNetwork(ctx context.Context, flags demoNetworkFlags) (err error) {
	if flags.scale <= 0 {
		return exitError{fmt.Errorf("--scale %g is not above 0", flags.scale), exitUsage}
	}
	root := p.data
	if root == "" {
		root = demoNetworkData
	}
	cfg := demoCoordinatorConfig(root)
	w, err := p.demoDoor(ctx, &cfg, flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	listener := w.listener
	at := "http://" + listener.Addr().String()
	cfg.Server.PublicURL = at
	members := demoMembers()
	cfgs := make([]config.Config, len(members))
	for i, m := range members {
		cfgs[i] = demoMemberConfig(root, at, m)
	}
	_, err = os.Stat(filepath.Join(cfg.Data, "decisions.db"))
	made := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for i, m := range members {
		if err := p.joinDemoNetwork(ctx, &cfg, &cfgs[i], m, flags, made); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	c, err := p.startCoordinator(ctx, &cfg, listener)
	if err != nil {
		return err
	}
	err = p.fillDemoNetwork(ctx, cfgs, flags, made)
	if err == nil {
		err = p.printDemoNetwork(ctx, c.desk, at, root)
	}
	if err == nil && !flags.once {
		p.print("\n  %s/network\n      the page of it: choose Wen Adeyemi, a quality analyst, and you are signed in\n", at)
	}
	if err != nil || flags.once {
		return errors.Join(err, c.end())
	}
	return <-c.done
}

func demoMemberConfig(root, at string, m demoMember) config.Config {
	cfg := config.Default()
	cfg.Data = filepath.Join(root, "members", m.id)
	cfg.Log = config.Log{Level: "error", Format: "text"}
	// Members agree on what they release, where two measures cannot both be.
	cfg.Disclosure.Measures = []string{"interpreter-documented"}
	cfg.Network.Coordinator = config.Coordinator{
		URL: at, Member: m.id, ClientID: "program-of-" + m.id, Algorithm: "ES384", Loopback: true,
	}
	return cfg
}

// demoDoor takes the address at which the coordinator answers and, where it goes on serving, starts a fake
// EHR at which its people sign in. It has patients, as every EHR has; no figure is of them.
func (p *program) demoDoor(
	ctx context.Context, cfg *config.Config, flags demoNetworkFlags,
) (*ward, error) {
	if flags.once {
		var lc net.ListenConfig
		listener, err := lc.Listen(ctx, "tcp", flags.listen)
		if err != nil {
			return nil, fmt.Errorf("listen: %w; give another address with --listen, such as 127.0.0.1:0", err)
		}
		return &ward{listener: listener}, nil
	}
	const patients = 20
	people := population.New(population.Config{Patients: patients, Seed: 1})
	w, err := p.demoWard(ctx, cfg, people, demoFlags{listen: flags.listen})
	if err != nil {
		return nil, err
	}
	w.register(cfg)
	return w, nil
}

func demoCoordinatorConfig(root string) config.Config {
	cfg := config.Default()
	cfg.Data = filepath.Join(root, "coordinator")
	cfg.Log = config.Log{Level: "warn", Format: "text"}
	cfg.Server.StaleAfter.Duration = demoAge
	return cfg
}

// joinDemoNetwork makes an institution, unless it was made before, and registers it.
func (p *program) joinDemoNetwork(
	ctx context.Context, coordinator, cfg *config.Config, m demoMember, flags demoNetworkFlags, made bool,
) error {
	set, err := p.openKeySet(cfg, "client")
	if err != nil {
		return err
	}
	path, err := ensureFolder(keyFile(coordinator, "", "member-"+m.id+".jwks"))
	if err != nil {
		return err
	}
	if err := writeJWKS(path, set.Public()); err != nil {
		return err
	}
	program := cfg.Network.Coordinator.ClientID
	coordinator.Server.Clients = append(coordinator.Server.Clients, config.Client{
		ID: program, JWKSFile: path, Scopes: []string{scope.Submit},
	})
	coordinator.Network.Members = append(coordinator.Network.Members, config.Member{
		ID: m.id, Name: m.name, Client: program,
	})
	if made {
		return nil
	}
	people := population.New(population.Config{
		Patients: max(int(float64(m.patients)*flags.scale), 1), Seed: m.seed, Improves: m.improves,
	})
	ward, err := p.demoWard(ctx, cfg, people, demoFlags{once: true})
	if err != nil {
		return err
	}
	err = demoSource(cfg, ward.base)
	if err == nil {
		_, err = p.demoSync(ctx, cfg)
	}
	if err := errors.Join(err, ward.close()); err != nil {
		return err
	}
	return p.demoDecide(ctx, cfg, m)
}

// demoPerson is who decides in the demonstration.
func demoPerson() review.Reviewer { return review.Reviewer{Subject: "demo-quality-lead"} }

// demoDecide answers the self-assessment and begins an action, as people do.
func (p *program) demoDecide(ctx context.Context, cfg *config.Config, m demoMember) (err error) {
	engine, err := p.engine(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Snapshot().Close()) }()
	store, err := p.decisions(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if m.level >= readiness.NotBegun {
		if err := p.demoAssess(ctx, store, engine, m); err != nil {
			return err
		}
	}
	if !m.acts {
		return nil
	}
	return p.demoAct(ctx, store, engine, "2025-01-01")
}

func (p *program) demoAssess(
	ctx context.Context, store decisions.Store, engine *measure.Engine, m demoMember,
) error {
	q, err := readiness.Shipped()
	if err != nil {
		return err
	}
	register, err := readiness.New(readiness.Config{Records: store, Questionnaire: q, Now: p.now})
	if err != nil {
		return err
	}
	period, err := measure.ParsePeriod(demoYear)
	if err != nil {
		return err
	}
	info := engine.Snapshot().Info
	data := readiness.Data{
		Snapshot: info.ID, DataAsOf: info.DataAsOf, Now: info.DataAsOf, Actions: &readiness.Actions{},
	}
	if err := data.Ask(ctx, engine.Definitions(), period, engine.Evaluate); err != nil {
		return err
	}
	if m.acts {
		data.Actions.Begun, data.Actions.Open = 1, 1
	}
	var replies []readiness.Reply
	for _, item := range q.Items() {
		if !item.FromData() {
			level := m.level
			replies = append(replies, readiness.Reply{Item: item.ID, Level: &level})
		}
	}
	a, err := register.Reply(ctx, period, 0, demoPerson(), replies...)
	if err != nil {
		return err
	}
	_, err = register.Finish(ctx, period, a.Version, demoPerson(), data)
	return err
}

// demoAct begins the action that the people of the demonstration know to improve.
func (p *program) demoAct(
	ctx context.Context, store decisions.Store, engine *measure.Engine, day string,
) error {
	first, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return fmt.Errorf("read the day of an action: %w", err)
	}
	register := p.actionRegister(store, engine.Definitions())
	a, err := register.Save(ctx, action.Action{
		Title: "Interpreters by telephone for every language",
		What:  "A contract for languages that no interpreter of the house speaks, and a telephone on every ward.",
		Cause: review.LanguageAccess, Owner: "Language services",
		Finding: action.Finding{Kind: action.Gap, Snapshot: engine.Snapshot().Info.ID, Period: strconv.Itoa(first.Year()-1) + "-Q4"},
		Aim: action.Aim{
			Measure: "interpreter-documented", Rate: "main", Dimension: "language_group",
			Groups: []string{"other"}, Reference: "spanish",
		},
		Start: day, Due: first.AddDate(1, 0, -1).Format(time.DateOnly),
	}, demoPerson())
	if err != nil {
		return err
	}
	_, err = register.Start(ctx, a.ID, a.Version, demoPerson())
	return err
}

// coordinator is the coordinator of the demonstration while it serves.
type coordinator struct {
	desk *network.Desk
	stop context.CancelFunc
	done chan error
}

// startCoordinator serves as serve does.
func (p *program) startCoordinator(
	ctx context.Context, cfg *config.Config, listener net.Listener,
) (*coordinator, error) {
	list, err := definitions(cfg)
	if err != nil {
		return nil, err
	}
	a, err := p.newAPI(ctx, cfg, list, listener.Addr().String(), demoTokenLife)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	c := &coordinator{desk: a.improving.network, stop: stop, done: make(chan error, 1)}
	go func() { c.done <- a.run(running, listener) }()
	return c, nil
}

// end stops serving and waits for it.
func (c *coordinator) end() error {
	c.stop()
	return <-c.done
}

// fillDemoNetwork lets every member hand in, unless they have.
func (p *program) fillDemoNetwork(
	ctx context.Context, cfgs []config.Config, flags demoNetworkFlags, made bool,
) error {
	period, err := measure.ParsePeriod(demoYear)
	if err != nil {
		return err
	}
	for i := range cfgs {
		if made {
			break
		}
		cfg := &cfgs[i]
		payload, withheld, err := p.composeSubmission(ctx, cfg, period, network.Initial)
		if err != nil {
			return fmt.Errorf("%s: %w", cfg.Network.Coordinator.Member, err)
		}
		signed, err := p.signSubmission(cfg, payload)
		if err != nil {
			return err
		}
		receipt, err := p.sendSubmission(ctx, cfg, signed)
		if err != nil {
			return fmt.Errorf("%s: %w", cfg.Network.Coordinator.Member, err)
		}
		p.note("%s handed in %d bytes for %s; %d things were left out", receipt.Member, len(payload),
			receipt.Period, len(withheld))
		if flags.refusal && i == 0 {
			if err := p.showRefusals(ctx, cfgs, payload); err != nil {
				return err
			}
		}
	}
	return nil
}

// showRefusals hands in what must not be taken, and prints what the coordinator says.
func (p *program) showRefusals(ctx context.Context, cfgs []config.Config, payload []byte) error {
	named := strings.Replace(string(payload), `"resourceType":"MeasureReport",`,
		`"resourceType":"MeasureReport","subject":{"reference":"Patient/1"},`, 1)
	for _, one := range []struct {
		what    string
		signs   int
		payload string
	}{
		{"a report that names a patient", 0, named},
		{"the submission of another member", 1, string(payload)},
	} {
		signed, err := p.signSubmission(&cfgs[one.signs], []byte(one.payload))
		if err != nil {
			return err
		}
		_, err = p.sendSubmission(ctx, &cfgs[one.signs], signed)
		if err == nil {
			return fmt.Errorf("the coordinator took in %s", one.what)
		}
		p.note("%s was refused: %v", one.what, err)
	}
	return nil
}

// printDemoNetwork shows what the coordinator sees, and what can be done next.
func (p *program) printDemoNetwork(ctx context.Context, desk *network.Desk, at, root string) error {
	period, err := measure.ParsePeriod(demoYear)
	if err != nil {
		return err
	}
	overview, err := desk.Overview(ctx, period, network.Viewer{Coordinator: true}, network.UsualDimensions()...)
	if err != nil {
		return err
	}
	if p.json {
		return document(p.out, overview)
	}
	if err := p.networkTable(overview); err != nil {
		return err
	}
	p.print("\nThe coordinator answers at %s; what it and the members keep is below %s.\n", at, root)
	return nil
}
