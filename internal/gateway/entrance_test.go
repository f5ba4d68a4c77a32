// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Before any broker has answered, callers are told what is wrong with their requests, and in the same form.
func TestBeforeTheClusterIsKnown(t *testing.T) {
	address, inner, stop := startApart(t, "30s")
	for _, c := range []struct {
		method, path, body string
		status             int
		kind, outcome      string
	}{
		{"POST", "/", "a message", 503, "urn:samsa:problem:unavailable", "refused"},
		{"POST", "/topics/orders", `{"records":[{"value":"eA=="}]}`, 503, "urn:samsa:problem:unavailable", "refused"},
		{"POST", "/topics/others", `{"records":[{"value":"eA=="}]}`, 404, "urn:samsa:problem:other-topic", "refused"},
		{"POST", "/topics/orders", `{"records":[`, 400, "urn:samsa:problem:malformed", "refused"},
		{"PUT", "/", "", 405, "urn:samsa:problem:method", "refused"},
		{"GET", "/nowhere", "", 404, "urn:samsa:problem:no-path", "refused"},
		{"GET", "/readyz", "", 503, "urn:samsa:problem:not-ready", "refused"},
		{"GET", "/healthz", "", 200, "", ""},
		{"GET", "/openapi.json", "", 200, "", ""},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+address+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(c.path, "/topics") {
			request.Header.Set("Content-Type", "application/vnd.kafka.binary.v2+json")
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ Type, Outcome string }
		err = json.NewDecoder(response.Body).Decode(&body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != c.status || body.Type != c.kind || body.Outcome != c.outcome {
			t.Errorf("%s %s: %d %+v %v", c.method, c.path, response.StatusCode, body, err)
		}
		if c.status == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "" {
			t.Errorf("%s %s: no Retry-After", c.method, c.path)
		}
	}
	counted(t, inner, `samsa_producer_messages_total{outcome="refused"} 2`) // those of the first two
	http.DefaultClient.CloseIdleConnections()
	stop()
}

// The time that a request may take to come is that of the configuration.
func TestARequestThatComesSlowly(t *testing.T) {
	address, _, _ := startApart(t, "1s")
	for text, want := range map[string]string{
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nslow": "HTTP/1.1 408 Request Timeout\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\n":                              "",
	} {
		connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = connection.Close() })
		if err := connection.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(connection, text); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(connection).ReadString('\n')
		if line != want || want == "" && err != io.EOF { //nolint:errorlint // a reader's end is never wrapped
			t.Errorf("%q: got %q, %v", text, line, err)
		}
	}
}

// A request that is on its way when the gateway begins to leave is told so.
func TestARequestThatComesTooLate(t *testing.T) {
	address, _, stop := startApart(t, "30s")
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "POST / HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	var stopping sync.WaitGroup
	stopping.Go(stop)
	defer stopping.Wait()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for draining := false; !draining; {
		response, err := client.Get("http://" + address + "/readyz") //nolint:noctx // it answers at once
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if draining = strings.Contains(string(body), "problem:draining"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(connection, "Host: x\r\nContent-Length: 1\r\n\r\nx"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || !response.Close {
		t.Errorf("%d, closed: %t", response.StatusCode, response.Close)
	}
}

// startApart runs a gateway whose brokers nobody has.
func startApart(t *testing.T, bodyTimeout string) (address, inner string, stop func()) {
	t.Helper()
	addresses := ports(t, 2)
	address, inner = addresses[0], addresses[1]
	stop = start(t, fmt.Sprintf(`
topic: orders
cluster: {bootstrapServers: ["127.0.0.1:1"]}
http: {address: %q, internalAddress: %q, drainDelay: 0s, bodyTimeout: %s}
auth: {type: None}
produce: {timeout: 1s}
`, address, inner, bodyTimeout))
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for range 1000 {
		<-pause.C
		response, err := http.Get("http://" + address + "/healthz") //nolint:noctx // it answers at once
		if err == nil {
			_ = response.Body.Close()
			return address, inner, stop
		}
	}
	t.Fatal("it does not listen")
	return "", "", nil
}
