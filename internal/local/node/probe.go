// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

// probeKind is what a probe is for.
type probeKind string

const (
	startup   probeKind = "Startup"
	liveness  probeKind = "Liveness"
	readiness probeKind = "Readiness"
)

// eagerPeriod is how often a probe asks that has not passed yet, if its own period is longer: a process of this machine
// is up in milliseconds, and nobody likes to wait a period for it. Failures count once a period all the same.
const eagerPeriod = 250 * time.Millisecond

// eagerFor is how long a probe is that eager: who is not up by then is not about to be.
const eagerFor = 15 * time.Second

func probesOf(c *corev1.Container) map[probeKind]*corev1.Probe {
	declared := map[probeKind]*corev1.Probe{}
	for kind, probe := range map[probeKind]*corev1.Probe{
		startup: c.StartupProbe, liveness: c.LivenessProbe, readiness: c.ReadinessProbe,
	} {
		if probe != nil {
			declared[kind] = probe
		}
	}
	return declared
}

// newChecks begins with what a kubelet assumes: alive, not ready, not started.
func newChecks(c corev1.Container) map[probeKind]*check {
	checks := map[probeKind]*check{}
	for kind, probe := range probesOf(&c) {
		checks[kind] = &check{
			needSuccesses: probe.SuccessThreshold, needFailures: probe.FailureThreshold, passing: kind == liveness,
		}
	}
	return checks
}

// prober asks one process again and again.
type prober struct {
	probe   *corev1.Probe
	begun   time.Time // when the process did
	address string    // of the pod
	ports   []corev1.ContainerPort
	// execute is the command that an exec probe runs, in the container's surroundings.
	execute proc.Command
	// tell takes a result; it returns false when nobody wants another.
	tell func(err error) bool
}

// run asks until ctx ends or nobody wants to know any more.
func (p *prober) run(ctx context.Context) {
	period := seconds(p.probe.PeriodSeconds, 10)
	every := min(period, eagerPeriod)
	timer := time.NewTimer(time.Until(p.begun.Add(seconds(p.probe.InitialDelaySeconds, 0))))
	defer timer.Stop()
	toldFailure := p.begun // a process that is not up yet is not sick
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		err := p.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil || time.Since(p.begun) > eagerFor {
			every = period
		}
		if now := time.Now(); err == nil || every == period || now.Sub(toldFailure) >= period {
			if err != nil {
				toldFailure = now
			}
			if !p.tell(err) {
				return
			}
		}
		timer.Reset(every)
	}
}

func seconds(n, otherwise int32) time.Duration {
	if n <= 0 {
		n = otherwise
	}
	return time.Duration(n) * time.Second
}

// ask makes one attempt; nil is success.
func (p *prober) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, seconds(p.probe.TimeoutSeconds, 1))
	defer cancel()
	switch {
	case p.probe.HTTPGet != nil:
		return p.get(ctx, p.probe.HTTPGet)
	case p.probe.TCPSocket != nil:
		return p.dial(ctx, p.probe.TCPSocket)
	default:
		return p.exec(ctx)
	}
}

func (p *prober) get(ctx context.Context, action *corev1.HTTPGetAction) error {
	hostPort, err := p.hostPort(action.Host, action.Port)
	if err != nil {
		return err
	}
	target, err := url.Parse(action.Path)
	if err != nil {
		return err
	}
	target.Scheme, target.Host = strings.ToLower(string(action.Scheme)), hostPort
	if target.Scheme == "" {
		target.Scheme = "http"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "kube-probe/samsa-local")
	for _, h := range action.HTTPHeaders {
		if http.CanonicalHeaderKey(h.Name) == "Host" {
			request.Host = h.Value
			continue
		}
		request.Header.Add(h.Name, h.Value)
	}
	client := &http.Client{
		// A kubelet does not ask for a certificate that it could know, either.
		Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode >= http.StatusOK && answer.StatusCode < http.StatusBadRequest {
		return nil
	}
	return fmt.Errorf("HTTP probe failed with statuscode: %d", answer.StatusCode)
}

func (p *prober) dial(ctx context.Context, action *corev1.TCPSocketAction) error {
	hostPort, err := p.hostPort(action.Host, action.Port)
	if err != nil {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostPort)
	if err != nil {
		return err
	}
	return conn.Close()
}

// hostPort finds the address, which is the pod's unless the probe names another.
func (p *prober) hostPort(host string, port intstr.IntOrString) (string, error) {
	if host == "" {
		host = p.address
	}
	if port.Type == intstr.Int {
		return net.JoinHostPort(host, strconv.Itoa(port.IntValue())), nil
	}
	for _, declared := range p.ports {
		if declared.Name == port.StrVal {
			return net.JoinHostPort(host, strconv.Itoa(int(declared.ContainerPort))), nil
		}
	}
	return "", fmt.Errorf("the container declares no port %s", port.StrVal)
}

func (p *prober) exec(ctx context.Context) error {
	process, err := proc.Start(p.execute)
	if err != nil {
		return err
	}
	select {
	case <-process.Done():
	case <-ctx.Done():
		process.Kill()
		return ctx.Err()
	}
	if exit := process.Exit(); exit.Code != 0 {
		return fmt.Errorf("command %q: %s", p.execute.Path, exit)
	}
	return nil
}
