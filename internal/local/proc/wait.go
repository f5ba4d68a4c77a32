// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package proc

import (
	"syscall"
	"unsafe"
)

// awaitExit returns once the child has ended. It is left to be waited for, so that its id is not given away yet.
func awaitExit(pid int) {
	const (
		byPID  = 1   // P_PID
		exited = 0x4 // WEXITED
	)
	var info [128]byte // siginfo_t; what it says is asked for again
	for {
		_, _, err := syscall.Syscall6(syscall.SYS_WAITID, byPID, uintptr(pid),
			uintptr(unsafe.Pointer(&info)), exited|leaveZombie, 0, 0)
		if err != syscall.EINTR {
			return
		}
	}
}
