// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package metadata

import "fmt"

// lack is something that Kafka has since a release.
type lack struct{ since, sentence string }

// lacks are what matters to consumers and publishers, oldest last.
func lacks() []lack {
	return []lack{
		{"3.1", "Kafka %s does not fetch by a topic's id: a topic that was deleted and made again is noticed by positions" +
			" alone, where they do not fit it."},
		{"2.1", "Kafka %s does not tell where a log was cut: after an unclean election of a leader, messages in the place" +
			" of lost ones may be taken for those."},
		{"0.11", "Kafka %s knows no headers: they cannot be published."},
		{"0.11", "Kafka %s knows no idempotent writes: a write that is tried again may be in the log twice."},
		{"0.10.1", "Kafka %s finds no position by time: a start by time begins with the file of the log that holds it," +
			" which may be earlier."},
		{"0.10", "Kafka %s has no timestamps: messages do not tell when they were written."},
		{"0.10", "Kafka %s does not know SASL as it is spoken since: its brokers are reached without authentication, or by" +
			" certificates."},
		{"0.9", "Kafka %s coordinates no groups: consumer groups need ZooKeeper."},
		{"0.9", "Kafka %s knows no TLS: connections to its brokers cannot be encrypted."},
		{"0.8", "Kafka %s knows no keys: they cannot be published."},
		{"0.8", "Kafka %s does not replicate: what only a dead broker has is back when the broker is."},
		{"0.8", "Kafka %s does not acknowledge writes: one counts as done once the broker is seen to have handled it."},
	}
}

// Degraded says what works less well with a Kafka as old as this version, a sentence each; nothing for one that is
// empty.
func Degraded(version string) []string {
	if version == "" {
		return nil
	}
	var sentences []string
	for _, lack := range lacks() {
		if compareVersions(version, lack.since) < 0 {
			sentences = append(sentences, fmt.Sprintf(lack.sentence, version))
		}
	}
	return sentences
}
