// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import "context"

// Mechanism is how a client proves to brokers who it is, by its SASL name.
type Mechanism string

// The mechanisms.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
	OAuthBearer Mechanism = "OAUTHBEARER"
)

// SASL authenticates every new connection to a broker.
type SASL struct {
	Mechanism Mechanism
	// Credentials are asked for anew for every connection, and whenever a broker wants them proved again: so ones that
	// change are used without a restart. It must not block for long, and is called concurrently.
	Credentials func(ctx context.Context) (Credentials, error)
}

// Credentials are what a mechanism needs: Token for OAUTHBEARER, User and Password for the others.
type Credentials struct {
	User, Password string
	Token          string
}
