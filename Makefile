# The vocabulary of this repository. `make demo` and `make test` work on a bare Debian 12 (python3 with venv, make, git).
PYTHON ?= python3
BIN := .venv/bin
UV := UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv

.PHONY: setup demo test check format sim bench clean

.venv/.installed: pyproject.toml uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13,<0.14'
	$(UV) sync --quiet --frozen --all-extras --compile-bytecode
	@$(BIN)/python -m compileall -q connector adapters mappings
	@touch $@

setup: .venv/.installed ## make .venv with everything in it (quick the second time)

demo: setup ## the main job end to end, on a sandbox ledger; ends by itself
	$(BIN)/dunwell demo --ledger xero

test: setup ## all tests
	$(BIN)/pytest

check: setup ## lint, types, dependency rule
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

sim: setup ## the write-back simulated: make sim SEEDS=1000 [FIRST=seed]
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),1000) --first $(or $(FIRST),1) --jobs 2

bench: setup ## performance harness: ratios against named peers
	$(UV) sync --quiet --frozen --all-extras --group bench
	$(BIN)/python -m bench

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
