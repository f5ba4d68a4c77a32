// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/worker"
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
	case sink.ProducerBinding.Name != "":
		return "ProducerBinding " + sink.ProducerBinding.Name
	case sink.Log != nil:
		return "log"
	default:
		return "discard"
	}
}

// lagUnit is what the positions of a partition of this name count; it is the same for all partitions of a cluster.
func lagUnit(partition string) v1alpha1.LagUnit {
	return v1alpha1.LagUnit(worker.UnitOf(partition))
}

// lagText is short where the number is not.
func lagText(lag int64, unit v1alpha1.LagUnit) string {
	suffix := ""
	if unit == v1alpha1.LagUnitBytes {
		suffix = "B"
	}
	switch {
	case lag < thousandsFrom:
		return strconv.FormatInt(lag, 10) + suffix
	case lag < millionsFrom:
		return strconv.FormatInt(lag/unitOfThousands, 10) + "k" + suffix
	default:
		return strconv.FormatInt(lag/unitOfMillions, 10) + "M" + suffix
	}
}
