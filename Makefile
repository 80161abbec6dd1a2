# `make demo` and `make test` need Python 3.11+, make and a C library; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-all lint clean

demo: $(VENV)/installed
	$(BIN)/python train.py $(ARGS)

test: $(VENV)/installed lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto -m "not slow and not gpu"

test-all: $(VENV)/sweeps lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto -m "not gpu"

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The mark is written last, so an installation that was cut short starts over.
$(VENV)/installed: requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check pesq==0.0.4 || echo "no C compiler: the PESQ column is left out"
	touch $@

# Ray, submitit and Optuna: 240 MB that only sweeps over several machines or trials need.
$(VENV)/sweeps: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[sweeps]'
	touch $@

clean:
	rm -rf $(VENV)
