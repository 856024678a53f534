# Every target works as the first command in a fresh clone: it needs Python 3.11+, make and the package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BROWSER := $(VENV)/.browser
SITE := .tools/site
# More than two cores have: tests wait for processes and sockets a good part of their time.
WORKERS ?= 4

# Compiled modules are kept whatever the shell says: the tests start some hundred processes.
unexport PYTHONDONTWRITEBYTECODE

# A file is one worker's: what its tests share is made once.
SIDE_BY_SIDE := -n $(WORKERS) --dist loadfile

# To collect all others takes as long as some of these tests.
HEAVY = $(shell grep -l heavy tests/test_*.py)

.PHONY: run test check check-sources check-tests check-heavy check-all coverage bench conformance docs site bundle release mcpb clean

run: $(READY)
	$(BIN)/kandji-mirror demo

test: $(READY)
	$(BIN)/pytest $(SIDE_BY_SIDE) -m "not slow and not heavy and not many"

# Side by side: the checks of the sources keep one core busy, and the first tests have the other.
check: $(READY)
	$(MAKE) --no-print-directory --jobs 2 check-sources check-tests

check-sources: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

check-tests: $(READY)
	$(BIN)/pytest $(SIDE_BY_SIDE) -m "not heavy and not many"

check-heavy: $(BROWSER) $(SITE)/.ready
	$(BIN)/pytest $(SIDE_BY_SIDE) -m "heavy and not many" $(HEAVY)

# Every test there is, also the many cases of a kind of which some stand for all in the others: half an hour.
check-all: $(BROWSER) $(SITE)/.ready
	$(BIN)/pytest $(SIDE_BY_SIDE)

# Every test, with the lines of the product that it reached, also in its processes: a third slower than without.
coverage: $(BROWSER) $(SITE)/.ready
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(SIDE_BY_SIDE)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(READY)
	$(BIN)/python bench/run.py

conformance: $(READY)
	$(BIN)/python tests/conformance/run.py

docs: $(READY)
	$(BIN)/python docs/generate.py

# The pages as a site, in build/site, with every link between them checked. Its tool is no part of the program.
site: $(SITE)/.ready
	$(SITE)/bin/python docs/site.py

$(SITE)/.ready: docs/requirements.txt
	$(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement docs/requirements.txt
	touch $@

# The editor of the page /sql, from web/bundle into web/kandji_web/assets; needs Node 20 or newer and its registry.
bundle:
	cd web/bundle && npm ci --no-audit --no-fund && npm run build

# A dry run: make release VERSION=0.2.0. With WRITE=yes version and changelog are written into the tree, too.
release: $(READY)
	$(BIN)/python release/release.py $(VERSION) $(if $(WRITE),--write) $(if $(PAGE),--page $(PAGE))

# The bundle for Claude Desktop, in dist, from the tree as it is; its packer comes from npm.
mcpb: $(READY)
	rm -f dist/*.whl
	$(BIN)/hatchling build -t wheel -d dist
	$(BIN)/python release/bundle.py dist/kandji_mirror-*.whl dist

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .tools .coverage* bench/out web/bundle/node_modules
	find schema mirror queries watch mcp_server web cli simulator tests bench docs -name __pycache__ -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kandji-mirror needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

# What the tests of the pages look with: a Chromium of the system.
$(BROWSER): $(READY)
	$(BIN)/python tests/browsers.py
	touch $@
