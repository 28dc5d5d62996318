# What people type in a fresh checkout. Everything is installed into .venv (run) or .venv-test (checks); see deploy/bootstrap.py.
PYTHON ?= python3
ARGS ?=
EXTRA ?=
BOOTSTRAP = $(PYTHON) -I -S deploy/bootstrap.py
TEST = .venv-test/bin/python
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.DEFAULT_GOAL := help
.PHONY: help run test lint bench test-full reference bundle browser-deps pg-deps strace-deps faketime-deps lock clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

run:  ## install when needed, then `lianqi run` where a config.toml exists, else `lianqi demo` (ARGS="--port 9000")
	@$(BOOTSTRAP) $(if $(EXTRA),run-$(EXTRA),run)
	@exec .venv/bin/python -m bot $$([ -f config.toml ] && echo run || echo demo) $(ARGS)

test:  ## install what tests need, run them all, end with what ran and what was skipped (ARGS="tests/domain -k ladder")
	@$(BOOTSTRAP) test
	@$(TEST) -m pytest -n 2 --dist loadgroup $(ARGS)

lint:  ## style, types, floors
	@$(BOOTSTRAP) test
	@failed=0; $(TEST) -m ruff check . || failed=1; $(TEST) -m mypy || failed=1; \
	.venv-test/bin/lint-imports --no-logo || failed=1; exit $$failed

bench:  ## benchmarks, with figures (ARGS="workdays")
	@$(BOOTSTRAP) test
	@$(TEST) -m benchmarks $(ARGS)

test-full:  ## the long trials: more examples, more crashes, more load
	@$(BOOTSTRAP) test
	@LIANQI_FULL=1 $(TEST) -m pytest -n 2 --dist loadgroup --timeout 3600 $(ARGS)

reference:  ## write the generated tables of docs/reference, and config.example.toml, anew from the program
	@$(BOOTSTRAP) test
	@$(TEST) -m deploy.reference

bundle:  ## one file for machines without a network: the source, all wheels, checksums (into dist/)
	@$(PYTHON) deploy/bundle.py

browser-deps:  ## Chromium and a Chinese font from Debian, for the browser tests
	@command -v chromium >/dev/null && fc-list 2>/dev/null | grep -q "Noto Sans CJK" || \
	{ $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends chromium fontconfig fonts-noto-cjk >/dev/null; }

pg-deps:  ## PostgreSQL's server from Debian, for the tests that start one
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
	{ $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends postgresql >/dev/null; }

strace-deps:  ## strace from Debian, for the tests that kill at a system call
	@command -v strace >/dev/null || \
	{ $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends strace >/dev/null; }

faketime-deps:  ## libfaketime from Debian, for the test that sets the clock while the program runs
	@ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || \
	{ $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends libfaketime >/dev/null; }

lock:  ## write requirements/*.lock anew from requirements/*.in
	@[ -x .venv-lock/bin/pip-compile ] || \
	{ $(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install -q "pip-tools==7.6.2"; }
	@for kind in run pg test bench; do CUSTOM_COMPILE_COMMAND="make lock" .venv-lock/bin/pip-compile -q --generate-hashes \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --strip-extras --allow-unsafe \
	  $(ARGS) -o requirements/$$kind.lock $$([ $$kind = pg ] && echo requirements/run.in) requirements/$$kind.in; done

clean:  ## remove the environments and what tools left behind
	@rm -rf .venv .venv-test .venv-bench .venv-lock .venv*.tmp .venv*.old .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
