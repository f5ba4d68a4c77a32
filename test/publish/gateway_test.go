// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package publish

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

// gateway is a replica as a process of its own, at an address that it keeps when it comes back.
type gateway struct {
	binary, config, log, address, internal, host string

	// mu guards what follows.
	mu      sync.Mutex
	process *proc.Process
	output  *os.File
}

// hosts are where the gateways listen: all of 127/8 is this machine, so that their ports are equal as those of pods.
var hosts = []string{"127.0.1.1", "127.0.1.2"}

const (
	// produceTimeout is how long a message has: twice what brokers take to notice that one of them is dead, which those
	// in this process do sooner.
	produceTimeout         = 6 * time.Second
	embeddedProduceTimeout = 2 * time.Second
	// remembered is how long Idempotency-Keys are: longer than anybody here sends a message again, and short enough for
	// all keys of a long run to have room. Where brokers do not recognize what is repeated, what is unknown stays so for
	// as long.
	remembered      = 2 * time.Minute
	rememberedTwice = 10 * time.Second
)

const gatewayConfig = `
cluster: %s
topic: %s
http: {address: %q, internalAddress: %q, drainDelay: 2s}
auth: {type: None}
produce: {timeout: %s}
idempotency: {window: %s, peers: %q}
`

// newGateways prepares the replicas, which do not run yet.
func newGateways(
	ctx context.Context, directory, binary, cluster string, timeout, window time.Duration,
) ([]*gateway, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	internal := port + 1
	peers := fmt.Sprintf("%s:%d,%s:%d", hosts[0], port, hosts[1], port)
	var all []*gateway
	for i, host := range hosts {
		g := &gateway{
			binary: binary, host: host, config: filepath.Join(directory, fmt.Sprintf("gateway-%d.yaml", i)),
			log:     filepath.Join(directory, fmt.Sprintf("gateway-%d.log", i)),
			address: fmt.Sprintf("%s:%d", host, port), internal: fmt.Sprintf("%s:%d", host, internal),
		}
		text := fmt.Sprintf(gatewayConfig, cluster, topic, g.address, g.internal, timeout, window, peers)
		if err := os.WriteFile(g.config, []byte(text), 0o600); err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}

// freePort is one that is free on all hosts, with the next one, and below those that Linux gives to connections.
func freePort(ctx context.Context) (int, error) {
	var listen net.ListenConfig
	for port := 20_000; port < 21_000; port += 2 {
		free := true
		for _, host := range hosts {
			for _, address := range []string{fmt.Sprintf("%s:%d", host, port), fmt.Sprintf("%s:%d", host, port+1)} {
				listener, err := listen.Listen(ctx, "tcp", address)
				if err != nil {
					free = false
					continue
				}
				free = listener.Close() == nil && free
			}
		}
		if free {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no port between 20000 and 21000 is free on %v", hosts)
}

// start runs the process and waits until it is ready.
func (g *gateway) start(ctx context.Context) error {
	if err := g.launch(); err != nil {
		return err
	}
	return g.awaitReady(ctx)
}

func (g *gateway) launch() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	output, err := os.OpenFile(g.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	process, err := proc.Start(proc.Command{
		Name: "gateway", Path: g.binary, Args: []string{"gateway", "--config", g.config},
		Env: []string{"POD_IP=" + g.host}, Output: output,
	})
	if err != nil {
		_ = output.Close()
		return err
	}
	g.process, g.output = process, output
	return nil
}

func (g *gateway) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond) // it takes some tenths of a second
	defer tick.Stop()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.internal+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		if answer, err := client.Do(request); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-g.process.Done():
			return fmt.Errorf("the gateway ended: %s: %s", g.process.Exit(), proc.Tail(g.log, 10))
		case <-ctx.Done():
			return fmt.Errorf("the gateway is not ready: %w: %s", context.Cause(ctx), proc.Tail(g.log, 10))
		}
	}
}

// kill ends it at once, and waits.
func (g *gateway) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.process == nil {
		return
	}
	g.process.Kill()
	_ = g.output.Close()
	g.process = nil
}

// drain asks it to end, and waits: it must have left in order, and cut nobody off.
func (g *gateway) drain(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	const grace = time.Minute // what is underway has 7 s, and a body that comes 30
	exit := g.process.Stop(ctx, grace)
	_ = g.output.Close()
	g.process = nil
	if exit.Code != 0 || exit.Signal == syscall.SIGKILL {
		return fmt.Errorf("the gateway did not leave in order: %s: %s", exit, proc.Tail(g.log, 10))
	}
	return nil
}

// drained is what a body leaves behind.
func readBody(body io.ReadCloser) ([]byte, error) {
	defer body.Close()
	var all bytes.Buffer
	_, err := all.ReadFrom(body)
	return all.Bytes(), err
}
