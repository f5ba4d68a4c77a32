// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package publishing_test

import (
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The page's own words of what is in the topic after each of its lines: key=value [headers].
var published = []string{
	"=hello",
	`customer-17={"order": 7} [trace=7b]`,
	"customer-18=null",
	`customer-17={"order": 8} [ce_id=1 ce_partitionkey=customer-17 ce_source=/shop ce_specversion=1.0 ce_type=order ` +
		`content-type=application/json]`,
	`={"specversion":"1.0","id":"2","source":"/shop","type":"order","data":{"order":9}} ` + structured,
	`={"specversion":"1.0","id":"3","source":"/shop","type":"order","data":{"order":10}} ` + structured,
	`={"specversion":"1.0","id":"4","source":"/shop","type":"order","data":{"order":11}} ` + structured,
	`"customer-17"={"order":12}`,
	`="no key"`,
	"=\x00\x01\x02",
	"=text [trace=7b]",
	`="taken"`,
	"a=first",
	`={"order": 13}`,
	"b=hello",
	"b=frames",
	"=once",
	"=from ann",
	"=from a certificate",
}

const structured = "[content-type=application/cloudevents+json]"

func TestEveryLineOfThePage(t *testing.T) {
	for _, program := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not on this machine: not one line of docs/publishing.md was tried", program)
		}
	}
	w, err := world.Start(t.Context(), world.Config{Topics: map[string]int32{topic: 4}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	b := bind(t, w)
	variables, titles := "", make(map[string]bool)
	for _, block := range readPage(t, "../../docs/publishing.md") {
		titles[block.title] = true
		if len(block.answers) == 0 {
			variables += block.script + "\n"
			continue
		}
		answers := b.run(t, block, variables)
		if block.title == "Retries" && len(answers) == 2 && !slices.Equal(answers[0].lines, answers[1].lines) {
			t.Errorf("the same key has two answers: %s", answers)
		}
	}
	for title := range b.with {
		if !titles[title] {
			t.Errorf("the page has no %s any more, or it is not found", title)
		}
	}
	want := slices.Sorted(slices.Values(published))
	if got := read(t, w); !slices.Equal(got, want) {
		t.Errorf("in the topic is\n%s\nand should be\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// run runs a block in the directory and the environment of a bound workload, and compares what it answers.
func (b *bound) run(t *testing.T, block block, variables string) []answer {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "bash", "-eu", "-o", "pipefail", "-c", variables+block.script)
	shell.Dir, shell.Env = b.directory, slices.Concat(b.env, b.with[block.title])
	output, err := shell.CombinedOutput()
	answers := readAnswers(string(output))
	if err != nil || len(answers) != len(block.answers) {
		t.Errorf("line %d: %v, %d answers of %d:\n%s", block.line, err, len(answers), len(block.answers), output)
		return nil
	}
	for i := range answers {
		if difference := answers[i].differs(block.answers[i]); difference != "" {
			t.Errorf("line %d: %s", block.line, difference)
		}
	}
	return answers
}

// read gives all that the topic has, as published says it.
func read(t *testing.T, w *world.World) (found []string) {
	t.Helper()
	cluster, err := client.Open(t.Context(), client.Config{ZooKeeper: w.Connect()})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	total := int64(0)
	for _, id := range w.Brokers().Partitions(topic) {
		total += w.Brokers().End(kafka.Partition{Topic: topic, ID: id})
	}
	consumer, err := cluster.Topic(topic).Subscribe(t.Context(), "readers")
	if err != nil {
		t.Fatal(err)
	}
	for message, err := range consumer.Messages(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if found = append(found, words(&message)); int64(len(found)) == total {
			break
		}
	}
	slices.Sort(found)
	return found
}

func words(m *kafka.Message) string {
	value := string(m.Value)
	if m.Value == nil {
		value = "null"
	}
	headers := make(map[string]string)
	for _, header := range m.Headers {
		if header.Key != window.HeaderName {
			headers[header.Key] = header.Key + "=" + string(header.Value)
		}
	}
	text := string(m.Key) + "=" + value
	if len(headers) > 0 {
		all := slices.Sorted(maps.Values(headers))
		text += fmt.Sprintf(" [%s]", strings.Join(all, " "))
	}
	return text
}
