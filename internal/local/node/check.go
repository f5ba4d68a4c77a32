// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

// check is what a probe's results amount to: it changes with so many results of one kind in a row.
type check struct {
	needSuccesses, needFailures int32
	passing                     bool

	row  int32 // how many results have been as the last one
	last bool
}

// observe takes a result and reports whether it crosses a threshold: the verdict is new, or stands after as many
// results again (a container whose liveness failed is killed, and asked again once it runs).
func (c *check) observe(success bool) (crossed bool) {
	if success != c.last || c.row == 0 {
		c.last, c.row = success, 0
	}
	c.row++
	need := c.needFailures
	if success {
		need = c.needSuccesses
	}
	if c.row < max(1, need) {
		return false
	}
	crossed = c.passing != success || c.row == max(1, need)
	c.passing = success
	return crossed
}
