// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/connections"
	"github.com/samsa-dev/samsa/controllers/observe"
	"github.com/samsa-dev/samsa/controllers/topics"
	"github.com/samsa-dev/samsa/controllers/workload"
)

const (
	// concurrency is how many objects of a kind are reconciled at once. A pass waits for the API server alone, a few
	// milliseconds a call and some ten calls for a new group, so 200 new groups are through within seconds.
	concurrency = 8
	// passTimeout bounds one pass: ten calls of the API server of a second each on a bad day, three times over.
	passTimeout = 30 * time.Second
	// The API server is asked at most this often a second on average, and in a burst: 200 groups of ten objects each in
	// some 20 s, which API servers' own fairness allows for easily.
	queriesPerSecond = 100
	burst            = 200
	// farewell is how long ending may take: a connection is given up after 15 s by whoever uses it, see connections.
	farewell = 20 * time.Second
	// leaderElectionID names the Lease.
	leaderElectionID = "manager.kafka.samsa.dev"
)

// Options say how a manager runs.
type Options struct {
	// WorkerImage is the image of the workers' pods. Required.
	WorkerImage string
	// MetricsAddress is where metrics are served, HOST:PORT; empty for nowhere. With SecureMetrics they are served over
	// TLS, to those whom the API server authenticates and allows to get them.
	MetricsAddress string
	SecureMetrics  bool
	// ProbeAddress is where /healthz and /readyz are served, HOST:PORT; empty for nowhere.
	ProbeAddress string
	// LeaderElection makes all but one of several managers wait. LeaderElectionNamespace is where its Lease is; empty for
	// the manager's own namespace, which only a pod has.
	LeaderElection          bool
	LeaderElectionNamespace string
	// Namespaces are those whose objects are reconciled; none for all.
	Namespaces []string
	// NumbersEvery is how often numbers that messages move are written into a status at most. Default 15 s.
	NumbersEvery time.Duration
	// SecretsEvery is how often the Secrets of a KafkaCluster that cannot be used are read again. Default 4 s.
	SecretsEvery time.Duration
	// Logger is told of what happens; the default is to say nothing.
	Logger *slog.Logger
	// Registerer takes the metrics of this package. Default: controller-runtime's registry, which is what is served.
	Registerer prometheus.Registerer
}

// parts are what the reconcilers of a manager share.
type parts struct {
	options     Options
	connections *connections.Cache
	observer    *observe.Observer
	topics      *topics.Keeper
}

// Scheme is what the manager's clients have to know.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("scheme: %w", err)
	}
	return scheme, nil
}

// NewManager makes a manager that reconciles samsa's kinds once it is started. Reconcilers, connections and observation
// run only while it leads.
func NewManager(restConfig *rest.Config, options Options) (ctrl.Manager, error) {
	if options.WorkerImage == "" {
		return nil, errors.New("the image of the workers is missing")
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	restConfig = rest.CopyConfig(restConfig)
	restConfig.QPS, restConfig.Burst = queriesPerSecond, burst
	m, err := ctrl.NewManager(restConfig, options.manager(scheme))
	if err != nil {
		return nil, fmt.Errorf("manager: %w", err)
	}
	return m, options.assemble(m)
}

// assemble puts everything that runs into the manager.
func (o Options) assemble(m ctrl.Manager) error {
	shared := &parts{options: o, connections: connections.New(o.Logger)}
	shared.observer = observe.New(observe.Through(shared.connections), o.Logger, o.NumbersEvery)
	for _, owner := range []interface {
		manager.Runnable
		prometheus.Collector
	}{shared.connections, shared.observer} {
		if err := errors.Join(m.Add(owner), o.register(owner)); err != nil {
			return err
		}
	}
	shared.topics = topics.New(shared.connections, o.Logger)
	if err := m.Add(shared.topics); err != nil {
		return err
	}
	for _, setup := range []func(ctrl.Manager, *parts) error{
		setupKafkaClusters, setupConsumerGroups, setupProducerBindings,
	} {
		if err := setup(m, shared); err != nil {
			return fmt.Errorf("controller: %w", err)
		}
	}
	return errors.Join(
		m.AddHealthzCheck("ping", healthz.Ping),
		m.AddReadyzCheck("ping", healthz.Ping),
	)
}

// register lets a manager that is made again in one process take the place of the one before.
func (o Options) register(collector prometheus.Collector) error {
	registerer := o.Registerer
	if registerer == nil {
		registerer = metrics.Registry
	}
	err := registerer.Register(collector)
	if before, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		registerer.Unregister(before.ExistingCollector)
		err = registerer.Register(collector)
	}
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

func (o Options) manager(scheme *runtime.Scheme) ctrl.Options {
	uncached := &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}
	return ctrl.Options{
		Scheme:                        scheme,
		Logger:                        logr.FromSlogHandler(o.Logger.Handler()),
		Cache:                         o.cache(),
		Client:                        client.Options{Cache: uncached},
		Metrics:                       o.metrics(),
		HealthProbeBindAddress:        disabledIfEmpty(o.ProbeAddress),
		LeaderElection:                o.LeaderElection,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       o.LeaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true, // the process ends, or nothing of the manager runs any more
		GracefulShutdownTimeout:       new(farewell),
		Controller: config.Controller{
			MaxConcurrentReconciles: concurrency,
			ReconciliationTimeout:   passTimeout,
			// The names are unique in a manager by construction, and there may be several managers in a process.
			SkipNameValidation: new(true),
		},
	}
}

// cache keeps no managedFields: they are more than half of an object, and nothing here reads them. Of the kinds that
// everybody uses it keeps samsa's alone: all ConfigMaps and pods of a large cluster are gigabytes. Whether somebody
// else has an object of a name is asked of the API server.
func (o Options) cache() cache.Options {
	ours := cache.ByObject{Label: workload.Managed()}
	options := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&appsv1.StatefulSet{}: ours, &corev1.Service{}: ours, &corev1.ConfigMap{}: ours, &corev1.Pod{}: ours,
			&policyv1.PodDisruptionBudget{}: ours, &appsv1.Deployment{}: ours, &corev1.ServiceAccount{}: ours,
		},
	}
	if len(o.Namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range o.Namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

func (o Options) metrics() metricsserver.Options {
	served := metricsserver.Options{BindAddress: disabledIfEmpty(o.MetricsAddress)}
	if o.SecureMetrics {
		served.SecureServing = true
		served.FilterProvider = filters.WithAuthenticationAndAuthorization
		served.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.MinVersion = tls.VersionTLS12 }}
	}
	return served
}

// disabledIfEmpty is how controller-runtime writes an address that is none.
func disabledIfEmpty(address string) string {
	if address == "" {
		return "0"
	}
	return address
}
