// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"net/http"
	"time"
)

// lines gathers the results of a stream and sends them. The status of the answer goes out with the first: 200 if all
// messages were taken and nothing else is to come, 207 if that is not known yet or not so, and an error if none was.
type lines struct {
	pipe  *pipeline
	text  []byte
	stamp timestamp
	// messages and taken count the results, written how many bytes were sent.
	messages, taken int
	unheld          bool
	// hangUp says that the rest of the stream is not read.
	hangUp bool
	worst  *problem
	began  bool
}

func (l *lines) add(r *result) {
	l.messages++
	if r.err == nil {
		l.taken++
		l.unheld = l.unheld || !r.Held
	} else {
		l.refuse(r.err)
	}
	l.text = append(r.appendResult(l.text, l.pipe.x.h.config.Topic, &l.stamp), '\n')
	if len(l.text) >= lineBytes {
		l.send(http.StatusMultiStatus)
	}
}

func (l *lines) refuse(err error) {
	p := explain(err)
	l.hangUp = l.hangUp || p.hangUp
	if l.worst == nil || rank(p.status) > rank(l.worst.status) {
		l.pipe.x.logRefusal(err)
		l.worst = &p
	}
}

// flush sends what there is, unless the stream has ended, or is about to: then all results may soon be known.
func (l *lines) flush() {
	if len(l.text) > 0 && (l.began || !l.pipe.ended.Load() && !l.pipe.last.Load()) {
		l.send(http.StatusMultiStatus)
	}
}

// finish sends the rest.
func (l *lines) finish() {
	if l.messages == 0 {
		l.pipe.x.refuse(problem{status: http.StatusBadRequest, kind: "malformed", title: "Malformed request",
			detail: "the stream holds no message"})
		return
	}
	status := http.StatusMultiStatus
	switch {
	case l.worst == nil && l.unheld:
		status = http.StatusAccepted
	case l.worst == nil:
		status = http.StatusOK
	case l.taken == 0:
		status = l.worst.status
		if !l.began {
			l.worst.setHeaders(l.pipe.x.w.Header())
		}
	}
	l.send(status)
}

// send writes and flushes, with the status if nothing was written before.
func (l *lines) send(status int) {
	p := l.pipe
	if p.lost.Load() {
		l.text = l.text[:0]
		return
	}
	_ = p.control.SetWriteDeadline(time.Now().Add(writeSlack)) // without deadlines there are none to move
	if !l.began {
		l.began = true
		if l.hangUp {
			p.x.w.Header()["Connection"] = []string{"close"}
		}
		p.x.writeStatus(status, typeLines)
	}
	_, err := p.x.w.Write(l.text)
	l.text = l.text[:0]
	if err == nil {
		err = p.control.Flush()
	}
	if err != nil {
		p.lost.Store(true) // nobody listens: what is underway gets its outcome all the same
	}
}
