PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/pytest --numprocesses=auto --maxprocesses=8 --dist=worksteal
# where CI is set alone: it slows the tests
COVERAGE := $(if $(CI),--cov --cov-branch)
BENCH := $(BIN)/python -m benchmarks.run $(if $(PHOTOS),--photos $(PHOTOS)) --write benchmarks/RESULTS.md

.PHONY: run test test-quick test-long lint bench bench-full bench-bot constraints clean

run: $(VENV)/base-installed  ## sort photos that are dropped into ./inbox
	@mkdir -p inbox
	@exec $(BIN)/catdog watch inbox

test: lint  ## lint, types, tests
	$(PYTEST) -m "not long and not keras" $(COVERAGE)
	$(PYTEST) -m "keras and not long" $(if $(COVERAGE),$(COVERAGE) --cov-append --cov-fail-under=90)

test-quick: $(VENV)/test-installed  ## the tests that need no TensorFlow, and no more than seconds each
	$(PYTEST) -m "not long and not keras"

test-long: $(VENV)/dev-installed  ## what takes longer: kills, large folders, the shipped model
	$(PYTEST) -m long

lint: $(VENV)/dev-installed  ## style, types, imports and dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

bench: $(VENV)/dev-installed  ## speed and memory against the plain way, into RESULTS.md: 10 minutes
	$(BENCH)

bench-full: $(VENV)/dev-installed  ## the same with more photos, and the speedrun: an hour
	$(BENCH) --full

bench-bot: $(VENV)/base-installed  ## 50 people with 10 photos each at once: seconds, memory, order
	$(BIN)/python -m benchmarks.bot_load

constraints: $(VENV)/dev-installed  ## choose anew what constraints-dev.txt pins
	$(PIP_INSTALL) uv
	{ grep '^#' constraints-dev.txt; $(BIN)/uv pip compile pyproject.toml --extra dev --universal \
		--python-version 3.11 --upgrade --no-header --no-annotate \
		--no-emit-package catdog-photos --no-emit-package backports-strenum; } > constraints-new.txt
	mv constraints-new.txt constraints-dev.txt

clean:
	rm -rf $(VENV) build dist .coverage .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

$(VENV)/base-installed: pyproject.toml
	@echo "Installing catdog into $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/test-installed: pyproject.toml constraints-dev.txt
	@echo "Installing catdog with what its tests need, without TensorFlow, into $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) --constraint constraints-dev.txt --editable '.[test]'
	@touch $@ $(VENV)/base-installed

$(VENV)/dev-installed: pyproject.toml constraints-dev.txt
	@echo "Installing catdog with TensorFlow and the developers' tools into $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) --constraint constraints-dev.txt --editable '.[dev]'
	@touch $@ $(VENV)/test-installed $(VENV)/base-installed
