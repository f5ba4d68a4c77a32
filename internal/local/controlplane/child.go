// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

// tailLines of a log are shown with an unexpected end: a panic's message and where it was, within a screen.
const tailLines = 15

// child is one program of the control plane and its present run.
type child struct {
	program string
	path    string
	log     string
	grace   time.Duration

	process *proc.Process
	ended   chan struct{} // closed when the run has been seen to end
	output  *proc.Log
}

// start runs the program. died is called, from another goroutine, with what to tell if it ends; the caller knows
// whether it should have.
func (c *child) start(arguments []string, died func(*proc.Process, error)) error {
	output, err := proc.OpenLog(c.log, 0)
	if err != nil {
		return err
	}
	process, err := proc.Start(proc.Command{
		Name: c.program, Path: filepath.Join(c.path, c.program), Args: arguments,
		// HOME is for programs that look for settings there: they find none.
		Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(c.log)}, Dir: filepath.Dir(c.log), Output: output,
	})
	if err != nil {
		return errors.Join(err, output.Close())
	}
	c.process, c.output, c.ended = process, output, make(chan struct{})
	go func(ended chan struct{}) {
		defer close(ended)
		exit := process.Exit()
		_ = output.Close()
		died(process, fmt.Errorf("%s: %s; its log, %s, ends:\n%s", c.program, exit, c.log, proc.Tail(c.log, tailLines)))
	}(c.ended)
	return nil
}
