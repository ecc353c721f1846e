# `make demo` and `make test` do all set-up on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Installed first and alone, so that pip keeps the build chosen here; TORCH=... chooses another.
TORCH ?= torch==2.13.0
SCREEN := xvfb-run -a -s "-screen 0 1366x768x24"

.PHONY: demo demo3d app test test-core test-windows test-lowest lint screenshots tour docs clean

demo: $(VENV)/.installed
	$(BIN)/sem-sr demo --out demo

demo3d: $(VENV)/.installed
	$(BIN)/sem-sr demo --volume --out demo3d

app: $(VENV)/.installed-all demo/lr.tif
	$(BIN)/sem-sr app demo/lr.tif demo/sr.zarr demo/hr.tif

demo/lr.tif: | $(VENV)/.installed
	$(BIN)/sem-sr demo --out demo

test: $(VENV)/.installed-dev .display
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/documented.py --least 100 --but widgets
	$(MAKE) --jobs=2 --output-sync=target test-core test-windows

# Two processes of one thread each: half the time on two cores, and sums come out the same on every machine.
test-core:
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --ignore tests/gui

test-windows:
	OMP_NUM_THREADS=1 $(SCREEN) $(BIN)/python -m pytest tests/gui

# Reading, writing, networks and the demo with the lowest versions that pyproject.toml allows, in an environment of their own. Tests beside
# ome-zarr are left out, as it asks for newer packages itself. Without a window, so without Qt.
LOWEST := .venv-lowest
LOW_TESTS := tests/io tests/metrics tests/model tests/slices tests/samples tests/study/test_demo.py \
	tests/test_stack.py tests/test_intensity.py tests/test_geometry.py
test-lowest: $(LOWEST)/.installed
	OMP_NUM_THREADS=1 $(LOWEST)/bin/python -m pytest $(LOW_TESTS) --ignore tests/io/write/test_zarr.py \
		--ignore tests/io/write/test_volume.py --ignore tests/io/read/test_read_zarr.py --ignore tests/io/read/test_fuzz.py
	$(LOWEST)/bin/sem-sr demo --out $(LOWEST)/demo

$(LOWEST)/.installed: pyproject.toml
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet uv
	$(LOWEST)/bin/uv pip compile --quiet --resolution lowest-direct pyproject.toml --output-file $(LOWEST)/lowest.txt
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python -e . -c $(LOWEST)/lowest.txt pytest pytest-timeout hypothesis
	touch $@

screenshots: $(VENV)/.installed-dev .display demo
	cp demo/comparison.png docs/images/comparison.png
	$(SCREEN) $(BIN)/python docs/make_screenshots.py

tour: $(VENV)/.installed-dev .display
	$(SCREEN) $(BIN)/python docs/make_tour.py

# The site, into site/; links are checked and a warning is an error. It reads src without importing it, so torch is not needed.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

$(VENV)/.installed-docs:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet mkdocs-material mkdocstrings-python ruff
	touch $@

$(VENV)/.torch:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	touch $@

$(VENV)/.installed: $(VENV)/.torch pyproject.toml
	$(BIN)/python -m pip install --quiet -e .
	touch $@

$(VENV)/.installed-all: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -e ".[all]"
	touch $@

$(VENV)/.installed-dev: $(VENV)/.torch pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[dev,cluster]"
	touch $@ $(VENV)/.installed

# Linux only: libraries that Qt and OpenGL need, and a screen for machines without one.
APT := xvfb xauth libgl1 libegl1 libglx-mesa0 libgl1-mesa-dri libxkbcommon-x11-0 libdbus-1-3 \
	libfontconfig1 libglib2.0-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 \
	libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xfixes0 libxcb-xkb1
.PHONY: .display
.display:
	@if command -v apt-get >/dev/null && ! dpkg -s $(APT) >/dev/null 2>&1; then \
		SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq $(APT); \
	fi

clean:
	rm -rf $(VENV) $(LOWEST) demo demo3d site
