# One way to run everything; CI calls the same targets. Each makes the virtual environment that it needs.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
MODEL ?= models:/pentimento@champion
HOST ?= http://127.0.0.1:3000
SHAPE ?= step

.PHONY: demo test lint serve load clean install

install: $(VENV)/.installed

# Plain pip: it honours the find-links that name a CPU build of torch where one is configured.
$(VENV)/.installed: pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found; install Python 3.11, or make PYTHON=python3.12" >&2; exit 4; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24"
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	@touch $@

demo: install  ## train, register, judge, gate, promote, serve, send a photograph, put under load
	$(BIN)/pentimento demo

test: install  ## everything, offline
	$(BIN)/python -m pytest

lint: install  ## style, arrows, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

serve: install  ## the champion, or MODEL=pretrained:compact
	$(BIN)/pentimento serve --model $(MODEL)

load: install  ## SHAPE=smoke, step, spike, soak or breakpoint against HOST; report and records go to build/load
	$(BIN)/python -m loadtests $(SHAPE) --host $(HOST) --out build/load/$(SHAPE)

clean:  ## everything that was made here, the environment included
	rm -rf $(VENV) build .pentimento .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
