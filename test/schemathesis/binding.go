// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/samsa-dev/samsa/internal/embedded/issuer"
	"github.com/samsa-dev/samsa/internal/embedded/world"
)

const (
	topic    = "orders"
	audience = "orders.shop.svc"
	// user and password are those of Basic.
	user, password = "ann", "of shop"
)

// binding is one configuration of the gateway.
type binding struct {
	name string
	era  world.Era
	// produce is the part of the configuration of that name.
	produce string
	// callers gives the part auth of the configuration, and a token, where that is what lets Schemathesis in.
	callers func(directory string) (auth, token string, end func(), err error)
	// without are checks that are not made of it, with commas between.
	without string
	// events says to publish with the SDK of CloudEvents before, lie to try a document that is wrong behind.
	events, lie bool
}

// bindings are the ways to prove who one is, and the three kinds of brokers: that tell everything, nothing, or no
// positions.
func bindings() []binding {
	return []binding{
		{name: "tokens", era: world.Modern, produce: "{acks: all}", callers: tokens, events: true, lie: true},
		{name: "passwords, acks none", era: world.Modern, produce: "{acks: none}", callers: passwords},
		// The document is that of any Kafka, while this one takes neither headers nor null: 422 for some of what is valid.
		{
			name: "everybody, Kafka 0.7", era: world.Era07, produce: "{acks: all}", callers: everybody,
			without: "positive_data_acceptance",
		},
	}
}

func tokens(string) (string, string, func(), error) {
	tokens, err := issuer.Start()
	if err != nil {
		return "", "", nil, err
	}
	token, err := tokens.Token("shop", "billing", audience, time.Hour)
	if err != nil {
		tokens.Close()
		return "", "", nil, err
	}
	auth := fmt.Sprintf("{serviceAccount: {audience: %q, mode: JWKS, issuer: %q, jwksUrl: %q}}",
		audience, issuer.Name, tokens.URL())
	return auth, token, tokens.Close, nil
}

func passwords(directory string) (string, string, func(), error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		return "", "", nil, err
	}
	file := filepath.Join(directory, "users")
	if err := os.WriteFile(file, []byte(user+":"+string(hash)+"\n"), 0o600); err != nil {
		return "", "", nil, err
	}
	auth := fmt.Sprintf("{type: Basic, basic: {usersFile: %q}}", file)
	return auth, "", func() {}, nil
}

func everybody(string) (string, string, func(), error) { return "{type: None}", "", func() {}, nil }

// try runs Schemathesis against a gateway of the binding.
func (b binding) try(ctx context.Context, o options, out io.Writer) (err error) {
	fmt.Fprintf(out, "\n--- %s\n", b.name)
	began := time.Now()
	directory, err := os.MkdirTemp("", "samsa-schemathesis-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	w, err := world.Start(ctx, world.Config{Era: b.era, Brokers: 2, Topics: map[string]int32{topic: 4}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	auth, token, end, err := b.callers(directory)
	if err != nil {
		return err
	}
	defer end()
	config := fmt.Sprintf("topic: %s\ncluster: {zookeeper: {connect: %q}}\n"+
		"http: {address: '127.0.0.1:0', internalAddress: '127.0.0.1:0', drainDelay: 0s}\nproduce: %s\nauth: %s\n",
		topic, w.Connect(), b.produce, auth)
	p, err := startGateway(ctx, o.samsa, directory, config, func(r *http.Request) {
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		} else {
			r.SetBasicAuth(user, password)
		}
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	o.token = token
	if b.events {
		if err := o.events(ctx, p.url, w.Connect()); err != nil {
			return err
		}
		fmt.Fprintln(out, "Events of Python's SDK come out of Kafka as they were.")
	}
	arguments := []string{p.url + "/openapi.json", "--max-examples", strconv.Itoa(o.examples)}
	if b.without != "" {
		arguments = append(arguments, "--exclude-checks", b.without, "--warnings", "off")
	}
	if err = o.schemathesis(ctx, out, arguments...); err != nil {
		return fmt.Errorf("there are findings, see above: %w", err)
	}
	if b.lie {
		if err := p.lie(ctx, o, directory); err != nil {
			return err
		}
		fmt.Fprintln(out, "A document without 201 is found out.")
	}
	fmt.Fprintf(out, "%s: %.1f s\n", b.name, time.Since(began).Seconds())
	return nil
}

// events publishes with the SDK of CloudEvents for Python, and reads what is in the topic with it, too.
func (o options) events(ctx context.Context, url, zooKeeper string) error {
	python := filepath.Join(filepath.Dir(o.st), "python")
	command := exec.CommandContext(ctx, python, "hack/schemathesis/events.py", url,
		o.samsa, "subscribe", topic, "--zookeeper", zooKeeper, "--from", "earliest", "--count", "2", "-o", "json")
	command.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "SAMSA_TOKEN="+o.token)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("CloudEvents: %w: %s", err, output)
	}
	return nil
}

// schemathesis runs it; an error is what it finds.
func (o options) schemathesis(ctx context.Context, out io.Writer, arguments ...string) error {
	command := exec.CommandContext(ctx, o.st, append([]string{
		"--config-file", o.config, "run", "--seed", strconv.Itoa(o.seed), "--no-color",
	}, arguments...)...)
	command.Stdout, command.Stderr = out, out
	command.Env = append(os.Environ(),
		"PYTHONDONTWRITEBYTECODE=1", // hooks.py is in the clone
		"SAMSA_TOKEN="+o.token, "SAMSA_USER="+user, "SAMSA_PASSWORD="+password)
	return command.Run()
}

// lie tries a document that is wrong: that no message is ever 201. If that is not found, nothing was looked at.
func (p *process) lie(ctx context.Context, o options, directory string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/openapi.json", http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var document struct {
		OpenAPI    string                               `json:"openapi"`
		Info       json.RawMessage                      `json:"info"`
		Security   json.RawMessage                      `json:"security"`
		Paths      map[string]map[string]map[string]any `json:"paths"`
		Components json.RawMessage                      `json:"components"`
	}
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil {
		return err
	}
	responses, _ := document.Paths["/"]["post"]["responses"].(map[string]any)
	if responses["201"] == nil {
		return errors.New("the document has no 201 that could be taken out")
	}
	delete(responses, "201")
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	file := filepath.Join(directory, "lie.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	err = o.schemathesis(ctx, io.Discard,
		file, "--url", p.url, "--include-path", "/", "--phases", "examples", "--max-failures", "1")
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		return fmt.Errorf("a document without 201 was not found out: %w", err)
	}
	return nil
}
