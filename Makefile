# What a newcomer and the CI run. Only Python 3.11+, make and the package registry are assumed.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: help install demo test browser check bench clean

help:
	@echo "make install   the virtual environment in .venv, from requirements.lock"
	@echo "make demo      the whole story on the shipped sample: release, leak, identify, trace"
	@echo "make test      all tests"
	@echo "make check     lint, format, types, and the floors of the house"
	@echo "make bench     the headline figures, each beside its named peer"
	@echo "make clean     caches and builds away (rm -rf .venv for a fresh environment)"

install: $(INSTALLED)

demo: $(INSTALLED)
	$(BIN)/mediaforge demo

test: $(INSTALLED) browser
	$(BIN)/pytest

# Packages are played in Chromium. Who may install it gets it here; elsewhere the play tests are skipped and say so, but where
# CI is set they fail.
browser:
	@for name in "$$MEDIAFORGE_CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable; do \
		test -n "$$name" && command -v "$$name" >/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing Chromium, in which packages are played"; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	fi || echo "Chromium could not be installed; the play tests will say so" >&2

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED)
	@set -e; for script in $(sort $(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python "$$script"; done

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find mediaforge tests benchmarks samples -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is touched last: an install broken off is done again. Hashes are checked for every file that is downloaded;
# the project itself is built by the hatchling just installed, so nothing comes from outside the lock.
$(INSTALLED): requirements.lock pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { echo "mediaforge needs Python 3.11 or newer and '$(PYTHON)' is not there; install it or name another, as in: make install PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.version_info >= (3, 11) or sys.exit("mediaforge needs Python 3.11 or newer and $(PYTHON) is %d.%d; name another, as in: make install PYTHON=python3.12" % sys.version_info[:2])'
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments; install its venv package (on Debian: python3-venv), then run make again" >&2; exit 1; }
	"$(PYTHON)" -m venv .venv
	@echo "installing from requirements.lock; the first time takes a minute or two"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(INSTALLED)
