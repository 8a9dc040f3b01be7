# make demo: open the window with the bundled scan and reconstruct it. make test: run everything that checks the program.
# Both set up what they need by themselves, once.

PYTHON = .venv/bin/python
MANUAL = resources/manual/index.html
# Waiting threads that spin slow every other process on a small machine.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: demo test lint bench coverage validation mutation setup manual clean dist frozen smoke appimage lock licences audit sbom

demo: setup
	@$(MAKE) --silent manual || true
	@packaging/demo.sh

test: setup lint
	@packaging/with-display.sh $(PYTHON) -m pytest -n 2 --dist loadscope

lint: setup
	@$(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m mypy --no-error-summary

# The user manual, for the Help menu; built again when its sources have changed.
manual: setup $(MANUAL)

$(MANUAL): $(shell find docs packaging/manual -type f -not -path '*/__pycache__/*') README.md app/actions.py core/engine/settings.py | setup
	@$(PYTHON) -m mkdocs build --strict --quiet --config-file packaging/manual/mkdocs.yml

bench: setup
	@$(PYTHON) -m tests.benchmarks

# Which lines and branches the tests reach; the table of all files is in build/coverage.txt.
coverage: setup
	@mkdir -p build
	@packaging/with-display.sh $(PYTHON) -m pytest -n 2 --dist loadscope --cov --cov-report=term > build/coverage.txt; tail -n 3 build/coverage.txt
	@for part in core app; do $(PYTHON) -m coverage report --include="$$part/*" | tail -n 1 | sed "s/TOTAL/$$part /"; done

# docs/validation: half an hour of one core. What was done before it was stopped is not done again.
validation: setup
	@nice -n 19 $(PYTHON) -m tests.validation

# How many small changes of solvers, operators and schedule the tests notice: about half an hour of one core.
mutation: setup
	@$(PYTHON) -c "import cosmic_ray" 2>/dev/null || PIP_CONSTRAINT=packaging/constraints.txt $(PYTHON) -m pip install --quiet -e '.[mutation]'
	@OMP_NUM_THREADS=1 nice -n 19 $(PYTHON) -m tests.mutation

# Source archive and wheel, in dist/.
dist: setup $(MANUAL)
	@packaging/dist.sh

# The program as a folder that needs no Python, dist/dds-viewer, and whether it works.
frozen: setup $(MANUAL)
	@packaging/freeze.sh

smoke:
	@packaging/smoke.sh

# dist/dds-viewer as one file; needs appimagetool on the path, and otherwise leaves dist/DDS-Viewer.AppDir.
appimage:
	@packaging/linux/appimage.sh

# Every package the program needs, with the hashes of its files, for Linux, Windows and macOS.
lock: setup
	@$$(packaging/tools.sh)/bin/python packaging/make_lock.py

# The list of licences for the page About.
licences: setup
	@$(PYTHON) packaging/make_licences.py

# Known weaknesses of what is in the lock.
audit: setup
	@$$(packaging/tools.sh)/bin/python packaging/audit.py

# What the program is made of, in dist/, as CycloneDX.
sbom: setup
	@$$(packaging/tools.sh)/bin/python packaging/make_sbom.py dist/dds-viewer.cdx.json

setup:
	@packaging/setup.sh

clean:
	rm -rf .venv build dist out resources/manual *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
