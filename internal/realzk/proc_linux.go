// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realzk

import (
	"fmt"
	"syscall"
	"unsafe"
)

// dieWithParent makes the kernel end the server when the test binary is killed before it could do so.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// awaitStop returns once every thread of a child has stopped after SIGSTOP: the signal only asks for it, and on a busy
// machine a thread may serve a request or two before it obeys. The child's end is left for others to wait for.
func awaitStop(pid int) error {
	const (
		byPID  = 1         // P_PID
		stops  = 0x2       // WSTOPPED
		noReap = 0x1000000 // WNOWAIT
	)
	var info [128]byte // siginfo_t; what it says is known
	for {
		_, _, err := syscall.Syscall6(syscall.SYS_WAITID, byPID, uintptr(pid),
			uintptr(unsafe.Pointer(&info)), stops|noReap, 0, 0)
		switch err {
		case 0:
			return nil
		case syscall.EINTR:
		default:
			return fmt.Errorf("wait for the server to stop: %w", err)
		}
	}
}
