# mlsync. `make` alone prints this help.
.DEFAULT_GOAL := help
.PHONY: help run test soak lint types check docs clean lock
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PARALLEL := --numprocesses auto --dist worksteal
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

help: ## Print this help
	@echo "Run:"; grep -hE '^(run|simulator):.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'
	@echo "Check:"; grep -hE '^(test|soak|check|lint|types):.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'
	@echo "Build:"; grep -hE '^(docs|lock|clean):.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

$(READY): requirements-dev.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "mlsync needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) (once)"
	@{ $(PIP) --require-hashes -r requirements-dev.lock && $(PIP) --no-deps --no-build-isolation -e .; } \
	  >$(VENV)/setup.log 2>&1 || { cat $(VENV)/setup.log >&2; exit 1; }
	@$(BIN)/mlsync --help >/dev/null
	@touch $@

run: $(READY) ## See it work: sync a simulated MLS, let time pass there, sync again
	@$(BIN)/mlsync demo

test: $(READY) ## Run all tests, against real servers
	@$(BIN)/python -m tests.servers.install
	$(BIN)/python -m pytest $(PARALLEL)

soak: $(READY) ## Run the same tests at full size (most of an hour)
	@$(BIN)/python -m tests.servers.install
	MLSYNC_TEST_SCALE=10 $(BIN)/python -m pytest $(PARALLEL) --timeout 7200

lint: $(READY) ## Run the linters and check import boundaries
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY) ## Check types
	$(BIN)/mypy

check: lint types ## Linters and types

docs: $(READY) ## Write the generated pages of docs/
	$(BIN)/python -m shared.mapping.dictionary > docs/data-dictionary.md
	$(BIN)/python -m shared.settings_page > docs/settings.md
	$(BIN)/python -m services.metrics_page > docs/metrics.md

lock: $(READY) ## Renew the locks from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header --no-annotate -q -o requirements-dev.lock

clean: ## Delete what can be made again
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache data/demo
