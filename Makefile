# make demo: open the window with the bundled scan and reconstruct it. make test: run everything that checks the program.
# Both set up what they need by themselves, once.

PYTHON = .venv/bin/python
# Waiting threads that spin slow every other process on a small machine.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: demo test lint bench setup clean

demo: setup
	@packaging/demo.sh

test: setup lint
	@packaging/with-display.sh $(PYTHON) -m pytest -n 2 --dist loadscope

lint: setup
	@$(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m mypy --no-error-summary

bench: setup
	@$(PYTHON) -m tests.benchmarks

setup:
	@packaging/setup.sh

clean:
	rm -rf .venv build dist out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
