# SPDX-FileCopyrightText: The ovirt.mgmt_network developers
# SPDX-License-Identifier: GPL-3.0-or-later
# The targets call programs in tests/. Everything is cached in ~/.cache/ovirt-mgmt-network.

PYTHON ?= python3
IN = $(PYTHON) tests/setup.py --
CACHE = $${XDG_CACHE_HOME:-$$HOME/.cache}/ovirt-mgmt-network
N ?= 100

.DEFAULT_GOAL := help
.PHONY: help demo test unit lint format scenario bench faults lab-down clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: ## run the main job on three lab hosts; installs what it needs
	$(IN) python tests/demo.py

test: ## run all checks and scenarios; installs what it needs
	$(IN) python -m pytest -q -rs --durations=12 tests/unit tests/gate

unit: ## run the unit tests, in seconds
	$(IN) python -m pytest -q tests/unit

lint: ## check style, types, structure, documentation, changelog, and licenses
	$(IN) python -m pytest -q -k "lint or sanity or docs or changelog or licence" tests/gate/test_lint.py tests/gate/test_checks.py

format: ## format the Python code, and fix what ruff can fix
	$(IN) sh -c 'cd "$$OVIRT_CHECKOUT" && ruff check --no-cache --fix --exit-zero -q . && ruff format --no-cache .'

scenario: ## run one scenario on lab hosts: make scenario NAME=bond_vlan
	$(IN) python -m pytest -q -s tests/gate/test_scenarios.py -k "$(NAME)"

bench: ## measure blackout, time, tasks, CPU, and payload, compared with plain nmstatectl
	$(IN) python tests/bench.py

faults: ## run random faults and all cases on lab hosts, and print tables: make faults N=100 SEED=1 OUT=rows.jsonl
	$(IN) python -m tests.faults --count $(N) --cases all $(if $(SEED),--seed $(SEED)) $(if $(OUT),--out $(OUT))

lab-down: ## stop the lab
	$(PYTHON) tests/lab down

clean: ## stop all labs and delete the cache
	@for lab in $$(ls "$(CACHE)/lab/labs" 2>/dev/null); do OVIRT_LAB_NAME=$$lab $(PYTHON) tests/lab down || exit 1; done
	@grep -ls ovirt.mgmt_network ~/.ansible/test/cache/get_pip_*.py | xargs -r rm -f
	rm -rf "$(CACHE)"
