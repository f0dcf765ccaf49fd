# Errata's commands. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Compiled modules are written at first import: without them vLLM takes three times as long to start, each time.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOMS := server retrieval editing governance ui
# uv from the path, else one inside the environment, installed by pip.
UV = $(shell command -v uv || echo $(BIN)/uv)

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/installed  ## environment from the lock, embedded model; again only when the lock or pyproject.toml changed

$(VENV)/installed: pyproject.toml requirements/cpu.lock requirements/gpu.lock requirements/cpu.overrides requirements/gpu.overrides requirements/choose.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Errata needs Python 3.11 to 3.13; name one: make PYTHON=python3.11 install")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# An environment whose making broke off has no pip; one made by uv needs none, as long as uv is there.
	command -v uv > /dev/null || test -x $(BIN)/uv || { \
	    $(BIN)/python -m pip --version > /dev/null 2>&1 || $(BIN)/python -m ensurepip > /dev/null 2>&1 || $(PYTHON) -m venv $(VENV); \
	    $(BIN)/python -m pip install --quiet uv; }
	device=$$($(PYTHON) requirements/choose.py device); flags=$$($(PYTHON) requirements/choose.py flags); \
	echo "Installing the packages of requirements/$$device.lock"; \
	$(UV) pip install --python $(BIN)/python $$flags \
	    --requirement requirements/$$device.lock --overrides requirements/$$device.overrides
	$(UV) pip install --python $(BIN)/python --no-deps --editable .
	$(BIN)/errata model prepare
	@touch $@

serve: install  ## run Errata at http://127.0.0.1:8000, data in ./data
	@$(BIN)/errata serve

test: install  ## everything that needs no GPU, real vLLM and real edits included
	$(BIN)/python -m pytest -m "not gpu"

test-fast: install  ## what runs on stand-ins alone: the loop while writing code
	$(BIN)/python -m pytest -q -m "not gpu and not heavy and not engine and not browser"

test-gpu: install  ## what needs a CUDA device; skips with a reason where there is none
	$(BIN)/python -m pytest -m gpu

lint: install  ## ruff, mypy --strict, import-linter, codespell, computed docs; long files are listed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(ROOMS)
	$(BIN)/lint-imports
	$(BIN)/codespell $(ROOMS) tests docs requirements *.md
	$(BIN)/cog --check README.md $(wildcard docs/*.md)
	@git ls-files '*.py' | xargs wc -l | awk '$$1 > 350 && $$2 != "total" {print "longer than 350 lines: " $$2 " (" $$1 ")"}'

docs: install  ## write the computed parts of the docs: file map, moves, routes, settings, pictures of the pages
	$(BIN)/cog -r README.md $(wildcard docs/*.md)
	$(BIN)/python tests/ui/screenshots.py

# Data of your own: make bench FACTS=... ROUTER_CSV=... PASSAGES=... QUESTIONS=...
# Serving is measured on a server started for it, or on the one at ERRATA_URL (with ERRATA_API_KEY and ERRATA_DATA_DIR).
FACTS ?= tests/data/facts/report.jsonl
ROUTER_CSV ?= tests/data/bench/router.csv
RETRIEVAL_FILES = --passages $(or $(PASSAGES),$(if $(QUESTIONS),$(error QUESTIONS go with PASSAGES: name both),tests/data/bench/passages.jsonl)) \
    --questions $(or $(QUESTIONS),$(if $(PASSAGES),$(error PASSAGES go with QUESTIONS: name both),tests/data/bench/questions.jsonl))
REPORTS := data/bench
bench: install  ## editing, records, a million vectors, router, retrieval, serving; appends what it measured to docs/LOG.md
	rm -rf $(REPORTS) && mkdir -p $(REPORTS)
	$(BIN)/errata bench editing --facts $(FACTS) --json $(REPORTS)/editing.json
	$(BIN)/errata bench records --json > $(REPORTS)/records.json
	$(BIN)/errata bench index --json $(REPORTS)/index.json
	$(BIN)/errata bench router --csv $(ROUTER_CSV) --json $(REPORTS)/router.json
	$(BIN)/errata bench retrieval $(RETRIEVAL_FILES) --json $(REPORTS)/retrieval.json
	$(if $(ERRATA_URL),$(BIN)/errata bench serving --json,$(BIN)/python tests/bench_serving.py) > $(REPORTS)/serving.json
	$(BIN)/python -m server.bench_log $(REPORTS) docs/LOG.md

lock: install  ## resolve both locks anew from pyproject.toml
	compile() { $(UV) pip compile pyproject.toml --extra $$1 --group dev --overrides requirements/$$1.overrides --upgrade --quiet \
	    --python-version 3.11 --no-header --no-annotate --output-file requirements/$$1.lock "$${@:2}"; }; \
	compile cpu $$(ERRATA_DEVICE=cpu $(PYTHON) requirements/choose.py flags); compile gpu

check: lint test  ## what CI and the pre-commit hook run

.PHONY: help install serve test test-fast test-gpu lint docs bench lock check
