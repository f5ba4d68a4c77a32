// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"strings"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
)

// describe gives one line for a record, an event or a command: short where the whole would hide what matters.
func describe(what any) string {
	switch what := what.(type) {
	case group.Transact:
		return fmt.Sprintf("Transact{%d %s}", what.ID, operations(what.Txn))
	case group.Claim:
		return fmt.Sprintf("Claim{%s}", operations(what.Txn))
	case group.Register:
		return fmt.Sprintf("Register{%s}", what.ID)
	case group.Observed:
		return fmt.Sprintf("Observed{%s %+v}", members(what.View), what.Answer)
	case lane.Fetched:
		first, last := what.Batch.Message(0), what.Batch.Message(what.Batch.Len()-1)
		return fmt.Sprintf("Fetched{%s %d to %d}", first.Partition, first.Offset, last.Offset)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T%+v", what, what), "sim.")
}

func operations(txn layout.Txn) string {
	var b strings.Builder
	for i, op := range txn {
		if i > 0 {
			b.WriteString(", ")
		}
		verb := [...]string{"check", "create", "create ephemeral", "set", "delete"}[op.Kind]
		b.WriteString(verb + " " + strings.TrimPrefix(op.Path, layout.Group(groupName)+"/"))
		if op.Kind == layout.Set || op.Kind == layout.Create {
			b.WriteString(" = " + string(op.Data))
		}
		if op.Version != layout.AnyVersion {
			fmt.Fprintf(&b, " @%d", op.Version)
		}
	}
	return b.String()
}

func members(view layout.View) string {
	var b strings.Builder
	for _, member := range view.Members {
		b.WriteString(member.ID)
		if member.Leaving {
			b.WriteString(" (leaves)")
		}
		b.WriteString(", ")
	}
	for topic, partitions := range inOrder(view.Partitions) {
		fmt.Fprintf(&b, "%s: %d, ", topic, len(partitions))
	}
	fmt.Fprintf(&b, "%d owned, begun %t", len(view.Owners), view.Begun)
	return b.String()
}
