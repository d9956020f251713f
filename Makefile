PYTHON ?= python3

.PHONY: venv venv-dev
venv:
	@$(PYTHON) tools/bootstrap.py demo
venv-dev:
	@$(PYTHON) tools/bootstrap.py dev
