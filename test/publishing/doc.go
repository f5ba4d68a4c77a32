// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package publishing runs every line of docs/publishing.md against gateways in front of an embedded Kafka, with the
// shell and the curl of this machine, holds what they answer against what is printed there, and looks into the topic.
package publishing
