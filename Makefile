# mlsync. `make` alone prints this help.
.DEFAULT_GOAL := help
.PHONY: help run test soak simulate interop lint types check docs clean lock image up down logs day drill sbom chart bench
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PARALLEL := --numprocesses auto --dist worksteal
COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
REVISION = $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

help: ## Print this help
	@echo "Run:"; grep -hE '^(run|up|down|logs|day):.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'
	@echo "Check:"; grep -hE '^(test|soak|simulate|interop|drill|check|lint|types|bench):.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'
	@echo "Build:"; grep -hE '^(image|docs|lock|clean|chart|sbom):.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

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

.env:
	@cp .env.example $@
	@echo "Made .env: passwords and versions, for this machine only"

up: image ## Start everything as containers: services, servers, a simulated MLS, dashboards
	@$(COMPOSE) up --detach --remove-orphans
	@deploy/compose/wait.sh 300 $(COMPOSE)
	@echo; echo "mlsync is up. To look at:"
	@echo "  Grafana     http://$$($(COMPOSE) port grafana 3000)"
	@echo "  Prometheus  http://$$($(COMPOSE) port prometheus 9090)"
	@echo "  RabbitMQ    http://$$($(COMPOSE) port rabbitmq 15672)   (mlsync, password in .env)"
	@echo "  PostgreSQL  $$($(COMPOSE) port postgres 5432)          (the same)"
	@echo "  what is stored and what is not in step: $(COMPOSE) exec fetcher mlsync status"

down: .env ## Stop and remove the containers; what they stored stays
	@$(COMPOSE) --profile simulator --profile geocoder down --remove-orphans

logs: .env ## Follow the log of the services
	@$(COMPOSE) logs --follow --tail 50 fetcher reconciler writer media

day: .env ## Let a day pass at the simulated MLS that `make up` started
	@$(COMPOSE) exec -T simulator python -c "import urllib.request as u; \
	  print(u.urlopen(u.Request('http://127.0.0.1:8800/control/advance?days=1', method='POST')).read().decode())"

drill: $(READY) ## Bring docker-compose.yml up for real, scale it, stop it (minutes; Docker, or root on Debian)
	$(BIN)/python -m tests.packaging.compose_drill

test: $(READY) ## Run all tests, against real servers
	@$(BIN)/python -m tests.servers.install
	$(BIN)/python -m pytest $(PARALLEL)

soak: $(READY) ## Run the same tests at full size (more than an hour)
	@$(BIN)/python -m tests.servers.install
	MLSYNC_TEST_SCALE=10 $(BIN)/python -m pytest $(PARALLEL) --timeout 7200

simulate: $(READY) ## Play 100,000 simulated histories of the services (an hour of two cores at most)
	$(BIN)/python -m tests.simulation --histories 100000

interop: $(READY) ## Let strangers' RETS clients read the simulator and compare with ours (installs them, once)
	@$(BIN)/python -m tests.interop

bench: $(READY) ## Measure every hot path against its floor, and write docs/performance.md (tens of minutes)
	$(BIN)/python -m bench --json data/bench.json --page docs/performance.md

lint: $(READY) ## Run the linters and check import boundaries
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY) ## Check types
	$(BIN)/mypy

check: lint types ## Linters and types

image: .env ## Build the image of all services
	@VERSION=$(VERSION) REVISION=$(REVISION) $(COMPOSE) build migrate

chart: $(READY) ## Check the Helm chart and pack it into dist/
	@$(BIN)/python -m tests.servers.helm
	$(BIN)/helm lint --strict deploy/helm --values deploy/helm/examples/laptop.yaml
	$(BIN)/helm package deploy/helm --destination dist

sbom: $(READY) ## Write what the image is made of into dist/mlsync.cdx.json (CycloneDX)
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible \
	   --output-file dist/mlsync.cdx.json

docs: $(READY) ## Write the generated pages of docs/
	$(BIN)/python -m shared.mapping.dictionary > docs/data-dictionary.md
	$(BIN)/python -m shared.settings_page > docs/settings.md
	$(BIN)/python -m services.metrics_page > docs/metrics.md
	sed -i.old -E 's/^(version|appVersion): .*/\1: $(VERSION)/' deploy/helm/Chart.yaml && rm deploy/helm/Chart.yaml.old
	$(BIN)/python -m deploy.generate.values_schema > deploy/helm/values.schema.json
	$(BIN)/python -m deploy.generate.values_table > deploy/helm/README.md
	$(BIN)/python -m deploy.generate.dashboards

lock: $(READY) ## Renew the locks from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header --no-annotate -q -o requirements-dev.lock

clean: ## Delete what can be made again
	rm -rf $(VENV) .interop .mypy_cache .ruff_cache .import_linter_cache data/demo
