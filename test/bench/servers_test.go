// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
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
	// publishing tells a child process to be those who publish.
	publishing = "SAMSA_BENCH_PUBLISH"
	// startTimeout is a hundred times what the servers need on an idle machine.
	startTimeout = 30 * time.Second
)

// TestMain makes this binary the servers, or those who publish to one, where that is what it was started for.
func TestMain(m *testing.M) {
	var err error
	switch size := os.Getenv(servedSize); {
	case size != "":
		err = serve(size, os.Stdin, os.Stdout)
	case os.Getenv(publishing) != "":
		err = publish(os.Stdin, os.Stdout)
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// env is where the servers of a run are.
type env struct {
	Brokers   []string
	ZooKeeper string
	Sink      string // an URL that takes POST and answers 204
}

// What the servers are told to do before they say how much CPU they have used.
const (
	// freeze makes brokers hang: they take connections and answer nothing. thaw undoes it.
	freeze = "freeze"
	thaw   = "thaw"
)

// serve runs ZooKeeper, Kafka and an HTTP sink until its input ends. It prints where they are, and for each line of
// input, when it has done what that says, the seconds of CPU it has used.
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
		Options: []kfake.Opt{
			// Endless, from memory, the same bytes again and again: what it costs, it costs the server.
			kfake.SyntheticFetch(kfake.SyntheticBatch{RecordBytes: size, Records: max(batchBytes/size, 1)}),
			// What is written is checked, counted and forgotten.
			kfake.BlackholeProduce(),
		},
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
		err = errors.Join(obey(ctx, cluster, lines.Text()), answers.Encode(cpuSeconds()))
	}
	return err
}

func obey(ctx context.Context, cluster *embedkafka.Cluster, order string) (err error) {
	for id := range int32(brokers) {
		switch order {
		case freeze:
			err = errors.Join(err, cluster.FreezeBroker(id))
		case thaw:
			err = errors.Join(err, cluster.ThawBroker(id))
		}
	}
	return err
}

func swallow(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusNoContent)
}

// servers are a child process.
type servers struct {
	env
	*child
}

// child is this binary with another task, which it reads from its input, and answers in JSON.
type child struct {
	asks    io.WriteCloser
	answers *json.Decoder
}

// startServers runs the servers in a process of their own, on half of the cores.
func startServers(b *testing.B, size int) *servers {
	b.Helper()
	s := &servers{child: startChild(b, servedSize+"="+strconv.Itoa(size))}
	if err := s.answers.Decode(&s.env); err != nil {
		b.Fatalf("servers: %v", err)
	}
	return s
}

// startChild runs a process until the benchmark ends.
func startChild(b *testing.B, task string) *child {
	b.Helper()
	process := exec.CommandContext(b.Context(), os.Args[0])
	process.Env = append(os.Environ(), task, "GOMAXPROCS="+strconv.Itoa(share()))
	process.Stderr = os.Stderr
	asks, err := process.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	output, err := process.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := process.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = asks.Close()
		_ = process.Wait()
	})
	return &child{asks: asks, answers: json.NewDecoder(output)}
}

// cpu gives the seconds of CPU the servers have used.
func (s *servers) cpu() (seconds float64, err error) { return s.tell("") }

// tell has the servers do something, if there is something to do, and gives the seconds of CPU they have used.
func (s *servers) tell(order string) (seconds float64, err error) {
	if _, err := io.WriteString(s.asks, order+"\n"); err != nil {
		return 0, fmt.Errorf("ask the servers: %w", err)
	}
	if err := s.answers.Decode(&seconds); err != nil {
		return 0, fmt.Errorf("answer of the servers: %w", err)
	}
	return seconds, nil
}

// share is what each process may use of the cores: half of them, so that neither takes the other's, unless told.
func share() int {
	if *procs > 0 {
		return *procs
	}
	return max(runtime.NumCPU()/2, 1)
}
