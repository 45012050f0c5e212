# `make run` and `make test` do everything on a machine with Python 3.11, git and make. The rest is for developers.
PYTHON ?= python3.11
BIN := .venv/bin
export GRADIO_ANALYTICS_ENABLED = False
export HF_HUB_DISABLE_TELEMETRY = 1

.PHONY: run test check eval report bench readme distill encoder dialogue classifier reader causal-reader causal-classifier encoder-classifier vectors calibrate weights screenshot clean

run: .venv/ready
	@$(BIN)/python -m tutor weights >/dev/null
	@$(BIN)/python app.py

test: .venv/dev
	@$(BIN)/python -m tutor weights >/dev/null
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tutor index --check

eval: .venv/ready
	$(BIN)/python -m tutor eval

report: .venv/ready
	$(BIN)/python -m tutor.evaluation.report

readme: .venv/ready
	$(BIN)/python -m demos.table

bench: .venv/bench
	$(BIN)/python -m tutor.benchmark.report

distill: .venv/distill
	$(BIN)/python -m tutor.distill.train

encoder: .venv/ready
	$(BIN)/python -m tutor.distill.encoder

dialogue: .venv/ready
	$(BIN)/python -m tutor.distill.dialogue

classifier: .venv/ready
	$(BIN)/python -m tutor.distill.classifier

reader: .venv/ready
	$(BIN)/python -m tutor.distill.reader

causal-reader: .venv/distill
	$(BIN)/python -m tutor.distill.causal_reader

causal-classifier: .venv/distill
	$(BIN)/python -m tutor.distill.causal_classifier

encoder-classifier: .venv/distill
	$(BIN)/python -m tutor.distill.encoder_classifier

vectors: .venv/ready
	$(BIN)/python -m tutor.distill.vectors

calibrate: .venv/ready
	$(BIN)/python -m tutor.evaluation.calibrate
	$(BIN)/python -m tutor.evaluation.choosing
	$(BIN)/python -m tutor.evaluation.checking

weights: .venv/ready
	$(BIN)/python -m tutor weights

screenshot: .venv/dev
	$(BIN)/python -m tests.browser.screenshot docs/screenshot.png

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; name your Python 3.10-3.12: make PYTHON=python3 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/ready: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev: .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# Compiles llama.cpp for about ten minutes; `python -m tutor bench` works without it and says what is missing.
.venv/bench: .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

.venv/distill: .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[distill]'
	@touch $@

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache
