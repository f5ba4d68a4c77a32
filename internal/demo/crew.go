// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// readyWithin is what the group may take from kubectl apply until it is Ready: pods start within some three
	// seconds, their image is a file, and their status is read at once.
	readyWithin = 60 * time.Second
	// tokenLife is longer than anybody keeps a demo.
	tokenLife = "24h"
	// mendWithin is what the API server and the manager may take to be back: ten times what they need.
	mendWithin = 60 * time.Second
)

// operator plays the script through kubectl, and with kill.
type operator struct {
	system Control
	// away and back are told when nobody can write a status any more, and when somebody can again.
	away, back func()
}

func (o *operator) kubectl(ctx context.Context, args ...string) error {
	_, err := o.system.Kubectl(ctx, append([]string{"--namespace", namespace}, args...)...)
	return err
}

// apply declares the samples and waits until the binding publishes and the group consumes.
func (o *operator) apply(ctx context.Context, samples string) error {
	if err := o.kubectl(ctx, "apply", "-k", samples); err != nil {
		return err
	}
	return o.kubectl(ctx, "wait", "--for=condition=Ready", "producerbinding/"+binding, "consumergroup/"+group,
		"--timeout="+readyWithin.String())
}

// enter finds the way in that the samples' ProducerBinding offers, as a user does.
func (o *operator) enter(ctx context.Context, proxy string) (*entrance, error) {
	ask := func(args ...string) (string, error) {
		text, err := o.system.Kubectl(ctx, append([]string{"--namespace", namespace}, args...)...)
		return strings.TrimSpace(text), err
	}
	target, err := ask("get", "producerbinding", binding, "-o", "jsonpath={.status.address.url}")
	if err != nil {
		return nil, err
	}
	audience, err := ask("get", "producerbinding", binding, "-o", "jsonpath={.status.address.audience}")
	if err != nil {
		return nil, err
	}
	token, err := ask("create", "token", "default", "--audience", audience, "--duration", tokenLife)
	if err != nil {
		return nil, err
	}
	return newEntrance(target, token, proxy), nil
}

func (o *operator) scale(ctx context.Context, replicas int) error {
	return o.kubectl(ctx, "scale", "consumergroup/"+group, "--replicas="+strconv.Itoa(replicas))
}

func (o *operator) kill(pod string) error   { return o.signal(pod, syscall.SIGKILL) }
func (o *operator) freeze(pod string) error { return o.signal(pod, syscall.SIGSTOP) }
func (o *operator) thaw(pod string) error   { return o.signal(pod, syscall.SIGCONT) }

func (o *operator) signal(pod string, signal syscall.Signal) error {
	return o.system.Signal(namespace, pod, signal)
}

func (o *operator) cut() error {
	o.away()
	if err := o.system.KillAPIServer(); err != nil {
		return fmt.Errorf("kill the API server: %w", err)
	}
	if err := o.system.StopManager(); err != nil {
		return fmt.Errorf("stop the manager: %w", err)
	}
	return nil
}

func (o *operator) mend(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, mendWithin)
	defer cancel()
	if err := o.system.StartAPIServer(ctx); err != nil {
		return fmt.Errorf("start the API server again: %w", err)
	}
	if err := o.system.StartManager(ctx); err != nil {
		return fmt.Errorf("start the manager again: %w", err)
	}
	o.back()
	return nil
}
