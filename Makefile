# make run    the pipeline on the shipped sample     make test   all tests
# make lab    JupyterLab                             make bench  the benchmark
# make lint   style checks                           make lock   new pins from requirements.in
# Each sets up .venv first if that is missing or its pins have changed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: run test lab bench lint lock setup

# The first that runs and is new enough; `make PYTHON=/path/to/python` chooses another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach python,python3.11 python3.12 python3.13 python3,$(shell \
	$(python) -c '$(NEW_ENOUGH)' 2>/dev/null && echo $(python))))
BIN := .venv/bin

# Where the environment forbids to store compiled modules, as container images like to do, each
# notebook would compile torch again: three times slower starts.
export PYTHONDONTWRITEBYTECODE :=

run: .venv/.ready
	$(BIN)/python -m lib run notebooks/params/sample.yaml

test: .venv/.ready
	$(BIN)/python -m pytest

lab: .venv/.ready
	$(BIN)/jupyter lab notebooks

bench: .venv/.ready
	$(BIN)/python -m lib.dev.bench $(PARTS)

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

setup: .venv/.ready

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

lock:
	tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	'$(PYTHON)' -m venv "$$tools/venv"; \
	"$$tools/venv/bin/pip" install --quiet uv; \
	printf "%s ; sys_platform == 'never'\n" $(LEFT_OUT) > "$$tools/overrides.txt"; \
	"$$tools/venv/bin/uv" pip compile requirements.in --override "$$tools/overrides.txt" \
		--universal --python-version 3.11 --upgrade --quiet \
		--no-annotate --no-emit-index-url --no-header -o requirements.txt
