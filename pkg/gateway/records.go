// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/samsa-dev/samsa/pkg/gateway/format"
)

// postRecords answers POST /topics/{topic} and /topics/{topic}/partitions/{partition}, with the words of Kafka REST
// Proxy v2 and Strimzi's bridge.
func (x *exchange) postRecords() {
	media, err := format.OfRecords(x.r.Header)
	if err == nil {
		err = x.checkRecords()
	}
	if err != nil {
		x.refuse(explain(err))
		return
	}
	if x.route.partition != "" && !format.ValidPartition(x.route.partition) {
		x.refuse(problem{status: http.StatusNotFound, kind: "no-partition", title: "No such partition",
			detail: "a partition is a number, or 1-3 in Kafka 0.7"})
		return
	}
	body, p := x.readBody()
	defer func() { x.h.held.give(body.taken) }()
	if p != nil {
		x.refuse(*p)
		return
	}
	x.postBatch(format.ReadRecords(media, body.data, x.route.partition, x.h.config.MaxBatch))
}

// checkRecords refuses what would be passed over without a word.
func (x *exchange) checkRecords() error {
	for name := range x.r.Header {
		if strings.HasPrefix(name, "Samsa-") {
			return format.Malformed("header " + name + ": it is for POST /; here records have members")
		}
	}
	query, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return format.Malformed("the query is malformed")
	}
	for _, name := range []string{"compat", "async"} {
		for _, value := range query[name] {
			if value != "true" && value != "false" {
				return format.Malformed("query " + name + ": want true or false")
			}
		}
	}
	return nil
}

// wantsTheirs says that the client asks for the status codes of the others: 200 if the body could be read, whatever
// became of its messages. By ?compat=true, or Prefer: compat (RFC 7240).
func (x *exchange) wantsTheirs() bool {
	if x.r.URL.RawQuery != "" && x.r.URL.Query().Get("compat") == "true" {
		return true
	}
	for _, line := range x.r.Header["Prefer"] {
		for preference := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(preference, " \t"), "compat") {
				x.w.Header()["Preference-Applied"] = []string{"compat"}
				return true
			}
		}
	}
	return false
}

// wantsNothing says that the client asks for no body, as Strimzi's bridge lets it: ?async=true. It waits for the
// brokers all the same, since nobody gets a 2xx for a message that no broker holds.
func (x *exchange) wantsNothing() bool {
	return x.r.URL.RawQuery != "" && x.r.URL.Query().Get("async") == "true"
}

// answerTheirs answers {"offsets": [...]}.
func (x *exchange) answerTheirs(results []result, sum summary) {
	if sum.problem == nil && sum.status != http.StatusMultiStatus && x.wantsNothing() {
		x.writeStatus(http.StatusNoContent, nil)
		return
	}
	if x.wantsTheirs() {
		sum = summary{status: http.StatusOK}
	}
	text := append(make([]byte, 0, 64+96*len(results)), '{')
	text = x.beginAnswer(text, sum, typeRecords)
	if sum.problem != nil {
		text = append(appendTheirs(text[:len(text)-1], sum.problem), ',')
	}
	text = append(text, `"key_schema_id":null,"value_schema_id":null,"offsets":[`...)
	for i := range results {
		if i > 0 {
			text = append(text, ',')
		}
		text = results[i].appendTheirs(text)
	}
	x.write(append(text, "]}"...))
}

// appendTheirs appends what their clients look for in an error.
func appendTheirs(dst []byte, p *problem) []byte {
	dst = append(dst, `,"error_code":`...)
	dst = strconv.AppendInt(dst, int64(p.status), 10)
	dst = append(dst, `,"message":`...)
	return appendText(dst, p.detail)
}

// appendTheirs appends a result as the others write it: REST Proxy calls the text of an error "error", the bridge
// "message". Partitions are numbers there; those of Kafka 0.7 stay text.
func (r *result) appendTheirs(dst []byte) []byte {
	if r.err != nil {
		p := explain(r.err)
		dst = append(dst, `{"error_code":`...)
		dst = strconv.AppendInt(dst, int64(p.status), 10)
		dst = append(dst, `,"error":`...)
		dst = appendText(dst, p.title)
		dst = append(dst, `,"message":`...)
		dst = appendText(dst, p.detail)
		dst = append(dst, `,"outcome":"`...)
		return append(append(dst, p.outcome()...), `"}`...)
	}
	dst = append(dst, `{"partition":`...)
	dst = appendOr(dst, r.Partition.ID != "", func(dst []byte) []byte {
		if strings.Contains(r.Partition.ID, "-") {
			return append(append(append(dst, '"'), r.Partition.ID...), '"')
		}
		return append(dst, r.Partition.ID...)
	})
	dst = append(dst, `,"offset":`...)
	dst = appendOr(dst, r.Held && r.Offset >= 0, func(dst []byte) []byte { return strconv.AppendInt(dst, r.Offset, 10) })
	return append(dst, '}')
}
