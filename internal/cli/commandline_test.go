// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/internal/cli"
)

// Nothing here comes to asking anybody: the command line is wrong, and says what is allowed.
func TestWrongCommandLines(t *testing.T) {
	for _, c := range []struct{ line, says string }{
		{"topics", "no cluster is named: give --zookeeper HOST:PORT/CHROOT, or --bootstrap"},
		{"topics --zookeeper a --bootstrap b", "bootstrap[0]: \"b\" is no address of a broker"},
		{"topics --zookeeper a,:b", "server \":b\""},
		{"topics --bootstrap ,", "names no broker"},
		{"topics --zookeeper a --timeout 0s", "--timeout: 0s is no time to wait"},
		{"topics --zookeeper a --digest-file /nowhere/x", "--digest-file: open /nowhere/x"},
		{"topics --zookeeper a --zookeeper-tls /nowhere/x", "--zookeeper-tls: stat /nowhere/x"},
		{"topics --zookeeper a --broker-tls /nowhere/x", "--broker-tls: stat /nowhere/x"},
		{"topics -o xml", "use table or json; see samsa topics --help"},
		{"topics orders", `"orders" is too much; see samsa topics --help`},
		{"topics --topic x", "unknown flag: --topic; see samsa topics --help"},
		{"partitions", "the topic is missing, as in: samsa partitions orders"},
		{"groups a b", `"b" is too much`},
		{"offsets", "the topic is missing"},
		{"offsets x --at noon", `--at: "noon" is no time; give one as in 2026-01-31T12:00:00Z, or how long ago`},
		{"offsets x --at -5m", "is no time"},
		{"offsets x --at 5m --group g", "leave --at or --group out"},
		{"publish", "the topic is missing, as in: samsa publish orders"},
		{"publish x! a", "is no topic's name"},
		{"publish x a --frames", "give one of them"},
		{"publish x --lines --file f", "give one of them"},
		{"publish x --batch 0", "--batch: 0 is no number of messages; give 1 to 100000"},
		{"publish x --max-message-bytes -1", "--max-message-bytes: -1 is no size"},
		{"publish x --partitioner key", "there is no key; give --key"},
		{"publish x --partitioner sticky", "use random, round-robin or key"},
		{"publish x --compression lz4", "use none, gzip or snappy"},
		{"subscribe", "the topic is missing, as in: samsa subscribe orders"},
		{"subscribe x", "give --group to join a consumer group, or --from"},
		{"subscribe x y --from earliest", "without --group one topic is read: leave \"y\" out, or give --group"},
		{"subscribe x --group g --from 5", "a group begins at earliest or latest"},
		{"subscribe x --from yesterday", "is no place to begin; use earliest, latest, a position as in 42"},
		{"subscribe x --group g --count 0", "--count: 0 is no number of messages"},
		{"subscribe x! --group g", "is no topic's name"},
		{"subscribe x --group g -o yaml", "use raw, json or table"},
	} {
		t.Run(c.line, func(t *testing.T) {
			var out, errs bytes.Buffer
			err := execute(t.Context(), strings.NewReader(""), &out, &errs, strings.Fields(c.line)...)
			if code(err) != cli.ExitUsage || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("code %d: %v", code(err), err)
			}
			if out.Len()+errs.Len() > 0 {
				t.Errorf("wrote %q and %q", &out, &errs)
			}
		})
	}
}

func TestTheEnvironmentNamesACluster(t *testing.T) {
	t.Setenv("SAMSA_ZOOKEEPER", "127.0.0.1:1")
	run := func(args ...string) error {
		return execute(t.Context(), nil, &bytes.Buffer{}, &bytes.Buffer{}, append(args, "--timeout", "200ms")...)
	}
	if err := run("topics"); code(err) != cli.ExitFailure || !strings.Contains(err.Error(), "cluster of 127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
	// What the command line says goes before it, and is no contradiction.
	if err := run("topics", "--bootstrap", "127.0.0.1:2"); !strings.Contains(err.Error(), "127.0.0.1:2") {
		t.Errorf("got %v", err)
	}
	t.Setenv("SAMSA_BOOTSTRAP", "127.0.0.1:2")
	both := "cluster of 127.0.0.1:1 and 127.0.0.1:2"
	if err := run("topics"); code(err) != cli.ExitFailure || !strings.Contains(err.Error(), both) {
		t.Errorf("got %v", err)
	}
}

// A digest that is malformed is not shown: it is a secret all the same.
func TestADigestIsNotShown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "digest")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"topics", "--digest-file", file}, {"topics"}} {
		t.Setenv("SAMSA_ZOOKEEPER_DIGEST", "secret")
		err := execute(t.Context(), nil, &bytes.Buffer{}, &bytes.Buffer{}, append(args, "--zookeeper", "127.0.0.1:1")...)
		if code(err) != cli.ExitUsage || !strings.Contains(err.Error(), "want user:password") ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v", err)
		}
	}
}

// Every command says what it does, how it is called, and what its flags mean.
func TestHelp(t *testing.T) {
	for _, command := range cli.Commands() {
		var out bytes.Buffer
		if err := execute(t.Context(), nil, &out, &bytes.Buffer{}, command.Name(), "--help"); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"Examples:", "samsa " + command.Name(), "--zookeeper address", "--timeout", "--output",
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is not in\n%s", command.Name(), want, &out)
			}
		}
		for line := range strings.Lines(command.Long + "\n" + command.Example) {
			if len(line) > 121 {
				t.Errorf("%s: a line of %d: %s", command.Name(), len(line), line)
			}
		}
	}
}
