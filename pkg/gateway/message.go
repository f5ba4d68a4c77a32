// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"slices"

	"github.com/samsa-dev/samsa/pkg/gateway/format"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// postMessage answers POST /.
func (x *exchange) postMessage() {
	media, err := format.OfMessage(x.r.Header)
	if err != nil {
		x.refuse(explain(err))
		return
	}
	fields, err := format.ReadFields(x.r.Header)
	if err != nil {
		x.refuse(explain(err))
		return
	}
	fields.Message.Partition.Topic = x.h.config.Topic
	if media == format.Lines || media == format.Frames {
		x.postStream(media, fields)
		return
	}
	body, p := x.readBody()
	defer func() { x.h.held.give(body.taken) }()
	if p != nil {
		x.refuse(*p)
		return
	}
	if media == format.EventBatch {
		messages, err := format.ReadBatch(fields, body.data, !x.h.config.NoHeaders, x.h.config.MaxBatch)
		x.postBatch(messages, err)
		return
	}
	message, err := x.message(media, fields, body.data)
	if err != nil {
		x.refuse(explain(err))
		return
	}
	x.pass.Charge(1, len(body.data))
	x.messages = 1
	x.answerOne(x.one(message))
}

// message makes the one message of a body.
func (x *exchange) message(media format.Media, fields format.Fields, body []byte) (kafka.Message, error) {
	headers := !x.h.config.NoHeaders
	message := fields.Message
	var err error
	switch media {
	case format.EventBinary:
		message, err = format.ReadEvent(x.r.Header, fields, body, headers)
	case format.EventStructured:
		message, err = format.ReadStructured(fields, body, headers)
	default:
		message.Value = body
	}
	if err != nil {
		return kafka.Message{}, err
	}
	err = x.checkOne(&message, fields, body)
	return message, err
}

func (x *exchange) checkOne(message *kafka.Message, fields format.Fields, body []byte) error {
	if fields.Tombstone {
		if len(body) > 0 {
			return format.Malformed("header Samsa-Tombstone: a null value came with a body")
		}
		message.Value = nil
	}
	return x.checkHeaders(message)
}

// checkHeaders refuses what the brokers would lose, and leaves out what only a gateway may say: by which key a message
// was written. It comes with messages that somebody takes from another binding's topic; kept, it would make a window
// that is rebuilt know keys that nobody used here.
func (x *exchange) checkHeaders(message *kafka.Message) error {
	if x.h.config.NoHeaders && len(message.Headers) > 0 {
		return format.Unfit("the brokers of this cluster are older than 0.11 and store no headers: send none")
	}
	message.Headers = slices.DeleteFunc(message.Headers, func(h kafka.Header) bool { return h.Key == window.HeaderName })
	return nil
}

// one publishes a message and waits for its outcome.
func (x *exchange) one(message kafka.Message) result {
	if x.key != "" {
		return x.all([]kafka.Message{message}, func(int) string { return x.key })[0]
	}
	w, _ := x.h.waiters.Get().(*waiter)
	x.h.config.Producer.Produce(x.r.Context(), message, w.done)
	outcome, decided := w.wait(x.h.config.RequestTimeout)
	if decided {
		x.h.waiters.Put(w)
	}
	return outcome
}

// answerOne answers with what became of a message.
func (x *exchange) answerOne(outcome result) {
	if outcome.err != nil {
		x.logRefusal(outcome.err)
		x.refuse(explain(outcome.err))
		return
	}
	x.written = 1
	x.writeStatus(outcome.status(), typeJSON)
	var text [256]byte
	x.write(append(outcome.appendMembers(append(text[:0], '{'), x.h.config.Topic, nil), '}'))
}

// logRefusal tells operators what callers are not told: which broker, and its words.
func (x *exchange) logRefusal(err error) {
	x.h.config.Logger.DebugContext(x.r.Context(), "message not taken",
		"topic", x.h.config.Topic, "caller", x.caller.Name, "error", err)
}
