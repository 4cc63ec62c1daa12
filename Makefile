# The program and its checks; every target sets up what it needs first. `make` lists them.

PYTHON ?= python3
ARGS ?=
VENV := .venv
READY := $(VENV)/.ready
BIN := $(VENV)/bin

RAVDESS ?= data/ravdess
FERPLUS ?= data/ferplus
RUN ?= runs/compact
VOICES = --corpus ravdess --data $(RAVDESS) --split bundled
FACES = --corpus ferplus --data $(FERPLUS) --split official

.PHONY: help setup run test check format bench train-compact clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

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

train-compact: $(READY)  ## train the bundled model (RAVDESS=folder FERPLUS=folder; ARGS goes to each fit); goes on where it was stopped
	$(BIN)/python train.py fit --config configs/compact.yaml --stages audio,visual --out $(RUN)/branches $(VOICES) $(FACES) $(ARGS)
	$(BIN)/python train.py fit --config configs/compact-voices.yaml --stages audio --modalities audio \
		--start-from $(RUN)/branches/model --out $(RUN)/voices $(VOICES) $(ARGS)
	$(BIN)/python train.py fit --config configs/compact.yaml --stages functionals,fusion --start-from $(RUN)/voices/model \
		--out $(RUN)/fused $(VOICES) $(FACES) $(ARGS)
	$(BIN)/python train.py pack $(RUN)/fused/model resources/models/compact
	mkdir -p docs/models/compact
	cp $(addprefix $(RUN)/fused/,training_history.json metrics.json data.json versions.json) docs/models/compact
	-$(BIN)/python -m benchmarks.accuracy --ravdess $(RAVDESS) --ferplus $(FERPLUS)

clean:  ## remove .venv, out/ and the tools' caches
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
