// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package demo

import "syscall"

// ownProcess keeps the terminal's Ctrl-C to this process: it then ends the children in order. (Only Linux can promise
// that they end with this process whatever happens to it.)
func ownProcess() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
