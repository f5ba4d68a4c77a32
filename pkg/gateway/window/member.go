// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package window

import "context"

// memberKey is where a request on its way carries the replica that it goes to.
type memberKey struct{}

func withMember(ctx context.Context, member string) context.Context {
	return context.WithValue(ctx, memberKey{}, member)
}

func memberOf(ctx context.Context) string {
	member, _ := ctx.Value(memberKey{}).(string)
	return member
}
