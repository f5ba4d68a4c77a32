# samsa: everything a developer types. `make help` lists it; the list is made from the comments behind the targets.

# A pipe fails if any part of it fails, and a recipe stops at its first failing line.
SHELL := /usr/bin/env bash -o pipefail
.SHELLFLAGS := -ec
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Tools, pinned: a new version is a commit of its own. Built from source into bin/, once per version (hack/install-tool.sh).
CONTROLLER_GEN_VERSION := v0.23.0
CONTROLLER_GEN := bin/controller-gen-$(CONTROLLER_GEN_VERSION)
# These two are modules of ours that pin what they build: hack/lint/go.mod, hack/kube/go.mod.
GOLANGCI_LINT := bin/golangci-lint
KUBECTL := bin/kube/kubectl

# What one may set: make demo INPUT=/var/log/syslog MESSAGES=20000 KEEP=1 KAFKA=0.7
INPUT ?=
MESSAGES ?=
KEEP ?=
KAFKA ?=
SEED ?=
EXAMPLES ?=
SIM_SEEDS ?= 2000
SIM_STEPS ?= 500
SIM_SEEDS_FULL ?= 50000
FUZZ_TIME ?= 15s
CHANGES ?= 10
BENCH ?= .
BENCHTIME ?= 1s
IMAGE ?= samsa:dev
# Where images are built: docker, or podman.
CONTAINER_TOOL ?= docker

# The race detector needs cgo, and cgo needs a C compiler with its headers (a bare gcc has none). Nothing else does: samsa
# is pure Go. So cgo is off, except for tests under the race detector. `make test RACE=` turns the detector off.
CGO_WANTED := $(CGO_ENABLED)
export CGO_ENABLED := 0
HAVE_CC = $(if $(filter 0,$(CGO_WANTED)),,$(shell echo 'int main(void) { return 0; }' | \
  $$(go env CC) -include stdlib.h -pthread -x c -o /dev/null - 2>/dev/null && echo yes))
RACE = $(if $(HAVE_CC),-race)
export GORACE := suppressions=$(CURDIR)/hack/race.suppressions

# Two packages at a time: the suites mostly wait (for sessions to expire, for servers to restart), and while one waits the other
# uses the cores. More at once make the waiting ones late on two cores, and a late suite is a flaky one.
TEST_PACKAGES_AT_ONCE ?= 2
# For one package: twice the longest, controllers with 240 s.
TEST_TIMEOUT ?= 8m
TEST_FLAGS ?=
PACKAGES ?= ./...
# Those that wait longest first, or they would run last, with nobody beside them.
TEST_FIRST := ./test/system ./pkg/client/registry ./internal/local/node ./pkg/client/wire

# The same files that internal/realzk looks for; it decides, this only announces.
HAVE_ZOOKEEPER = $(shell command -v java >/dev/null && test -e /usr/share/java/zookeeper.jar && echo yes)

##@ General

.PHONY: help
help: ## Show this list.
	@awk 'BEGIN {FS = ":.*##"; printf "\nUsage: make \033[36m<target>\033[0m\n"} \
	  /^[a-zA-Z0-9_-]+:.*?##/ {printf "  \033[36m%-15s\033[0m %s\n", $$1, $$2} \
	  /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)}' $(firstword $(MAKEFILE_LIST))

.PHONY: clean
clean: ## Remove bin/ with binaries and tools, and what tests leave behind.
	rm -rf bin coverage.*

##@ Build

.PHONY: build
build: bin/samsa bin/samsa-local ## Build bin/samsa (the product) and bin/samsa-local (the whole system on a laptop).

# Go knows best what is up to date, so these always ask it.
.PHONY: bin/samsa bin/samsa-local
bin/samsa bin/samsa-local: bin/%:
	go build -ldflags='-s -w' -o $@ ./cmd/$*

.PHONY: docker-build
docker-build: ## Build the image IMAGE (static binary on scratch).
	$(CONTAINER_TOOL) build -t $(IMAGE) .

##@ Generate

.PHONY: manifests
manifests: $(CONTROLLER_GEN) ## Write the CustomResourceDefinitions from the types of api/.
	CONTROLLER_GEN=$(CONTROLLER_GEN) hack/generate.sh manifests

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Write deep copies and apply configurations of the types of api/.
	CONTROLLER_GEN=$(CONTROLLER_GEN) hack/generate.sh code

$(CONTROLLER_GEN):
	hack/install-tool.sh controller-gen sigs.k8s.io/controller-tools/cmd/controller-gen $(CONTROLLER_GEN_VERSION)

.PHONY: docs
docs: manifests ## Write docs/reference from the CustomResourceDefinitions and the commands.
	go run ./hack/apidoc >docs/reference/api.md
	go run ./hack/clidoc >docs/reference/cli.md

.PHONY: build-installer
build-installer: manifests kube ## Write dist/install.yaml: all that a cluster needs to run samsa, with IMAGE.
	KUBECTL=$(KUBECTL) IMAGE=$(IMAGE) hack/installer.sh >dist/install.yaml

.PHONY: kube
kube: ## Build etcd, kube-apiserver, kube-controller-manager and kubectl into bin/kube: about 7 minutes on two cores, once.
	hack/kube.sh

##@ Try

# Through the environment, so that no shell reads what is in them; $(value) leaves a dollar sign alone that came from there.
demo: export INPUT := $(value INPUT)
demo: export MESSAGES := $(value MESSAGES)
demo: export KEEP := $(value KEEP)
demo: export KAFKA := $(value KAFKA)
.PHONY: demo
demo: $(if $(filter 3.9 4,$(value KAFKA)),jars) build kube ## The whole system, and a real file through a ConsumerGroup whose pods come, go, die and freeze (INPUT=path MESSAGES=n KEEP=1 KAFKA=0.7, 3.9 or 4).
	bin/samsa-local demo

##@ Cluster

# These act on whatever cluster kubectl is set to: KUBECONFIG, or ~/.kube/config.
.PHONY: install
install: manifests kube ## Apply the CustomResourceDefinitions to the cluster of KUBECONFIG.
	$(KUBECTL) apply --server-side --force-conflicts -k config/crd

.PHONY: uninstall
uninstall: kube ## Delete the CustomResourceDefinitions, and with them every object of samsa's kinds.
	$(KUBECTL) delete --ignore-not-found -k config/crd

.PHONY: deploy
deploy: manifests kube ## Apply everything, with IMAGE, and wait for the manager to be ready.
	KUBECTL=$(KUBECTL) IMAGE=$(IMAGE) hack/installer.sh | $(KUBECTL) apply --server-side --force-conflicts -f -
	$(KUBECTL) --namespace samsa-system rollout status deployment/samsa-manager --timeout=3m

# The manager goes last: a ConsumerGroup that is to remove its positions needs it for that, as does a ProducerBinding that
# has bound workloads.
.PHONY: undeploy
undeploy: kube ## Delete everything: every object of samsa's kinds first, then the manager and what it needs.
	if $(KUBECTL) get crd producerbindings.kafka.samsa.dev >/dev/null 2>&1; then \
	  $(KUBECTL) delete producerbindings,consumergroups,kafkaclusters --all --all-namespaces --timeout=3m; fi
	$(KUBECTL) delete --ignore-not-found -k config/default

##@ Check

.PHONY: fmt
fmt: ## Format all Go files.
	hack/gofmt.sh -w

.PHONY: vet
vet: ## Run go vet.
	go vet ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run all linters of .golangci.yml, the Kubernetes API linter among them.
	$(GOLANGCI_LINT) run

.PHONY: lint-fix
lint-fix: $(GOLANGCI_LINT) ## Run all linters and mend what a machine can.
	$(GOLANGCI_LINT) run --fix

.PHONY: lint-config
lint-config: $(GOLANGCI_LINT) ## Check .golangci.yml against its schema.
	$(GOLANGCI_LINT) config verify

# It knows best whether what is there is what it would build.
.PHONY: $(GOLANGCI_LINT)
$(GOLANGCI_LINT):
	hack/lint.sh

.PHONY: verify
verify: $(CONTROLLER_GEN) kube ## Check that formatting, generated files, go.mod and the budgets of length are as they should be; changes nothing.
	hack/gofmt.sh
	CONTROLLER_GEN=$(CONTROLLER_GEN) hack/generate.sh verify
	go run ./hack/apidoc | diff -u docs/reference/api.md - || { echo 'run: make docs' >&2; exit 1; }
	go run ./hack/clidoc | diff -u docs/reference/cli.md - || { echo 'run: make docs' >&2; exit 1; }
	KUBECTL=$(KUBECTL) hack/installer.sh | diff -u dist/install.yaml - || { echo 'run: make build-installer' >&2; exit 1; }
	go mod tidy -diff
	go mod verify
	hack/budgets.sh

.PHONY: test
test: kube ## Run all tests, under the race detector and against a real ZooKeeper where the machine has them.
	@echo "Race detector: $(if $(RACE),on,OFF ($(if $(HAVE_CC),RACE is empty,no working C compiler; Debian: apt-get install gcc libc6-dev)))."
	@echo "Real ZooKeeper: $(if $(HAVE_ZOOKEEPER),on,OFF (Debian: apt-get install zookeeper); its suites skip)."
	CGO_ENABLED=$(if $(RACE),1,0) go test $(RACE) -p $(TEST_PACKAGES_AT_ONCE) -timeout $(TEST_TIMEOUT) $(TEST_FLAGS) $(if $(filter ./...,$(PACKAGES)),$(TEST_FIRST)) $(PACKAGES)

# The simulator has no goroutines to race, so it runs without the detector here (make test runs its short list with it). go test is content
# with a pattern that matches nothing, so the test is asked for by name first.
.PHONY: sim
sim: ## Run the simulator: SIM_SEEDS seeds of SIM_STEPS steps; a failing seed replays exactly.
	go test ./internal/sim -list '^TestSeeds$$' | grep -x TestSeeds
	go test ./internal/sim -count=1 -v -timeout 30m -run '^TestSeeds$$' -args -seeds=$(SIM_SEEDS) -steps=$(SIM_STEPS)

.PHONY: sim-mutations
sim-mutations: ## Prove that the simulator finds errors: break the code on purpose, one way at a time.
	hack/sim-mutations.sh

##@ Real brokers

# Through the environment, so that no shell reads what is in it.
jars: export KAFKA := $(value KAFKA)
.PHONY: jars
jars: ## Fetch the jars of real Kafka brokers out of Maven Central into a cache, once (KAFKA=version; default: all releases).
	hack/kafka.sh $${KAFKA:+$${KAFKA//,/ }}

conformance: export KAFKA := $(value KAFKA)
.PHONY: conformance
conformance: bin/samsa jars ## One list of scenarios against real brokers (KAFKA=3.9,4,embedded; default: all, which also writes docs/compatibility.md).
	go run ./test/conformance -client bin/samsa $(if $(KAFKA),-kafka "$$KAFKA",-document docs/compatibility.md)

security: export KAFKA := $(value KAFKA)
.PHONY: security
security: jars ## TLS and SASL to real brokers and ZooKeeper: who is admitted, who is refused, and secrets that change (KAFKA=4,3.9,0.10.2; default: 4).
	go test ./test/security -count=1 -v -timeout 30m -args -kafka="$${KAFKA:-4}" -ginkgo.v=false

gateway: export KAFKA := $(value KAFKA)
.PHONY: gateway
gateway: jars ## Every status code that a gateway's document promises, bad input, and brokers that fail (KAFKA=4,3.9/ZooKeeper,embedded,0.7; default: 4).
	go test ./test/gateway -count=1 -v -timeout 30m -args -kafka="$${KAFKA:-4}" -ginkgo.v=false $(if $(LONG),-long)

shared-groups: export KAFKA := $(value KAFKA)
.PHONY: shared-groups
shared-groups: jars ## One group of samsa's members and Kafka's own clients, which join, leave and are killed CHANGES times (KAFKA=0.8.2,0.10,1.1,4; default: 0.8.2).
	go test ./test/sharedgroup -count=1 -v -timeout 60m -args -kafka="$${KAFKA:-0.8.2}" -changes=$(CHANGES) -ginkgo.v=false

publish-kills: export KAFKA := $(value KAFKA)
.PHONY: publish-kills
publish-kills: jars ## MESSAGES through two gateways by 200 callers while brokers and gateways are killed: what was answered is true (KAFKA=4,3.9/ZooKeeper,0.8.2; default: 4).
	go test ./test/publish -count=1 -v -timeout 90m -args -kafka="$${KAFKA:-4}" -messages=$(or $(MESSAGES),100000) -ginkgo.v=false

##@ Requests that a program makes up

# Through the environment, so that no shell reads what is in them.
schemathesis: export SEED := $(value SEED)
schemathesis: export EXAMPLES := $(value EXAMPLES)
.PHONY: schemathesis
schemathesis: bin/samsa ## Schemathesis against running gateways: every answer is one that their OpenAPI document has (SEED=7 EXAMPLES=400).
	hack/schemathesis.sh

##@ Long lists

.PHONY: fuzz
fuzz: ## Fuzz each decoder, and whatever else has a fuzz target, for FUZZ_TIME, one after the other.
	FUZZ_TIME=$(FUZZ_TIME) hack/fuzz.sh

.PHONY: bench
bench: ## Run the benchmarks that match BENCH, each for BENCHTIME.
	go test -run='^$$' -bench='$(BENCH)' -benchtime=$(BENCHTIME) -benchmem -p 1 -timeout 60m $(PACKAGES)

.PHONY: full
full: ## Everything, and the long lists: verify, lint, test, sim with SIM_SEEDS_FULL seeds, mutations, fuzz, real brokers, demo, bench.
	$(MAKE) verify lint-config lint test
	$(MAKE) sim SIM_SEEDS=$(SIM_SEEDS_FULL)
	$(MAKE) sim-mutations fuzz conformance
	$(MAKE) security KAFKA=4,3.9,0.10.2
	$(MAKE) gateway KAFKA=4,3.9/ZooKeeper,0.7 LONG=1
	$(MAKE) shared-groups KAFKA=0.8.2,0.10,1.1,4 CHANGES=50
	$(MAKE) publish-kills KAFKA=4,3.9/ZooKeeper MESSAGES=1000000
	$(MAKE) publish-kills KAFKA=0.11,0.10.2,0.8.2,embedded-0.7
	$(MAKE) demo bench
