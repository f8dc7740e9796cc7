# Each target sets up all that it needs in .venv; what is there already is not made again.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

FOUND := findings/demo

.PHONY: demo test check bench campaign clean

demo: .venv/.installed
	@rm -rf $(FOUND)
	@echo "== found and shrunk, in the variant that drains nothing: stopmarker fuzz unbind-window -p drain=none"
	@$(BIN)/stopmarker fuzz unbind-window -p drain=none -o $(FOUND); code=$$?; test $$code -eq 1 || \
	  { echo "demo failed: expected exit code 1 (violated), got $$code" >&2; exit 1; }
	@echo
	@echo "== explained: stopmarker explain FILE"
	@$(BIN)/stopmarker explain $(FOUND)/*.smt || { echo "demo failed: nothing explained" >&2; exit 1; }
	@echo
	@echo "== the fixed variant, proved: stopmarker prove unbind-window -p drain=full"
	@$(BIN)/stopmarker prove unbind-window -p drain=full || { echo "demo failed: not proved" >&2; exit 1; }

test: .venv/.installed-test
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

check: .venv/.installed-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.installed
	$(BIN)/python -m tools.bench.engine
	$(BIN)/python -m tools.bench.scenarios
	$(BIN)/python -m tools.bench.campaign

# A short campaign over all scenarios with a fixed seed; its findings must be those on record.
campaign: .venv/.installed-test
	@rm -rf findings/campaign
	$(BIN)/python -m tests.campaign.smoke full findings/campaign

clean:
	rm -rf .venv build *.egg-info

.venv/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "stopmarker needs Python 3.11 or later")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/.installed: .venv/.made pyproject.toml
	$(PIP) --editable .
	touch $@

.venv/.installed-test: .venv/.made pyproject.toml
	$(PIP) --editable '.[test]'
	touch $@ .venv/.installed

# The checks read the tests too, so they need what the tests import.
.venv/.installed-check: .venv/.made pyproject.toml
	$(PIP) --editable '.[test,check]'
	touch $@ .venv/.installed .venv/.installed-test
