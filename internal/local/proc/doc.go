// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package proc runs child processes that never outlive their parent: each in a process group of its own, killed whole
// when its first process ends, by the parent's hand or (on Linux) by the kernel's when the parent dies.
package proc
