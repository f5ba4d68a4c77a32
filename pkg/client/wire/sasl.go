// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Mechanism is how a client proves to brokers who it is, by its SASL name.
type Mechanism string

// The mechanisms.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
	OAuthBearer Mechanism = "OAUTHBEARER"
)

// Mechanisms are all that there are.
func Mechanisms() []Mechanism { return []Mechanism{Plain, ScramSHA256, ScramSHA512, OAuthBearer} }

// SASL authenticates every new connection to a broker.
type SASL struct {
	Mechanism Mechanism
	// Credentials are asked for anew for every connection, and whenever a broker wants them proved again: so ones that
	// change are used without a restart. It must not block for long, and is called concurrently.
	Credentials func(ctx context.Context) (Credentials, error)
}

// Check says what no connection can be made with; nothing is well, and so is no SASL.
func (s *SASL) Check() error {
	switch {
	case s == nil:
		return nil
	case !slices.Contains(Mechanisms(), s.Mechanism):
		return fmt.Errorf("sasl mechanism %q: want one of %v", s.Mechanism, Mechanisms())
	case s.Credentials == nil:
		return errors.New("sasl: no credentials are given")
	}
	return nil
}

// Credentials are what a mechanism needs: Token for OAUTHBEARER, User and Password for the others.
type Credentials struct {
	User, Password string
	Token          string
}

// Always gives credentials that never change.
func (c Credentials) Always() func(context.Context) (Credentials, error) {
	return func(context.Context) (Credentials, error) { return c, nil }
}

// Check says what these credentials lack for a mechanism. It repeats nothing of them.
func (c Credentials) Check(mechanism Mechanism) error {
	switch mechanism {
	case OAuthBearer:
		if c.Token == "" {
			return errors.New("the token is missing")
		}
		if strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return errors.New("the token holds what no token may: white space, or letters outside of ASCII")
		}
		return nil
	case Plain, ScramSHA256, ScramSHA512:
		switch {
		case c.User == "":
			return errors.New("the user's name is missing")
		case c.Password == "":
			return errors.New("the password is missing")
		case strings.ContainsRune(c.User+c.Password, 0):
			return errors.New("the user's name or the password holds a zero byte, which ends a text in SASL")
		}
		return nil
	}
	return fmt.Errorf("sasl mechanism %q: want one of %v", mechanism, Mechanisms())
}

// mechanism is franz-go's for SASL, and tells the admission what becomes of it.
type mechanism struct {
	*SASL
	admission *Admission
}

var _ sasl.Mechanism = mechanism{}

// Name implements sasl.Mechanism.
func (m mechanism) Name() string { return string(m.Mechanism) }

// Authenticate implements sasl.Mechanism.
func (m mechanism) Authenticate(ctx context.Context, address string) (sasl.Session, []byte, error) {
	credentials, err := m.current(ctx)
	if err != nil {
		return nil, nil, err
	}
	session, first, err := credentials.of(m.Mechanism).Authenticate(ctx, address)
	if err != nil {
		return nil, nil, &saslError{text: string(m.Mechanism) + " cannot begin: " + err.Error(), err: err}
	}
	m.admission.proving(address, credentials)
	return proof{session: session, done: func() { m.admission.proved(address) }}, first, nil
}

// current are the credentials as they are now.
func (m mechanism) current(ctx context.Context) (Credentials, error) {
	credentials, err := m.Credentials(ctx)
	if err != nil {
		return Credentials{}, &saslError{text: "the credentials cannot be read: " + err.Error(), err: err}
	}
	if err := credentials.Check(m.Mechanism); err != nil {
		return Credentials{}, &saslError{
			text: "the credentials do not serve for " + string(m.Mechanism) + ": " + err.Error(), err: err,
		}
	}
	return credentials, nil
}

// of is franz-go's mechanism for credentials that have been checked.
func (c Credentials) of(mechanism Mechanism) sasl.Mechanism {
	switch mechanism {
	case ScramSHA256:
		return scram.Auth{User: c.User, Pass: c.Password}.AsSha256Mechanism()
	case ScramSHA512:
		return scram.Auth{User: c.User, Pass: c.Password}.AsSha512Mechanism()
	case OAuthBearer:
		return oauth.Auth{Token: c.Token}.AsMechanism()
	case Plain:
	}
	return plain.Auth{User: c.User, Pass: c.Password}.AsMechanism()
}

// proof is one exchange with a broker.
type proof struct {
	session sasl.Session
	done    func()
}

// Challenge implements sasl.Session. An error that it gives is the broker's refusal, in the words of the mechanism.
func (p proof) Challenge(answer []byte) (bool, []byte, error) {
	done, next, err := p.session.Challenge(answer)
	if err != nil {
		said := err.Error()
		// OAUTHBEARER's refusal is a text that franz-go does not expect: {"status":"invalid_token"}.
		if text := strings.TrimSpace(string(answer)); strings.HasPrefix(text, "{") {
			said = text
		}
		return false, nil, &saslError{text: refusedCredentials(said), err: err}
	}
	if done {
		p.done()
	}
	return done, next, nil
}

// refusedCredentials repeats what the broker says, if anything.
func refusedCredentials(said string) string {
	if said = brief(said); said != "" {
		said = " (it says: " + said + ")"
	}
	return "the broker refuses the credentials" + said + ": correct them, or add them at the broker"
}

// saidMost is how much a broker may say, in bytes: two lines in a status, which has no room for all that fits a frame.
const saidMost = 200

// brief is the beginning of what somebody else says, in one line.
func brief(said string) string {
	more := ""
	if len(said) > saidMost {
		said, more = said[:saidMost], "..."
	}
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(said, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ") + more
}

// saslError is what goes wrong with credentials. Its text says all of it, and what to do.
type saslError struct {
	text string
	err  error // the cause, nil for none
}

// Error implements error.
func (e *saslError) Error() string { return "sasl: " + e.text }

// Unwrap gives the cause.
func (e *saslError) Unwrap() error { return e.err }
