// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package bench_test

import "syscall"

// cpuSeconds is what this process has used of CPU, in user and in kernel mode.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
