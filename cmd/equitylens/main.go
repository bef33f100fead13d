// Command equitylens pulls patients, encounters and adverse events from an EHR and answers quality
// measures stratified by race, ethnicity, language and interpreter need.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// version is set by the linker, which can set nothing but a variable.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	program := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now, version: version}
	os.Exit(program.run(ctx, os.Args[1:]))
}

// Exit codes. A script can tell a sync that must be looked at from one that could not be done.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3
)

// run is the whole program but for the process around it.
func (p *program) run(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var code exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		p.complain(code.error)
		return code.code
	}
	p.complain(err)
	if !p.begun {
		return exitUsage
	}
	return exitFailed
}

func (p *program) complain(err error) {
	_, _ = fmt.Fprintln(p.err, "equitylens: "+err.Error())
}

// exitError is an error with an exit code of its own.
type exitError struct {
	error
	code int
}

func (e exitError) Unwrap() error { return e.error }
