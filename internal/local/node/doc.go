// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package node is a Kubernetes node that runs every container as a child process of this process: no root, no images,
// no namespaces of the kernel. It registers itself, binds pending pods to itself (there is no scheduler), and reports
// as a kubelet does: phases, conditions, probes, restarts with back-off, events.
//
// What a container is here:
//
//   - Its image is a name in a table (Config.Images), which gives a program of this machine. The program is the
//     entrypoint, unless the container has a command of its own.
//   - The pod has an address of its own in 127.0.0.0/8, so that all pods can listen on the same ports. Only Linux
//     answers on all of them without preparation.
//   - There is no file system of its own. Volumes are written below a directory of the pod, and mount paths in
//     arguments, command and literal values of the environment are replaced by where they lie. A program that has a
//     mount path built in does not find it. The working directory is that directory.
//   - Its environment holds what the pod declares, PATH, HOME and HOSTNAME, what the next paragraphs add, and nothing
//     of this process's. What the pod declares itself stays as it is.
//   - Services are found by HTTP: HTTP_PROXY, HTTPS_PROXY (and in small letters) name a proxy of the node's that takes
//     http://SERVICE.NAMESPACE.svc[.cluster.local]:PORT to a pod behind it that is ready, and CONNECT for everything
//     else that is TCP. Whatever is no Service it passes on to where it is; loopback is left alone (NO_PROXY).
//   - Services are found by name: SAMSA_DNS names a DNS server of the node's that gives the addresses of the pods
//     behind one that are ready, whether it is headless or not, and asks this machine's resolver about other domains.
//     samsa's own programs ask it; others would need a resolv.conf of their own. A Service has no address itself, so
//     who comes by name comes to the ports of the pods.
//   - Its account's token is not where programs look for it; KUBECONFIG names a file that says where it and the API
//     server are. SERVICE_BINDING_ROOT is replaced although it is above mount paths.
//
// What is not done: limits of resources, securityContext (processes run as whoever runs the node), service links, names
// of pods in DNS. A pod that needs something that would make a difference (see unsupported) is not
// started; its containers wait, and say for what.
//
// What is guaranteed: processes go on while the API server is away, and what happened meanwhile is reported after. A
// process never outlives the node (on Linux even if the node is killed), and no container has two processes at once.
package node
