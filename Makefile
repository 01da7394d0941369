# hpcnet in words anyone can guess. `make demo` and `make test` are all a newcomer needs.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test check lint bench docs clean

$(VENV)/ready: pyproject.toml slurm/prepare.sh
	sh slurm/prepare.sh virtual-environment "$(PYTHON)" "$(VENV)"
	touch $@

demo: $(VENV)/ready
	sh slurm/prepare.sh packages demo
	$(BIN)/hpcnet demo

test: $(VENV)/ready
	sh slurm/prepare.sh packages test
	$(BIN)/python -m pytest

check: lint

lint: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
