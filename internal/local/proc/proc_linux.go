// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package proc

import "syscall"

// leaveZombie is WNOWAIT.
const leaveZombie = 0x1000000

// attributes make the kernel end the child when this process is killed before it could do so, and keep the terminal's
// Ctrl-C to this process: it then ends its children in order.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
