// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package caller tells who sends a request to a gateway, whether that caller may, and how much.
//
// A Verifier looks at one request. Those that check a token are made of a TokenVerifier, which is what a process
// supplies that can ask somebody (Kubernetes' TokenReview, say): Bearer takes the token out of the request, Cached
// remembers verdicts for a while. Basic and MTLS need nobody. Allow narrows any of them to a list.
//
// A Limiter bounds what each of those callers may do, in memory that does not grow with their number.
//
// Everything here is safe for concurrent use, and nothing here knows of Kubernetes but the shape of its names.
package caller
