// Command fakeehr serves the made-up hospital of package fhirtest: FHIR search, SMART Backend
// Services, Bulk Data, and SMART launches of an app out of its charts, over HTTP. It is for trials,
// and has no place near real patients: it asks nobody for a password, and whoever holds a key that
// it can fetch may read everything.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr, time.Now); err != nil && !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintln(os.Stderr, "fakeehr: "+err.Error())
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	listen, public, browser  string
	patients                 int
	seed                     uint64
	client, keys, faults     string
	app, redirect, launch    string
	auth, secretFile         string
	hook, signInAs, withhold string
}

const usage = `Usage: fakeehr [flags]

Serve a made-up hospital: FHIR R4 at /fhir, and the hospital's own pages at /ehr, from whose charts
a SMART app can be opened. Everybody in it is invented, and nobody is asked for a password.

To let it open an app, say where the app listens to launches and where it wants to be answered:

  fakeehr -app-launch http://127.0.0.1:8080/launch -app-redirect http://127.0.0.1:8080/callback

Flags:
`

func parse(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("fakeehr", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		_, _ = fmt.Fprint(out, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.listen, "listen", "127.0.0.1:9090", "`address` to listen on")
	flags.StringVar(&o.public, "public-url", "",
		"`origin` that programs know this server by, such as http://fakeehr:9090; without it, the one "+
			"that they call, and for -hook the address that it listens on")
	flags.StringVar(&o.browser, "browser-url", "",
		"`origin` that browsers know this server by, where -public-url is another")
	flags.IntVar(&o.patients, "patients", 4000, "`number` of people")
	flags.Uint64Var(&o.seed, "seed", 1, "`seed` of the population")
	flags.StringVar(&o.client, "client", "equitylens",
		"`id` of the one backend client that is registered")
	flags.StringVar(&o.keys, "keys", "http://127.0.0.1:8080/.well-known/jwks.json",
		"`URL` of the public keys of the client, and of an app with -app-auth private_key_jwt")
	flags.StringVar(&o.app, "app", "equitylens", "client `id` of the one app that is registered")
	flags.StringVar(&o.redirect, "app-redirect", "",
		"redirect `URIs` of the app, with commas between; without one no app is registered")
	flags.StringVar(&o.launch, "app-launch", "", "launch `URL` of the app, which the charts open")
	flags.StringVar(&o.auth, "app-auth", fhirtest.Public,
		"`way` in which the app says who it is: none, client_secret_basic or private_key_jwt")
	flags.StringVar(&o.secretFile, "app-secret-file", "",
		"`file` with the app's secret, for client_secret_basic")
	flags.StringVar(&o.hook, "hook", "",
		"`URL` of a CDS Hooks service of patient-view, which the charts ask")
	flags.StringVar(&o.signInAs, "sign-in-as", "",
		"`id` of the user who signs in outside a chart without being asked: "+staff())
	flags.StringVar(&o.withhold, "withhold", "",
		"`scopes` that no user is granted, with commas between, such as patient/AdverseEvent.rs")
	flags.StringVar(&o.faults, "faults", "", "`faults` by name, with commas between")
	return o, flags.Parse(args)
}

// staff names the users who can be signed in.
func staff() string {
	var ids []string
	for _, u := range fhirtest.Staff() {
		ids = append(ids, u.ID)
	}
	return strings.Join(ids, ", ")
}

// config is what the options make of a server.
func (o options) config(now func() time.Time) (fhirtest.Config, error) {
	c := fhirtest.Config{
		Population: population.New(population.Config{Patients: o.patients, Seed: o.seed}),
		Clients:    []fhirtest.Client{{ID: o.client, KeysURL: o.keys}},
		Listen:     o.listen, Now: now, PublicURL: strings.TrimSuffix(o.public, "/"),
		BrowserURL: strings.TrimSuffix(o.browser, "/"), AppLaunchURL: o.launch, HookURL: o.hook,
		SignInAs: o.signInAs, Withhold: list(o.withhold),
	}
	if o.launch != "" && o.redirect == "" {
		return c, errors.New("-app-launch needs -app-redirect")
	}
	if o.redirect != "" {
		app := fhirtest.App{ClientID: o.app, Name: "EquityLens", RedirectURIs: list(o.redirect),
			Auth: o.auth}
		if o.auth == fhirtest.PrivateKey {
			app.KeysURL = o.keys
		}
		if o.secretFile != "" {
			secret, err := os.ReadFile(o.secretFile)
			if err != nil {
				return c, fmt.Errorf("read the app's secret: %w", err)
			}
			app.Secret = strings.TrimSpace(string(secret))
		}
		c.Apps = []fhirtest.App{app}
	}
	for _, name := range list(o.faults) {
		fault, err := fhirtest.ParseFault(name)
		if err != nil {
			return c, err
		}
		c.Faults = append(c.Faults, fault)
	}
	return c, nil
}

// list splits at commas.
func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}

// run serves until ctx ends. It says on out where it listens.
func run(ctx context.Context, args []string, out io.Writer, now func() time.Time) (err error) {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	config, err := o.config(now)
	if err != nil {
		return err
	}
	server, err := fhirtest.NewServer(config)
	if err != nil {
		return err
	}
	base, err := server.Start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	said := fmt.Sprintf("%d people at %s\n", o.patients, base)
	if o.launch != "" {
		said += fmt.Sprintf("charts at %s\n", server.ChartsURL())
	}
	if _, err := io.WriteString(out, said); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
