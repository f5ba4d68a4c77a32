// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/samsa-dev/samsa/pkg/client/secure"
)

// open connects to one server, TLS included. The name is resolved here, so anew at each attempt: in Kubernetes the
// addresses behind it change.
func (s *settings) open(ctx context.Context, address string) (net.Conn, error) {
	conn, err := s.Dial(ctx, "tcp", address)
	if err != nil || s.TLS == nil {
		return conn, err
	}
	return secure.Client(ctx, conn, s.TLS, address)
}

// shortly says what is wrong with a connection, and not with which: the port it came from would differ at each
// attempt.
func shortly(err error) string {
	var lookup *net.DNSError
	var number syscall.Errno
	var slow net.Error
	switch distrust := (*secure.Error)(nil); {
	case errors.As(err, &distrust):
		return distrust.Error()
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return "no such host"
	case errors.As(err, &number):
		return number.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return "no answer"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "it hangs up"
	}
	if outer := (*net.OpError)(nil); errors.As(err, &outer) {
		return outer.Err.Error()
	}
	return err.Error()
}
