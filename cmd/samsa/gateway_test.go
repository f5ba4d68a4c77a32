// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// gatewayProcess is a gateway that is running.
type gatewayProcess struct {
	*exec.Cmd
	url, probes string
	// log is what it writes after it has said where it listens.
	log chan string
}

func startGateway(t *testing.T, w *world.World, more string) *gatewayProcess {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	config := fmt.Sprintf("topic: orders\ncluster: {zookeeper: {connect: %q}}\n"+
		"http: {address: '127.0.0.1:0', internalAddress: '127.0.0.1:0', drainDelay: 0s}\n%s\n", w.Connect(), more)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &gatewayProcess{Cmd: command(t, "samsa", "gateway", "--config", file), log: make(chan string, 1)}
	errs, err := g.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(errs)
	for g.probes == "" && lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "msg=Listening address="); ok {
			g.url = "http://" + address
		}
		if _, address, ok := strings.Cut(lines.Text(), `msg="Listening for probes" address=`); ok {
			g.probes = "http://" + address
		}
	}
	go func() {
		rest, _ := io.ReadAll(errs)
		g.log <- string(rest)
	}()
	g.await(t)
	return g
}

// await waits until the gateway takes messages.
func (g *gatewayProcess) await(t *testing.T) {
	t.Helper()
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for range 400 {
		status, _, err := request(t.Context(), http.MethodGet, g.probes+"/readyz", "")
		if err == nil && status == http.StatusOK {
			return
		}
		<-pause.C
	}
	t.Fatal("the gateway does not become ready")
}

func request(ctx context.Context, method, url, body string) (status int, answer string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, string(data), err
}

func TestGatewayPublishesAndLosesNothingOnSIGTERM(t *testing.T) {
	w := startWorld(t)
	g := startGateway(t, w, "auth: {type: None}\nproduce: {linger: 20ms}")
	const publishers = 20
	var all sync.WaitGroup
	var mu sync.Mutex
	held, begun := 0, make(chan struct{}, publishers)
	for range publishers {
		all.Go(func() {
			for i := 0; ; i++ {
				status, answer, err := request(t.Context(), http.MethodPost, g.url, "a message")
				switch {
				case err == nil && status == http.StatusCreated:
					mu.Lock()
					held++
					mu.Unlock()
				case err == nil && status == http.StatusServiceUnavailable:
					return // it says that it goes
				case err != nil && i > 0 && !strings.Contains(err.Error(), "context"):
					// The end of a connection is no answer: only idle ones and the listener end before.
					if !strings.Contains(err.Error(), "refused") && !strings.Contains(err.Error(), "EOF") &&
						!strings.Contains(err.Error(), "reset") {
						t.Error(err)
					}
					return
				default:
					t.Errorf("%d %s %v", status, answer, err)
					return
				}
				if i == 5 {
					begun <- struct{}{}
				}
			}
		})
	}
	for range publishers {
		<-begun
	}
	said := output(t, "one\ntwo\n", "publish", "--binding", g.url, "--key", "k")
	if !strings.HasPrefix(said, "2 messages acknowledged by 1 partition of orders") {
		t.Errorf("publish: %s", said)
	}
	if _, metrics, err := request(t.Context(), http.MethodGet, g.probes+"/metrics", ""); err != nil ||
		!strings.Contains(metrics, `samsa_producer_requests_total{code="201"}`) {
		t.Errorf("%v: %s", err, metrics)
	}
	if err := g.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	said = <-g.log
	if err := g.Wait(); err != nil {
		t.Errorf("ended with %v: %s", err, said)
	}
	if !strings.Contains(said, "msg=Left") {
		t.Errorf("the log: %s", said)
	}
	written := 0
	for _, id := range w.Brokers().Partitions("orders") {
		written += int(w.Brokers().End(kafka.Partition{Topic: "orders", ID: id}))
	}
	if held == 0 || written != held+2 {
		t.Errorf("%d messages are written, %d were acknowledged", written, held+2)
	}
}

func TestGatewayRefusesWhoHasNoToken(t *testing.T) {
	w := startWorld(t)
	keys := "http://127.0.0.1:1/keys"
	g := startGateway(t, w, "auth: {serviceAccount: {audience: a, mode: JWKS, issuer: i, jwksUrl: '"+keys+"'}}")
	status, answer, err := request(t.Context(), http.MethodPost, g.url, "a message")
	if err != nil || status != http.StatusUnauthorized {
		t.Errorf("%d %s %v", status, answer, err)
	}
	if err := g.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-g.log
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
