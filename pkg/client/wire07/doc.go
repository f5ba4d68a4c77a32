// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package wire07 is the transport for Kafka 0.7: the seam kafka.Transport over package protocol. A partition is
// "<broker>-<number>", and a position counts bytes.
package wire07
