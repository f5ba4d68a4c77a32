// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// options are what the command line says.
type options struct {
	kafka, client, ways, document string
	scenarios                     *regexp.Regexp
	atOnce                        int
}

// atOnce is how many releases run at a time unless told otherwise: a scenario waits for brokers to die, elect and start
// for two thirds of its time, so two of them keep two cores busy.
const atOnce = 2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failed, err := run(ctx, os.Args[1:])
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(2)
	case failed > 0:
		os.Exit(1)
	}
}

// run gives the number of scenarios that failed.
func run(ctx context.Context, args []string) (int, error) {
	o, err := parse(args)
	if err != nil {
		return 0, err
	}
	columns, err := plan(o.kafka, o.ways)
	if err != nil {
		return 0, err
	}
	m := newMatrix(columns)
	running, ctx := errgroup.WithContext(ctx)
	running.SetLimit(o.atOnce)
	for _, group := range byServers(columns) {
		running.Go(func() error { return runAll(ctx, o, group, m) })
	}
	err = running.Wait()
	m.print(os.Stdout)
	if err == nil && len(m.rows) == 0 {
		err = errors.New("nothing was run: no scenario has a name that matches -scenario")
	}
	if err != nil {
		return 0, err
	}
	if o.document != "" {
		if err := m.write(o.document); err != nil {
			return 0, err
		}
	}
	return m.failures(), nil
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.StringVar(&o.kafka, "kafka", "",
		"the releases, as 3.9/ZooKeeper,4; embedded and embedded-0.7 are servers in the process; default: all")
	flags.StringVar(&o.client, "client", "bin/samsa", "the client: a command line, see doc.go")
	flags.StringVar(&o.ways, "ways", "zookeeper,kafka", "what coordinates the groups: zookeeper, kafka")
	flags.StringVar(&o.document, "document", "", "the file to write the matrix into, between its marks")
	flags.IntVar(&o.atOnce, "at-once", atOnce, "how many releases run at a time")
	pattern := flags.String("scenario", "", "run only the scenarios whose name matches this regular expression")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.atOnce < 1 {
		return o, fmt.Errorf("-at-once %d: give 1 or more", o.atOnce)
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is too much", strings.Join(flags.Args(), " "))
	}
	scenarios, err := regexp.Compile(*pattern)
	if err != nil {
		return o, fmt.Errorf("-scenario: %w", err)
	}
	o.scenarios = scenarios
	return o, nil
}
