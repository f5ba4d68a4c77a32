// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// ErrNobody says that no broker answers.
var ErrNobody = errors.New("no broker answers: check the bootstrap addresses, and that brokers run")

// reason is why a broker did not answer, in words that stay the same from one attempt to the next: no ports of this
// side, no addresses of resolvers.
func reason(err error) string {
	if refused, ok := errors.AsType[*wire.NotAdmitted](err); ok {
		return refused.Err.Error()
	}
	if unresolved, ok := errors.AsType[*net.DNSError](err); ok {
		if unresolved.IsNotFound {
			return "no such host"
		}
		return "its name cannot be resolved"
	}
	if isLate(err) {
		return "no answer in time"
	}
	if hangsUp(err) {
		return "it hangs up; check that this is a listener of Kafka, and whether it wants TLS"
	}
	if broken, ok := errors.AsType[*net.OpError](err); ok && broken.Err != nil {
		if call, ok := errors.AsType[*os.SyscallError](broken.Err); ok {
			return call.Err.Error()
		}
		return broken.Err.Error()
	}
	return err.Error()
}

func isLate(err error) bool {
	slow, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || ok && slow.Timeout()
}

// hangsUp reports what brokers before Kafka 0.10 do when they are asked what they understand. Those that want TLS, or
// want none, may do so too.
func hangsUp(err error) bool {
	first := (*kgo.ErrFirstReadEOF)(nil)
	return errors.As(err, &first) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}
