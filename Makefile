# What this repository can do, one word each. `make help` lists them.
#
# On a bare machine (python3, git, package registries) `make demo` and `make test` are enough: uv comes by itself.

CACHE := $(or $(TALLYSTICK_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tallystick)
export PATH := $(CACHE)/bin:$(PATH)
UV := uv run --frozen

.DEFAULT_GOAL := help
.PHONY: help uv demo test soak bench validator program program-check client client-check docs mutation lint format clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

uv:
	@toolchain/install uv >/dev/null

demo: uv ## the main job once, on an embedded cluster and SQLite: statement, attestation, tokens, a dividend, reconciliation
	@$(UV) --no-dev tally demo

test: uv ## every test: Rust, Python, program, property, in a browser, end to end on both clusters, a third party's client
	@tests/run

soak: uv ## TALLY_SOAK steps (100,000) and TALLY_SOAK_SCHEDULES pushes among faults (10,000), from the seed TALLY_SEED
	@TALLY_SOAK=$${TALLY_SOAK:-100000} $(UV) pytest -q -s tests/property/test_laws.py -k no_sequence
	@TALLY_SOAK_SCHEDULES=$${TALLY_SOAK_SCHEDULES:-10000} $(UV) pytest -q -s tests/property/test_payout_schedules.py -k no_schedule

bench: uv ## what a dividend and a report take, and what a dividend costs on chain, as tables; about twenty minutes
	@$(UV) python bench/dividends/off_chain.py
	@$(UV) python bench/dividends/whole_push.py
	@$(UV) python bench/dividends/on_chain.py
	@$(UV) python bench/reports/scale.py

validator: ## get solana-test-validator, once (resumable; built from its crate where nothing nearer has it)
	@toolchain/install validator

program: ## rebuild the on-chain program and its IDL into client/tallystick/program
	@toolchain/build-program client/tallystick/program

program-check: ## rebuild the program elsewhere and fail if one committed byte differs
	@toolchain/program-check

client: uv ## write the typed client from the IDL
	@$(UV) python toolchain/generate_client.py

client-check: uv ## fail if the typed client is not what the IDL gives
	@$(UV) python toolchain/generate_client.py --check

docs: uv ## write anew what the tests measure: docs/localnet_differences.md (needs the validator)
	@TALLY_WRITE_DIFFERENCES=1 $(UV) pytest -q tests/e2e/test_localnet_differs.py

mutation: uv ## take each guard out of the program in turn: a test has to fail; half an hour, goes on where it stopped
	@eval "$$(toolchain/env)" && $(UV) python toolchain/mutation_check.py

lint: uv ## formatting, clippy, ruff and mypy, changing nothing
	@toolchain/run cargo fmt --all --check
	@toolchain/run cargo clippy --locked --all-targets -- -D warnings
	@$(UV) ruff check .
	@$(UV) ruff format --check .
	@$(UV) mypy
	@MYPYPATH=client:toolchain $(UV) mypy toolchain/*.py toolchain/install
	@$(UV) mypy toolchain/validator

format: uv ## format Rust and Python
	@toolchain/run cargo fmt --all
	@$(UV) ruff check --fix .
	@$(UV) ruff format .

clean: ## remove what was built here; the tools in the cache stay
	@rm -rf target .anchor .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-output test-ledger
