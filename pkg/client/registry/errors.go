// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-zookeeper/zk"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// Kind is what an error means to the caller.
type Kind uint8

// The kinds of error.
const (
	// Unavailable: no answer, or not now. What was asked for may have happened, or may yet, while the session lasts.
	// Retry.
	Unavailable Kind = iota + 1
	// Lost: the session is over, or the member's registration is gone. Nothing happened, and nothing will in this
	// session.
	Lost
	// Conflict: something else stands there: another's claim, another version. Nothing happened.
	Conflict
	// NoNode: what was asked for does not exist.
	NoNode
	// Denied: the credentials are refused, or do not suffice. The user has to mend it.
	Denied
	// Malformed: what stands there cannot be understood. The user has to mend it.
	Malformed
	// NoChroot: the directory that the connect string names does not exist. The user has to mend it.
	NoChroot
)

var kindNames = [...]string{"", "unavailable", "lost", "conflict", "no node", "denied", "malformed", "no chroot"}

// String names the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Error is why something could not be done. Its text stays the same while the cause does, so that it can stand in a
// status.
type Error struct {
	// Op is what was tried.
	Op string
	// Path is the node it was tried on, seen from the chroot; empty if there is none.
	Path string
	Kind Kind
	// Index is the operation of the transaction that was refused.
	Index int
	// Owner is who holds the claim, where a claim was refused for that.
	Owner *layout.Ownership
	// Err is the cause.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("%s %s: %v", e.Op, e.Path, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// unusable is an error of the connection itself.
func unusable(kind Kind, err error) error {
	return &Error{Op: "connect to zookeeper", Kind: kind, Err: err}
}

// KindOf gives the kind of an error of this package; 0 for nil, Unavailable for an error that has none.
func KindOf(err error) Kind {
	if err == nil {
		return 0
	}
	if known := (*Error)(nil); errors.As(err, &known) {
		return known.Kind
	}
	return classify(err)
}

var (
	errNotYet       = errors.New("no server has answered yet")
	errOver         = errors.New("the zookeeper session is over")
	errExpired      = errors.New("zookeeper has expired the session")
	errWedged       = errors.New("the zookeeper connection does not answer and is replaced")
	errClosed       = errors.New("the client is closed")
	errTooMany      = errors.New("somebody else changes it all the time")
	errUnregistered = errors.New("the registration of this member is gone")
)

// classify sorts what the library and the server say. An answer this build does not know is worth a retry: servers
// refuse for reasons of the moment (overload, quota) by codes that the library has no names for.
func classify(err error) Kind {
	switch {
	case errors.Is(err, zk.ErrNoNode):
		return NoNode
	case errors.Is(err, zk.ErrNodeExists), errors.Is(err, zk.ErrBadVersion), errors.Is(err, zk.ErrNotEmpty):
		return Conflict
	case errors.Is(err, zk.ErrNoAuth), errors.Is(err, zk.ErrAuthFailed), errors.Is(err, zk.ErrInvalidACL):
		return Denied
	case errors.Is(err, zk.ErrSessionExpired), errors.Is(err, errOver):
		return Lost
	case errors.Is(err, zk.ErrInvalidPath), errors.Is(err, zk.ErrNoChildrenForEphemerals), isTooLong(err):
		return Malformed
	default:
		return Unavailable
	}
}

// failure wraps a cause once. What has been wrapped stays as it is: it says more exactly what failed.
func failure(op, path string, err error) error {
	if err == nil {
		return nil
	}
	if known := (*Error)(nil); errors.As(err, &known) {
		return err
	}
	return &Error{Op: op, Path: path, Kind: classify(err), Err: explain(err)}
}

// explain puts the library's words into the user's, where the user can do something about it.
func explain(err error) error {
	switch {
	case errors.Is(err, zk.ErrNoAuth):
		return fmt.Errorf("%w: the credentials (digest or TLS) do not suffice; correct them or the node's ACL", zk.ErrNoAuth)
	case errors.Is(err, zk.ErrAuthFailed):
		return fmt.Errorf("%w: zookeeper refuses the credentials; correct them", zk.ErrAuthFailed)
	case isTooLong(err):
		return fmt.Errorf("the answer is longer than %d bytes: the node holds too much, or has too many children", maxFrame)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer from zookeeper in time: %w", context.DeadlineExceeded)
	default:
		return err
	}
}

// The library shows an error code it has no name for in its text alone.
const unknownCode = "unknown error: "

func isTooLong(err error) bool { return err != nil && err.Error() == unknownCode+"-5" }

// isUnimplemented tells that the server does not know an operation.
func isUnimplemented(err error) bool { return err != nil && err.Error() == unknownCode+"-6" }
