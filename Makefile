# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# Thin on purpose: what a target does is in tests/. Everything is cached under ~/.cache/ovirt-mgmt-network.

PYTHON ?= python3
IN = $(PYTHON) tests/setup.py --
CACHE = $${XDG_CACHE_HOME:-$$HOME/.cache}/ovirt-mgmt-network
N ?= 100

.DEFAULT_GOAL := help
.PHONY: help demo test unit lint format scenario bench faults lab-down clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: ## the main job on three lab hosts, with all set-up
	$(IN) python tests/demo.py

test: ## every check and every scenario, with all set-up
	$(IN) python -m pytest -q -rs --durations=12 tests/unit tests/gate

unit: ## the tables, in seconds
	$(IN) python -m pytest -q tests/unit

lint: ## style, types, structure, documentation, changelog, licences
	$(IN) python -m pytest -q -k "lint or sanity or docs or changelog or licence" tests/gate/test_lint.py tests/gate/test_checks.py

format: ## format the Python code, and fix what ruff can fix
	$(IN) sh -c 'cd "$$OVIRT_CHECKOUT" && ruff check --no-cache --fix --exit-zero -q . && ruff format --no-cache .'

scenario: ## one scenario on lab hosts, by name: make scenario NAME=bond_vlan
	$(IN) python -m pytest -q -s tests/gate/test_scenarios.py -k "$(NAME)"

bench: ## figures: blackout, time, tasks, CPU, payload, beside plain nmstatectl
	$(IN) python tests/bench.py

faults: ## random faults and all cases on lab hosts, with tables at the end: make faults N=100 SEED=1 OUT=rows.jsonl
	$(IN) python -m tests.faults --count $(N) --cases all $(if $(SEED),--seed $(SEED)) $(if $(OUT),--out $(OUT))

lab-down: ## take the lab down
	$(PYTHON) tests/lab down

clean: ## take every lab down and forget everything that was cached
	@for lab in $$(ls "$(CACHE)/lab/labs" 2>/dev/null); do OVIRT_LAB_NAME=$$lab $(PYTHON) tests/lab down || exit 1; done
	@grep -ls ovirt.mgmt_network ~/.ansible/test/cache/get_pip_*.py | xargs -r rm -f
	rm -rf "$(CACHE)"
