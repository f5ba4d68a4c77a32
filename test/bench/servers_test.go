// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
)

const (
	topic      = "orders"
	partitions = 12
	brokers    = 3
	// Producers that linger a few milliseconds make batches of this order.
	batchBytes = 64 << 10
	// servedSize tells a child process to be the servers, and the size of the messages.
	servedSize = "SAMSA_BENCH_SERVE"
	// startTimeout is a hundred times what the servers need on an idle machine.
	startTimeout = 30 * time.Second
)

func TestMain(m *testing.M) {
	if size := os.Getenv(servedSize); size != "" {
		if err := serve(size, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// env is where the servers of a run are.
type env struct {
	Brokers   []string
	ZooKeeper string
	Sink      string // an URL that takes POST and answers 204
}

// serve runs ZooKeeper, Kafka and an HTTP sink until its input ends. It prints where they are, and for each line of
// input the seconds of CPU it has used.
func serve(sizeText string, in io.Reader, out io.Writer) error {
	size, err := strconv.Atoi(sizeText)
	if err != nil {
		return fmt.Errorf("%s: %w", servedSize, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout) //nolint:forbidigo // the root of a process
	defer cancel()
	keeper, err := zookeeper.Start(ctx, zookeeper.Config{})
	if err != nil {
		return err
	}
	defer keeper.Close()
	cluster, err := embedkafka.Start(ctx, embedkafka.Config{
		ZooKeeper: keeper.Addr() + "/kafka",
		Brokers:   brokers,
		Topics:    map[string]int32{topic: partitions},
		// Endless, from memory, the same bytes again and again: what it costs, it costs the server.
		Options: []kfake.Opt{kfake.SyntheticFetch(kfake.SyntheticBatch{
			RecordBytes: size, Records: max(batchBytes/size, 1),
		})},
	})
	if err != nil {
		return err
	}
	defer cluster.Close()
	for p := range int32(partitions) {
		// Evenly, or a run's speed would be the luck of its leaders.
		if err := cluster.MoveLeader(ctx, topic, p, p%brokers); err != nil {
			return err
		}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the sink: %w", err)
	}
	server := &http.Server{Handler: http.HandlerFunc(swallow), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()

	answers := json.NewEncoder(out)
	err = answers.Encode(env{
		Brokers: cluster.Addrs(), ZooKeeper: keeper.Addr() + "/kafka",
		Sink: "http://" + listener.Addr().String() + "/",
	})
	for lines := bufio.NewScanner(in); err == nil && lines.Scan(); {
		err = answers.Encode(cpuSeconds())
	}
	return err
}

func swallow(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusNoContent)
}

// servers are the child process.
type servers struct {
	env

	asks    io.WriteCloser
	answers *json.Decoder
}

// startServers runs the servers in a process of their own, on half of the cores.
func startServers(b *testing.B, size int) *servers {
	b.Helper()
	child := exec.CommandContext(b.Context(), os.Args[0])
	child.Env = append(os.Environ(), servedSize+"="+strconv.Itoa(size), "GOMAXPROCS="+strconv.Itoa(half()))
	child.Stderr = os.Stderr
	asks, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	output, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = asks.Close()
		_ = child.Wait()
	})
	s := &servers{asks: asks, answers: json.NewDecoder(output)}
	if err := s.answers.Decode(&s.env); err != nil {
		b.Fatalf("servers: %v", err)
	}
	return s
}

// cpu gives the seconds of CPU the servers have used.
func (s *servers) cpu() (seconds float64, err error) {
	if _, err := io.WriteString(s.asks, "\n"); err != nil {
		return 0, fmt.Errorf("ask the servers: %w", err)
	}
	if err := s.answers.Decode(&seconds); err != nil {
		return 0, fmt.Errorf("answer of the servers: %w", err)
	}
	return seconds, nil
}

// half of the cores are for each process, so that neither takes the other's.
func half() int { return max(runtime.NumCPU()/2, 1) }
