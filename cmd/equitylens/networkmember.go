package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/client"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/store/decisions"
)

// composeSubmission makes the bytes of a submission and checks them as the coordinator does.
func (p *program) composeSubmission(
	ctx context.Context, cfg *config.Config, period measure.Period, reason network.Reason,
) (payload []byte, withheld []network.Withheld, err error) {
	engine, err := p.engine(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, engine.Snapshot().Close()) }()
	of := network.Composition{
		Member: cfg.Network.Coordinator.Member, Period: period, Reason: reason, Software: p.version,
		Created: p.now(),
	}
	if withheld, err = p.releasedResults(ctx, cfg, engine, &of); err != nil {
		return nil, nil, err
	}
	store, err := p.decisions(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := p.decided(ctx, store, engine, &of); err != nil {
		return nil, nil, err
	}
	checker, err := p.networkChecker(cfg)
	if err != nil {
		return nil, nil, err
	}
	s, more := checker.Compose(of)
	withheld = append(withheld, more...)
	if payload, err = checker.Encode(s); err != nil {
		return nil, nil, err
	}
	if _, err := checker.Check(payload, of.Member); err != nil {
		return nil, nil, fmt.Errorf("check before sending: %w", err)
	}
	return payload, withheld, nil
}

// releasedResults takes the figures from the release of the period, which it makes if there is none.
func (p *program) releasedResults(
	ctx context.Context, cfg *config.Config, engine *measure.Engine, of *network.Composition,
) (withheld []network.Withheld, err error) {
	desk, err := p.desk(cfg)
	if err != nil {
		return nil, err
	}
	var last error
	for _, d := range engine.Definitions() {
		result, err := desk.Answer(ctx, engine, measure.Question{
			Measure: d.ID, Period: of.Period, By: network.Dimensions(),
		}, release.Public)
		if errors.Is(err, release.ErrNotPublic) {
			last = err
			withheld = append(withheld, network.Withheld{What: d.ID, Why: err.Error()})
			continue
		}
		if err != nil {
			return nil, err
		}
		of.Snapshot = result.Snapshot
		of.Results = append(of.Results, result)
	}
	if len(of.Results) == 0 {
		return nil, fmt.Errorf("nothing of %s is released: %w", of.Period, last)
	}
	return withheld, nil
}

// decided takes the assessment of the period and the actions, with what the figures show of each.
func (p *program) decided(
	ctx context.Context, store decisions.Store, engine *measure.Engine, of *network.Composition,
) error {
	q, err := readiness.Shipped()
	if err != nil {
		return err
	}
	assessments, err := readiness.New(readiness.Config{Records: store, Questionnaire: q, Now: p.now})
	if err != nil {
		return err
	}
	a, err := assessments.Of(ctx, of.Period)
	switch {
	case errors.Is(err, decisions.ErrNotFound):
	case err != nil:
		return err
	case a.Version > 0:
		of.Assessment = &a
	}
	register := p.actionRegister(store, engine.Definitions())
	all, err := register.List(ctx, action.Filter{})
	if err != nil {
		return err
	}
	conditions, err := register.Conditions(ctx)
	if err != nil {
		return err
	}
	for _, one := range all {
		shown, err := p.demonstrated(ctx, engine, one, effect.Options{Others: all, Conditions: conditions})
		if err != nil {
			return err
		}
		of.Actions = append(of.Actions, network.Tracked{Action: one, Demonstrated: shown})
	}
	return nil
}

// demonstrated asks the figures of an action. Where they are not enough to be asked, nothing is shown.
func (p *program) demonstrated(
	ctx context.Context, engine *measure.Engine, a action.Action, o effect.Options,
) (bool, error) {
	if a.State == action.Planned || a.State == action.Cancelled {
		return false, nil
	}
	found, err := effect.Of(ctx, engine, a, 0, engine.Snapshot().Info.DataAsOf, o)
	if effect.NoFigures(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("effect of action %s: %w", a.ID, err)
	}
	return found.Demonstrated, nil
}

// coordinatorClient speaks to the coordinator as this member.
func (p *program) coordinatorClient(cfg *config.Config) (*client.Client, error) {
	at := cfg.Network.Coordinator
	base := strings.TrimSuffix(at.URL, "/")
	key, err := p.memberKey(cfg)
	if err != nil {
		return nil, err
	}
	settings := client.Config{
		BaseURL: base + "/fhir", TokenURL: base + "/oauth/token", ClientID: at.ClientID, Key: key,
		Scopes: []string{scope.Submit}, AllowLoopback: at.Loopback, AllowPrivateNetworks: at.PrivateNetworks,
		UserAgent: "equitylens/" + p.version, Now: p.now, Logger: p.logger(cfg),
	}
	if settings.RootCAs, err = certificates(at.CAFile); err != nil {
		return nil, fmt.Errorf("network.coordinator.%w", err)
	}
	return client.New(settings)
}

// sendSubmission hands a signed submission in.
func (p *program) sendSubmission(
	ctx context.Context, cfg *config.Config, signed string,
) (network.Receipt, error) {
	var receipt network.Receipt
	c, err := p.coordinatorClient(cfg)
	if err != nil {
		return receipt, err
	}
	defer c.Close()
	to, err := url.Parse(strings.TrimSuffix(cfg.Network.Coordinator.URL, "/") + network.SubmitPath)
	if err != nil {
		return receipt, fmt.Errorf("network.coordinator.url: %w", err)
	}
	const most = 64 << 10
	_, err = c.ReadJSON(ctx, client.Request{
		Op: "hand in submission", Method: http.MethodPost, URL: to, Body: []byte(signed),
		Header: http.Header{"Content-Type": {network.MediaType}, "Accept": {"application/json"}},
	}, most, &receipt)
	return receipt, err
}

// showNetwork prints a period.
func (p *program) showNetwork(ctx context.Context, flags networkFlags) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	period, err := measure.ParsePeriod(flags.period)
	if err != nil {
		return exitError{err, exitUsage}
	}
	var overview network.Overview
	switch {
	case len(cfg.Network.Members) > 0:
		overview, err = p.ownOverview(ctx, &cfg, period, flags.by)
	case cfg.Network.Coordinator.URL != "":
		overview, err = p.fetchOverview(ctx, &cfg, flags)
	default:
		err = errors.New("this installation is neither member nor coordinator of a network; see network")
	}
	if err != nil {
		return err
	}
	if p.json {
		return document(p.out, overview)
	}
	return p.networkTable(overview)
}

// ownOverview reads the store of the coordinator.
func (p *program) ownOverview(
	ctx context.Context, cfg *config.Config, period measure.Period, by []string,
) (o network.Overview, err error) {
	store, err := p.decisions(ctx, cfg)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	desk, err := p.networkDesk(cfg, store, p.logger(cfg))
	if err != nil {
		return o, err
	}
	return desk.Overview(ctx, period, network.Viewer{Coordinator: true}, by...)
}

// fetchOverview asks the coordinator.
func (p *program) fetchOverview(
	ctx context.Context, cfg *config.Config, flags networkFlags,
) (o network.Overview, err error) {
	c, err := p.coordinatorClient(cfg)
	if err != nil {
		return o, err
	}
	defer c.Close()
	from, err := url.Parse(strings.TrimSuffix(cfg.Network.Coordinator.URL, "/") + network.ReportPath)
	if err != nil {
		return o, fmt.Errorf("network.coordinator.url: %w", err)
	}
	from.RawQuery = url.Values{"period": {flags.period}, "by": {strings.Join(flags.by, ",")}}.Encode()
	const most = 32 << 20
	var raw json.RawMessage
	if _, err = c.ReadJSON(ctx, client.Request{
		Op: "read report of the network", URL: from, Header: http.Header{"Accept": {"application/json"}},
	}, most, &raw); err != nil {
		return o, err
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		return o, errors.New("read report of the network: it is not of a form that this version knows")
	}
	return o, nil
}
