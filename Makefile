# All paths are relative, so that the name of the directory may contain spaces. Works with GNU make 3.81 and later.

# The interpreter for the environment; empty: the first of python3, python3.13, ... that is 3.11 or newer.
PYTHON =
# More arguments for pytest: make test PYTEST_ARGS="-k stream"
PYTEST_ARGS =
# The number of processes for the tests; 0 runs them in one process, which debuggers need.
PROCESSES = auto
# More arguments for the matrix: make test-matrix MATRIX_ARGS="--python 3.13 --jobs 2"
MATRIX_ARGS =
# More arguments for the measurements of bulk runs: make bench-bulk BULK_ARGS=--quick
BULK_ARGS =
# More arguments for bench-quick and bench-compare: make bench-compare BENCH_ARGS="--only plain"
BENCH_ARGS =
# The commit to compare the speed with: make bench-compare BASE=v0.1.0
BASE = main

VENV = .venv
PY = $(VENV)/bin/python
# Setup runs once, and again when a lock file or the project's dependencies change.
DEMO_READY = $(VENV)/.ready-for-demo
READY = $(VENV)/.ready
SETUP = PYTHON="$(PYTHON)" sh scripts/setup.sh
SERVERS = $(VENV)-servers
SERVERS_READY = $(SERVERS)/.ready
LITELLM = $(VENV)-litellm
LITELLM_READY = $(LITELLM)/.ready
RAY = $(VENV)-ray
RAY_READY = $(RAY)/.ready
APPLICATIONS = $(VENV)-applications
APPLICATIONS_READY = $(APPLICATIONS)/.ready
FILE_SERVER = @modelcontextprotocol/server-filesystem
DIST = $(VENV)-dist
DIST_READY = $(DIST)/.ready
BROWSER = $(VENV)-browser
BROWSER_READY = $(BROWSER)/.ready
OBSERVABILITY = $(VENV)-observability
OBSERVABILITY_READY = $(OBSERVABILITY)/.ready
DOCS = $(VENV)-docs
DOCS_READY = $(DOCS)/.ready
PEERS = $(VENV)-peers
PEERS_READY = $(PEERS)/.ready

# Two setups at the same time would write into the same environment.
.NOTPARALLEL:
.PHONY: help demo test test-all test-servers test-litellm test-applications test-observability test-browser lint type format record compare faults agents fuzz bench bench-quick bench-compare lock test-matrix clean docs test-ray bench-bulk docs-check dist whats-new

help:  ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(DEMO_READY)  ## Show the chat model with an emulated OpenRouter on this machine: no key, no network
	@$(PY) examples/quickstart.py
	@$(PY) examples/hosts.py

# Compiled files of the tests save some seconds in each process of the next run. The rows of a table are one test, and
# failures name their rows; without the option, each row is a test that can be selected.
PYTEST = PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -n $(PROCESSES) --maxprocesses 8 --dist worksteal --group-rows

# pytest-cov would analyze all files twice.
test: lint type  ## Lint, check types, and run the tests except the long ones, with 100 % branch coverage
	@$(PYTEST) -m "not long" --cov --cov-report= --cov-fail-under=0 $(PYTEST_ARGS)
	@$(PY) -m coverage report

test-all: lint type  ## Lint, check types, and run all tests, with thousands of examples for each property
	@$(PYTEST) --hypothesis-profile=long --timeout=0 $(PYTEST_ARGS)

test-servers: $(SERVERS_READY)  ## Test against a real llama.cpp server with a tiny random model
	@$(SERVERS)/bin/python -m pytest tests/servers/test_llama_cpp.py

test-litellm: $(LITELLM_READY)  ## Test against a real LiteLLM proxy in front of the emulator
	@$(LITELLM)/bin/python -m pytest tests/servers/test_litellm.py

test-ray: $(RAY_READY)  ## Test with a real Ray cluster, Daft, and a real Celery worker on this machine
	@$(RAY)/bin/python -m pytest tests/distributed --timeout=600 $(PYTEST_ARGS)

test-applications: $(APPLICATIONS_READY)  ## Test all applications of the examples, with deepagents and the official file server
	@$(APPLICATIONS)/bin/python -m pytest tests/applications $(PYTEST_ARGS)

test-browser: $(BROWSER_READY)  ## Test the web chat of the examples in an installed Chromium
	@$(BROWSER)/bin/python -m pytest tests/browser

test-observability: $(OBSERVABILITY_READY)  ## Test costs in traces beside OpenInference, Traceloop and Langfuse
	@$(OBSERVABILITY)/bin/python -m pytest tests/observability

lint: $(READY)  ## Check style and format
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

type: $(READY)  ## Check the types
	@$(PY) -m mypy

format: $(READY)  ## Format the code
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

docs: $(DOCS_READY)  ## Build the site of the documentation, with the API reference, into build/site
	@NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/python -m mkdocs build --strict
	@echo "The site is in build/site. To read it: python3 -m http.server --directory build/site"

docs-check: docs $(BROWSER_READY)  ## Look at the built site in Chromium: width, contrast, search
	@$(BROWSER)/bin/python scripts/check_site.py

dist: $(DIST_READY)  ## Build the wheel and the source archive, and check them: contents, metadata, every extra, import time
	@$(DIST)/bin/python -m scripts.dist

whats-new: $(READY)  ## Print additions of OpenRouter's newest SDK and price tables that this package lacks
	@$(PY) -m scripts.whats_new

record: $(READY)  ## Record the cassettes: from OpenRouter if OPENROUTER_API_KEY is set (costs money), else from the emulator
	@$(PY) scripts/record_cassettes.py

compare: $(PEERS_READY)  ## Compare this package and its peers on the same failures and replies, and write docs/
	@$(PEERS)/bin/python scripts/compare_peers.py
	@$(PEERS)/bin/python -m tests.reports.compare_structured

bench: $(PEERS_READY)  ## Measure the CPU time of tokens, calls and turns, compared with the peers, and write docs/benchmarks.md (twenty minutes)
	@$(PEERS)/bin/python -m tests.benchmarks.run --out docs/benchmarks.md --json docs/benchmarks.json

bench-quick: $(PEERS_READY)  ## Measure the same with smaller sizes, and print it (three minutes)
	@$(PEERS)/bin/python -m tests.benchmarks.run --quick $(BENCH_ARGS)

bench-compare: $(READY)  ## Compare the CPU time of each kind of call with an earlier commit: make bench-compare BASE=main
	@$(PY) -m tests.benchmarks.compare $(BASE) $(BENCH_ARGS)

bench-bulk: $(READY) $(RAY_READY)  ## Measure bulk runs: rates, memory up to a million rows, refusals, a budget, and kills (takes an hour)
	@$(PY) -m tests.benchmarks.bulk $(BULK_ARGS)
	@$(RAY)/bin/python -m tests.benchmarks.bulk_ray $(BULK_ARGS)

faults: $(READY)  ## Run every failure in all four ways to call and write docs/faults.md
	@$(PY) -m tests.reports.fault_table

agents: $(READY)  ## Run agents with and without each middleware and write docs/agents.md
	@$(PY) -m tests.reports.agents

fuzz: $(READY)  ## Test randomly split and damaged streams for minutes instead of seconds
	@$(PY) -m pytest tests/fuzz --hypothesis-profile=long --timeout=0

test-matrix: $(READY)  ## Run the tests with the oldest, locked and newest langchain-core, on each installed Python
	@$(PY) scripts/test_matrix.py $(MATRIX_ARGS)

COMPILE = uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
	--custom-compile-command "make lock" pyproject.toml

lock:  ## Update the lock files to the newest versions; needs uv
	@$(COMPILE) --group dev --output-file requirements-dev.txt
	@$(COMPILE) --group demo --constraint requirements-dev.txt --output-file requirements.txt
	@$(COMPILE) --group servers --constraint requirements-dev.txt --output-file requirements-servers.txt
	@$(COMPILE) --group litellm --output-file requirements-litellm.txt
	@$(COMPILE) --group ray --output-file requirements-ray.txt
	@$(COMPILE) --group applications --output-file requirements-applications.txt
	@$(COMPILE) --group browser --constraint requirements-dev.txt --output-file requirements-browser.txt
	@$(COMPILE) --group dist --constraint requirements-dev.txt --output-file requirements-dist.txt
	@$(COMPILE) --group observability --constraint requirements-dev.txt --output-file requirements-observability.txt
	@$(COMPILE) --group docs --constraint requirements-dev.txt --output-file requirements-docs.txt
	@$(COMPILE) --group peers --constraint requirements-dev.txt --output-file requirements-peers.txt

clean:  ## Remove everything that make created
	@rm -rf $(VENV) .venv-* .mypy_cache .ruff_cache .pytest_cache .coverage .coverage.* htmlcov build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEMO_READY): requirements.txt pyproject.toml scripts/setup.sh
	@$(SETUP) $(VENV) requirements.txt
	@touch $@

$(READY): requirements-dev.txt pyproject.toml scripts/setup.sh
	@$(SETUP) $(VENV) requirements-dev.txt
	@touch $@

# Without npm, the test of the official file server is skipped.
$(APPLICATIONS_READY): requirements-applications.txt pyproject.toml scripts/setup.sh
	@$(SETUP) $(APPLICATIONS) requirements-applications.txt
	@if command -v npm >/dev/null; then npm install --silent --no-fund --no-audit --prefix $(APPLICATIONS) $(FILE_SERVER); fi
	@touch $@

# Every other environment is named for its lock file.
$(VENV)-%/.ready: requirements-%.txt pyproject.toml scripts/setup.sh
	@$(SETUP) $(VENV)-$* requirements-$*.txt
	@touch $@
