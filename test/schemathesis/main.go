// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"syscall"
)

// options are what the command line says.
type options struct {
	// samsa is the program whose gateway runs, st that of Schemathesis, config its configuration.
	samsa, st, config string
	bindings          *regexp.Regexp
	seed, examples    int
	// token lets Schemathesis in, where it is of any use.
	token string
}

// defaultSeed is any number: the same one finds the same again. SEED=... looks elsewhere.
const defaultSeed = 20260101

// defaultExamples is how many requests are made of each operation in the phase that fuzzes, besides the some 400 of the
// phase that goes through the document; chosen so that all bindings together take half a minute on two cores.
const defaultExamples = 25

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "schemathesis:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("schemathesis", flag.ContinueOnError)
	flags.StringVar(&o.samsa, "samsa", "bin/samsa", "the program whose gateway is tested")
	flags.StringVar(&o.st, "st", "st", "the program of Schemathesis")
	flags.StringVar(&o.config, "config", "hack/schemathesis/schemathesis.toml", "the configuration of Schemathesis")
	flags.IntVar(&o.seed, "seed", defaultSeed, "what the requests are made from: the same seed makes the same")
	flags.IntVar(&o.examples, "examples", defaultExamples, "how many random requests each operation gets")
	pattern := flags.String("binding", "", "run only the bindings whose name matches this regular expression")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is too much", strings.Join(flags.Args(), " "))
	}
	var err error
	if o.bindings, err = regexp.Compile(*pattern); err != nil {
		return o, fmt.Errorf("-binding: %w", err)
	}
	return o, nil
}

// run tries all bindings, also when one has failed.
func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "seed %d\n", o.seed)
	var all sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	tried := 0
	for _, b := range bindings() {
		if !o.bindings.MatchString(b.name) {
			continue
		}
		tried++
		// At once, since each waits for some seconds until its gateway is ready; what they say comes one after the other.
		all.Go(func() {
			var out bytes.Buffer
			err := b.try(ctx, o, &out)
			mu.Lock()
			defer mu.Unlock()
			_, _ = out.WriteTo(os.Stdout) // who does not read it has no findings
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", b.name, err))
			}
		})
	}
	all.Wait()
	if tried == 0 {
		errs = append(errs, errors.New("nothing was run: no binding has a name that matches -binding"))
	}
	return errors.Join(errs...)
}
