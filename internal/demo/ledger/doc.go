// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ledger keeps the books of the demo: what was published, what was delivered, and from these two lists alone
// what was lost, repeated, reordered or late. It is pure: times come in with the entries, so a test writes a history
// and reads the account.
//
// A message is its partition and its place there, as in its id. The ledger is what the project is measured by, so it
// believes nobody: not the workers' counters, not the committed offsets.
package ledger
