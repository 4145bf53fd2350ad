# `make demo` and `make test` do all the set-up themselves; they need Python 3.11 or newer, make and git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ORACLES := $(VENV)/.oracles
WORKERS ?= auto
SEED ?= $(shell date +%s)
export UV_PROJECT_ENVIRONMENT := $(VENV)

.PHONY: help demo test lint bench soak build onefile clean

help:
	@echo "make demo   the main job on a scripted model, with the real tools; needs no key"
	@echo "make test   lint, types, contracts and all tests"
	@echo "make lint   lint, types and contracts alone"
	@echo "make bench  speed and memory, as ratios in one run"
	@echo "make soak   the large counts in full"
	@echo "make build  a wheel and a one-file executable, in dist/"

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { tools/system venv && $(PYTHON) -m venv --clear $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(READY): $(VENV)/bin/uv pyproject.toml uv.lock
	@$(BIN)/uv sync --quiet --locked --inexact --compile-bytecode
	@$(BIN)/python -m compileall -q src
	@touch $@

$(ORACLES): $(READY)
	@$(BIN)/uv sync --quiet --locked --inexact --extra oracles
	@touch $@

demo: $(READY)
	@$(BIN)/codi demo

lint: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache | tail -1

test: lint $(ORACLES)
	@tools/system tests
	@$(BIN)/pytest -n $(WORKERS)

bench: $(READY)
	@$(BIN)/python -m bench

soak: $(ORACLES)
	@tools/system tests
	@echo "seed $(SEED)"
	@CODI_SOAK=1 $(BIN)/pytest -n $(WORKERS) --hypothesis-seed=$(SEED)

build onefile: $(READY)
	@$(BIN)/python tools/build.py

clean:
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
