// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/samsa-dev/samsa/controllers"
)

// workerImage is the image of the build's workers. A release sets it: -ldflags "-X main.workerImage=registry/samsa:v1".
var workerImage string

// managerFlags are what the command line of the manager says.
type managerFlags struct {
	controllers.Options

	kubeconfig, format, level string
}

func managerCommand() *cobra.Command {
	var f managerFlags
	command := &cobra.Command{
		Use:   "manager --worker-image IMAGE",
		Short: "Reconcile KafkaClusters, ConsumerGroups and ProducerBindings in a Kubernetes cluster",
		Long: `Reconcile KafkaClusters, ConsumerGroups and ProducerBindings in a Kubernetes cluster: run workers for each
group and gateways for each binding, and show how they consume and publish. Workers and gateways go on without it.

The Kubernetes cluster is that of --kubeconfig, $KUBECONFIG or ~/.kube/config, or else the one that this runs in.

SIGTERM or SIGINT ends it in order, within 20 seconds; a second one ends it at once.`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			logger, err := newLogger(command.ErrOrStderr(), f.format, f.level)
			if err != nil {
				return usage{err}
			}
			f.Logger = logger
			return f.run(command.Context())
		},
	}
	f.register(command)
	return command
}

func (f *managerFlags) register(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.WorkerImage, "worker-image", workerImage, "the image of the workers' and the gateways' pods")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "how to reach the API server, a file")
	flags.StringSliceVar(&f.Namespaces, "namespace", nil,
		"reconcile this namespace alone; repeat it for several; without it, all")
	flags.BoolVar(&f.LeaderElection, "leader-elect", false, "wait until no other manager leads")
	flags.StringVar(&f.LeaderElectionNamespace, "leader-election-namespace", "",
		"where the Lease of the leader is; default: the namespace that this runs in")
	flags.StringVar(&f.MetricsAddress, "metrics-bind-address", "",
		"HOST:PORT or :PORT to serve metrics at; default: nowhere")
	flags.BoolVar(&f.SecureMetrics, "metrics-secure", false,
		"serve metrics over TLS, to those whom the API server lets get them")
	flags.StringVar(&f.ProbeAddress, "health-probe-bind-address", ":8081",
		"HOST:PORT or :PORT to serve /healthz and /readyz at; empty for nowhere")
	flags.StringVar(&f.format, "log-format", "text", "how the log is written: text or json")
	flags.StringVar(&f.level, "log-level", "info", "what is logged: debug, info, warn or error")
}

// run reconciles until ctx ends.
func (f *managerFlags) run(ctx context.Context) error {
	if err := f.check(); err != nil {
		return usage{err}
	}
	config, err := restConfig(f.kubeconfig)
	if err != nil {
		return usage{fmt.Errorf("the Kubernetes cluster: %w", err)}
	}
	// Libraries below log through these.
	ctrl.SetLogger(logr.FromSlogHandler(f.Logger.Handler()))
	klog.SetSlogLogger(f.Logger)
	manager, err := controllers.NewManager(config, f.Options)
	if err != nil {
		return err
	}
	f.Logger.Info("Starting", "workerImage", f.WorkerImage, "namespaces", f.Namespaces)
	defer f.Logger.Info("Ended")
	if err := manager.Start(ctx); err != nil {
		return fmt.Errorf("manager: %w", err)
	}
	return nil
}

// check says everything that is wrong with the flags.
func (f *managerFlags) check() error {
	var errs []error
	if f.WorkerImage == "" {
		errs = append(errs, errors.New("--worker-image is missing; name the image of the workers' pods, "+
			"usually that of the manager itself"))
	}
	for _, namespace := range slices.Compact(slices.Sorted(slices.Values(f.Namespaces))) {
		if len(validation.IsDNS1123Label(namespace)) > 0 {
			errs = append(errs, fmt.Errorf("--namespace: %q is no name of a namespace", namespace))
		}
	}
	return errors.Join(append(errs, checkBind("--metrics-bind-address", f.MetricsAddress),
		checkBind("--health-probe-bind-address", f.ProbeAddress))...)
}

// checkBind checks an address to serve at; empty and "0", as controller-runtime has it, are nowhere.
func checkBind(flag, address string) error {
	if address == "" || address == "0" {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%s: %q is no address; give HOST:PORT, or :PORT for all of the machine's addresses", flag, address)
	}
	return nil
}

// restConfig finds the API server as kubectl does, and falls back on the cluster that this runs in.
func restConfig(file string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = file
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{}).ClientConfig()
}
