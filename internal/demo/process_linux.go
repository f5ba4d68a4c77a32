// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import "syscall"

// ownProcess makes the kernel end the child when this process is killed before it could do so, and keeps the
// terminal's Ctrl-C to this process: it then ends the children in order.
func ownProcess() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
