PYTHON ?= python3
VENV ?= .venv
TRACE ?= traces/stack_futex.bin
WORKERS ?= auto
SEEDS ?=
CC ?= cc

bin := $(VENV)/bin
runtime := $(VENV)/runtime.stamp
development := $(VENV)/development.stamp
python_code := $(wildcard tracedbg tests scripts benchmarks plugins/detectors)
c_code := $(filter-out plugins/qemu/trace_columns.h,$(wildcard plugins/*/*.[ch] plugins/*/*/*.[ch]))
kernel_code := $(wildcard tests/kernels/*/*.[ch])
c_units := $(filter %.c,$(c_code))
c_flags := -std=gnu11 -Wall -Wextra -Werror -fPIC -Iplugins/qemu
pytest := $(bin)/python -m pytest

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## show this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: replay
replay: $(runtime) ## open the shipped recording (needs python3 only)
	$(bin)/tracedbg replay $(TRACE)

.PHONY: setup
setup: tools $(development) ## install everything that the tests need, system packages included

.PHONY: tools
tools:
	@$(PYTHON) -m scripts.install_tools

.PHONY: check
check: static fast ## static checks and the fast tests

.PHONY: static
static: lint types layers c-format c-warnings ## static checks alone

.PHONY: lint
lint: $(development)
	$(bin)/ruff check .
	$(bin)/ruff format --check .

.PHONY: types
types: $(development)
	$(bin)/mypy $(python_code)

.PHONY: layers
layers: $(development)
	$(bin)/lint-imports

.PHONY: c-format
c-format:
	clang-format --dry-run -Werror $(c_code) $(kernel_code)

.PHONY: c-warnings
c-warnings:
	@set -e; for unit in $(c_units); do \
	  echo "$(CC) $(c_flags) -O2 -c $$unit"; \
	  $(CC) $(c_flags) -I"$$(dirname $$unit)" -O2 -c -o /dev/null "$$unit"; \
	done

.PHONY: fast
fast: $(development)
	$(pytest) -n $(WORKERS) --dist loadgroup -m "not slow and not truth"

.PHONY: format
format: $(development) ## lay out Python and C as the checks want them
	$(bin)/ruff check --fix .
	$(bin)/ruff format .
	clang-format -i $(c_code) $(kernel_code)

.PHONY: test
test: setup ## set up, then run every test but the truth ones; a skipped test fails
	$(pytest) -n $(WORKERS) --dist loadgroup -m "not truth" --fail-skipped

.PHONY: truth
truth: setup ## record and prove whole Linux boots (long)
	$(pytest) -m truth --fail-skipped tests/truth

.PHONY: fuzz-recorder
fuzz-recorder: setup ## record and prove random guests until interrupted; SEEDS=FIRST:LAST for a range
	$(bin)/python -m tests.recorder.fuzz $(SEEDS)

.PHONY: bench
bench: setup ## measure, and write docs/benchmarks.md
	$(bin)/python -m benchmarks

.PHONY: clean
clean: ## remove everything that make made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find tracedbg tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/venv.stamp:
	@command -v $(PYTHON) >/dev/null || { echo "tracedbg: no $(PYTHON) here; install Python 3.11 or later"; exit 1; }
	@$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(runtime): $(VENV)/venv.stamp pyproject.toml
	$(bin)/python -m pip install --quiet --editable .
	@touch $@

$(development): $(VENV)/venv.stamp pyproject.toml
	$(bin)/python -m pip install --quiet --editable '.[test]'
	@touch $(runtime) $@
