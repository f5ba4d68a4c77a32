// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import "time"

// expireLoop looks for sessions whose time is over, once a tick.
func (s *Server) expireLoop() {
	for {
		reached, stop := s.cfg.Clock.At(s.tickOver())
		select {
		case <-reached:
		case <-s.stopTick:
			stop()
			return
		}
	}
}

// tickOver expires what is due and returns the time of the next tick.
func (s *Server) tickOver() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expireDue()
	return s.born.Add(s.sessions.nextTick(s.age()))
}

func (s *Server) expireDue() {
	if s.down || s.frozen != nil {
		return
	}
	for _, x := range s.sessions.due(s.age()) {
		s.log.Debug("Expiring a session", "session", x.id)
		s.endSession(x)
	}
}

// endSession removes a session with its ephemeral nodes in one transaction and cuts its connection.
func (s *Server) endSession(x *session) {
	s.closeSession(x)
	if x.conn != nil {
		s.cut(x.conn)
	}
}

// closeSession is the transaction alone.
func (s *Server) closeSession(x *session) {
	t := s.begin(x, nil)
	t.dropOwned(x.id)
	s.fire(t)
	delete(s.sessions.byID, x.id)
}

// ExpireNow ends a session as if its time were over: its ephemeral nodes go, its connection is cut. It
// reports whether there was such a session.
func (s *Server) ExpireNow(sessionID int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.sessions.byID[sessionID]
	if ok {
		s.endSession(x)
	}
	return ok
}

// ExpireAll ends every session and returns how many there were.
func (s *Server) ExpireAll() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.sessions.byID)
	for _, x := range s.sessions.byID {
		s.endSession(x)
	}
	return n
}
