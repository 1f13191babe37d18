# Targets; each that needs .venv sets it up first if it is missing or its pins have changed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: run test lab bench lint lock setup help clean

# The first that runs and is new enough; `make PYTHON=/path/to/python` chooses another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach python,python3.11 python3.12 python3.13 python3,$(shell \
	$(python) -c '$(NEW_ENOUGH)' 2>/dev/null && echo $(python))))
BIN := .venv/bin

# Where the environment forbids to store compiled modules, as container images like to do, each
# notebook would compile torch again: three times slower starts.
export PYTHONDONTWRITEBYTECODE :=

run: .venv/.ready ## run the pipeline on the shipped sample
	$(BIN)/python -m lib run notebooks/params/sample.yaml

test: .venv/.ready ## run all tests, two at a time
	$(BIN)/python -m pytest -n 2

lab: .venv/.ready ## open JupyterLab
	$(BIN)/jupyter lab notebooks

bench: .venv/.ready ## run the benchmark, or some of it: make bench PARTS="ocr download"
	$(BIN)/python -m lib.dev.bench $(PARTS)

lint: .venv/.ready ## check style, types, imports and declared packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/deptry --no-ansi .
	$(BIN)/lint-imports --no-cache

setup: .venv/.ready ## set up .venv

# The pins are complete, so nothing is resolved (--no-deps): rapidocr asks for opencv-python, and
# we give it opencv-python-headless, which needs no system libraries. uv takes a third of pip's
# time; pip does the same where uv cannot, behind an index that only pip's settings know.
.venv/.ready: requirements.txt pyproject.toml
	@'$(PYTHON)' -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed; found '$(PYTHON)'." \
			"Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up .venv, a few minutes the first time ..."
	'$(PYTHON)' -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --no-deps "$$(grep '^uv==' requirements.txt)" || true
	index=$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || true)}; \
	$(BIN)/uv pip install --quiet --python $(BIN)/python $${index:+--default-index "$$index"} \
		--no-deps -r requirements.txt || \
	$(BIN)/python -m pip install --quiet --no-deps --no-compile -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# Left out on purpose: opencv-python (see above), and rfc3987-syntax, an optional check whose
# import costs each `papermill` and `nbconvert` three seconds.
LEFT_OUT := opencv-python rfc3987-syntax

lock: ## renew requirements.txt from requirements.in
	tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	'$(PYTHON)' -m venv "$$tools/venv"; \
	"$$tools/venv/bin/pip" install --quiet uv; \
	printf "%s ; sys_platform == 'never'\n" $(LEFT_OUT) > "$$tools/overrides.txt"; \
	"$$tools/venv/bin/uv" pip compile requirements.in --override "$$tools/overrides.txt" \
		--universal --python-version 3.11 --upgrade --quiet \
		--no-annotate --no-emit-index-url --no-header -o requirements.txt

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Never a run, an image, a label or the cache of slow steps.
clean: ## remove .venv and the caches of tools
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache *.egg-info
	find lib -type d -name __pycache__ -prune -exec rm -rf {} +
