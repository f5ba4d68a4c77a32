// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

const (
	// namesInMessage is how many subjects a message names: five tell what kind of thing is affected; the rows tell which.
	namesInMessage = 5
	// The limits of the API.
	maxOwner        = 512
	maxPod          = 253
	maxReason       = 1024
	topicsColumn    = 40
	sinkColumn      = 60
	thousandsFrom   = 10_000
	millionsFrom    = 10_000_000
	maxListed       = 64
	unitOfThousands = 1_000
	unitOfMillions  = 1_000_000
)

// names lists subjects, which are sorted, as far as a message should.
func names(list []string) string {
	text := strings.Join(list[:min(len(list), namesInMessage)], ", ")
	if more := len(list) - namesInMessage; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// plural gives a count with its noun.
func plural(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(count) + " " + noun + "s"
}

// cut shortens a text to a number of bytes.
func cut(text string, limit int) string { return shorten(text, limit) }

// columns are the texts for kubectl get.
func columns(spec *v1alpha1.ConsumerGroupSpec) v1alpha1.Columns {
	topics := spec.TopicPattern
	if len(spec.Topics) > 0 {
		list := make([]string, len(spec.Topics))
		for i, topic := range spec.Topics {
			list[i] = string(topic)
		}
		topics = strings.Join(list, ",")
	}
	return v1alpha1.Columns{Topics: cut(topics, topicsColumn), Sink: cut(sinkText(&spec.Sink), sinkColumn)}
}

func sinkText(sink *v1alpha1.Sink) string {
	switch {
	case sink.HTTP != nil:
		return sink.HTTP.URL
	case sink.Log != nil:
		return "log"
	default:
		return "discard"
	}
}

// lagText is short where the number is not.
func lagText(lag int64) string {
	switch {
	case lag < thousandsFrom:
		return strconv.FormatInt(lag, 10)
	case lag < millionsFrom:
		return strconv.FormatInt(lag/unitOfThousands, 10) + "k"
	default:
		return strconv.FormatInt(lag/unitOfMillions, 10) + "M"
	}
}
