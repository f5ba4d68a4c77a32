// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Command schemathesis holds running gateways against the document that each serves: it starts an embedded Kafka and
// samsa gateway, as a process, once for each of several bindings, and lets Schemathesis (https://schemathesis.io, a
// program in Python) make requests out of /openapi.json and judge the answers. Whatever it finds is a failure.
//
// Before, CloudEvents' SDK for Python publishes to one of them, and reads what came into the topic.
//
// hack/schemathesis.sh installs Schemathesis and runs this; hack/schemathesis/schemathesis.toml says which checks are
// made. At the end comes one run against a document that lies, which has to be found out.
package main
