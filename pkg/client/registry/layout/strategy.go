// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

// InForce is how a group shares out its partitions, as every member of it concludes from the same registrations.
type InForce struct {
	// Strategy is Sticky or Range; 0 where nobody is a member.
	Strategy Strategy
	// Foreign says that members of other clients are among them, which give up on claims that take long to come free.
	Foreign bool
	// Why says why the strategy is not Sticky; empty if it is.
	Why string
}

// Agreed gives the strategy that all members choose from the same registrations: Sticky only if all are samsa's and
// want it. Its text depends on the members' order, and is stable where that is.
func Agreed(members []Registration) InForce {
	if len(members) == 0 {
		return InForce{}
	}
	agreed := InForce{Strategy: Sticky}
	for _, member := range members {
		switch {
		case member.Foreign && !agreed.Foreign:
			agreed = InForce{Strategy: Range, Foreign: true, Why: "member " + member.ID + " is not samsa's"}
		case member.Strategy != Sticky && agreed.Strategy == Sticky:
			agreed = InForce{Strategy: Range, Why: "member " + member.ID + " asks for Range"}
		}
	}
	return agreed
}
