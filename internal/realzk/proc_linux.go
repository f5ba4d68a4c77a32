// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realzk

import "syscall"

// dieWithParent makes the kernel end the server when the test binary is killed before it could do so.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
