// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

// clean deletes the segments that are too old, then those that are too many.
func (l *log) clean() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.config.Clock.Now()
	err := l.deleteWhile(func(s *segment) bool { return now.Sub(s.modified) > l.config.Retention })
	if err != nil || l.config.RetentionBytes <= 0 {
		return err
	}
	over := -l.config.RetentionBytes
	for _, s := range l.segments {
		over += int64(s.flushed)
	}
	if over < 0 {
		return nil
	}
	return l.deleteWhile(func(s *segment) bool {
		fits := over-int64(s.flushed) >= 0
		if fits {
			over -= int64(s.flushed)
		}
		return fits
	})
}

// deleteWhile deletes segments from the front. If all go, an empty one takes their place, at the end of the log.
func (l *log) deleteWhile(unwanted func(*segment) bool) error {
	n := 0
	for n < len(l.segments) && unwanted(l.segments[n]) {
		n++
	}
	if n == len(l.segments) {
		if last := l.last(); last.flushed == 0 {
			// Its successor would be called the same; so it stays, and is young again.
			last.modified = l.config.Clock.Now()
			n--
		} else if err := l.roll(); err != nil {
			return err
		}
	}
	for _, s := range l.segments[:n] {
		s.remove()
	}
	l.segments = append([]*segment(nil), l.segments[n:]...)
	return nil
}
