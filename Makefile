# `make train`, `make quick` and `make test` need only Python >= 3.11: the first use makes `.venv`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_DIR ?= runs/petals_cvae_gan

.PHONY: train quick test lint format clean

train: $(VENV)/.installed
	$(BIN)/python -m trainers.fit --run_dir=$(RUN_DIR)
	$(BIN)/python -m trainers.evaluate --run_dir=$(RUN_DIR) --judge=trained
	$(BIN)/python -m trainers.generate --run_dir=$(RUN_DIR) --output=$(RUN_DIR)/generated

quick: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow"

test: $(VENV)/.installed-test-all lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/.installed: setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

$(VENV)/.installed-test-all: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --editable '.[test-all]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
