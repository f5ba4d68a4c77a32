// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/samsa-dev/samsa/controllers"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/local/cluster"
	"github.com/samsa-dev/samsa/internal/local/proc"
)

func upCommand() *cobra.Command {
	var config cluster.Config
	var sink, kafka string
	command := &cobra.Command{
		Use:   "up",
		Short: "Start the whole system and keep it running",
		Long: `Start Kubernetes' control plane, ZooKeeper, Kafka, samsa's manager, a node that runs pods as processes of
this machine, and a sink that counts what it is sent. kubectl works against it. It begins empty; Ctrl-C ends all of it,
a second Ctrl-C at once.
With --kafka 0.7 there are two brokers, and the partitions of a topic are shared out to both. With --kafka 3.9 and
--kafka 4 the brokers are real ones, which need Java; Kafka 4 knows no ZooKeeper, so it is found by its brokers.

Exit codes: 0 it was ended, 1 something failed, 2 the command line or the machine is at fault and nothing was started.`,
		Args: noArguments,
	}
	flags := command.Flags()
	directoryFlag(command, &config.Directory)
	worldFlags(command, &config)
	flags.IntVar(&config.APIServer, "port", 0, "the API server's `port` on 127.0.0.1 (default: any free one)")
	flags.StringVar(&config.ZooKeeper, "zookeeper", cluster.DefaultZooKeeper, "the `address` of ZooKeeper")
	flags.StringVar(&config.Bootstrap, "bootstrap", cluster.DefaultBootstrap,
		"the `address` of the first broker, of a Kafka without ZooKeeper")
	flags.StringVar(&sink, "sink", cluster.DefaultSink, "the `address` of the sink; empty for none")
	kafkaFlag(command, &kafka, "")
	command.RunE = func(command *cobra.Command, _ []string) (err error) {
		if config.Kafka, err = era("--kafka", kafka); err != nil {
			return usage{err}
		}
		return up(command.Context(), config, sink, command.OutOrStdout())
	}
	return command
}

// worldFlags say where the parts of a world are.
func worldFlags(command *cobra.Command, config *cluster.Config) {
	flags := command.Flags()
	flags.StringVar(&config.Worker, "samsa", beside("samsa"), "the samsa `binary` that the workers run")
	flags.StringVar(&config.Programs, "kube", beside("kube"),
		"the `directory` with the control plane's programs (make kube)")
	flags.StringVar(&config.CRDs, "crds", beside("../config/crd/bases"), "the `directory` with samsa's kinds")
}

// kafkaFlag says which Kafka a world has; era reads it.
func kafkaFlag(command *cobra.Command, kafka *string, otherwise string) {
	command.Flags().StringVar(kafka, "kafka", cmp.Or(otherwise, string(world.Modern)),
		fmt.Sprintf("which `Kafka`: %s (embedded), %s for one of 2012 (embedded), or %s or %s for real brokers, with "+
			"ZooKeeper and without", world.Modern, world.Era07, world.Era39, world.Era4))
}

// era reads which Kafka it is to be, given by a flag or a variable of this name.
func era(name, text string) (world.Era, error) {
	era, err := world.ParseEra(text)
	if err != nil {
		return "", fmt.Errorf("%s=%s: %w", name, text, err)
	}
	return era, nil
}

// directoryFlag names the world that a command is about.
func directoryFlag(command *cobra.Command, directory *string) {
	otherwise, err := cluster.DefaultDirectory()
	if err != nil {
		otherwise = filepath.Join(os.TempDir(), "samsa-local")
	}
	command.Flags().StringVar(directory, "dir", otherwise, "the `directory` of the system")
}

func up(ctx context.Context, config cluster.Config, sinkAddress string, out io.Writer) (err error) {
	begin := time.Now()
	if state, err := cluster.Read(config.Directory); err == nil {
		return usage{fmt.Errorf(
			"the system runs in %s already, as process %d: end it, or choose another directory with --dir",
			config.Directory, state.PID)}
	}
	if err := os.MkdirAll(config.Directory, 0o700); err != nil {
		return usage{fmt.Errorf("directory: %w", err)}
	}
	log, err := proc.OpenLog(filepath.Join(config.Directory, "samsa-local.log"), 0)
	if err != nil {
		return usage{err}
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	logger := slog.New(slog.NewTextHandler(log, nil))
	config.Logger, config.Manager = logger, managerOf(logger)
	config.Progress = func(step string) {
		fmt.Fprintf(out, "%5.1f s  %s\n", time.Since(begin).Seconds(), step)
	}
	var s *sink
	if sinkAddress != "" {
		if s, err = openSink(ctx, sinkAddress, out); err != nil {
			return usage{err}
		}
		defer func() { err = errors.Join(err, s.close()) }()
	}
	system, err := cluster.Start(ctx, config)
	if ctx.Err() != nil && err != nil {
		return nil // whoever pressed Ctrl-C knows
	}
	if err != nil {
		return err
	}
	config.Progress("ready")
	advise(out, config, system, s)
	select {
	case <-ctx.Done():
	case err = <-system.Failed():
	}
	fmt.Fprintln(out, "\nEnding all of it ...")
	return errors.Join(err, system.Close())
}

// managerOf runs the manager as samsa manager does, in this process.
func managerOf(logger *slog.Logger) func(context.Context, *rest.Config) error {
	logger = logger.With("part", "manager")
	// Libraries below log through these.
	ctrl.SetLogger(logr.FromSlogHandler(logger.Handler()))
	klog.SetSlogLogger(logger)
	return func(ctx context.Context, config *rest.Config) error {
		manager, err := controllers.NewManager(config, controllers.Options{WorkerImage: cluster.WorkerImage, Logger: logger})
		if err != nil {
			return err
		}
		return manager.Start(ctx)
	}
}

func advise(out io.Writer, config cluster.Config, system *cluster.Cluster, s *sink) {
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	// The directory is named only where it has to be.
	command := func(verb string) string { return os.Args[0] + " " + verb }
	if standard, err := cluster.DefaultDirectory(); err != nil || standard != config.Directory {
		command = func(verb string) string { return os.Args[0] + " " + verb + " --dir " + quoted(config.Directory) }
	}
	say("\nEverything runs until Ctrl-C. In another terminal:\n")
	say("  export KUBECONFIG=%s PATH=%s:$PATH http_proxy=http://%s",
		quoted(system.Kubeconfig()), quoted(absolute(config.Programs)), system.Proxy())
	say("  kubectl apply -k %s", samplesFor(config.Kafka))
	say("  kubectl wait --for=condition=Ready consumergroup/demo && kubectl get consumergroups,pods")
	say("  seq 1000 | %s lines", command("publish"))
	say("  kubectl wait --for=condition=Ready producerbinding/lines")
	say(`  TOKEN=$(kubectl create token default --audience "$(kubectl get producerbinding lines -o %s)")`,
		"jsonpath={.status.address.audience}")
	say(`  curl -d hello -H "Authorization: Bearer $TOKEN" http://lines-gateway.default.svc:8080`)
	say("  kubectl scale consumergroup/demo --replicas=5")
	say("  %s demo-0 -f", command("logs"))
	if s != nil {
		say("\nThe sink is http://%s/; what it gets is counted here.", s.address)
	}
	place := "ZooKeeper: " + system.World().Connect()
	if brokers := system.World().Bootstrap(); len(brokers) > 0 {
		place = "Kafka: " + strings.Join(brokers, ",")
	}
	say("%s; logs: %s", place, config.Directory)
}

// samplesFor is the directory with the samples that fit a Kafka.
func samplesFor(era world.Era) string {
	if era.ZooKeeper() {
		return "config/samples"
	}
	return "config/samples-bootstrap"
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsAny(path, " '\"$\\&;()<>|*?[]#~`") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
