// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package proc

import "syscall"

// leaveZombie is WNOWAIT.
const leaveZombie = 0x20

// attributes keep the terminal's Ctrl-C to this process: it then ends its children in order. (Only Linux can promise
// that they end with this process whatever happens to it.)
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
