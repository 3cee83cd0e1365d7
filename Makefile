# Two commands matter: `make demo` shows what this is, `make test` says whether it works.
#
#   make demo [EXIT=1]         a shop's orders survive five kill -9; EXIT=1 stops the server at the end,
#                              and the exit status says whether the story held
#   make test                  Rust, the SDKs for Python, JavaScript and Rust, and programs that use them (test-peers);
#                              installs what it needs under target/
#   make test-api              of these, requests that schemathesis makes out of the OpenAPI document
#   make test-query            of these, those of SQS through the last SDK that speaks its Query protocol
#   make sim SEEDS=100         a hundred runs of the simulation; or FACTS=1000000
#   make sim SEED=7 TRACE=1    one run, a readable line for each state change
#   make gen, make gen-check   wire types from the pinned service model: write them, or compare them
#   make fidelity[-check]      docs/fidelity/: each operation, whether it is here, its tests
#   make faults                breaks everything under a server, a line for each kind; ONLY=kill CYCLES=10000,
#                              SEED=… once more, JSON=1 into target/faults/results.json; faults-short is for CI
#   make fuzz [TIME=60]        the parsers of what strangers send, each for so many seconds; ONLY=json|query|sigv4|policy|
#                              ce_binary|ce_structured|ce_batch|append|parameters|subscription|index_run|fold
#   make sigv4-mutations       a million changes of signed requests (MUTATIONS=…), none of which may verify
#   make bench [ONLY=sqs-send] rows beside peers, which it installs: moto, MiniStack, LocalStack, NATS, Redis, RabbitMQ,
#                              PostgreSQL, UmaDB, fjall, okaywal; PAIRS=7 SECONDS=3 JSON=1; ONLY takes names of rows
#                              and their first words, bench-list prints them; bench-plots draws what was measured last
#   make bench-guard           instructions and bytes per message against their bounds; for CI
#   make bench-polls           a thousand long polls that wait: processor time, and whom a message wakes
#   make bench-backlog         a million waiting messages; bench-idle: 100,000 queues; bench-churn: ten million
#                              messages sent and deleted
#   make bench-streams         ten million events in a million streams; bench-tail: a thousand readers that follow;
#                              bench-fold: the state of a stream of ten thousand events

PYTHON  ?= python3
VENV    := target/venv
VENV_QUERY := target/venv-query
VENV_PEERS := target/venv-peers
VENV_BENCH := target/venv-bench
VENV_API := target/venv-api
BENCH   := target/release/lineside-bench
RABBITMQ := /usr/lib/rabbitmq/bin/rabbitmq-server
POSTGRES := /usr/lib/postgresql/*/bin/postgres
UMADB   := target/bench-umadb/bin/umadb
NODE    := tests/sdk/js
SDK_RUST := tests/sdk/rust
BINARY  := target/release/lineside
APT     := DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends

# A user's own npm settings must not change what is installed here.
export NPM_CONFIG_USERCONFIG := /dev/null

.DEFAULT_GOAL := help
.PHONY: help demo test test-rust test-turns test-python test-api test-query test-js test-peers sdk-rust release gen gen-check fidelity fidelity-check sim faults faults-short fuzz sigv4-mutations bench bench-list bench-plots bench-build bench-guard bench-polls bench-backlog bench-idle bench-churn bench-streams bench-tail bench-fold bench-umadb venv venv-query venv-peers venv-bench venv-bench-localstack venv-api node

help:
	@sed -n 's/^#   //p' Makefile

demo: release venv
	@$(VENV)/bin/python examples/shop/story.py $(if $(filter-out 0,$(EXIT)),--exit) $(if $(JSON),--json)

test: test-rust test-turns test-python test-api test-query test-js test-peers

# What a turn takes with a million messages is asserted only where the compiler optimises.
test-turns:
	@if cargo nextest --version >/dev/null 2>&1; \
		then cargo nextest run --release -p lineside-core million; \
		else cargo test --release -p lineside-core --lib million; fi

test-rust:
	@if cargo nextest --version >/dev/null 2>&1; \
		then cargo nextest run --workspace; \
		else cargo test --workspace --lib --bins --tests; fi
	cargo test --workspace --doc

# pytest names a test outside its root by its whole path: a checkout below /check would then be a module
# `check`, in the way of the shop's own. From the root of the tree no folder of the machine has a name.
test-python: release venv
	$(VENV)/bin/python -B -m pytest -q tests/sdk tests/native examples/shop --ignore tests/sdk/peers -c tests/sdk/pytest.ini --rootdir .

# The same tests, by the last SDK that speaks the Query protocol.
test-query: release venv-query
	$(VENV_QUERY)/bin/python -B -m pytest -q $(QUERY_TESTS) -c tests/sdk/pytest.ini --rootdir .

QUERY_TESTS := $(wildcard $(patsubst %,tests/sdk/test_%.py,addressing attributes batches delete_and_visibility fair fifo items \
	move_tasks peek permissions purge query queues receipts receive redrive send tags texts two_faults))

# Every check that schemathesis has, against the document as it is served; SEED=… for other requests than CI makes.
test-api: release venv-api
	$(VENV_API)/bin/python -B tests/native/conformance.py --seed $(or $(SEED),1)

test-js: release node
	npm --prefix $(NODE) test

# Programs that use SQS, as their makers ship them, and the SDK for Rust; npm's are part of test-js.
test-peers: release venv-peers sdk-rust
	$(VENV_PEERS)/bin/python -B -m pytest -q tests/sdk/peers -c tests/sdk/pytest.ini --rootdir .

sdk-rust:
	cargo test --quiet --locked --manifest-path $(SDK_RUST)/Cargo.toml --target-dir target/sdk-rust --no-run

release:
	cargo build --release --package lineside

gen:
	$(PYTHON) -B tools/gen/gen.py

gen-check:
	$(PYTHON) -B tools/gen/gen.py --check

fidelity:
	$(PYTHON) -B tools/fidelity/fidelity.py

fidelity-check:
	$(PYTHON) -B tools/fidelity/fidelity.py --check

# Peers that cannot be had here are rows that say so.
bench: release bench-build venv-bench venv-bench-localstack
	-@command -v redis-server >/dev/null || $(call install,redis-server,a Redis server)
	-@test -x $(RABBITMQ) || $(call install,rabbitmq-server,a RabbitMQ server)
	-@test -n "$(wildcard $(POSTGRES))" || $(call install,postgresql,a PostgreSQL server)
	-@$(MAKE) --no-print-directory bench-umadb
	@$(BENCH) pair $(ONLY) --pairs $(or $(PAIRS),7) --seconds $(or $(SECONDS),3) $(if $(JSON),--json)

bench-list: bench-build
	@$(BENCH) pair $(ONLY) --list

bench-plots: bench-build
	$(BENCH) plots

bench-build:
	cargo build --release --package lineside-bench --features engines

bench-umadb: $(UMADB)

# Its build makes code of its protocol's definition, and wants the compiler for that.
$(UMADB):
	@command -v protoc >/dev/null || $(call install,protobuf-compiler,the compiler protoc)
	cargo install --quiet umadb --version 0.7.8 --locked --root target/bench-umadb

bench-guard:
	@command -v valgrind >/dev/null || $(call install,valgrind,valgrind)
	cargo build --release --package lineside-bench --bin guard
	@target/release/guard check

bench-polls: release
	cargo build --release --package lineside-bench
	target/release/lineside-bench idle-polls

bench-backlog bench-idle bench-churn bench-streams bench-tail bench-fold: bench-%: release
	cargo build --release --package lineside-bench
	target/release/lineside-bench $*

sim:
	cargo run --release -p lineside-testkit --bin sim -- \
		$(if $(SEEDS),--seeds $(SEEDS)) $(if $(FACTS),--facts $(FACTS)) $(if $(SEED),--seed $(SEED)) $(if $(TRACE),--trace)

# A C++ compiler, for libFuzzer's runtime, and the stable toolchain.
fuzz:
	@command -v c++ >/dev/null || $(call install,g++,a C++ compiler)
	@TIME=$(or $(TIME),60) ONLY=$(ONLY) fuzz/run.sh

sigv4-mutations:
	SIGV4_MUTATIONS=$(or $(MUTATIONS),1000000) \
		cargo test --release -p lineside-aws --lib no_change_of_what_is_signed_verifies

faults: $(if $(LINESIDE_BIN),,release) venv
	@$(VENV)/bin/python -B tools/faults/faults.py $(FAULTS)

faults-short: FAULTS_FORM := --short --jobs 2
faults-short: faults

FAULTS = $(FAULTS_FORM) $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) \
	$(if $(CYCLES),--cycles $(CYCLES)) $(if $(JSON),--json target/faults/results.json)

venv: $(VENV)/installed

venv-query: $(VENV_QUERY)/installed

venv-peers: $(VENV_PEERS)/installed

venv-bench: $(VENV_BENCH)/installed

venv-api: $(VENV_API)/installed

# LocalStack's own; without a Python for it nothing is made.
venv-bench-localstack:
	@for python in $(PYTHONS); do \
		if $$python -c 'import sys, venv; sys.exit(sys.version_info < (3, 13))' 2>/dev/null; then \
			exec $(MAKE) --no-print-directory PYTHON=$$python $(VENV_BENCH)-localstack/installed; fi; done; \
	echo "No Python of 3.13 or later, which LocalStack needs." >&2

PYTHONS = $(PYTHON) python3.14 python3.13 $(wildcard $(HOME)/.pyenv/versions/3.1[3-9]*/bin/python3)

# Installed again when the requirements change; the stamp is the proof that pip came to its end.
$(VENV)/installed: tests/sdk/requirements.txt
$(VENV_QUERY)/installed: tests/sdk/requirements-query.txt
$(VENV_PEERS)/installed: tests/sdk/peers/requirements.txt tests/sdk/requirements.txt
$(VENV_BENCH)/installed: tools/bench/requirements.txt
$(VENV_API)/installed: tests/native/requirements.txt
$(VENV_BENCH)-localstack/installed: tools/bench/requirements-localstack.txt
$(VENV)/installed $(VENV_QUERY)/installed $(VENV_PEERS)/installed $(VENV_API)/installed $(VENV_BENCH)/installed $(VENV_BENCH)-localstack/installed:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(call install,python3-venv,a Python with venv)
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

node: $(NODE)/node_modules/.package-lock.json

$(NODE)/node_modules/.package-lock.json: $(NODE)/package-lock.json
	@command -v npm >/dev/null || $(call install,nodejs npm,Node.js 20 or later with npm)
	npm --prefix $(NODE) ci
	@touch $@

# $(1): Debian packages, $(2): what they bring. Root gets them, everybody else is told.
define install
{ if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	then apt-get update -qq && $(APT) $(1); \
	else echo "This needs $(2); on Debian and Ubuntu: sudo apt-get install $(1)" >&2; exit 1; fi; }
endef
