// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"net"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	// readyPoll is how often something that starts is asked: often beside the seconds that it takes, seldom beside the
	// milliseconds that an answer takes.
	readyPoll = 100 * time.Millisecond
	// askTimeout bounds one question; the answer is there at once or not at all.
	askTimeout = 2 * time.Second
	// readyWithin is ten times what a program of the control plane needs on two idle cores (5 s).
	readyWithin = time.Minute
)

// awaitAPIServer returns when the API server says that it is ready.
func (c *ControlPlane) awaitAPIServer(ctx context.Context) error {
	return c.await(ctx, "the API server is not ready", func(ctx context.Context, client kubernetes.Interface) error {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	})
}

// awaitControllers returns when the controllers have made what no pod can do without: the namespace's service account
// and its certificate of the API server.
func (c *ControlPlane) awaitControllers(ctx context.Context) error {
	return c.await(ctx, "the controllers do not work", func(ctx context.Context, client kubernetes.Interface) error {
		core := client.CoreV1()
		const namespace = metav1.NamespaceDefault
		if _, err := core.ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return err
		}
		_, err := core.ConfigMaps(namespace).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		return err
	})
}

func (c *ControlPlane) await(
	ctx context.Context, complaint string, ask func(context.Context, kubernetes.Interface) error,
) error {
	transport, err := rest.HTTPClientFor(c.REST())
	if err != nil {
		return fmt.Errorf("control plane: %w", err)
	}
	defer transport.CloseIdleConnections()
	client, err := kubernetes.NewForConfigAndClient(c.REST(), transport)
	if err != nil {
		return fmt.Errorf("control plane: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for {
		asking, done := context.WithTimeout(ctx, askTimeout)
		err := ask(asking, client)
		done()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("control plane: %s: %w (last answer: %w)", complaint, context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}

// choosePorts finds free ports. Between here and the child's own listening somebody else could take one; then the child
// ends, and says so in its log.
func choosePorts(ctx context.Context, apiServer int) (addresses, error) {
	var listeners []net.Listener
	defer func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}()
	var a addresses
	for _, port := range []*int{&a.etcd, &a.apiServer} {
		wanted := 0
		if port == &a.apiServer {
			wanted = apiServer
		}
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", wanted))
		if err != nil {
			return addresses{}, fmt.Errorf("control plane: port of the API server: %w", err)
		}
		listeners = append(listeners, l)
		*port = l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it is a TCP listener
	}
	return a, nil
}
