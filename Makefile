# Every command a developer needs. None asks for root or for a program other than python3 and make.
PYTHON ?= python3
ARGS ?=
PYTEST_ARGS ?=

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# One worker per core; a file's tests stay together (tests/dealing.py).
PARALLEL ?= -n auto --dist loadfile
SPHINX := $(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --jobs auto

# Commands are started by the hundred: what one has compiled the next need not.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo venv venv-dev venv-bench venv-interop check test faults interop pictures lint types floors docs format lock bench offline offline-test clean

help: ## この一覧 / this list
	@$(PYTHON) -c 'import re; [print("  make %-12s %s" % found.groups()) for line in open("Makefile", encoding="utf-8") if (found := re.match(r"([a-z-]+):.*?## (.+)", line))]'

demo: venv ## 架空の市で一晩の連携を見る / the fictional city and its night's links (ARGS=--help)
	@$(BIN)/kumobashi demo $(ARGS)

venv: ## 動かすための環境 / what running needs, in .venv
	@$(PYTHON) tools/bootstrap.py demo

venv-dev: ## 開発のための環境 / what developing needs, in .venv
	@$(PYTHON) tools/bootstrap.py dev

venv-bench:
	@$(PYTHON) tools/bootstrap.py bench

venv-interop:
	@$(PYTHON) tools/bootstrap.py interop

check: venv-dev lint types floors ## コミットの前に / before every commit: quick checks, unit and doc tests
	@$(PYTEST) -q -m "not slow" src tests/unit tests/docs $(PYTEST_ARGS)

test: export HYPOTHESIS_PROFILE ?= ci
test: venv-dev ## すべての試験 / everything
	@$(MAKE) --no-print-directory -j 2 lint types floors docs  # mypy and Sphinx take a core each
	@$(PYTEST) $(PARALLEL) $(PYTEST_ARGS)

faults: export HYPOTHESIS_PROFILE ?= ci
faults: export KUMO_SEED ?= 20261121
faults: export KUMO_ROUNDS ?= 40
faults: PARALLEL = -n auto --dist load  # few files and long ones: each test is dealt by itself
faults: venv-dev ## 障害試験（長い） / failures on purpose, long: F1 to F24, simulated lives, rounds (KUMO_SEED=, KUMO_ROUNDS=, ARGS=--help)
	@status=0; \
	$(PYTEST) $(PARALLEL) -m faults tests $(PYTEST_ARGS) || status=1; \
	$(BIN)/python -m kumobashi.testing.simulation --lives 400 --seed "$$KUMO_SEED" || status=1; \
	$(BIN)/python -m kumobashi.testing.faults.run --rounds "$$KUMO_ROUNDS" --seed "$$KUMO_SEED" $(ARGS) || status=1; \
	exit $$status

interop: venv-interop ## 本物のブラウザーと相手方のプログラムで点検 / every page in a real browser; nginx, haproxy, curl, PHP, OpenSSH, npm as counterparts
	@.venv-interop/bin/python -m pytest -m interop tests/interop $(PYTEST_ARGS)

pictures: venv-interop ## 説明書の絵を撮り直す / take the pictures in docs again (ARGS=--list)
	@.venv-interop/bin/python -m tools.pictures $(ARGS)

lint: venv-dev
	@echo "· ruff"
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo 'run: make format'; $(BIN)/ruff format --check; exit 1; }

types: venv-dev
	@echo "· mypy"
	@$(BIN)/mypy --no-error-summary

floors: venv-dev
	@echo "· import-linter"; mkdir -p build
	@$(BIN)/lint-imports --no-logo > build/floors.txt || { cat build/floors.txt; exit 1; }

docs: venv-dev ## 説明書を build/docs に作る / build the site into build/docs; warnings are errors
	@echo "· sphinx"
	@$(SPHINX) -b html -d build/doctrees docs build/docs

format: venv-dev ## 書式をそろえる / lay out the code, fix what can be fixed safely
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format --quiet

lock: venv-dev ## requirements/*.txt を作り直す / choose versions anew (ARGS=--upgrade for the newest)
	@$(BIN)/python -m tools.lock $(ARGS)

bench: venv-bench ## ほかの道具と速さを比べる / compare speed with other tools (ARGS=--help)
	@.venv-bench/bin/kumobashi bench link $(ARGS)

offline: venv ## ネットワークのない所への一式 / archives for places without a network (ARGS=--windows)
	@$(BIN)/python -m tools.offline $(ARGS)

offline-test: venv-dev offline ## その一式を、ネットワークを閉じて試す / install and run the archive, the network closed
	@$(PYTEST) -q -m offline tests $(PYTEST_ARGS)

clean: ## 作ったものを消す / remove what was built, and the environments
	@rm -rf .venv .venv-bench .venv-interop .bootstrap.lock build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find src tests tools docs -name __pycache__ -type d -prune -exec rm -rf {} +
