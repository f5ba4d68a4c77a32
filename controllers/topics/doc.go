// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package topics looks in the background whether the topics that ProducerBindings publish to exist, and makes those
// that are to be made. It never changes a topic that exists, and deletes none.
package topics
