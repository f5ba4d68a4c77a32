// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"
)

// ticksPerTimeout is how many of the servers' ticks a session has to last for its lease to be sound: the leader hears
// of us up to half a tick late, and the lease holds for two thirds of the timeout from a question asked each sixth of
// it.
const ticksPerTimeout = 3

// ticksOfMinimum is what servers grant at least, unless they are configured otherwise; nothing tells the tick itself.
const ticksOfMinimum = 2

// checkTick warns of a session timeout that is too short for the servers' tick. It runs once per client, when there
// is a session: the servers of one ensemble share their settings.
func (c *Client) checkTick(ctx context.Context, s *Session) {
	if c.State().Warning != "" || c.minimum.Load() != 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, maxAttempt)
	defer cancel()
	minimum, err := c.settings.minimalTimeout(ctx)
	if err != nil {
		c.settings.Logger.Debug("ZooKeeper's tick is not known", slog.Any("error", err))
		return
	}
	c.minimum.Store(int64(minimum))
	tick := minimum / ticksOfMinimum
	if s.Timeout() >= ticksPerTimeout*tick {
		return
	}
	c.update(func(state *State) {
		state.Warning = fmt.Sprintf("the session timeout %v is shorter than %d ticks of the servers (%v each), "+
			"so a lease may outlive its session: raise the session timeout to at least %v",
			s.Timeout(), ticksPerTimeout, tick, ticksPerTimeout*tick)
	})
}

// minimalTimeout is the shortest session that the servers grant: what they answer to the wish for a millisecond.
func (s *settings) minimalTimeout(ctx context.Context) (time.Duration, error) {
	var err error
	for _, address := range s.servers {
		var conn net.Conn
		if conn, err = s.open(ctx, address); err != nil {
			continue
		}
		var minimum time.Duration
		if minimum, err = askMinimum(ctx, conn); err == nil {
			return minimum, nil
		}
	}
	return 0, err
}

// askMinimum shakes hands and hangs up.
func askMinimum(ctx context.Context, conn net.Conn) (time.Duration, error) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if _, err := conn.Write(wish(time.Millisecond)); err != nil {
		return 0, fmt.Errorf("ask for a session: %w", err)
	}
	var answer [lengthSize + handshakeSize]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return 0, fmt.Errorf("read the answer to a wish for a session: %w", err)
	}
	size := binary.BigEndian.Uint32(answer[:])
	minimum := time.Duration(binary.BigEndian.Uint32(answer[8:])) * time.Millisecond
	if size < handshakeSize || size > handshakeSize+1 || minimum <= 0 || minimum > maxTimeout {
		return 0, errNotZooKeeper
	}
	// Close the session; if that gets lost, it expires by itself, which takes as long as was just granted.
	const opClose = -11
	farewell := binary.BigEndian.AppendUint32(nil, 8)
	farewell = binary.BigEndian.AppendUint32(farewell, 1)
	code := int32(opClose)
	farewell = binary.BigEndian.AppendUint32(farewell, uint32(code))
	if _, err := conn.Write(farewell); err == nil {
		_, _ = io.CopyN(io.Discard, conn, lengthSize+headerSize)
	}
	return minimum, nil
}

// wish is the request for a new session: version, last zxid, timeout, session, password.
func wish(timeout time.Duration) []byte {
	const passwordSize = 16
	frame := binary.BigEndian.AppendUint32(nil, 4+8+4+8+4+passwordSize)
	frame = append(frame, make([]byte, 4+8)...)
	frame = binary.BigEndian.AppendUint32(frame, uint32(timeout.Milliseconds()))
	frame = append(frame, make([]byte, 8)...)
	frame = binary.BigEndian.AppendUint32(frame, passwordSize)
	return append(frame, make([]byte, passwordSize)...)
}
