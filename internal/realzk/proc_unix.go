// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package realzk

import "syscall"

func dieWithParent() *syscall.SysProcAttr { return nil }

// awaitStop does not wait: only Linux is known to tell when a process has stopped.
func awaitStop(int) error { return nil }
