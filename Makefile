PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test test-long bench bench-full bench-bot lint clean

run: $(VENV)/base-installed  ## sort photos that are dropped into ./inbox
	@mkdir -p inbox
	@exec $(BIN)/catdog watch inbox

test: $(VENV)/dev-installed lint  ## lint, types, tests
	$(PYTEST) -m "not long" --cov --cov-branch --cov-fail-under=90

test-long: $(VENV)/dev-installed  ## what takes longer: kills, large folders, the shipped model
	$(PYTEST) -m long

bench: $(VENV)/dev-installed  ## speed and memory against the plain way, into RESULTS.md: 10 minutes
	$(BIN)/python -m benchmarks.run --write benchmarks/RESULTS.md $(if $(PHOTOS),--photos $(PHOTOS))

bench-full: $(VENV)/dev-installed  ## the same with more photos, training and the speedrun: an hour
	$(BIN)/python -m benchmarks.run --full --write benchmarks/RESULTS.md $(if $(PHOTOS),--photos $(PHOTOS))

bench-bot: $(VENV)/base-installed  ## 50 people with 10 photos each at once: seconds, memory, order
	$(BIN)/python -m benchmarks.bot_load

lint: $(VENV)/dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist .coverage .mypy_cache .pytest_cache .ruff_cache

$(VENV)/base-installed: pyproject.toml
	@echo "Installing catdog into $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/dev-installed: pyproject.toml
	@echo "Installing catdog with TensorFlow and the developers' tools into $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) --editable '.[keras,dev]'
	@touch $@ $(VENV)/base-installed
