// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/connections"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

func TestPhasesGatherErrorsUntilOneBlocks(t *testing.T) {
	var ran []string
	step := func(name string, result ctrl.Result, err error, blocking bool) phase[struct{}] {
		return phase[struct{}]{name, func(context.Context, *struct{}) (ctrl.Result, error) {
			ran = append(ran, name)
			return result, err
		}, blocking}
	}
	soon, late := ctrl.Result{RequeueAfter: time.Second}, ctrl.Result{RequeueAfter: time.Minute}
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		phases []phase[struct{}]
		ran    string
		result ctrl.Result
		err    string
	}{
		"none": {},
		"the earliest": {phases: []phase[struct{}]{
			step("a", late, nil, false), step("b", soon, nil, false), step("c", late, nil, false),
		}, ran: "abc", result: soon},
		"an error": {phases: []phase[struct{}]{
			step("a", late, broken, false), step("b", ctrl.Result{}, broken, false),
		}, ran: "ab", result: late, err: "a: broken\nb: broken"},
		"a blocking error": {phases: []phase[struct{}]{
			step("a", ctrl.Result{}, broken, true), step("b", soon, nil, false),
		}, ran: "a", err: "a: broken"},
		"a blocking wish": {phases: []phase[struct{}]{
			step("a", soon, nil, true), step("b", late, nil, false),
		}, ran: "a", result: soon},
		"done": {phases: []phase[struct{}]{
			step("a", ctrl.Result{}, nil, true), step("b", late, nil, false),
		}, ran: "ab", result: late},
	} {
		t.Run(name, func(t *testing.T) {
			ran = nil
			result, err := runPhases(t.Context(), c.phases, &struct{}{})
			if got := strings.Join(ran, ""); got != c.ran || result != c.result {
				t.Errorf("ran %q with %v, want %q with %v", got, result, c.ran, c.result)
			}
			if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

func TestMergeConditions(t *testing.T) {
	early, now := metav1.NewTime(time.Unix(100, 0)), time.Unix(200, 5)
	current := []metav1.Condition{
		{Type: "Ready", Status: metav1.ConditionTrue, LastTransitionTime: early},
		{Type: "Fed", Status: metav1.ConditionTrue, LastTransitionTime: early},
		{Type: "Stalled", Status: metav1.ConditionTrue, LastTransitionTime: early},
	}
	merged := mergeConditions(current, []metav1.Condition{
		newCondition("Ready", metav1.ConditionTrue, "Other", "%s", strings.Repeat("ä", maxMessage)),
		newCondition("Fed", metav1.ConditionFalse, "R", "m"),
		newCondition("Stalled", metav1.ConditionFalse, "R", "m"),
		newCondition("Reconciling", metav1.ConditionUnknown, "R", "m"),
		newCondition("Degraded", metav1.ConditionTrue, "R", "m"),
	}, 7, now)
	var kinds []string
	for _, c := range merged {
		kinds = append(kinds, c.Type)
		if c.ObservedGeneration != 7 {
			t.Errorf("%s is of generation %d", c.Type, c.ObservedGeneration)
		}
	}
	if fmt.Sprint(kinds) != "[Ready Fed Degraded]" {
		t.Fatalf("conditions %v", kinds)
	}
	if !merged[0].LastTransitionTime.Equal(&early) {
		t.Error("another reason is no transition")
	}
	if changed := metav1.NewTime(time.Unix(200, 0)); !merged[1].LastTransitionTime.Equal(&changed) {
		t.Errorf("transition at %v", merged[1].LastTransitionTime)
	}
	if m := merged[0].Message; len(m) > maxMessage || !utf8.ValidString(m) || !strings.HasSuffix(m, "…") {
		t.Errorf("message of %d bytes", len(m))
	}
}

// What is seen of a cluster decides its conditions, and nothing else does.
func TestKafkaClusterConditions(t *testing.T) {
	seen := func(state client.ClusterState) kafkaClusterSeen {
		return kafkaClusterSeen{opened: true, tried: true, state: state}
	}
	failed := func(kind registry.Kind, text string) kafkaClusterSeen {
		return seen(client.ClusterState{Kind: kind, Err: errors.New(text)})
	}
	cause := errors.New("x")
	unavailable := client.ClusterState{Kind: registry.Unavailable, Err: cause}
	brokers := []client.Broker{{ID: "1", Address: "a:1"}}
	fine := client.ClusterState{Connected: true, Fenced: true, Brokers: brokers, DialectKnown: true}
	with := func(change func(*client.ClusterState)) kafkaClusterSeen {
		state := fine
		change(&state)
		return seen(state)
	}
	for name, c := range map[string]struct {
		fault *kafkaClusterFault
		seen  kafkaClusterSeen
		want  string
	}{
		"nothing yet": {nil, kafkaClusterSeen{}, "Ready=Unknown/Connecting Reconciling=True/Connecting"},
		"not tried yet": {nil, kafkaClusterSeen{opened: true, state: unavailable},
			"Ready=Unknown/Connecting Reconciling=True/Connecting"},
		"brokers to be read": {nil, with(func(s *client.ClusterState) {
			s.Brokers, s.Err, s.Kind = nil, cause, registry.Unavailable
		}),
			"Ready=Unknown/Connecting Reconciling=True/Connecting"},
		"fault": {&kafkaClusterFault{v1alpha1.ReasonSecretInvalid, "x"}, seen(fine),
			"Ready=False/SecretInvalid Stalled=True/SecretInvalid"},
		"unreachable": {nil, failed(registry.Unavailable, "x"),
			"Ready=Unknown/ZooKeeperUnreachable Reconciling=True/ZooKeeperUnreachable"},
		"refused by brokers": {nil, with(func(s *client.ClusterState) {
			s.Err, s.Kind = &wire.NotAdmitted{Broker: "a:1", Err: cause}, registry.Unavailable
		}), "Ready=False/AccessDenied Stalled=True/AccessDenied"},
		"denied":    {nil, failed(registry.Denied, "x"), "Ready=False/AccessDenied Stalled=True/AccessDenied"},
		"no chroot": {nil, failed(registry.NoChroot, "x"), "Ready=False/ChrootMissing Stalled=True/ChrootMissing"},
		"no brokers": {nil, with(func(s *client.ClusterState) {
			s.Brokers, s.Err, s.Kind = nil, client.ErrNoBrokers, registry.Unavailable
		}), "Ready=False/NoBrokers Reconciling=True/NoBrokers"},
		"brokers of two Kafkas": {nil, with(func(s *client.ClusterState) {
			s.Err, s.Kind = fmt.Errorf("1 and 2: %w", client.ErrBrokersMixed), registry.Unavailable
		}), "Ready=False/BrokersMixed Stalled=True/BrokersMixed"},
		"brokers of two Kafkas from the beginning": {nil, with(func(s *client.ClusterState) {
			s.Err, s.Kind, s.Brokers = fmt.Errorf("1 and 2: %w", client.ErrBrokersMixed), registry.Unavailable, nil
		}), "Ready=False/BrokersMixed Stalled=True/BrokersMixed"},
		"well": {nil, seen(fine), "Ready=True/Reachable"},
		"unfenced": {nil, with(func(s *client.ClusterState) { s.Fenced = false }),
			"Ready=True/Reachable Degraded=True/Unfenced"},
		"unsound": {nil, with(func(s *client.ClusterState) { s.Fenced, s.Warning = false, "x" }),
			"Ready=True/Reachable Degraded=True/LeaseUnsound"},
		"limited": {nil, with(func(s *client.ClusterState) { s.Degraded = []string{"no headers"} }),
			"Ready=True/Reachable Degraded=True/KafkaLimited"},
		"malformed": {nil, with(func(s *client.ClusterState) { s.Problems = []layout.Problem{{Path: "/brokers/ids/x"}} }),
			"Ready=True/Reachable Degraded=True/NodesMalformed"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			scope := &kafkaClusterScope{cluster: &v1alpha1.KafkaCluster{}, fault: c.fault, seen: c.seen}
			for _, is := range kafkaClusterConditions(scope) {
				got = append(got, fmt.Sprintf("%s=%s/%s", is.Type, is.Status, is.Reason))
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("%s, want %s", text, c.want)
			}
		})
	}
}

// A password that everybody on the way can read is said to be one.
func TestKafkaClusterExposesCredentials(t *testing.T) {
	for mechanism, exposed := range map[v1alpha1.SASLMechanism]bool{
		v1alpha1.SASLPlain: true, v1alpha1.SASLOAuthBearer: true, v1alpha1.SASLScramSHA512: false, "": false,
	} {
		scope := &kafkaClusterScope{cluster: &v1alpha1.KafkaCluster{}}
		scope.cluster.Spec.SASL.Mechanism = mechanism
		if reason, message := scope.degradation(); (reason == "CredentialsExposed") != exposed {
			t.Errorf("%s in the clear: %s: %s", mechanism, reason, message)
		}
		scope.cluster.Spec.TLS = &v1alpha1.TLS{}
		if reason, message := scope.degradation(); reason != "" {
			t.Errorf("%s over TLS: %s: %s", mechanism, reason, message)
		}
	}
}

// Where brokers tell of the cluster it is they that fail, unless it is the ZooKeeper beside them.
func TestKafkaClusterConditionsByBrokers(t *testing.T) {
	brokers := []client.Broker{{ID: "1", Address: "a:1"}}
	for name, c := range map[string]struct {
		zookeeper string
		untried   bool
		state     client.ClusterState
		want      string
	}{
		"not tried yet": {"", true, client.ClusterState{Err: errors.New("x")},
			"Ready=Unknown/Connecting: The connection to brokers is being made"},
		"well": {"", false, client.ClusterState{Brokers: brokers, MinVersion: "4.1", MaxVersion: "4.1"},
			"Ready=True/Reachable: Brokers answer: 1, of Kafka 4.1"},
		"well, with ZooKeeper": {"zk", false, client.ClusterState{Brokers: brokers, Connected: true, Fenced: true},
			"Ready=True/Reachable: ZooKeeper answers, and brokers: 1, of Kafka 0.8 or later"},
		"no answer": {"", false, client.ClusterState{Err: errors.New("no answer")},
			"Ready=Unknown/BrokersUnreachable: No answer; the addresses are those of spec.bootstrapServers"},
		"no answer, beside ZooKeeper": {"zk", false, client.ClusterState{Connected: true, Err: errors.New("no answer")},
			"Ready=Unknown/BrokersUnreachable: No answer; the addresses are those of spec.bootstrapServers"},
		"refused": {"", false, client.ClusterState{Err: &wire.NotAdmitted{Broker: "a:1", Err: errors.New("wrong password")}},
			"Ready=False/AccessDenied: Broker a:1: wrong password"},
		"of nobody trusted": {"", false, client.ClusterState{Err: &wire.NotAdmitted{
			Broker: "a:1", Err: secure.Explain(x509.UnknownAuthorityError{}),
		}}, "Ready=False/CertificateInvalid: Broker a:1: tls: nobody trusted has signed the server's certificate: " +
			"give the certificate of its authority as the CA"},
		"ZooKeeper away": {"zk", false, client.ClusterState{Brokers: brokers, Kind: registry.Unavailable, Err: fmt.Errorf(
			"read: %w", &registry.Error{Op: "connect", Kind: registry.Unavailable, Err: errors.New("refused")})},
			"Ready=Unknown/ZooKeeperUnreachable: Read: connect: refused; check spec.zookeeper.connect, and that ZooKeeper " +
				"runs and may be reached from here"},
	} {
		t.Run(name, func(t *testing.T) {
			scope := &kafkaClusterScope{
				cluster: &v1alpha1.KafkaCluster{Spec: v1alpha1.KafkaClusterSpec{
					ZooKeeper: v1alpha1.ZooKeeper{Connect: c.zookeeper}, BootstrapServers: []v1alpha1.BootstrapServer{"a:1"},
				}},
				seen: kafkaClusterSeen{opened: true, tried: !c.untried, state: c.state},
			}
			conditions := kafkaClusterConditions(scope)
			is := conditions[0]
			if got := fmt.Sprintf("%s=%s/%s: %s", is.Type, is.Status, is.Reason, is.Message); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestWhichKafkaItIs(t *testing.T) {
	for _, c := range []struct {
		state client.ClusterState
		era   v1alpha1.Era
		says  string
	}{
		{client.ClusterState{}, "", ""},
		{client.ClusterState{DialectKnown: true, Dialect: layout.Kafka07}, v1alpha1.EraKafka07, "of Kafka 0.7"},
		{client.ClusterState{DialectKnown: true}, v1alpha1.EraKafka08, "of Kafka 0.8 or later"},
		{client.ClusterState{DialectKnown: true, MinVersion: "3.9", MaxVersion: "3.9"}, v1alpha1.EraKafka08, "of Kafka 3.9"},
		{client.ClusterState{DialectKnown: true, MinVersion: "3.9", MaxVersion: "4.1"}, v1alpha1.EraKafka08,
			"of Kafka 3.9 to 4.1"},
	} {
		c.state.Connected, c.state.Brokers = true, []client.Broker{{ID: "1", Address: "a:1"}}
		scope := &kafkaClusterScope{
			cluster: &v1alpha1.KafkaCluster{}, seen: kafkaClusterSeen{opened: true, tried: true, state: c.state},
		}
		status := kafkaClusterStatus(scope, &v1alpha1.KafkaClusterStatus{}, time.Unix(1, 0))
		if message := status.Conditions[0].Message; status.Era != c.era || !strings.HasSuffix(message, c.says) {
			t.Errorf("era %q, %q; want %q", status.Era, message, c.era)
		}
	}
}

// A broker registers itself as it likes; the status has to be one that the API server takes.
func TestKafkaClusterStatusKeepsWithinTheLimits(t *testing.T) {
	state := client.ClusterState{Connected: true, SessionTimeout: 1500 * time.Millisecond, Brokers: []client.Broker{
		{ID: strings.Repeat("1", maxBrokerID+1), Address: "a:1"}, {ID: "1", Address: strings.Repeat("a", maxBrokerAddress+1)},
	}}
	for i := range 100 {
		state.Brokers = append(state.Brokers, client.Broker{ID: fmt.Sprint(i), Address: "a:1"})
	}
	scope := &kafkaClusterScope{cluster: &v1alpha1.KafkaCluster{}}
	scope.seen = kafkaClusterSeen{opened: true, tried: true, state: state}
	status := kafkaClusterStatus(scope, &v1alpha1.KafkaClusterStatus{}, time.Unix(1, 0))
	if len(status.Brokers) != maxBrokers || *status.BrokerCount != 102 || status.Brokers[0].ID != "0" {
		t.Errorf("%d brokers of %d, first %v", len(status.Brokers), *status.BrokerCount, status.Brokers[0])
	}
	if status.SessionTimeout != "1500ms" || formatDuration(90*time.Second) != "90s" {
		t.Errorf("session timeout %s, 90 s are %s", status.SessionTimeout, formatDuration(90*time.Second))
	}
	if status.TopicCount != nil {
		t.Error("topics that nobody counted are not 0")
	}
}

func TestSettingsAreReadFromSecrets(t *testing.T) {
	certificate, key := keyPair(t)
	secret := func(name string, data map[string][]byte) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name}, Data: data}
	}
	reader := fake.NewClientBuilder().WithObjects(
		secret("digest", map[string][]byte{"d": []byte(" u:p\n")}),
		secret("ca", map[string][]byte{"c": certificate}),
		secret("own", map[string][]byte{corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key}),
		secret("login", map[string][]byte{
			"username": []byte("me\n"), "password": []byte(" secret \r\n"), "jwt": []byte("x.y.z\n"),
		}),
	).Build()
	tls := v1alpha1.TLS{
		CASecretRef:          v1alpha1.SecretKeyReference{Name: "ca", Key: "c"},
		CertificateSecretRef: v1alpha1.SecretReference{Name: "own"}, ServerName: "server",
	}
	trusted := connections.TLS{
		On: true, ServerName: "server", CA: string(certificate), Certificate: string(certificate), Key: string(key),
	}
	login := v1alpha1.SASL{
		Mechanism: v1alpha1.SASLPlain, CredentialsSecretRef: v1alpha1.SecretReference{Name: "login"},
	}
	for name, c := range map[string]struct {
		spec v1alpha1.KafkaClusterSpec
		want connections.Settings
	}{
		"ZooKeeper": {v1alpha1.KafkaClusterSpec{ZooKeeper: v1alpha1.ZooKeeper{
			Connect: "zk/kafka", SessionTimeout: "1m30s", TLS: &tls,
			DigestSecretRef: v1alpha1.SecretKeyReference{Name: "digest", Key: "d"},
		}}, connections.Settings{
			ZooKeeper: "zk/kafka", SessionTimeout: 90 * time.Second, Digest: "u:p", ZooKeeperTLS: trusted,
		}},
		"brokers": {
			v1alpha1.KafkaClusterSpec{BootstrapServers: []v1alpha1.BootstrapServer{"a:1", "b:2"}, TLS: &tls, SASL: login},
			connections.Settings{Bootstrap: "a:1,b:2", BrokerTLS: trusted, SASL: connections.SASL{
				Mechanism: wire.Plain, Credentials: wire.Credentials{User: "me", Password: " secret "},
			}},
		},
		"a token": {v1alpha1.KafkaClusterSpec{SASL: v1alpha1.SASL{
			Mechanism: v1alpha1.SASLOAuthBearer, TokenSecretRef: v1alpha1.SecretKeyReference{Name: "login", Key: "jwt"},
		}}, connections.Settings{SASL: connections.SASL{
			Mechanism: wire.OAuthBearer, Credentials: wire.Credentials{Token: "x.y.z"},
		}}},
	} {
		got, err := secretReader{reader, "n"}.settings(t.Context(), &c.spec)
		if err != nil || got != c.want {
			t.Errorf("%s: not what the Secrets hold (%v)", name, err)
		}
		if !namesSecrets(&c.spec) {
			t.Errorf("%s: names Secrets", name)
		}
	}
}

func TestWhatSecretsLackIsSaid(t *testing.T) {
	reader := fake.NewClientBuilder().WithObjects(
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "login"}, Data: map[string][]byte{
			"username": []byte("me"), "blank": []byte("\n"), "ca": []byte("hidden"),
		}},
	).Build()
	credentials := func(name string) v1alpha1.KafkaClusterSpec {
		return v1alpha1.KafkaClusterSpec{SASL: v1alpha1.SASL{
			Mechanism: v1alpha1.SASLScramSHA512, CredentialsSecretRef: v1alpha1.SecretReference{Name: name},
		}}
	}
	for want, spec := range map[string]v1alpha1.KafkaClusterSpec{
		"Secret none, named by spec.sasl.credentialsSecretRef, does not exist: create it, or correct the " +
			"name": credentials("none"),
		"Secret login, named by spec.sasl.credentialsSecretRef, lacks the key password: add it, or correct the " +
			"key": credentials("login"),
		"Secret login, key blank, named by spec.sasl.tokenSecretRef, is blank: fill it in": {SASL: v1alpha1.SASL{
			Mechanism: v1alpha1.SASLOAuthBearer, TokenSecretRef: v1alpha1.SecretKeyReference{Name: "login", Key: "blank"},
		}},
		"Secret login, key ca, named by spec.tls.caSecretRef: the CA holds no certificate; it has to be PEM, " +
			"with -----BEGIN CERTIFICATE-----": {
			TLS: &v1alpha1.TLS{CASecretRef: v1alpha1.SecretKeyReference{Name: "login", Key: "ca"}},
		},
	} {
		_, err := secretReader{reader, "n"}.settings(t.Context(), &spec)
		fault, is := errors.AsType[*kafkaClusterFault](err)
		if !is || fault.reason != v1alpha1.ReasonSecretInvalid || fault.message != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// keyPair is a certificate that signs itself, and its key, in PEM.
func keyPair(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}
