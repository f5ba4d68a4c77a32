// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import "strconv"

// API says what a request asks for: the two bytes behind the size of its frame.
type API int16

// What a broker of 0.7 can be asked.
const (
	APIProduce      API = 0
	APIFetch        API = 1
	APIMultiFetch   API = 2
	APIMultiProduce API = 3
	APIOffsets      API = 4
)

// Answered reports whether a broker answers such requests at all: it never does to those that produce.
func (a API) Answered() bool { return a == APIFetch || a == APIMultiFetch || a == APIOffsets }

// String gives the name that Kafka uses.
func (a API) String() string {
	switch a {
	case APIProduce:
		return "PRODUCE"
	case APIFetch:
		return "FETCH"
	case APIMultiFetch:
		return "MULTIFETCH"
	case APIMultiProduce:
		return "MULTIPRODUCE"
	case APIOffsets:
		return "OFFSETS"
	default:
		return "API " + strconv.Itoa(int(a))
	}
}
