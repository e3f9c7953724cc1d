# Everything a person or a machine does with this project. `make help` lists it.

PYTHON_OF_VENV := .venv/bin/python
STAMP := .venv/.installed
PORT ?= 8000
HOST ?= 127.0.0.1
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run demo-reset test lint bench lock pictures corpora clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv (Python 3.11 or newer) with the locked packages; does nothing when it is up to date

$(STAMP): requirements.txt scripts/make-venv.sh
	@scripts/make-venv.sh .venv requirements.txt
	@touch $@

run: export DEBUG ?= 1
run: $(STAMP) ## Run everything on this machine (PORT=8000, HOST=127.0.0.1)
	@exec $(PYTHON_OF_VENV) manage.py up --port $(PORT) --host $(HOST) --with-parent

demo-reset: export DEBUG ?= 1
demo-reset: $(STAMP) ## Throw the demo's state away (requests, mails, sign-ins, company) and make it anew
	@$(PYTHON_OF_VENV) manage.py prepare --reset

test: $(STAMP) ## Run every test; DATABASE_URL and REDIS_URL where set, else SQLite and the embedded broker (ARGS=…)
	@scripts/run-tests.sh $(ARGS)

lint: $(STAMP) ## Style, types, layers, migrations, deployment settings, lock
	@scripts/lint.sh

bench: $(STAMP) ## Measure erasure, intake and latency, and print the table
	@$(PYTHON_OF_VENV) -m tests.benchmarks $(ARGS)

lock: ## Resolve pyproject.toml into requirements.txt (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --extra dev \
		pyproject.toml -o requirements.txt

pictures: $(STAMP) ## Take the README's pictures from the running app
	@$(PYTHON_OF_VENV) scripts/pictures.py $(ARGS)

corpora: export DEBUG ?= 1
corpora: $(STAMP) ## Try sample mail and deadline examples of your own: MAIL=folder with MANIFEST.tsv, VECTORS=file.csv
	@test -z "$(MAIL)" || $(PYTHON_OF_VENV) manage.py check_corpus --mail "$(MAIL)"
	@test -z "$(VECTORS)" || $(PYTHON_OF_VENV) manage.py deadlines --vectors "$(VECTORS)"

clean: ## Remove .venv, caches and collected files; the state in var stays
	rm -rf .venv staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
