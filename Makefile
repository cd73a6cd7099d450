# `make` lists the targets. Only python3, make and git are needed before.

PYTHON ?= python3
RUN := .venv/bin/python
ARGS ?=
# Two test files at a time, each process with a database of its own. Some tests named by ARGS run in one process.
PROCESSES ?= 2

.DEFAULT_GOAL := help
.PHONY: help run test check format bench fuzz chaos venv venv-dev venv-fuzz

help: ## list the targets
	@echo "make TARGET, where TARGET is"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12
	@echo "Variables: PORT, BIND, DATA_DIR, DATABASE_URL, REDIS_URL, DEMO (docs/operations.md), PYTHON, ARGS, PROCESSES"

run: venv ## start the portal and everything it needs; Ctrl-C stops it
	@exec $(RUN) -m launcher run

test: venv-dev venv-fuzz ## run all tests, or some: make test ARGS="merging -k undo"
	@$(RUN) -m launcher.chromium
	@exec $(RUN) -m pytest $(or $(ARGS),--numprocesses $(PROCESSES) --dist loadfile)

check: venv-dev ## format, lint, types, imports, templates, migrations, settings, security
	@exec $(RUN) -m launcher.check

format: venv-dev ## format the code and sort its imports
	@$(RUN) -m ruff check --quiet --fix-only --select I .
	@$(RUN) -m ruff format .

bench: venv-dev ## measure against the raw limit and against peers
	@exec $(RUN) -m benchmarks $(ARGS)

fuzz: venv-dev venv-fuzz ## long property tests, and schemathesis against the running REST
	@exec $(RUN) -m tests.fuzz $(ARGS)

chaos: venv-dev ## kill, stop and cut off the processes of a portal under load; nothing may be lost or doubled
	@exec $(RUN) -m tests.chaos $(ARGS)

venv:
	@$(PYTHON) launcher/venv.py run

venv-dev:
	@$(PYTHON) launcher/venv.py dev

venv-fuzz:
	@$(PYTHON) launcher/venv.py fuzz
