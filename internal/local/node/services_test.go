// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// serviceFor leads port 80 to the actors' own; headless it has no port of its own.
func serviceFor(name, namespace string, headless bool) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "actor"},
			Ports:    []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromString("http")}},
		},
	}
	if headless {
		service.Spec.ClusterIP = corev1.ClusterIPNone
	}
	return service
}

// through asks by a proxy, with a connection for each request, and gives status and body.
func through(ctx context.Context, proxy, target string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return "", err
	}
	answer, err := (&http.Client{Transport: &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxy}), DisableKeepAlives: true,
	}}).Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return strconv.Itoa(answer.StatusCode) + " " + string(text) + "\n", err
}

// asking is a resolver that asks one server, in one way.
func asking(server, network string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
}

var _ = Describe("Services", func() {
	It("have names that pods find, by HTTP and by DNS", func(ctx SpecContext) {
		directory := GinkgoT().TempDir()
		runNode(ctx, directory)
		for _, headless := range []bool{false, true} {
			service := serviceFor("shop"+strconv.FormatBool(headless), namespace, headless)
			_, err := client.CoreV1().Services(namespace).Create(ctx, service, metav1.CreateOptions{})
			Expect(err).NotTo(HaveOccurred())
		}
		at := "http://shopfalse." + namespace + ".svc"
		Eventually(through).WithContext(ctx).WithArguments(node.Proxy(), at+"/env").
			Should(HavePrefix("503 "), "nobody is there yet")
		late := func(p *corev1.Pod) {
			p.Spec.Containers[0].Env = append(p.Spec.Containers[0].Env, corev1.EnvVar{Name: "READY", Value: "later"})
			p.Spec.Containers[0].ReadinessProbe = httpProbe("/readyz")
		}
		create(ctx, actor("one", nil))
		create(ctx, actor("late", late))
		one := awaitReady(ctx, "one")
		env := func() string {
			body, _ := through(ctx, node.Proxy(), at+".cluster.local:80/env")
			return body
		}
		Eventually(env).Should(ContainSubstring("POD_IP=" + one.Status.PodIP + "\n"))
		Consistently(env, time.Second).Should(ContainSubstring("POD_IP="+one.Status.PodIP+"\n"), "the other is not ready")
		for _, text := range []string{
			"HTTP_PROXY=http://" + node.Proxy() + "\n", "https_proxy=http://" + node.Proxy() + "\n", "NO_PROXY=localhost,",
			"SAMSA_DNS=" + node.addresses.node.String() + ":28053",
		} {
			Expect(env()).To(ContainSubstring(text))
		}

		By("asking the DNS server")
		names := asking(node.names.datagram.LocalAddr().String(), "udp")
		lookup := func(host string) []string {
			addresses, _ := names.LookupHost(ctx, host)
			slices.Sort(addresses)
			return addresses
		}
		Expect(lookup("shoptrue." + namespace + ".svc")).To(Equal([]string{one.Status.PodIP}))
		Eventually(containerOf(ctx, "late")).Should(HaveField("State.Running", Not(BeNil())))
		_, err := ask(ctx, get(ctx, "late"), "/prepare")
		Expect(err).NotTo(HaveOccurred())
		both := []string{one.Status.PodIP, awaitReady(ctx, "late").Status.PodIP}
		slices.Sort(both)
		Eventually(lookup).WithArguments("shoptrue." + namespace + ".svc.cluster.local").Should(Equal(both))
		Expect(client.CoreV1().Pods(namespace).Delete(ctx, "one", metav1.DeleteOptions{})).To(Succeed())
		Eventually(lookup).WithArguments("shopfalse." + namespace + ".svc").Should(HaveLen(1))
		_, err = names.LookupHost(ctx, "shop."+namespace+".svc")
		Expect(err).To(HaveField("IsNotFound", true))
	}, SpecTimeout(time.Minute))

	It("leave a pod what it says itself, and give it the API server and its bindings", func(ctx SpecContext) {
		directory := GinkgoT().TempDir()
		runNode(ctx, directory)
		_, err := client.CoreV1().Secrets(namespace).Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "orders"}, StringData: map[string]string{"type": "kafka"},
		}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		create(ctx, actor("own", func(p *corev1.Pod) {
			p.Spec.AutomountServiceAccountToken = nil
			p.Spec.Volumes = []corev1.Volume{{Name: "orders", VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: "orders"},
			}}}
			c := &p.Spec.Containers[0]
			c.VolumeMounts = []corev1.VolumeMount{{Name: "orders", MountPath: "/bindings/orders"}}
			c.Env = append(c.Env, corev1.EnvVar{Name: "http_proxy", Value: "http://own:1"},
				corev1.EnvVar{Name: "SERVICE_BINDING_ROOT", Value: "/bindings"})
		}))
		pod := awaitReady(ctx, "own")
		var text string
		Eventually(func() (err error) { text, err = ask(ctx, pod, "/env"); return err }).Should(Succeed())
		env := map[string]string{}
		for line := range strings.Lines(text) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			env[name] = value
		}
		Expect(env).To(HaveKeyWithValue("http_proxy", "http://own:1"))
		Expect(env).To(And(Not(HaveKey("HTTP_PROXY")), HaveKey("HTTPS_PROXY")))
		Expect(os.ReadFile(filepath.Join(env["SERVICE_BINDING_ROOT"], "orders", "type"))).To(BeEquivalentTo("kafka"))

		own, err := clientcmd.BuildConfigFromFlags("", env["KUBECONFIG"])
		Expect(err).NotTo(HaveOccurred())
		api, err := kubernetes.NewForConfig(own)
		Expect(err).NotTo(HaveOccurred())
		me, err := api.AuthenticationV1().SelfSubjectReviews().
			Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(me.Status.UserInfo.Username).To(Equal("system:serviceaccount:" + namespace + ":default"))
		leaks = append(leaks, goleak.IgnoreCurrent()) // client-go keeps its connection
	}, SpecTimeout(time.Minute))
})

// standing are Services as mirrors have them, without an API server: one of this name with pods at these addresses.
func standing(name string, addresses ...string) *services {
	GinkgoHelper()
	s := &services{
		services: newMirror("services", &corev1.Service{}, func() {}), pods: newMirror("pods", &corev1.Pod{}, func() {}),
	}
	service := serviceFor(name, "ns", false)
	Expect(s.services.Add(service)).To(Succeed())
	for i, address := range addresses {
		at := netip.MustParseAddrPort(address)
		Expect(s.pods.Add(&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("pod-", i), Namespace: "ns", Labels: service.Spec.Selector},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: int32(at.Port())}},
			}}},
			Status: corev1.PodStatus{
				PodIP: at.Addr().String(), Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			},
		})).To(Succeed())
	}
	return s
}

// receive takes what is there.
func receive(c <-chan struct{}) (list []struct{}) {
	select {
	case one := <-c:
		return append(list, one)
	default:
		return nil
	}
}

// beside runs something that ends with the spec.
func beside(run func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // ends below
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	DeferCleanup(func() {
		cancel()
		running.Wait()
	})
}

var _ = Describe("the way to Services", func() {
	It("is known as soon as the rest is, whichever is read last", func() {
		n, err := New(Config{REST: plane.REST(), Directory: GinkgoT().TempDir()})
		Expect(err).NotTo(HaveOccurred())
		for _, m := range []*mirror{n.pods, n.objects.configMaps, n.objects.secrets, n.services.services} {
			Expect(m.Replace(nil, "1")).To(Succeed())
			Expect(append(receive(n.woken), receive(n.touched)...)).NotTo(BeEmpty(), m.resource)
		}
		Expect(n.synced()).To(BeTrue())
	})

	listen := func(ctx context.Context) net.Listener {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		return listener
	}
	// proxied runs a proxy before a pod that does this.
	proxied := func(ctx context.Context, do http.HandlerFunc) (proxy string) {
		before := goleak.IgnoreCurrent()
		DeferCleanup(func() { Eventually(func() error { return goleak.Find(before) }).Should(Succeed()) })
		pod := httptest.NewServer(do)
		DeferCleanup(pod.Close)
		listener := listen(ctx)
		p := newProxy(standing("shop", pod.Listener.Addr().String()), logger)
		beside(func(ctx context.Context) { Expect(p.run(ctx, listener)).To(Succeed()) })
		return listener.Addr().String()
	}

	It("passes on at once what comes, both ways", func(ctx SpecContext) {
		proxy := proxied(ctx, func(w http.ResponseWriter, r *http.Request) {
			control := http.NewResponseController(w)
			_ = control.EnableFullDuplex()
			lines := bufio.NewScanner(r.Body)
			for lines.Scan() {
				fmt.Fprintln(w, "got", lines.Text())
				_ = control.Flush()
			}
		})
		body, write := io.Pipe()
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://shop.ns.svc/", body)
		Expect(err).NotTo(HaveOccurred())
		transport := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})}
		defer transport.CloseIdleConnections()
		go func() { _, _ = io.WriteString(write, "0\n") }()
		answer, err := transport.RoundTrip(request)
		Expect(err).NotTo(HaveOccurred())
		defer answer.Body.Close()
		lines := bufio.NewScanner(answer.Body)
		for i := range 3 {
			Expect(lines.Scan()).To(BeTrue())
			Expect(lines.Text()).To(Equal(fmt.Sprint("got ", i)))
			_, err := fmt.Fprintln(write, i+1)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(write.Close()).To(Succeed())
		Expect(io.ReadAll(answer.Body)).To(BeEquivalentTo("got 3\n"))
	}, SpecTimeout(10*time.Second))

	It("tells what was not sent from what may have been", func(ctx SpecContext) {
		proxy := proxied(ctx, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		for target, says := range map[string]string{
			"http://other.ns.svc/":   "there is no Service other in namespace ns",
			"http://shop.ns.svc:81/": "has no port 81",
			"http://shop.svc/":       "is no Service: give NAME.NAMESPACE.svc",
		} {
			Expect(through(ctx, proxy, target)).To(And(
				HavePrefix("503 "), ContainSubstring(says), ContainSubstring(`"outcome":"refused"`)))
		}
		_, err := through(ctx, proxy, "http://shop.ns.svc/")
		Expect(err).To(MatchError(ContainSubstring("EOF")), "the pod broke off, and nobody knows what it has done")
	}, SpecTimeout(10*time.Second))

	It("makes tunnels, and passes on to others than Services", func(ctx SpecContext) {
		proxy := proxied(ctx, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "plain") })
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "other")
		}))
		DeferCleanup(other.Close)
		Expect(through(ctx, proxy, other.URL)).To(Equal("200 other\n"))
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", proxy)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(conn.Close)
		_, err = io.WriteString(conn, "CONNECT shop.ns.svc:80 HTTP/1.1\r\nHost: shop.ns.svc:80\r\n\r\n"+
			"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		Expect(err).NotTo(HaveOccurred())
		told, err := io.ReadAll(conn)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(told)).To(And(HavePrefix("HTTP/1.1 200 "), HaveSuffix("plain")))
	}, SpecTimeout(10*time.Second))

	It("answers by TCP what a datagram cannot hold, and asks elsewhere about other domains", func(ctx SpecContext) {
		var addresses []string
		for i := range 200 {
			addresses = append(addresses, fmt.Sprintf("127.9.0.%d:80", i+1))
		}
		names, err := listenNames(ctx, standing("many", addresses...), netip.MustParseAddrPort("127.0.0.1:0"))
		Expect(err).NotTo(HaveOccurred())
		names.outside = func(_ context.Context, network, host string) ([]netip.Addr, error) {
			if host != "kafka.example" {
				return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
			}
			return map[string][]netip.Addr{
				"ip4": {netip.MustParseAddr("::ffff:192.0.2.1")}, "ip6": {netip.MustParseAddr("2001:db8::1")},
			}[network], nil
		}
		beside(names.run)
		server := names.stream.Addr().String()
		both := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server)
		}}
		Expect(both.LookupHost(ctx, "many.ns.svc.")).To(HaveLen(200))
		Expect(both.LookupHost(ctx, "kafka.example.")).To(ConsistOf("192.0.2.1", "2001:db8::1"))
		for _, host := range []string{"nobody.example.", "other.ns.svc.", "many.svc.", "many.ns.svc.search.example."} {
			_, err := both.LookupHost(ctx, host)
			Expect(err).To(HaveField("IsNotFound", true), host)
		}
	}, SpecTimeout(10*time.Second))

	DescribeTable("names", func(host, key string, ours bool) {
		found, named, mine := serviceOf(host)
		Expect(mine).To(Equal(ours))
		Expect(named).To(Equal(key != ""))
		if named {
			Expect(found.String()).To(Equal(key))
		}
	},
		Entry(nil, "a.b.svc", "b/a", true), Entry(nil, "A.b.svc.cluster.local.", "b/a", true), Entry(nil, "a.svc", "", true),
		Entry(nil, "x.a.b.svc", "", true), Entry(nil, "a.b.svc.corp.example", "", true), Entry(nil, "svc", "", false),
		Entry(nil, ".b.svc", "", true), Entry(nil, "a.b.cluster.local", "", true), Entry(nil, "kafka.example", "", false),
		Entry(nil, "127.0.0.1", "", false), Entry(nil, "", "", false),
	)
})
