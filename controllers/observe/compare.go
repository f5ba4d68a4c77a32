// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"maps"
	"slices"

	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client"
)

// sameShape tells that two observations differ in nothing that a status shows at once.
func sameShape(a, b Observation) bool {
	return sameText(a.Err, b.Err) && a.At.IsZero() == b.At.IsZero() &&
		slices.Equal(a.Topics, b.Topics) && slices.Equal(a.Missing, b.Missing) &&
		maps.EqualFunc(a.Groups, b.Groups, sameView) && maps.EqualFunc(a.Workers, b.Workers, sameWorker)
}

func sameText(a, b error) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Error() == b.Error())
}

func sameView(a, b client.GroupView) bool {
	return sameOwners(a, b) && a.Begun == b.Begun && a.Strategy == b.Strategy && a.Why == b.Why &&
		slices.Equal(a.Missing, b.Missing) && slices.Equal(a.Problems, b.Problems) && sameText(a.EndErr, b.EndErr)
}

// sameOwners compares members, partitions and whose they are.
func sameOwners(a, b client.GroupView) bool {
	return slices.EqualFunc(a.Members, b.Members, sameMember) &&
		slices.EqualFunc(a.Partitions, b.Partitions, func(a, b client.GroupPartition) bool {
			return a.Partition == b.Partition && a.Owner == b.Owner && a.Stray == b.Stray && a.Malformed == b.Malformed &&
				(a.Committed < 0) == (b.Committed < 0) && (a.End < 0) == (b.End < 0)
		})
}

func sameMember(a, b client.GroupMember) bool {
	return a.ID == b.ID && a.Foreign == b.Foreign && a.Leaving == b.Leaving && a.Unreadable == b.Unreadable &&
		slices.Equal(a.Topics, b.Topics)
}

// sameOwnership tells that the workers need not be asked anew.
func sameOwnership(a, b Observation) bool { return maps.EqualFunc(a.Groups, b.Groups, sameOwners) }

func sameWorker(a, b Worker) bool {
	if !sameText(a.Err, b.Err) || (a.Status == nil) != (b.Status == nil) {
		return false
	}
	return a.Status == nil || sameStatus(a.Status, b.Status)
}

func sameStatus(a, b *worker.Status) bool {
	return a.Ready == b.Ready && a.Member == b.Member && a.Session.Fenced == b.Session.Fenced &&
		a.Assignment == b.Assignment && slices.Equal(a.MissingTopics, b.MissingTopics) &&
		slices.EqualFunc(a.Reasons, b.Reasons, sameReason) && slices.EqualFunc(a.Warnings, b.Warnings, sameReason) &&
		slices.EqualFunc(a.Partitions, b.Partitions, func(a, b worker.PartitionStatus) bool {
			return a.Topic == b.Topic && a.Partition == b.Partition && a.State == b.State &&
				(a.Blocked == nil) == (b.Blocked == nil) && (a.Error == "") == (b.Error == "")
		})
}

// sameReason leaves out the message, which may count something.
func sameReason(a, b worker.Reason) bool { return a.Code == b.Code && a.Subject == b.Subject }

// sameNumbers tells that two observations of one shape also agree in what messages move.
func sameNumbers(a, b Observation) bool {
	return maps.EqualFunc(a.Groups, b.Groups, func(a, b client.GroupView) bool {
		return slices.Equal(a.Partitions, b.Partitions)
	}) && maps.EqualFunc(a.Workers, b.Workers, sameProgress)
}

func sameProgress(a, b Worker) bool {
	if a.Status == nil || b.Status == nil {
		return a.Status == b.Status
	}
	return slices.EqualFunc(a.Status.Partitions, b.Status.Partitions, func(a, b worker.PartitionStatus) bool {
		return a.Attempts == b.Attempts && a.Error == b.Error && sameBlock(a.Blocked, b.Blocked)
	})
}

func sameBlock(a, b *worker.Block) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Message == b.Message && a.Attempts == b.Attempts && a.Reason == b.Reason && a.Since.Equal(b.Since)
}
