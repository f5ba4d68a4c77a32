// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	errDistrust = errors.New("tls: not trusted")
	noon        = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

const broker1, broker2 = "a:1", "b:1"

// unchanged is a client without credentials.
func unchanged() (fingerprint, bool) { return fingerprint{}, false }

func TestOneThatIsRefusedIsPaced(t *testing.T) {
	a := NewAdmission()
	now := noon
	for i, seconds := range []int{2, 4, 8, 16, 30, 30, 30} {
		least := time.Duration(seconds) * time.Second
		if err := a.ask(broker1, now, unchanged); err != nil {
			t.Fatalf("attempt %d: %v", i, err)
		}
		a.refused(broker1, errDistrust, now)
		a.refused(broker1, errDistrust, now) // one that was under way beside it
		for _, wait := range []time.Duration{0, least / 2, least - 1} {
			if err := a.ask(broker1, now.Add(wait), unchanged); err == nil {
				t.Errorf("attempt %d: asked again after %s", i, wait)
			}
		}
		if err := a.ask(broker2, now, unchanged); err != nil {
			t.Errorf("another broker has to wait: %v", err)
		}
		now = now.Add(least + least/5)
	}
}

func TestOneAttemptAtATime(t *testing.T) {
	a := NewAdmission()
	a.refused(broker1, errDistrust, noon)
	later := noon.Add(3 * time.Second)
	if err := a.ask(broker1, later, unchanged); err != nil {
		t.Fatal(err)
	}
	held := a.ask(broker1, later, unchanged)
	known, ok := errors.AsType[*NotAdmitted](held)
	if !ok || !known.held || held.Error() != "broker a:1: tls: not trusted" {
		t.Errorf("got %v", held)
	}
	a.away(broker1, true) // given up by this side
	if err := a.ask(broker1, later, unchanged); err != nil {
		t.Errorf("nobody tries any more: %v", err)
	}
	if err := a.ask(broker1, later.Add(trialTimeout), unchanged); err != nil {
		t.Errorf("an attempt without an end stops all others: %v", err)
	}
	a.admitted(broker1)
	for range 2 {
		if err := a.ask(broker1, later, unchanged); err != nil {
			t.Errorf("one that admits has to wait: %v", err)
		}
	}
}

func TestOtherCredentialsNeedNotWaitLong(t *testing.T) {
	a := NewAdmission()
	old, renewed := Credentials{User: "u", Password: "old"}, Credentials{User: "u", Password: "new"}
	given := func(c Credentials) func() (fingerprint, bool) {
		return func() (fingerprint, bool) { return c.fingerprint(), true }
	}
	now := noon
	for range 6 {
		a.proving(broker1, old)
		a.refused(broker1, errDistrust, now)
		now = now.Add(admissionCap * 2)
	}
	now = now.Add(-admissionCap * 2)
	if err := a.ask(broker1, now.Add(admissionFloor), given(old)); err == nil {
		t.Error("the same credentials are shown again")
	}
	if err := a.ask(broker1, now.Add(admissionFloor-1), given(renewed)); err == nil {
		t.Error("asked again at once: a source of ever new credentials makes a storm")
	}
	if err := a.ask(broker1, now.Add(admissionFloor), given(renewed)); err != nil {
		t.Errorf("new credentials have to wait: %v", err)
	}
}

func TestWhatIsToldOfTheCluster(t *testing.T) {
	a := NewAdmission()
	told := func(want string) {
		t.Helper()
		got := ""
		if err := a.Err(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	changes := func(do func()) {
		t.Helper()
		changed := a.Changed()
		do()
		select {
		case <-changed:
		default:
			t.Error("nobody is told")
		}
	}
	told("")
	changes(func() { a.refused(broker1, errDistrust, noon) })
	told("broker a:1: tls: not trusted")
	changes(func() { a.refused(broker2, errDistrust, noon) })
	told("broker a:1, b:1: tls: not trusted")
	changes(func() { a.refused(broker2, errors.New("sasl"), noon.Add(time.Minute)) })
	told("broker b:1: sasl\nbroker a:1: tls: not trusted")
	changes(func() { a.admitted(broker2) })
	told("") // it can be reached
	changes(func() { a.refused(broker2, errDistrust, noon) })
	changes(func() { a.away(broker2, false) })
	told("broker a:1: tls: not trusted")
}

func TestWhatIsDistrust(t *testing.T) {
	sasl := &SASL{Mechanism: Plain}
	for name, c := range map[string]struct {
		err     error
		proving bool
		want    string
	}{
		"the network":        {errors.New("connection refused"), false, ""},
		"the end":            {io.EOF, false, ""},
		"the end of proving": {fmt.Errorf("read: %w", io.EOF), true, "sasl: the broker hangs up when"},
		"the network, then":  {errors.New("no route"), true, ""},
		"an answer": {fmt.Errorf("%w: wrong", kerr.SaslAuthenticationFailed), false,
			"sasl: the broker refuses the credentials (it says: wrong): correct them, or add them at the broker"},
		"another answer":      {kerr.NotLeaderForPartition, false, ""},
		"no such mechanism":   {kerr.UnsupportedSaslMechanism, false, "sasl: the broker does not offer this mechanism there"},
		"no credentials":      {&saslError{text: "none can be read"}, false, "sasl: none can be read"},
		"dialed, and refused": {&NotAdmitted{Broker: broker1, Err: errDistrust}, false, "tls: not trusted"},
	} {
		hook := admits{NewAdmission(), sasl}
		if c.proving {
			hook.proving(broker1, Credentials{})
		}
		hook.OnBrokerConnect(kgo.BrokerMetadata{Host: "a", Port: 1}, 0, nil, c.err)
		err := hook.Err()
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), "broker a:1: "+c.want) {
			t.Errorf("%s: got %v", name, err)
		}
		if hook.isProving(broker1) {
			t.Errorf("%s: the proof goes on", name)
		}
	}
}

func TestCredentialsAreChecked(t *testing.T) {
	for _, c := range []struct {
		mechanism Mechanism
		Credentials
		want string
	}{
		{Plain, Credentials{User: "u", Password: "p"}, ""},
		{ScramSHA256, Credentials{User: "u"}, "the password is missing"},
		{ScramSHA512, Credentials{Password: "p"}, "the user's name is missing"},
		{Plain, Credentials{User: "u", Password: "p\x00q"}, "holds a zero byte"},
		{OAuthBearer, Credentials{Token: "a.b.c"}, ""},
		{OAuthBearer, Credentials{User: "u", Password: "p"}, "the token is missing"},
		{OAuthBearer, Credentials{Token: "a b"}, "the token holds what no token may"},
		{"plain", Credentials{User: "u", Password: "p"}, `sasl mechanism "plain": want one of [PLAIN SCRAM-SHA-256`},
	} {
		err := c.Check(c.mechanism)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.mechanism, err, c.want)
		}
	}
}

func TestTheTokensRefusalIsTold(t *testing.T) {
	m := mechanism{&SASL{Mechanism: OAuthBearer, Credentials: Credentials{Token: "t"}.Always()}, NewAdmission()}
	session, _, err := m.Authenticate(t.Context(), broker1)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = session.Challenge([]byte(`{"status":"invalid_token"}`))
	if err == nil || !strings.Contains(err.Error(), `(it says: {"status":"invalid_token"}): correct them`) {
		t.Errorf("got %v", err)
	}
	if !m.admission.isProving(broker1) {
		t.Error("the proof is over without the broker's consent")
	}
	if done, _, err := session.Challenge(nil); !done || err != nil || m.admission.isProving(broker1) {
		t.Errorf("got %v, %v", done, err)
	}
}

func TestOpenRefusesSASLThatCannotWork(t *testing.T) {
	for _, wrong := range []*SASL{{}, {Mechanism: "GSSAPI", Credentials: Credentials{}.Always()}, {Mechanism: Plain}} {
		if _, err := Open(Config{Brokers: []string{broker1}, SASL: wrong}); err == nil {
			t.Errorf("%+v was accepted", wrong)
		}
	}
}

func TestGivenUpByThisSide(t *testing.T) {
	if !canceled(fmt.Errorf("dial: %w", context.Canceled)) || !canceled(kgo.ErrClientClosed) || canceled(io.EOF) {
		t.Error("not told apart")
	}
}

func TestWhatABrokerSaysIsToldInALine(t *testing.T) {
	for said, want := range map[string]string{
		"no\nsuch\x00 user":         "no such user",
		strings.Repeat("a", 70_000): strings.Repeat("a", saidMost) + "...",
		"":                          "",
	} {
		if told := brief(said); told != want {
			t.Errorf("%.20q is told as %.300q, want %.300q", said, told, want)
		}
	}
}
