// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"slices"

	"github.com/samsa-dev/samsa/pkg/client"
)

// onlookers are the groups that one watch looks at. They are kept from one reading to the next, since the newest tell
// of each replaces the one before in the registry. Only the goroutine that reads uses them.
type onlookers struct {
	at           Cluster
	coordination client.Coordination
	groups       map[string]Group
}

// of gives the groups that a target means at a cluster, and forgets those that are of no more interest.
func (l *onlookers) of(cluster Cluster, target Target) map[string]Group {
	if l.at != cluster || l.coordination != target.Coordination {
		// Another connection: the one before is closed, or looked at by nobody any more.
		l.forget()
		l.at, l.coordination = cluster, target.Coordination
	}
	names := target.Groups
	for name, group := range l.groups {
		if !slices.Contains(names, name) {
			group.Forget()
			delete(l.groups, name)
		}
	}
	for _, name := range names {
		if _, ok := l.groups[name]; !ok {
			l.groups[name] = cluster.Group(target.Coordination, name)
		}
	}
	return l.groups
}

// forget forgets all.
func (l *onlookers) forget() {
	for _, group := range l.groups {
		group.Forget()
	}
	l.at, l.groups = nil, map[string]Group{}
}
