# Byname's tasks. `make` alone lists them.
# A machine needs Python 3.11 or newer, make and git; every task sets itself up.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# The first interpreter that is new enough; choose another with `make PYTHON=... setup`.
PYTHON ?= $(shell for each in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$each && break; done)

BIN := .venv/bin
CLIENTS := wandb-0.31.0 wandb-0.28.2
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate

.PHONY: help
help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: .setup-demo ## Show the main job on real data, then serve until Ctrl-C (ARGS="--once" to leave)
	@$(BIN)/python examples/zoo/demo.py $(ARGS)

.PHONY: test
test: setup check ## Set up, check, and run every test
	@$(PYTHON) scripts/debian.py test
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

.PHONY: setup
setup: .python ## Make the virtual environments and install everything into them
	@$(PYTHON) scripts/environment.py $(CLIENTS)

.PHONY: check
check: .setup-main ## Lint, formatting, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: contract
contract: setup ## Only the tests with the real clients
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/contract $(ARGS)

.PHONY: bench
bench: .setup-main ## Measure speed beside MLflow and docker-registry, and of pages (takes long)
	$(BIN)/python -m benchmarks $(ARGS)
	$(BIN)/python -m benchmarks.pages

.PHONY: bench-pages
bench-pages: .setup-main ## Measure the pages that could become slow: first byte and weight
	$(BIN)/python -m benchmarks.pages

.PHONY: screenshots
screenshots: .setup-main ## Pictures of every page into screenshots/ (ARGS="registry --width 390" for some)
	@$(PYTHON) scripts/debian.py screenshots
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

.PHONY: serve
serve: .setup-main ## Start a server for yourself (ARGS="--data DIR --port N")
	@$(BIN)/byname serve $(ARGS)

.PHONY: docs
docs: .setup-main ## Write the pages of docs/ that are made from the code
	@$(BIN)/python scripts/docs.py

.PHONY: requirements
requirements: .setup-main ## Resolve the requirement files anew (ARGS="--upgrade" for newer releases)
	$(LOCK) $(ARGS) requirements/uv.in --output-file requirements/uv.txt
	$(LOCK) $(ARGS) pyproject.toml --extra server --extra oidc --extra test requirements/tools.in \
		--constraint requirements/uv.txt --output-file requirements/test.txt
	$(LOCK) $(ARGS) pyproject.toml --extra server --extra oidc \
		--constraint requirements/test.txt --output-file requirements/byname.txt
	for each in $(CLIENTS); do \
		$(LOCK) $(ARGS) requirements/$$each.in --output-file requirements/$$each.txt || exit 1; \
	done

.PHONY: clean
clean: ## Remove what the tasks made: environments, caches, the demo's data (never byname-data)
	rm -rf .venv .venv-* demo-data build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find src tests benchmarks scripts examples -name __pycache__ -prune -exec rm -rf {} +

# ---- Parts of the tasks above --------------------------------------------------------------

.PHONY: .python
.python:
	@test -n "$(PYTHON)" || { echo "Byname needs Python 3.11 or newer; none was found." >&2; exit 1; }

.PHONY: .setup-main
.setup-main: .python
	@$(PYTHON) scripts/environment.py

.PHONY: .setup-demo
.setup-demo: .python
	@$(PYTHON) scripts/environment.py wandb-0.31.0
