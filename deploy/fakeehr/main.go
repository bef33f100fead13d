// Command fakeehr serves the made-up hospital of package fhirtest: FHIR search, SMART Backend Services
// and Bulk Data over HTTP. It is for trials, and has no place near real patients: whoever holds a key
// that it can fetch may read everything.
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
	if err := run(ctx, os.Args[1:], os.Stderr, time.Now); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "fakeehr: "+err.Error())
		os.Exit(1)
	}
}

// run serves until ctx ends. It says on out where it listens.
func run(ctx context.Context, args []string, out io.Writer, now func() time.Time) (err error) {
	flags := flag.NewFlagSet("fakeehr", flag.ContinueOnError)
	flags.SetOutput(out)
	listen := flags.String("listen", "127.0.0.1:9090", "address to listen on")
	patients := flags.Int("patients", 4000, "number of people")
	seed := flags.Uint64("seed", 1, "seed of the population")
	client := flags.String("client", "equitylens", "id of the one client that is registered")
	keys := flags.String("keys", "http://127.0.0.1:8080/.well-known/jwks.json", "where its public keys are")
	faults := flags.String("faults", "", "faults by name, with commas between")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config := fhirtest.Config{
		Population: population.New(population.Config{Patients: *patients, Seed: *seed}),
		Clients:    []fhirtest.Client{{ID: *client, KeysURL: *keys}},
		Listen:     *listen, Now: now,
	}
	for name := range strings.SplitSeq(*faults, ",") {
		if name == "" {
			continue
		}
		fault, err := fhirtest.ParseFault(name)
		if err != nil {
			return err
		}
		config.Faults = append(config.Faults, fault)
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
	if _, err := fmt.Fprintf(out, "%d people at %s\n", *patients, base); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
