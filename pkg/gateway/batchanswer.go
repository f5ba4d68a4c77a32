// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/samsa-dev/samsa/pkg/gateway/format"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// postBatch publishes the messages of a body that was read, all or none of which are well-formed.
func (x *exchange) postBatch(messages []kafka.Message, err error) {
	size := 0
	for i := range messages {
		if err == nil {
			messages[i].Partition.Topic = x.h.config.Topic
			if err = x.checkHeaders(&messages[i]); err != nil {
				err = format.Unfit(fmt.Sprintf("message %d: %v", i, err))
			}
		}
		size += len(messages[i].Key) + len(messages[i].Value)
	}
	if err != nil {
		x.refuse(explain(err))
		return
	}
	x.pass.Charge(len(messages), size)
	x.messages = len(messages)
	var key func(int) string
	if x.key != "" {
		// A batch that is sent again publishes what was refused, and only that.
		key = func(i int) string { return x.key + "/" + strconv.Itoa(i) }
	}
	results := x.all(messages, key)
	sum := x.summarize(results)
	if x.route.topic != "" {
		x.answerTheirs(results, sum)
		return
	}
	x.answerAll(results, sum)
}

// summary is what the status of a batch says.
type summary struct {
	status int
	// problem is there if no message was taken.
	problem *problem
}

// summarize: 200 or 202 if all were taken, 207 if some; otherwise the status that helps most. Of an unknown outcome
// everybody must hear; then what is worth another try.
func (x *exchange) summarize(results []result) summary {
	var worst *problem
	taken, status := 0, http.StatusOK
	for i := range results {
		if results[i].err == nil {
			taken++
			if !results[i].Held {
				status = http.StatusAccepted
			}
			continue
		}
		x.logRefusal(results[i].err)
		if p := explain(results[i].err); worst == nil || rank(p.status) > rank(worst.status) {
			worst = &p
		}
	}
	x.written = taken
	switch {
	case worst == nil:
		return summary{status: status}
	case taken > 0:
		return summary{status: http.StatusMultiStatus}
	}
	said := "none of %d messages was taken, see each; the gravest: %s"
	if worst.unknown {
		said = "of none of %d messages it is known that it was taken, see each; the gravest: %s"
	}
	worst.detail = fmt.Sprintf(said, len(results), worst.detail)
	return summary{status: worst.status, problem: worst}
}

func rank(status int) int {
	switch status {
	case http.StatusGatewayTimeout:
		return 4
	case http.StatusServiceUnavailable:
		return 3
	case http.StatusTooManyRequests:
		return 2
	}
	return 1
}

// answerAll answers {"results": [...]}; with what is wrong before it, if no message was taken.
func (x *exchange) answerAll(results []result, sum summary) {
	text := append(make([]byte, 0, 64+128*len(results)), '{')
	text = x.beginAnswer(text, sum, typeJSON)
	text = append(text, `"results":[`...)
	var stamp timestamp
	for i := range results {
		if i > 0 {
			text = append(text, ',')
		}
		text = results[i].appendResult(text, x.h.config.Topic, &stamp)
	}
	x.write(append(text, "]}"...))
}

// beginAnswer writes the status and appends the members of the problem, if there is one.
func (x *exchange) beginAnswer(text []byte, sum summary, contentType []string) []byte {
	if sum.problem != nil {
		sum.problem.setHeaders(x.w.Header())
		text = append(sum.problem.appendMembers(text), ',')
		contentType = typeProblem
	}
	x.writeStatus(sum.status, contentType)
	return text
}
