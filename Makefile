# `make demo` and `make test` need Python 3.11+, make and a C library; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCHAUDIO := .venv-torchaudio
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
EFFECTS := $(addprefix tests/datamodules/corruptions/,foreign test_torchaudio_effects.py test_callables.py) tests/test_second_opinion.py
CONTRACTS := tests/datamodules/corruptions/test_all_configs.py tests/test_float32_on_device.py
EXTRAS := metrics/perceptual commands/test_export.py
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto

.PHONY: demo test test-pages test-all test-torchaudio lint clean

demo: $(VENV)/running
	@echo "starting Python"
	$(BIN)/python train.py ema_decay=0.98 $(ARGS)
	@echo; echo "and what a model that comes with Clarion makes of noisy music:"
	$(BIN)/python restore.py denoise_music "$$(ls -t runs/*/examples/0000_corrupted.flac | head -n 1)" -o restored/demo --pictures

test: $(VENV)/developing lint
	$(PYTEST) -m "not slow and not gpu and not pages"

# The commands of README and docs, sweeps among them, and what needs the extras.
test-pages: $(VENV)/sweeps
	$(PYTEST) -m "pages and not gpu" $(shell grep -rl --include=test_*.py "mark\.pages" tests)
	$(MAKE) $(VENV)/perceptual
	$(MAKE) $(VENV)/export
	$(PYTEST) tests/sweeps/test_launchers.py tests/sweeps/test_optuna_study.py $(addprefix tests/lightning_modules/,$(EXTRAS))

test-all: $(VENV)/sweeps $(VENV)/perceptual $(VENV)/export lint
	$(PYTEST) -m "not gpu"

# Effects of torchaudio as corruptions, and what it says of our signal code.
test-torchaudio: $(TORCHAUDIO)/installed
	$(TORCHAUDIO)/bin/python -c "import sys, torch, torchaudio; \
		print('Python', sys.version.split()[0], '| torch', torch.__version__, '| torchaudio', torchaudio.__version__)"
	OMP_NUM_THREADS=1 $(TORCHAUDIO)/bin/python -m pytest -q -n auto -m "not slow and not gpu and not pages" $(EFFECTS)
	OMP_NUM_THREADS=1 $(TORCHAUDIO)/bin/python -m pytest -q -n auto -k "torchaudio or callable" $(CONTRACTS)

lint: $(VENV)/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The marks are written last, so an installation that was cut short starts over.
$(VENV)/running: requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --requirement requirements.lock
	$(INSTALL) pesq==0.0.4 || echo "no C compiler: the PESQ column is left out"
	touch $@

$(VENV)/developing: $(VENV)/running requirements-dev.lock
	$(INSTALL) --requirement requirements-dev.lock
	touch $@

# Ray, submitit and Optuna: 240 MB that only sweeps over several machines or trials need.
$(VENV)/sweeps: $(VENV)/developing
	$(INSTALL) --constraint requirements.lock --constraint requirements-dev.lock --editable '.[sweeps]'
	touch $@

# Models of hearing, 90 MB. Where they are, every test of a run asks them: they come after what is run without.
$(VENV)/perceptual: $(VENV)/sweeps
	$(INSTALL) --constraint requirements.lock --editable '.[perceptual]' || echo "no wheels of the extra perceptual: its tests are skipped"
	touch $@

# ONNX files and what writes and reads them.
$(VENV)/export: $(VENV)/developing
	$(INSTALL) --constraint requirements.lock --editable '.[export]' || echo "no wheels of the extra export: its tests are skipped"
	touch $@

# torchaudio loads beside a CUDA build of torch, as pip gives it on Linux. Three equal signs take that and none of another index.
$(TORCHAUDIO)/installed: requirements-dev.lock
	$(PYTHON) -m venv $(TORCHAUDIO)
	$(TORCHAUDIO)/bin/pip install --quiet --disable-pip-version-check --requirement requirements-dev.lock \
		"$(shell sed -n 's/^torch==/torch===/p' requirements.lock)" --editable '.[torchaudio]'
	touch $@

clean:
	rm -rf $(VENV) $(TORCHAUDIO)
