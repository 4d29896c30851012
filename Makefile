# Every target sets up what it needs. `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

RUN := .venv/.installed-run
DEV := .venv/.installed-dev
# Debian keeps mosquitto in /usr/sbin, which is not on everybody's PATH.
export PATH := $(PATH):/usr/sbin:/usr/local/sbin
# Where it is set, every process that a test starts compiles the whole program anew.
unexport PYTHONDONTWRITEBYTECODE

CONFIG ?= config.example.toml
# Domain and planner, for coverage.
PLANNER := planner plan desire setting removal audit rehearsal touch gates waiting slots issues
EMPTY :=
DECIDES := gateway/domain/*$(subst $(EMPTY) $(EMPTY),,$(PLANNER:%=,gateway/engine/%.py))

.PHONY: help run test test-quick check format simulate simulate-ci demo-zwave test-hub test-homeassistant deb test-deb \
	soak picture bench lock mosquitto node systemd-analyze clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: $(RUN) ## run the gateway in the foreground (CONFIG=config.example.toml)
	.venv/bin/pinsmith run --config $(CONFIG)

test: check mosquitto node systemd-analyze ## all checks, all tests with coverage, a short simulation
	.venv/bin/coverage erase
	# Twice the processors: half of the tests wait for other processes most of the time.
	PINSMITH_WHOLE_SUITE=1 .venv/bin/pytest --numprocesses=$$(( $$(nproc) * 2 )) --dist=worksteal \
		--cov --cov-report=term -raR
	# What decides about doors has no line and no branch that the fast tests have not been through.
	.venv/bin/coverage report --fail-under=100 --include='$(DECIDES)'
	@$(MAKE) --no-print-directory simulate-ci

soak: $(DEV) ## break Bluetooth work at every message instead of at a few: many minutes
	PINSMITH_STEPS=1000 .venv/bin/pytest -o faulthandler_timeout=1800 --numprocesses=auto tests/ble_homes/test_restarts.py \
		tests/ble_homes/test_broken_links.py

test-quick: $(DEV) ## the tests that take no more than a second each
	.venv/bin/pytest -m "not slow"

check: $(DEV) ## lint, format, types and import contracts
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

format: $(DEV) ## put the code into the one format
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

# Variables given to make are in the environment of what it starts.
simulate: $(DEV) ## simulate years of a gateway's life (SEED= YEARS= SEEDS= SECONDS=)
	.venv/bin/python -m tests.simulation

simulate-ci: $(DEV)
	.venv/bin/python -m tests.simulation --seeds 0-299 --seconds 150

demo-zwave: $(DEV) node ## the gateway against the real Z-Wave driver with a simulated radio
	.venv/bin/python -m tests.zwave_bed.demo

test-hub: $(DEV) node ## what needs a kernel, BlueZ and systemd: the package in a Debian guest, some minutes (STEPS=)
	scripts/need-guest
	rm -rf build/test-hub
	.venv/bin/python -m scripts.make_deb --output build/test-hub
	tests/hub_guest/build.sh build/hub-guest build/test-hub/*.deb
	.venv/bin/python -m tests.hub_guest build/hub-guest build/test-hub

picture: $(DEV) ## record the terminal that the README shows
	.venv/bin/python -m scripts.make_picture

test-homeassistant: $(DEV) mosquitto node ## what a real Home Assistant makes of discovery; installs one first, some minutes
	tests/homeassistant/build.sh build/homeassistant
	PINSMITH_HOMEASSISTANT=$(CURDIR)/build/homeassistant .venv/bin/pytest \
		-o faulthandler_timeout=900 tests/homeassistant/test_house.py tests/homeassistant/test_told_once.py

deb: $(DEV) ## build build/pinsmith_*.deb for Debian 13 (ARCH=amd64 or arm64, VERSION=)
	.venv/bin/python -m scripts.make_deb $(if $(ARCH),--arch $(ARCH)) $(if $(VERSION),--version $(VERSION))

test-deb: $(DEV) ## install, upgrade and remove that package in a Debian 13: needs root, some minutes
	scripts/need-deb
	tests/deb_root/build.sh build/deb-root.tar
	rm -rf build/test-deb
	.venv/bin/python -m scripts.make_deb --output build/test-deb
	.venv/bin/python -m scripts.make_deb --output build/test-deb/arm64 --arch arm64
	PINSMITH_DEB_ROOT=$(CURDIR)/build/deb-root.tar PINSMITH_DEB=$$(ls $(CURDIR)/build/test-deb/*.deb) \
		PINSMITH_DEB_ARM64=$$(ls $(CURDIR)/build/test-deb/arm64/*.deb) \
		.venv/bin/pytest -p no:cacheprovider tests/deb_root/lifecycle.py

bench: $(DEV) mosquitto node ## measure; see docs/benchmarks.md
	.venv/bin/python -m benchmarks

lock: $(DEV) ## renew requirements/*.txt within what pyproject.toml allows
	scripts/lock

mosquitto:
	@scripts/need-mosquitto

node:
	@scripts/need-node

systemd-analyze:
	@scripts/need-systemd-analyze

clean: ## remove what make and the tools have left here
	rm -rf .venv .bootstrap build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage .coverage.* htmlcov \
		tests/zwave_bed/node_modules tests/asyncapi/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	scripts/make-venv

# Order-only: the interpreter's own date says nothing about what is installed.
$(RUN): requirements/run.txt pyproject.toml scripts/install | .venv/bin/python
	scripts/install run
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml scripts/install | .venv/bin/python
	scripts/install dev
	@touch $@ $(RUN)
