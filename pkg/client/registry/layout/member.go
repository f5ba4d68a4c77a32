// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// idTag is what follows the group in the id of a samsa member of protocol version 1; a byte for the strategy, a dot,
// the pod, the time of birth and a random number come behind it.
const idTag = "_samsa1"

// hexDigits are those of the random number in a member's id: 32 bits.
const hexDigits = 8

// staticPattern says that a subscription lists topics, not expressions that match them.
const staticPattern = "static"

// MemberID names a member of samsa: <group>_samsa1s.<pod>-<milliseconds>-<8 hex digits>. It has to be new for every
// session, which the time and the random number make sure of. bornMillis is in milliseconds since 1970 and must not
// be negative.
func MemberID(group string, strategy Strategy, pod string, bornMillis int64, random uint32) string {
	return fmt.Sprintf("%s%s%c.%s-%d-%0*x", group, idTag, strategy, pod, bornMillis, hexDigits, random)
}

// ParseMemberID reads what stands in the id of a member of samsa. It reports false for the id of a foreign member,
// and for that of a version of samsa's protocol which this build does not know. Topics are not in an id and stay nil.
func ParseMemberID(group, id string) (Registration, bool) {
	rest, ok := strings.CutPrefix(id, group+idTag)
	if !ok || len(rest) < 2 || rest[1] != '.' {
		return Registration{}, false
	}
	strategy := Strategy(rest[0])
	if strategy != Sticky && strategy != Range {
		return Registration{}, false
	}
	rest, random, ok := cutLast(rest[2:], "-")
	if !ok || len(random) != hexDigits || strings.Trim(random, "0123456789abcdef") != "" {
		return Registration{}, false
	}
	pod, millis, ok := cutLast(rest, "-")
	born, err := strconv.ParseInt(millis, 10, 64)
	if !ok || pod == "" || err != nil || born < 0 || strconv.FormatInt(born, 10) != millis {
		return Registration{}, false
	}
	return Registration{ID: id, Pod: pod, Born: born, Strategy: strategy}, true
}

// EncodeMember gives the data of a member's node as Kafka 0.8 and later write it: one thread for each of the topics.
func EncodeMember(topics []string, bornMillis int64) []byte {
	return encodeMember(topics, bornMillis, false)
}

// EncodeLeaving is EncodeMember for a member that gives up what it has and takes nothing any more.
func EncodeLeaving(bornMillis int64) []byte { return encodeMember(nil, bornMillis, true) }

func encodeMember(topics []string, bornMillis int64, leaving bool) []byte {
	subscription := make(map[string]int, len(topics))
	for _, topic := range topics {
		subscription[topic] = 1
	}
	// The order of the fields is Kafka's; the keys of a map are sorted. Strings and numbers always encode.
	data, _ := json.Marshal(struct {
		Version      int            `json:"version"`
		Subscription map[string]int `json:"subscription"`
		Pattern      string         `json:"pattern"`
		Timestamp    string         `json:"timestamp"`
		// Leaving is samsa's own; Kafka's consumers read the fields they know.
		Leaving bool `json:"leaving,omitempty"`
	}{1, subscription, staticPattern, strconv.FormatInt(bornMillis, 10), leaving})
	return data
}

// DecodeMember reads a member's node: Kafka 0.8's form, or 0.7's, in which every key is a topic. Who the member is
// comes from its id. One that subscribes by a pattern has no topics yet: which it means, the list of all topics tells.
// A pattern that cannot certainly be matched as the member's own Kafka does is an error that says why.
func DecodeMember(group, id string, data []byte) (Registration, error) {
	member, ours := ParseMemberID(group, id)
	if !ours {
		member = Registration{ID: id, Pod: id, Strategy: Range, Foreign: true}
	}
	var err error
	member.Topics, member.Pattern, err = decodeSubscription(data)
	none := errors.Is(err, errNoTopics)
	switch {
	case err != nil && !(ours && none):
		return Registration{}, err
	case ours && member.Pattern != nil:
		return Registration{}, fmt.Errorf("the subscription is the pattern %s, which no member of samsa's writes",
			quote([]byte(member.Pattern.Expression)))
	}
	// 0.7's form has no room for the mark: a member of samsa's without topics is leaving there.
	member.Leaving = ours && (isLeaving(data) || none && !isModern(data))
	return member, nil
}

// isLeaving reads the mark of EncodeLeaving, of data that has been decoded.
func isLeaving(data []byte) bool {
	var mark struct {
		Leaving bool `json:"leaving"`
	}
	return json.Unmarshal(data, &mark) == nil && mark.Leaving
}

// isModern says that data that has been decoded is of Kafka 0.8's form.
func isModern(data []byte) bool {
	var fields map[string]json.RawMessage
	return json.Unmarshal(data, &fields) == nil && isObject(fields["subscription"])
}

func isObject(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '{' }

// errNoTopics is a mistake, unless a member of samsa says so: it is leaving then (see Retire), or consumes what matches
// a pattern, and nothing does.
var errNoTopics = errors.New("subscription: no topics")

func decodeSubscription(data []byte) (map[string]int, *Pattern, error) {
	if isPattern07(data) {
		pattern, err := decodePattern07(data)
		return nil, pattern, err
	}
	var fields map[string]json.RawMessage
	if err := decodeJSON(data, &fields); err != nil {
		return nil, nil, err
	}
	subscription := fields["subscription"]
	if !isObject(subscription) {
		topics, err := threads(data, true)
		return topics, nil, err
	}
	kind, err := patternOf(fields["pattern"])
	if err != nil {
		return nil, nil, err
	}
	if kind == staticPattern {
		topics, err := threads(subscription, false)
		return topics, nil, err
	}
	pattern, err := decodePattern(subscription, kind == blackList)
	return nil, pattern, err
}

// patternOf accepts a missing pattern: lists of topics are what there was before it.
func patternOf(raw json.RawMessage) (string, error) {
	if raw == nil {
		return staticPattern, nil
	}
	var pattern string
	if err := json.Unmarshal(raw, &pattern); err != nil {
		return "", fmt.Errorf("pattern: want a string, have %s", quote(raw))
	}
	switch pattern {
	case staticPattern, whiteList, blackList:
		return pattern, nil
	}
	return "", fmt.Errorf("the subscription is of the pattern %s, which is not understood", quote([]byte(pattern)))
}

// threads reads a map of topics to threads. In Kafka 0.7 the names of topics were almost free: those that later ones
// refuse are left out, since no member of samsa can consume them, and the others are no less the member's for it.
func threads(data []byte, kafka07 bool) (map[string]int, error) {
	var topics map[string]int32
	if err := decodeJSON(data, &topics); err != nil {
		return nil, fmt.Errorf("subscription: %w", err)
	}
	if len(topics) == 0 {
		return nil, errNoTopics
	}
	counts := make(map[string]int, len(topics))
	for topic, count := range topics {
		err := CheckTopic(topic)
		if err != nil && !kafka07 {
			return nil, fmt.Errorf("subscription: %w", err)
		}
		if count < 1 {
			return nil, fmt.Errorf("subscription: %s: want at least one thread, have %d", quote([]byte(topic)), count)
		}
		if err != nil {
			continue
		}
		counts[topic] = int(count)
	}
	return counts, nil
}

// SubscribedTopics are the topics of a registration, sorted.
func (r Registration) SubscribedTopics() []string {
	topics := make([]string, 0, len(r.Topics))
	for topic := range r.Topics {
		topics = append(topics, topic)
	}
	slices.Sort(topics)
	return topics
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
