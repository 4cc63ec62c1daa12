# The program and its checks; every target sets up what it needs first. `make` lists them.

PYTHON ?= python3
ARGS ?=
VENV := .venv
READY := $(VENV)/.ready
BIN := $(VENV)/bin

.PHONY: help setup run test check format bench clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(READY)  ## make .venv and install everything into it

$(READY): pyproject.toml constraints.txt scripts/setup.sh scripts/system_packages.sh
	@PYTHON="$(PYTHON)" bash scripts/setup.sh $(VENV)
	@touch $@

run: $(READY)  ## start the program; without a display, the demo into out/ (ARGS="--camera 1" passes options)
	@bash scripts/run.sh $(ARGS)

test: $(READY)  ## run the tests (ARGS="-k bars" passes options to pytest)
	@bash scripts/system_packages.sh tests
	$(BIN)/python -m pytest $(ARGS)

check: $(READY)  ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## print the figures of benchmarks/
	$(BIN)/python -m benchmarks

clean:  ## remove .venv and everything made
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
