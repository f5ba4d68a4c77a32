// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/samsa-dev/samsa/internal/gateway"
)

const (
	// readyWithin is far above the 6 s that a gateway takes to meet its brokers, and to know its Idempotency-Keys.
	readyWithin = 30 * time.Second
	readyEvery  = 50 * time.Millisecond
	// leaveWithin is how long it may take to end: what it waits for is requests underway, of which there are none.
	leaveWithin = 15 * time.Second
)

// process is a gateway that runs.
type process struct {
	command *exec.Cmd
	url     string
	// log is what it has written; it is complete once drained is closed.
	log     bytes.Buffer
	drained chan struct{}
}

// startGateway runs samsa gateway with a configuration, until its end is asked for.
// authorize makes a request that of a caller whom it lets in.
func startGateway(
	ctx context.Context, samsa, directory, config string, authorize func(*http.Request),
) (*process, error) {
	file := filepath.Join(directory, "gateway.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	p := &process{command: exec.Command(samsa, "gateway", "--config", file), drained: make(chan struct{})}
	errs, err := p.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(errs)
	for p.url == "" && lines.Scan() {
		fmt.Fprintln(&p.log, lines.Text())
		if _, address, ok := strings.Cut(lines.Text(), "msg="+gateway.ListeningMessage+" address="); ok {
			p.url = "http://" + address
		}
	}
	go func() {
		defer close(p.drained)
		_, _ = io.Copy(&p.log, errs) // it ends with the process
	}()
	if err := p.await(ctx, authorize); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// await waits until it answers requests with an Idempotency-Key: a gateway that begins gives what another process may
// have sent some seconds to get into the log, and answers 503 until then; and after that 404, for there is no such
// partition.
func (p *process) await(ctx context.Context, authorize func(*http.Request)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, errors.New("the gateway does not become ready"))
	defer cancel()
	pause := time.NewTicker(readyEvery)
	defer pause.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/topics/"+topic+"/partitions/99",
			strings.NewReader(`{"records": [{"value": "first"}]}`))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/vnd.kafka.json.v2+json")
		request.Header.Set("Idempotency-Key", "first")
		authorize(request)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close() // nothing is read
			if response.StatusCode == http.StatusNotFound {
				return nil
			}
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.drained:
			return errors.New("the gateway has ended")
		}
	}
}

// stop ends it. A gateway that ended before, or ends in another way, is an error with its log.
func (p *process) stop() error {
	err := p.command.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(leaveWithin, func() { _ = p.command.Process.Kill() }) // if it ended, all the better
	defer late.Stop()
	<-p.drained
	if err = errors.Join(err, p.command.Wait()); err != nil {
		return fmt.Errorf("%w; its log:\n%s", err, p.log.String())
	}
	return nil
}
