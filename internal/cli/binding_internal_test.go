// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// lineOf is a gateway's answer about one message.
func lineOf(status int, outcome string) string {
	if status == http.StatusCreated {
		return `{"status":201,"topic":"orders","partition":"3","offset":1}` + "\n"
	}
	return fmt.Sprintf(`{"status":%d,"title":"No","detail":"says why","outcome":%q}`+"\n", status, outcome)
}

func TestABindingsAnswersAreTold(t *testing.T) {
	good, lines := lineOf(201, ""), "application/x-ndjson"
	for name, c := range map[string]struct {
		status       int
		kind, answer string
		code         int
		says         string
	}{
		"all":        {200, lines, good + good, 0, "2 messages acknowledged by 1 partition of orders"},
		"one":        {207, lines, good + lineOf(422, "refused"), 1, "acknowledged; 1 message certainly not written"},
		"who knows":  {207, lines, good + lineOf(504, "unknown"), 3, "of 1 message it is unknown"},
		"cut off":    {207, lines, good, 3, "ended early"},
		"ended":      {207, lines, good + lineOf(413, "refused"), 1, "not written (number 2), and none behind was"},
		"between":    {207, lines, lineOf(422, "refused") + good, 1, "(number 1), and none behind number 2 was sent"},
		"doubtful":   {207, lines, lineOf(504, "unknown"), 3, "written (numbers 1 to 2)"},
		"garbage":    {200, lines, "<html>", 3, "cannot be read"},
		"nobody":     {401, "application/problem+json", lineOf(401, "refused"), 1, "401: says why"},
		"a proxy":    {502, "text/html", "<html>", 3, "502: Bad Gateway"},
		"no path":    {404, "text/plain", "not found", 1, "404: Not Found"},
		"a stranger": {200, "text/html", "<html>", 3, "no gateway of samsa's"},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = r.Header.Get("Authorization") + " " + r.Header.Get("Samsa-Key-Base64") + " " + string(body)
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			}))
			defer server.Close()
			token := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := publishTo(t, "a", "bc", "--binding", server.URL, "--token-file", token, "--key", "k")
			if want := "Bearer secret aw== \x00\x00\x00\x01a\x00\x00\x00\x02bc"; got != want {
				t.Errorf("sent %q", got)
			}
			failure := (*Error)(nil)
			code := 0
			if errors.As(err, &failure) {
				code = failure.Code
			}
			if code != c.code || !strings.Contains(out+fmt.Sprint(err), c.says) {
				t.Errorf("%d: %v, %s", code, err, out)
			}
		})
	}
}

func TestWhatIsWorthAnotherTry(t *testing.T) {
	good := bindingResult{Status: 201}
	busy := bindingResult{Status: 429, Outcome: outcomeRefused, RetryAfter: 3}
	bad := bindingResult{Status: 422, Outcome: outcomeRefused}
	unsent := bindingResult{Outcome: outcomeRefused, unsent: true}
	doubt := bindingResult{Status: 503, Outcome: outcomeUnknown}
	for name, c := range map[string]struct {
		results []bindingResult
		key     string
		left    []int
	}{
		"nothing":               {results: []bindingResult{good, good}},
		"what is busy":          {results: []bindingResult{good, busy, good}, left: []int{1}},
		"what is behind":        {results: []bindingResult{good, busy, unsent}, key: "k", left: []int{1, 2}},
		"the order of a key":    {results: []bindingResult{busy, good}, key: "k"},
		"one that is malformed": {results: []bindingResult{busy, bad}},
		"one that is doubtful":  {results: []bindingResult{busy, doubt}},
	} {
		b := &binding{}
		if c.key != "" {
			b.key = []byte(c.key)
		}
		left, wait := b.worthAgain(c.results)
		if !slices.Equal(left, c.left) || len(left) > 0 && wait != 3*time.Second {
			t.Errorf("%s: %v after %s", name, left, wait)
		}
	}
}

func TestNumbersOfMessagesAreTold(t *testing.T) {
	for want, c := range map[string][]int{
		"": {}, " (number 2)": {2}, " (numbers 2 to 4)": {2, 3, 4}, " (numbers 1, 3, 5 to 6)": {1, 3, 5, 6},
		" (numbers 1, 3, 5, 7, 9)":            {1, 3, 5, 7, 9},
		" (numbers 1, 3, 5, 7, 9 to 10, ...)": {1, 3, 5, 7, 9, 10, 12},
	} {
		for _, reasons := range []int{1, 2} {
			var all []refusal
			for i, n := range c {
				all = extended(all, n, fmt.Errorf("reason %d", i%reasons))
			}
			if got := which(all); got != want {
				t.Errorf("%v: got %q, want %q", c, got, want)
			}
		}
	}
}

// hangUp answers a request as soon as its first line is there, and ends the connection without reading on.
func hangUp(t *testing.T, answer string) (url string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 100))
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	})
	return "http://" + listener.Addr().String()
}

// What a connection says before it breaks is heard, though the rest of the request cannot be written any more.
func TestARequestThatCannotBeWrittenIsAnsweredAllTheSame(t *testing.T) {
	line, head := lineOf(413, "refused"), "HTTP/1.1 207 OK\r\nContent-Type: application/x-ndjson\r\n"
	large := strings.Repeat("x", 20<<20) // more than a connection's buffers hold
	for name, c := range map[string]struct {
		answer string
		code   int
	}{
		"chunks":    {fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", head, len(line), line), 1},
		"a length":  {fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(line), line), 1},
		"cut off":   {fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", head, len(line), line), 3},
		"no length": {head + "\r\n" + line, 3}, // it may have been cut off
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"a", "b", "--binding", hangUp(t, c.answer)} // two, so that the second is behind the line
			file := filepath.Join(t.TempDir(), "large")
			if err := os.WriteFile(file, []byte(large), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.code == ExitFailure {
				args = append([]string{"--file", file, "--max-message-bytes", "100000000"}, args[2:]...)
			}
			_, err := publishTo(t, args...)
			failure := (*Error)(nil)
			code := ExitFailure
			if errors.As(err, &failure) {
				code = failure.Code
			}
			if err == nil || code != c.code || code == 1 && !strings.Contains(err.Error(), "413: says why") {
				t.Errorf("%d: %v", code, err)
			}
		})
	}
}

func publishTo(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	for _, command := range Commands() {
		if command.Name() != "publish" {
			continue
		}
		var text bytes.Buffer
		command.SetArgs(args)
		command.SetOut(&text)
		command.SetErr(io.Discard)
		err = command.ExecuteContext(t.Context())
		return text.String(), err
	}
	t.Fatal("no publish")
	return "", nil
}

func TestFlagsOfABinding(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"m", "--binding", "orders:80"}, "no URL"},
		{[]string{"m", "--binding", "http://a", "--bootstrap", "b:1"}, "--bootstrap: the binding has its own"},
		{[]string{"m", "--binding", "http://a", "--ca-file", "x"}, "https://"},
		{[]string{"m", "--binding", "https://a", "--ca-file", "/none"}, "--ca-file"},
		{[]string{"orders", "m", "--token-file", "x"}, "give --binding"},
	} {
		_, err := publishTo(t, c.args...)
		failure := (*Error)(nil)
		if !errors.As(err, &failure) || failure.Code != ExitUsage || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v", c.args, err)
		}
	}
}

func TestWhereNobodyListensNothingIsWritten(t *testing.T) {
	_, err := publishTo(t, "m", "--binding", "http://127.0.0.1:1")
	if failure := (*Error)(nil); !errors.As(err, &failure) || failure.Code != ExitFailure {
		t.Errorf("%v", err)
	}
}

func TestAnUnreadableTokenSendsNothing(t *testing.T) {
	directory := t.TempDir()
	for name, text := range map[string]string{"two": "first\nsecond\n", "empty": "\n", "accents": "g\u00e9heim"} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("something was sent")
	}))
	t.Cleanup(server.Close)
	for _, name := range []string{"none", "two", "empty", "accents"} {
		_, err := publishTo(t, "m", "--binding", server.URL, "--token-file", filepath.Join(directory, name))
		failure := (*Error)(nil)
		if !errors.As(err, &failure) || failure.Code != ExitFailure || !strings.Contains(err.Error(), "--token-file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
