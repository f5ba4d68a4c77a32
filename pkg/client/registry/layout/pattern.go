// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The patterns of Kafka 0.8's members; what they are is in their registration.
const (
	whiteList = "white_list"
	blackList = "black_list"
)

// Pattern is how a member of Kafka's own subscribes to topics by their names: to all that an expression matches, or to
// all that it does not.
type Pattern struct {
	// Expression is Java's, as the member's own Kafka reads it.
	Expression string
	// Excludes says that the topics that match are those that are not consumed.
	Excludes bool
	// Threads is the member's number of threads for each of the topics.
	Threads int
	// hides are the topics that it never means.
	hides map[string]bool
	whole *regexp.Regexp
}

// internalTopics are Kafka's own, which members by a pattern leave alone since Kafka 0.8.2 unless they are configured
// otherwise (exclude.internal.topics). Before there were none.
var internalTopics = map[string]bool{"__consumer_offsets": true, "__transaction_state": true}

// Matches reports whether the member consumes a topic of the name. What is no topic's name by Kafka 0.8's rule is never
// matched: no member of samsa can consume it, so who else does matters to nobody.
func (p *Pattern) Matches(topic string) bool {
	return CheckTopic(topic) == nil && !p.hides[topic] && p.whole.MatchString(topic) != p.Excludes
}

// isPattern07 tells 0.7's subscription by pattern from its map of topics.
func isPattern07(data []byte) bool { return len(data) > 0 && (data[0] == '*' || data[0] == '!') }

// decodePattern07 reads *threads*expression or, for all other topics, !threads!expression.
func decodePattern07(data []byte) (*Pattern, error) {
	const most = maxExpression + len("*2147483647*")
	if len(data) > most {
		return nil, fmt.Errorf("the subscription is the pattern %s of more than the %d bytes that are read",
			quote(data), most)
	}
	marker := string(data[:1])
	threads, expression, ok := strings.Cut(string(data[1:]), marker)
	if !ok || threads == "" || strings.Trim(threads, "0123456789") != "" || strings.ContainsAny(expression, "\r\n") {
		return nil, fmt.Errorf("the subscription is the pattern %s; want %sthreads%sexpression", quote(data), marker, marker)
	}
	count, err := strconv.ParseInt(threads, 10, 32)
	if err != nil || count < 1 {
		return nil, fmt.Errorf("the subscription is the pattern %s; want 1 to %d threads", quote(data), math.MaxInt32)
	}
	return newPattern(expression, marker == "!", int(count), nil)
}

// decodePattern reads the subscription of Kafka 0.8 to a white list or a black list: one expression, and its threads.
func decodePattern(subscription json.RawMessage, excludes bool) (*Pattern, error) {
	var expressions map[string]int32
	if err := decodeJSON(subscription, &expressions); err != nil {
		return nil, fmt.Errorf("subscription: %w", err)
	}
	if len(expressions) != 1 {
		return nil, fmt.Errorf("subscription: want one expression of a pattern, have %d", len(expressions))
	}
	for expression, threads := range expressions {
		if threads < 1 {
			return nil, fmt.Errorf("subscription: want at least one thread, have %d", threads)
		}
		return newPattern(expression, excludes, int(threads), internalTopics)
	}
	return nil, errors.New("subscription: no expression") // not reached
}

func newPattern(expression string, excludes bool, threads int, hides map[string]bool) (*Pattern, error) {
	if len(expression) > maxExpression {
		return nil, fmt.Errorf("the subscription is a pattern of %d bytes, more than the %d that are read",
			len(expression), maxExpression)
	}
	expression = normalize(expression)
	whole, err := compileJava(expression)
	if err != nil {
		return nil, fmt.Errorf("the subscription is a pattern: %w", err)
	}
	return &Pattern{Expression: expression, Excludes: excludes, Threads: threads, hides: hides, whole: whole}, nil
}

// normalize does to an expression what Kafka does before it compiles one, also one that another member registered
// (kafka.consumer.TopicFilter, the same from 0.7.2 to 1.x): it allows for lists with commas, and for quotes around them
// as they stand in files of properties.
func normalize(expression string) string {
	// String.trim of Java's takes everything up to the blank for white space.
	expression = strings.TrimFunc(expression, func(r rune) bool { return r <= ' ' })
	expression = strings.NewReplacer(",", "|", " ", "").Replace(expression)
	return strings.Trim(expression, `"'`)
}
