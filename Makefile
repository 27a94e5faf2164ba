PYTHON ?= python3
PORT ?= 8000
SEED ?= 0
REPEATS ?= 5
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: help run setup test loop bench faults lint types words clean
help: ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

run: ## set everything up and serve the product with the sample campaign [PORT=8000]
	@$(PYTHON) config/bootstrap.py run --port $(PORT)

setup: ## set everything up for development
	@$(PYTHON) config/bootstrap.py setup

test: ## set everything up and pass every test
	@$(PYTHON) config/bootstrap.py setup --browser
	@cd frontend && PATH="$(CURDIR)/.venv/bin:$$PATH" npm test
	@.venv/bin/python -m pytest -n auto --dist loadscope
	@.venv/bin/python -m tests.postgres

loop: ## the whole loop once with simulated labelers [SEED=0]
	@$(PYTHON) config/bootstrap.py loop --seed $(SEED)

bench: ## the measurements, side by side with the peers [ONLY=lab|judgements|browser|flywheel|namespaces REPEATS=5]
	@$(PYTHON) config/bootstrap.py setup
	@.venv/bin/python -m benchmarks $(ONLY) --repeats $(REPEATS)

faults: ## harm done to runs on purpose, and what came of it [ONLY=kills|stops|times|brokers|databases|disks|clicks|mixed REPEATS=5]
	@$(PYTHON) config/bootstrap.py setup
	@.venv/bin/python -m benchmarks.faults $(ONLY) --repeats $(REPEATS)

lint: ## style and import contracts
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/lint-imports
	@cd frontend && PATH="$(CURDIR)/.venv/bin:$$PATH" npm run lint

types: ## static types, Python and TypeScript
	@.venv/bin/mypy annotation config trainer && cd frontend && PATH="$(CURDIR)/.venv/bin:$$PATH" npm run types

words: ## bring new texts into the translation catalogs
	@.venv/bin/python -m config.words

clean: ## delete what setup made; var/ with its data stays
	@rm -rf .venv frontend/node_modules frontend/dist
