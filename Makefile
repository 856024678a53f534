# Every target works as the first command in a fresh clone: it needs Python 3.11+, make and the package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# More than two cores have: tests wait for processes and sockets a good part of their time.
WORKERS ?= 4

# Compiled modules are kept whatever the shell says: the tests start some hundred processes.
unexport PYTHONDONTWRITEBYTECODE

# COVERAGE=yes counts the lines that tests reach, also in their processes, which takes a quarter longer.
ifdef COVERAGE
PYTEST := $(BIN)/coverage run -m pytest -n $(WORKERS) --dist worksteal
else
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist worksteal
endif

.PHONY: run test check check-heavy coverage bench conformance docs clean

run: $(READY)
	$(BIN)/kandji-mirror demo

test: $(READY)
	$(PYTEST) -m "not slow and not heavy"

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(PYTEST) -m "not heavy"

check-heavy: $(READY)
	$(PYTEST) -m heavy

# What the runs with COVERAGE=yes have reached since the last report.
coverage: $(READY)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(READY)
	$(BIN)/python bench/run.py

conformance: $(READY)
	$(BIN)/python tests/conformance/run.py

docs: $(READY)
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .tools .coverage* bench/out
	find schema mirror queries mcp_server cli simulator tests bench docs -name __pycache__ -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kandji-mirror needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@
