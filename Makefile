# hpcnet in words anyone can guess. `make demo` and `make test` are all that a newcomer needs.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: help demo test check docs bench clean

help:  ## Say what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1: /p' Makefile

# The virtual environment: made again when what it holds or how it is made has changed.
$(VENV)/ready: pyproject.toml slurm/prepare.sh
	@sh slurm/prepare.sh virtual-environment "$(PYTHON)" "$(VENV)"
	@touch $@

demo: $(VENV)/ready  ## A first climate job on two real Slurm clusters, from submit to picture
	@sh slurm/prepare.sh packages demo
	@$(BIN)/hpcnet demo

test: $(VENV)/ready  ## All tests, on real Slurm, sshd, MPI and PostgreSQL where they can be had
	@sh slurm/prepare.sh packages test
	$(BIN)/python -m pytest

check: $(VENV)/ready  ## Style, types, architecture, sizes, and whether the generated docs are current
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/house
	$(BIN)/python docs/generate.py --check

docs: $(VENV)/ready  ## Write the generated part of the reference
	$(BIN)/python docs/generate.py

bench: $(VENV)/ready  ## Measure the bars, side by side with the alternatives
	@sh slurm/prepare.sh packages demo
	$(BIN)/python -m benchmarks.run

clean:  ## Remove what was made here
	rm -rf "$(VENV)" demo dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
