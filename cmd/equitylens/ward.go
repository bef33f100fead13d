package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/visit"
)

// ward is the hospital of the demonstration: a fake EHR that is registered with us, as we are with it.
type ward struct {
	ehr  *fhirtest.Server
	base string
	// keys are those by which the EHR knows us.
	keys *keys.Set
	// listener is where we will serve; nil if we will not.
	listener net.Listener
}

// demoAge is the age from which the made-up data are called old: they end on a day of their own, so never.
const demoAge = 100 * 365 * 24 * time.Hour

// demoApp is what the fake EHR registered our page in the chart as.
const demoApp = "equitylens-chart"

// demoWard starts the fake EHR. Where the demonstration serves, its address is taken first, because the
// EHR has to know it.
func (p *program) demoWard(
	ctx context.Context, cfg *config.Config, people *population.Population, flags demoFlags,
) (w *ward, err error) {
	if err := p.refuseForeign(ctx, cfg); err != nil {
		return nil, err
	}
	w = &ward{}
	opened := w
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.close())
		}
	}()
	if w.keys, err = p.openKeySet(cfg, "client"); err != nil {
		return nil, err
	}
	public := w.keys.Public()
	settings := fhirtest.Config{
		Population: people, Clients: []fhirtest.Client{{ID: demoClient, Keys: &public}}, Now: p.now,
	}
	if !flags.once {
		var lc net.ListenConfig
		if w.listener, err = lc.Listen(ctx, "tcp", flags.listen); err != nil {
			return nil, fmt.Errorf("listen: %w; give another address with --listen, such as 127.0.0.1:0", err)
		}
		url := publicURL(cfg, w.listener.Addr().String())
		settings.Apps = []fhirtest.App{{
			ClientID: demoApp, Name: "EquityLens", RedirectURIs: []string{url + visit.CallbackPath},
			Auth: fhirtest.PrivateKey, Keys: &public,
		}}
		settings.AppLaunchURL = url + visit.LaunchPath
		settings.HookURL = url + "/cds-services/equitylens-interpreter"
	}
	if w.ehr, err = fhirtest.NewServer(settings); err != nil {
		return nil, err
	}
	if w.base, err = w.ehr.Start(ctx); err != nil {
		return nil, err
	}
	p.note("a fake EHR with %d people listens at %s", people.Patients(), w.base)
	return w, nil
}

// close ends what was started.
func (w *ward) close() error {
	var faults []error
	if w.ehr != nil {
		faults = append(faults, w.ehr.Close())
	}
	if w.listener != nil {
		if err := w.listener.Close(); !errors.Is(err, net.ErrClosed) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// register makes the EHR and its staff known to us, as a configuration file does.
func (w *ward) register(cfg *config.Config) {
	cfg.EHRs = []config.EHR{{
		Registration: config.Registration{
			Name: demoName, ClientID: demoApp, Identify: config.Key, Loopback: true,
		},
		BaseURL: w.base, Chart: true, SignIn: true,
		CDSHooks: config.CDSHooks{Issuer: w.ehr.HookIssuer(), JWKSURI: w.ehr.HookKeysURL()},
	}}
	cfg.Server.StaleAfter.Duration = demoAge
	cfg.People.RoleClaim = "groups"
	cfg.People.Roles = map[string][]string{
		string(role.Analyst): {"quality"}, string(role.Reviewer): {"patient-safety"},
		string(role.Administrator): {"administrators"}, string(role.Clinician): {"clinicians"},
		string(role.Engineer): {"integration"},
	}
}

// demoServe serves the API with one client, whose token it prints, and the pages for the EHR's staff.
func (p *program) demoServe(ctx context.Context, cfg *config.Config, w *ward) error {
	list, err := definitions(cfg)
	if err != nil {
		return err
	}
	key, err := keys.Generate(jose.ES384)
	if err != nil {
		return err
	}
	path, err := demoClientKey(cfg, key)
	if err != nil {
		return err
	}
	cfg.Server.Clients = []config.Client{{
		ID: demoClient, JWKSFile: path, Scopes: []string{
			"system/Measure.rs", "system/MeasureReport.rs", "system/Library.rs", "system/AuditEvent.rs",
			scope.Unsuppressed, scope.Patients, scope.Review, scope.Narrative, scope.Improve,
		},
	}}
	w.register(cfg)
	a, err := p.newAPI(ctx, cfg, list, w.listener.Addr().String(), demoTokenLife)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- a.run(ctx, w.listener) }()
	token, err := authtest.Token(ctx, &http.Client{}, authtest.Assertion{
		ClientID: demoClient, Audience: a.tokenURL, Key: key, Now: p.now(),
	}, strings.Join(cfg.Server.Clients[0].Scopes, " "))
	if err != nil {
		return fmt.Errorf("ask for a token: %w", err)
	}
	p.invite(p.out, a.url, token, w.ehr)
	return <-done
}

// invite prints what a visitor can do next.
func (p *program) invite(out io.Writer, url, token string, ehr *fhirtest.Server) {
	charts := ehr.ChartsURL()
	_, _ = fmt.Fprintf(out, `
Until you press Ctrl-C:

  %s
      the fake EHR: open a chart, and EquityLens in it, as a clinician does
`, charts)
	if all := ehr.Situations(); len(all) > 0 {
		_, _ = fmt.Fprintf(out, `
  %s%s
      the page itself, launched as that EHR does. %s
`, strings.TrimSuffix(charts, "/ehr"), fhirtest.LaunchPath(all[0].Name), all[0].Text)
	}
	_, _ = fmt.Fprintf(out, `
  %[1]s/
      the dashboard: choose Wen Adeyemi, a quality analyst, and you are signed in

  %[1]s/reviews
      harm events to review: choose Ines Kallio, Noor Haddad or Jonas Weller, who review; a severe
      event asks for two of them

The API, with a token that is good for an hour:

  TOKEN=%[2]s
  curl -s -H "Authorization: Bearer $TOKEN" \
    '%[1]s/fhir/Measure/interpreter-documented/$evaluate-measure?periodStart=%[3]s&periodEnd=%[3]s&stratifier=language'

Others: %[1]s/fhir/Measure, %[1]s/fhir/metadata, %[1]s/fhir/AuditEvent, %[1]s/readyz
`, url, token, demoYear)
}

// demoClientKey writes the public key of the demo's client where the configuration can name it.
func demoClientKey(cfg *config.Config, key jose.JSONWebKey) (string, error) {
	path, err := ensureFolder(keyFile(cfg, "", "demo-client.jwks"))
	if err != nil {
		return "", err
	}
	return path, writeJWKS(path, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
}
