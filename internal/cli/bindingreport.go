// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// bindingAttempts is how many times the timeout a batch may take: with the defaults, 10 s more than a gateway takes to
// say that no broker is there. Who hangs up before learns nothing.
const bindingAttempts = publishAttempts + 1

// sendTo is send for a binding: each message has an outcome of its own.
func (p *publishing) sendTo(ctx context.Context, to *binding, batch []kafka.Message) error {
	to.ending = ctx.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bindingAttempts*p.timeout)
	defer cancel()
	known, failure := to.publish(ctx, batch)
	for len(known) < len(batch) {
		known = append(known, bindingResult{Outcome: outcomeUnknown, failure: failure})
	}
	left := leftover{last: p.summary.Acknowledged} // whatever came before this batch is acknowledged
	for i, result := range known {
		left.add(result)
		if !result.acknowledged() {
			continue
		}
		p.summary.Topic = result.Topic
		p.summary.Acknowledged++
		p.summary.Partitions[result.Partition]++
		p.summary.Bytes += int64(len(batch[i].Key) + len(batch[i].Value))
	}
	p.progress.tell(p.summary)
	return p.left(left)
}

// leftover are the messages of a batch that were not acknowledged, by their numbers among all of the run.
type leftover struct {
	refused, unknown []refusal
	// why is of the first that was refused, doubt of the first of which nothing is known.
	why, doubt error
	// last is the number of the last message of the batch.
	last int
}

// add adds the outcome of the next message.
func (l *leftover) add(result bindingResult) {
	l.last++
	if result.acknowledged() {
		return
	}
	err := result.err()
	if !result.refused() {
		if l.doubt == nil {
			l.doubt = err
		}
		l.unknown = extended(l.unknown, l.last, err)
		return
	}
	if l.why == nil && !result.unsent {
		l.why = err
	}
	l.refused = extended(l.refused, l.last, err)
}

// extended adds a message to those before it.
func extended(all []refusal, number int, why error) []refusal {
	if end := len(all) - 1; end >= 0 && all[end].To == number-1 && all[end].Reason == why.Error() {
		all[end].To = number
		return all
	}
	return append(all, refusal{span{number, number}, why.Error()})
}

// left says what became of those messages of a batch that were not acknowledged.
func (p *publishing) left(l leftover) error {
	behind := "none behind was sent"
	if !l.endsWith(l.last) {
		behind = fmt.Sprintf("none behind number %d was sent", l.last)
	}
	p.summary.Refused = l.refused
	switch {
	case len(l.unknown) > 0:
		p.summary.Unknown = &span{l.unknown[0].From, l.unknown[len(l.unknown)-1].To}
		return &Error{Code: ExitUnknown, Err: fmt.Errorf(
			"%s; of %s it is unknown whether they were written%s, %s certainly not%s, and %s: %w",
			p.done(), count(total(l.unknown), "message"), which(l.unknown),
			count(total(l.refused), "message"), which(l.refused), behind, l.doubt)}
	case len(l.refused) > 0:
		return fmt.Errorf("%s; %s certainly not written%s, and %s: %w",
			p.done(), count(total(l.refused), "message"), which(l.refused), behind, l.why)
	}
	return nil
}

// endsWith reports whether a message is one of those not acknowledged.
func (l *leftover) endsWith(number int) bool {
	ends := func(all []refusal) bool { return len(all) > 0 && all[len(all)-1].To == number }
	return ends(l.refused) || ends(l.unknown)
}

// total is how many messages they are.
func total(all []refusal) (n int) {
	for _, one := range all {
		n += one.To - one.From + 1
	}
	return n
}

// mostNamed is how many runs of messages fit into a line that somebody reads; -o json has all.
const mostNamed = 5

// which says the numbers of messages: " (number 2)", " (numbers 2, 4 to 6)".
func which(all []refusal) string {
	var names []string
	for i, at := 0, 0; i < len(all); i = at { // neighbours with other reasons are one run of messages
		at = i + 1
		for at < len(all) && all[at].From == all[at-1].To+1 {
			at++
		}
		name := strconv.Itoa(all[i].From)
		if to := all[at-1].To; to > all[i].From {
			name += " to " + strconv.Itoa(to)
		}
		if names = append(names, name); len(names) == mostNamed && at < len(all) {
			names = append(names, "...")
			break
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case total(all) == 1:
		return " (number " + names[0] + ")"
	}
	return " (numbers " + strings.Join(names, ", ") + ")"
}
