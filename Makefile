# The two commands of README: make lab, make test. Both set everything up first, once.
# ARGS goes to the command: make lab ARGS=--no-browser, make test ARGS=-x, make lock ARGS=--upgrade.
# PYTHON names the Python to use: make lab PYTHON=python3.12.

BIN := .venv/bin
ARGS ?=
export PYTHON

.PHONY: help lab test lint pytest bench fuzz format lock setup browser libnvme clean

help:
	@echo "make lab      open the first notebook in JupyterLab"
	@echo "make test     linter, type checker, all tests"
	@echo "make bench    measure the speed, each figure beside its peer"
	@echo "make fuzz     send 200 000 commands, most of them nonsense, to the SSD"
	@echo "make format   put the code into the project's form"
	@echo "make lock     renew requirements.lock and environment.yml from pyproject.toml"
	@echo "make clean    remove what these commands made, .venv included"

lab: setup
	@$(BIN)/nvmelm lab $(ARGS)

test: lint pytest

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

pytest: browser libnvme
	$(BIN)/pytest -n 2 $(ARGS)

bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

fuzz: setup
	@$(BIN)/python -m tests.ssd.long_fuzz $(ARGS)

format: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: setup
	$(BIN)/python tools/lock.py $(ARGS)

setup:
	@sh tools/setup.sh

browser: setup
	@$(BIN)/python tools/browser.py

libnvme: setup
	@$(BIN)/python tools/libnvme.py

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
