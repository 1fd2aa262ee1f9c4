# Everything a person does with this project. `make` alone lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := requirements/runtime.lock
DEV := requirements/dev.lock

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

up: $(VENV)/.runtime ## look after this machine: start the agent and show what it sees and does
	@$(BIN)/groundskeeper up

test: $(VENV)/.dev system ## every test, the lab included (root); what CI runs
	@bash tests/run.sh

check: $(VENV)/.dev ## before each commit: format, lint, types, layers, fast tests
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > .lint-imports.log 2>&1 || { cat .lint-imports.log; exit 1; }
	@bash tests/alone.sh $(BIN)/pytest -q -x -n 2 --timeout 20 tests --ignore=tests/lab

fix: $(VENV)/.dev ## format and mend what can be mended by machine
	@$(BIN)/ruff format -q . ; $(BIN)/ruff check -q --fix .

bench: $(VENV)/.dev system ## NAME=reaction: one side-by-side measurement (bench/README.md lists them)
	@$(BIN)/python bench/$(NAME).py $(ARGS)

lock: ## make the lock files anew (needs `pip install uv`)
	@for extra in runtime dev; do uv pip compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	  --python-version 3.11 $$([ $$extra = dev ] && echo --extra dev) pyproject.toml requirements/build.in -o requirements/$$extra.lock; done

system: ## install the Debian packages of requirements/debian.txt, where they are missing
	@bash requirements/system.sh

clean: ## remove the environment (never your data)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .lint-imports.log

$(VENV)/.runtime: $(RUN) pyproject.toml
	@bash requirements/venv.sh $(PYTHON) $(VENV) $(RUN)
	@touch $@

$(VENV)/.dev: $(DEV) pyproject.toml
	@bash requirements/venv.sh $(PYTHON) $(VENV) $(DEV)
	@touch $@ $(VENV)/.runtime

.PHONY: help up test check fix bench lock system clean
