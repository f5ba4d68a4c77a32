// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realkafka

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"sync"
)

// watch is a log file that tells when the broker has written that it serves.
type watch struct {
	seen chan struct{} // closed then

	once sync.Once
	file *os.File
	last []byte // the end of what was written before, which a mark may begin in
}

// mark stands at the end of the line that each release writes when it serves: "[Kafka Server 0], started
// (kafka.server.KafkaServer)" until 3.9, "[KafkaRaftServer nodeId=0] Kafka Server started
// (kafka.server.KafkaRaftServer)" with KRaft. The class comes from the pattern that this package sets.
var mark = []byte("started (kafka.server.Kafka")

func newWatch(path string) (*watch, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of a broker: %w", err)
	}
	return &watch{seen: make(chan struct{}), file: file}, nil
}

// Write implements io.Writer, for one goroutine.
func (w *watch) Write(text []byte) (int, error) {
	both := slices.Concat(w.last, text)
	if bytes.Contains(both, mark) {
		w.once.Do(func() { close(w.seen) })
	}
	w.last = bytes.Clone(both[max(0, len(both)-len(mark)+1):])
	return w.file.Write(text)
}

// Close closes the file.
func (w *watch) Close() error { return w.file.Close() }
