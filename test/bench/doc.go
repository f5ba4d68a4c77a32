// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package bench measures what samsa costs above the bare libraries: the worker as it is shipped, with ownership,
// commits and metrics, against the shortest loops of franz-go and net/http that do the same to the messages.
// README.md says how to read what it prints.
//
// It holds benchmarks only, no code for others: go test ./test/bench -run '^$' -bench .
package bench
