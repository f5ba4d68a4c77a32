// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// The exit codes of all commands; 0 is success.
const (
	// ExitFailure says that something failed. Of what publish was given, nothing else was written than it says.
	ExitFailure = 1
	// ExitUsage says that the command line, or the environment, is wrong. Nothing was done.
	ExitUsage = 2
	// ExitUnknown says that publish does not know of some messages whether they were written. It says of which.
	ExitUnknown = 3
)

// Error is a failure with an exit code of its own. Its text is one line.
type Error struct {
	// Code is one of the exit codes.
	Code int
	Err  error
}

// Error implements error. What libraries put on several lines comes on one.
func (e *Error) Error() string {
	lines := strings.FieldsFunc(e.Err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	return strings.Join(lines, "; ")
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// usage is an error of whoever wrote the command line.
func usage(format string, args ...any) error {
	return &Error{Code: ExitUsage, Err: fmt.Errorf(format, args...)}
}

// coded makes sure that an error has an exit code.
func coded(err error) error {
	if err == nil {
		return nil
	}
	code := ExitFailure
	if known := (*Error)(nil); errors.As(err, &known) {
		code = known.Code
	}
	return &Error{Code: code, Err: err}
}

// both is two errors, or the one there is.
func both(first, second error) error {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return errors.Join(first, second)
}

// refused reports whether an error says that certainly nothing was written: a broker refused it, or it never came to
// asking one. Of several attempts every one has to say so.
func refused(err error) bool {
	for err != nil {
		if joined, many := err.(interface{ Unwrap() []error }); many {
			return all(joined.Unwrap(), refused)
		}
		switch err.(type) { //nolint:errorlint // each layer is looked at by itself
		case *kafka.Refused, *registry.Error:
			return true
		}
		if err == client.ErrNoTopic || err == client.ErrNoBrokers { //nolint:errorlint // as above
			return true
		}
		err = errors.Unwrap(err)
	}
	return false
}

func all(errs []error, holds func(error) bool) bool {
	for _, err := range errs {
		if !holds(err) {
			return false
		}
	}
	return len(errs) > 0
}
