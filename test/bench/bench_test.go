// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

var (
	rounds = flag.Int("rounds", 5, "how often each side is measured, in turns")
	window = flag.Duration("window", 2*time.Second, "how long each measurement lasts, after a warm-up")
	procs  = flag.Int("procs", 0, "GOMAXPROCS of each process but real brokers; half of the cores if 0")
)

// warmUp is the part of a window that each side runs, from its first message on, before it is measured: connections,
// buffers and the heap are then as they stay.
const warmUp = 0.25

func discarding(env) worker.Sink { return worker.Sink{Discard: &worker.DiscardSink{}} }

func posting(e env) worker.Sink {
	return worker.Sink{HTTP: &worker.HTTPSink{URL: e.Sink, Format: worker.FormatRaw}}
}

// BenchmarkConsume compares the worker with a sink that does nothing to a loop of franz-go. Its nanoseconds per
// operation mean nothing: what counts are the ratios, of the medians of all rounds.
func BenchmarkConsume(b *testing.B) {
	for _, size := range []int{100, 1024} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			compare(b, size, []side{
				{"franz-go", bareLoop}, {"transport", transportLoop}, {"worker", workerTo(discarding)},
			})
		})
	}
}

// BenchmarkConsumeToHTTP compares the worker with its HTTP sink to a loop of franz-go and net/http.
func BenchmarkConsumeToHTTP(b *testing.B) {
	b.Run("1024B", func(b *testing.B) {
		compare(b, 1024, []side{{"franz-go+net/http", bareHTTP}, {"worker", workerTo(posting)}})
	})
}

// sample is one measurement of one side.
type sample struct {
	perSecond, perCPU, allocs, bytes, cores, serverCores float64
	// median and p99 are how long a message took, in seconds; 0 where nobody waits for one.
	median, p99 float64
}

// compare measures all sides in turns, the first being the yardstick.
func compare(b *testing.B, size int, sides []side) {
	before := runtime.GOMAXPROCS(share())
	b.Cleanup(func() { runtime.GOMAXPROCS(before) })
	s := startServers(b, size)
	samples := takeTurns(b, len(sides), func(i int) sample {
		taken, err := measure(b.Context(), s, sides[i])
		if err != nil {
			b.Fatalf("%s: %v", sides[i].name, err)
		}
		return taken
	})
	report(b, size, sides, samples)
}

// takeTurns measures each of n sides in every round; who is first changes.
func takeTurns(b *testing.B, n int, measure func(i int) sample) [][]sample {
	samples := make([][]sample, n)
	for b.Loop() {
		for round := range *rounds {
			for i := range n {
				of := (i + round) % n
				samples[of] = append(samples[of], measure(of))
			}
		}
	}
	return samples
}

// measure runs a side for a window.
func measure(ctx context.Context, s *servers, of side) (taken sample, err error) {
	run, count, err := of.start(s.env)
	if err != nil {
		return sample{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	defer func() {
		stop()
		err = errors.Join(err, <-done)
		runtime.GC()
	}()
	if err := awaitFlow(ctx, count); err != nil {
		return sample{}, err
	}
	if err := pass(done, time.Duration(float64(*window)*warmUp)); err != nil {
		return sample{}, err
	}
	from, err := look(ctx, s, count)
	if err != nil {
		return sample{}, err
	}
	if err := pass(done, *window); err != nil {
		return sample{}, err
	}
	to, err := look(ctx, s, count)
	if err != nil {
		return sample{}, err
	}
	return between(from, to), nil
}

// pass lets time go by, in which a side must not end.
func pass(done chan error, duration time.Duration) error {
	select {
	case err := <-done:
		done <- nil
		return fmt.Errorf("ended early: %w", err)
	case <-time.After(duration):
		return nil
	}
}

// awaitFlow waits until messages flow.
func awaitFlow(ctx context.Context, count func(context.Context) (int64, error)) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		n, err := count(ctx)
		if err != nil || n > 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no message in %v", startTimeout)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// reading is the state of all counters.
type reading struct {
	at                     time.Time
	messages               int64
	cpu, serverCPU         float64
	allocs, allocatedBytes uint64
}

func look(ctx context.Context, s *servers, count func(context.Context) (int64, error)) (r reading, err error) {
	if r.messages, err = count(ctx); err != nil {
		return r, err
	}
	if r.serverCPU, err = s.cpu(); err != nil {
		return r, err
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	r.allocs, r.allocatedBytes = memory.Mallocs, memory.TotalAlloc
	r.cpu, r.at = cpuSeconds(), time.Now()
	return r, nil
}

func between(from, to reading) sample {
	messages := float64(to.messages - from.messages)
	seconds := to.at.Sub(from.at).Seconds()
	return sample{
		perSecond:   messages / seconds,
		perCPU:      messages / (to.cpu - from.cpu),
		allocs:      float64(to.allocs-from.allocs) / messages,
		bytes:       float64(to.allocatedBytes-from.allocatedBytes) / messages,
		cores:       (to.cpu - from.cpu) / seconds,
		serverCores: (to.serverCPU - from.serverCPU) / seconds,
	}
}

// report prints the conditions, a row for each side, and the ratios to the first.
func report(b *testing.B, size int, sides []side, samples [][]sample) {
	conditions := fmt.Sprintf("%d B messages, %d partitions on %d brokers of kfake in another process, batches of %d "+
		"KiB, not compressed\n%s\nfetches: %d MiB a broker, %d KiB a partition, %v wait; %d rounds of %v in turns, medians "+
		"(least to most)\n", size, partitions, brokers, batchBytes>>10, machine(), wire.DefaultFetchMaxBytes>>20,
		wire.DefaultFetchMaxPartitionBytes>>10, wire.DefaultFetchMaxWait, *rounds, *window)
	names := make([]string, len(sides))
	for i, of := range sides {
		names[i] = of.name
	}
	b.Log("\n" + conditions + tabulate(names, samples, 1))
	for i := range names[1:] {
		reportRatios(b, names[i+1], samples[0], samples[i+1])
		b.ReportMetric(middle(samples[i+1], func(s sample) float64 { return s.allocs }), names[i+1]+"-allocs/record")
	}
}

func machine() string {
	return fmt.Sprintf("%s %s/%s, %d cores: GOMAXPROCS %d here, %d there",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), share(), share())
}

func perSecond(s sample) float64 { return s.perSecond }
func perCPU(s sample) float64    { return s.perCPU }

// tabulate gives a row for each side, with its ratios to the first few.
func tabulate(names []string, samples [][]sample, yardsticks int) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	waited := samples[len(samples)-1][0].p99 > 0
	fmt.Fprint(table, "side\trecords/s\trecords/CPU-s\tallocs/record\tB/record\tcores\tservers' cores\t")
	if waited {
		fmt.Fprint(table, "median ms\tp99 ms\t")
	}
	for _, yardstick := range names[:yardsticks] {
		fmt.Fprintf(table, "records/s to %s\trecords/CPU-s\t", yardstick)
	}
	fmt.Fprintln(table)
	for i, name := range names {
		median := func(value func(sample) float64) float64 { return middle(samples[i], value) }
		fmt.Fprintf(table, "%s\t%.0f\t%.0f\t%.3f\t%.0f\t%.2f\t%.2f\t", name, median(perSecond), median(perCPU),
			median(func(s sample) float64 { return s.allocs }), median(func(s sample) float64 { return s.bytes }),
			median(func(s sample) float64 { return s.cores }), median(func(s sample) float64 { return s.serverCores }))
		if waited {
			fmt.Fprintf(table, "%.2f\t%.2f\t", 1000*median(func(s sample) float64 { return s.median }),
				1000*median(func(s sample) float64 { return s.p99 }))
		}
		for _, yardstick := range samples[:yardsticks] {
			fmt.Fprintf(table, "%s\t%s\t", spread(ratios(yardstick, samples[i], perSecond)),
				spread(ratios(yardstick, samples[i], perCPU)))
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush()
	return text.String()
}

// reportRatios tells Go's own tables of a side's ratios to a yardstick.
func reportRatios(b *testing.B, name string, yardstick, samples []sample) {
	speed, frugality := ratios(yardstick, samples, perSecond), ratios(yardstick, samples, perCPU)
	b.ReportMetric(speed[len(speed)/2], name+"-records/s-ratio")
	b.ReportMetric(frugality[len(frugality)/2], name+"-records/CPU-s-ratio")
}

func middle(samples []sample, value func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = value(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// ratios compares each round with the same round of the yardstick, so that what slows the machine for a while slows
// both.
func ratios(yardstick, samples []sample, value func(sample) float64) []float64 {
	result := make([]float64, len(samples))
	for i := range samples {
		result[i] = value(samples[i]) / value(yardstick[i])
	}
	slices.Sort(result)
	return result
}

func spread(sorted []float64) string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", sorted[len(sorted)/2], sorted[0], sorted[len(sorted)-1])
}
