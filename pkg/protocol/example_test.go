// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol_test

import (
	"fmt"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// A consumer commits Next: inside a wrapper that is its start, until its last message is done.
func ExampleIterator() {
	set := protocol.AppendMessage(nil, []byte("alone"))
	var compressor protocol.Compressor
	set, err := compressor.AppendWrapper(set, protocol.Snappy,
		protocol.AppendMessage(protocol.AppendMessage(nil, []byte("first")), []byte("last")))
	if err != nil {
		fmt.Println(err)
		return
	}

	var it protocol.Iterator
	it.Reset(set, 1000)
	for it.Next() {
		m := it.Message()
		fmt.Printf("%d.%d %s, next is %d\n", m.Offset, m.Index, m.Payload, m.Next)
	}
	fmt.Println(it.Position(), it.Err())
	// Output:
	// 1000.0 alone, next is 1015
	// 1015.0 first, next is 1015
	// 1015.1 last, next is 1076
	// 1076 <nil>
}
