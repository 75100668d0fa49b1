# Commands for people. Needs git, make and Python 3.11 or later; creates .venv automatically.
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14; do \
  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
DBT := .venv-dbt/dbt.stamp
BENCH := .venv-bench/bench.stamp
AUDIT := .venv-audit/audit.stamp
INSTALL = $(PYTHON) requirements/install.py $@ --newer $^ --lock
# Rebuild environments whose Python was removed or upgraded.
REBUILD := $(if $(wildcard .venv/run.stamp),$(shell $(BIN)/python -c "" 2>/dev/null || echo FORCE))

# Without bytecode every process compiles what it imports: two seconds for each that draws.
unexport PYTHONDONTWRITEBYTECODE

# How tests are distributed over processes. Those of the browser run apart: Playwright's event loop and Dagster's
# cannot share a process.
SPREAD := -n 2 --dist worksteal
IN_BROWSER := -n 2 --dist loadfile --no-loadscope-reorder mel_pipeline_tests/browser

# Both parts run even where the first one fails; Ctrl-C, which pytest answers with 2, ends it.
BOTH = failed=0; \
  $(BIN)/python -m pytest -m "$(1)" --ignore mel_pipeline_tests/browser $(SPREAD) || failed=$$?; \
  test $$failed = 2 || $(BIN)/python -m pytest -m "$(1)" $(IN_BROWSER) || failed=$$?; \
  exit $$failed

OPTIONS ?=

.PHONY: install help report test test-fast test-long test-exhaustive test-deep check format dev sandbox doctor docs benchmark benchmark-quick lock clean browser sbom audit
help:            ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

report: .venv/run.stamp    ## Set up, run every quarter of 2024 and the annual edition, print where the report is
	@$(BIN)/mel report --year 2024

test: .venv/dev.stamp $(DBT) browser    ## Set up and run the tests, in some ten minutes
	@$(call BOTH,not exhaustive and not long)

test-long: .venv/dev.stamp $(DBT) browser    ## Run the longer tests and sweeps that `make test` leaves out
	@$(call BOTH,long and not exhaustive)

test-fast: .venv/dev.stamp browser    ## Run the fast tests, in a minute and a half
	@$(BIN)/python -m pytest $(SPREAD)

test-exhaustive: .venv/dev.stamp $(DBT) browser    ## Run what the others leave out: Spark, kills, power cuts, sweeps over every platform and step
	@$(BIN)/python -m pytest -m "exhaustive and not deep" --ignore mel_pipeline_tests/browser $(SPREAD)

test-deep: test-exhaustive    ## The same, and random stories with many more examples; an hour or more
	@MEL_TEST_DEPTH=deep $(BIN)/python -m pytest -m deep $(SPREAD)

check: .venv/dev.stamp    ## Check format, lint, types, import rules, Dagster definitions
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -W error::DeprecationWarning:mel_pipeline -m mel_pipeline.defs.serving.validate

format: .venv/dev.stamp    ## Format, and fix what the linter can fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

dev: .venv/run.stamp    ## Open the Dagster UI on http://127.0.0.1:3000 with the sample organisation
	@$(BIN)/mel dev

sandbox: .venv/run.stamp    ## Serve only the sample organisation
	@$(BIN)/mel sandbox

doctor: .venv/run.stamp    ## Show what is missing and how to fix it
	@$(BIN)/mel doctor

install:         ## Install as a service of systemd with nightly runs, morning check and backups; OPTIONS=--sample|--user|--back
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later was not found. Install it (Debian: apt install python3 python3-venv)."; exit 1; }
	@$(PYTHON) deploy/install.py $(OPTIONS)

sbom: .venv/run.stamp $(AUDIT)    ## Write the software bill of materials (CycloneDX) to dist/, count the licences
	@.venv-audit/bin/python deploy/sbom.py $(BIN)/python requirements/run.txt dist/sbom.cdx.json

audit: $(AUDIT)    ## Compare the locked packages with known vulnerabilities; needs the network
	@.venv-audit/bin/pip-audit --requirement requirements/run.txt --disable-pip --no-deps --strict

docs: .venv/dev.stamp    ## Regenerate docs/indicators.md from the catalogue, docs/sources.md and docs/faults.md from the tests, .env.example from the contracts, line numbers in docs/developer.md
	@MEL_SAMPLE=false MEL_HOME=$(CURDIR)/.mel/docs $(BIN)/mel indicators > docs/indicators.md
	@$(BIN)/python -m mel_pipeline_tests.behaviours > docs/sources.md
	@$(BIN)/python -m mel_pipeline_tests.faults > docs/faults.md
	@$(BIN)/python -m mel_pipeline_tests.annual_report_facts > docs/annual-report-facts.md
	@$(BIN)/python -m mel_pipeline_tests.environment
	@$(BIN)/python -m mel_pipeline_tests.walks
	@$(BIN)/python -m mel_pipeline_tests.targetless

benchmark: .venv/dev.stamp $(DBT) $(BENCH)    ## Compare with the peers, up to 20 million rows; an hour, 20 GB of disk
	@$(BIN)/python -m mel_pipeline_tests.benchmarks
	@$(BIN)/python -m mel_pipeline_tests.benchmarks.plot

benchmark-quick: .venv/dev.stamp $(DBT) $(BENCH)    ## The same with small sizes, in a few minutes
	@$(BIN)/python -m mel_pipeline_tests.benchmarks --quick

# One stamp per environment: it is remade when the lock changes.
.venv/run.stamp: requirements/run.txt requirements/lock.txt pyproject.toml $(REBUILD)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later was not found. Install it (Debian: apt install python3 python3-venv)."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "Python's venv module is missing. Install it (Debian: apt install python3-venv)."; exit 1; }
	@$(INSTALL) requirements/run.txt --package

.venv/dev.stamp: requirements/dev.txt .venv/run.stamp
	@$(INSTALL) requirements/dev.txt --package

$(DBT): requirements/dbt.txt | .venv/run.stamp
	@$(INSTALL) requirements/dbt.txt

$(BENCH): requirements/bench.txt | .venv/run.stamp
	@$(INSTALL) requirements/bench.txt

$(AUDIT): requirements/audit.txt | .venv/run.stamp
	@$(INSTALL) requirements/audit.txt

.PHONY: FORCE
FORCE:

# System packages the tests need: a browser, a proxy for the login, an office suite to open the workbook, a PDF reader, the programs of a
# PostgreSQL server (tests start their own), Java for Spark, systemd to check our units.
# As root on Debian they are installed; otherwise the message says what to install. Any Chromium will do; the headless shell, where
# there is a package of it, takes a third of the time.
browser:
	@command -v chromium-headless-shell >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell; } \
	  >/dev/null 2>&1 || true
	@missing=""; \
	command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  command -v google-chrome >/dev/null || missing="$$missing chromium-headless-shell"; \
	command -v caddy >/dev/null || missing="$$missing caddy"; \
	command -v soffice >/dev/null || missing="$$missing libreoffice-calc-nogui"; \
	ls /usr/lib/libreoffice/program/libsdlo.so >/dev/null 2>&1 || missing="$$missing libreoffice-impress-nogui"; \
	ls /usr/lib/libreoffice/program/libswlo.so >/dev/null 2>&1 || missing="$$missing libreoffice-writer-nogui"; \
	command -v pdftotext >/dev/null || missing="$$missing poppler-utils"; \
	command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v systemd-analyze >/dev/null || missing="$$missing systemd"; \
	command -v java >/dev/null || missing="$$missing openjdk-17-jre-headless"; \
	test -z "$$missing" || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing for the tests (once):$$missing ..."; \
	    apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	  else echo "The tests need (Debian): sudo apt install$$missing"; exit 1; fi; }

lock:            ## Update the locked dependencies, with hashes
	@$(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes --only-binary :all: -r requirements/lock.txt
	@for name in run dev dbt bench audit lock; do \
	  groups=$$(case $$name in run) echo "pyproject.toml --group build";; dev) echo "pyproject.toml --group build --group dev";; *) echo "--group $$name";; esac); \
	  .venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-strip-extras --no-header $$groups -o requirements/$$name.txt; done

clean:           ## Remove everything generated: environments, sample warehouse, reports
	rm -rf .venv .venv-dbt .venv-bench .venv-audit .venv-lock .mel reports/published
