# Everything a person or a machine does here is one verb. `make help` lists them.
# Another interpreter: make serve PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install
UV := uv==0.13.9

# A stamp says what is in .venv; it is older than what it was made from exactly when something is to be done.
SERVE := .venv/.has-serve
EXAMPLES := .venv/.has-examples
REDIS := .venv/.has-redis
DEV := .venv/.has-dev
IMAGE := .venv/.has-image

# An environment that is half made, whose interpreter is gone or that was moved here is made anew.
WHOLE := $(shell test -x $(BIN)/python && grep -qF '$(CURDIR)/.venv' $(BIN)/activate 2>/dev/null && echo yes)
ifneq ($(WHOLE),yes)
$(shell rm -f $(SERVE) $(EXAMPLES) $(REDIS) $(DEV) $(IMAGE))
endif

# The longest first, so that the last two end together.
LEVELS := acceptance fault unit contract

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve install install-examples install-redis install-dev test lint format $(LEVELS) chaos fuzz image-lint image-test bench lock clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-18s%s\n", $$1, $$2}' Makefile

serve: $(SERVE) ## serve the built-in mock on localhost:8080; another model: TARGET=path/to/file.py:Name
	$(BIN)/zypher serve $(TARGET)

install: $(SERVE) ## make .venv with the `zypher` command and no more than serving needs

install-examples: $(EXAMPLES) ## add what the examples need

install-redis: $(REDIS) ## add what servers and workers on many machines need

install-dev: $(DEV) ## add what the tests need

test: $(DEV) ## lint, then every test, two levels at a time
	@$(BIN)/python -m tests.levels $(LEVELS)

lint: $(DEV) ## style, types, dependency direction
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/pyright --warnings

format: $(DEV) ## mend what can be mended without thought
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

unit contract acceptance fault: $(DEV) ## the tests of one level
	$(BIN)/python -m pytest tests/$@ $(ARGS)

chaos: $(DEV) ## faults of every kind under load, and an account: SECONDS=300 SEED=7 (a random one) on both engines
	$(BIN)/python -m tests.chaos --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED)) $(ARGS)

fuzz: $(DEV) ## mutated requests against a server: SECONDS=60 SEED=7 (a random one)
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED)) $(ARGS)

image-lint: $(IMAGE) ## check the Dockerfile, the compose file and the Helm chart, without an engine
	$(BIN)/hadolint Dockerfile
	$(BIN)/docker-compose --profile '*' config --quiet
	$(BIN)/pyright --project tests/deploy --warnings
	$(BIN)/python -m pytest tests/deploy $(ARGS)

image-test: image-lint ## build the image, run it and the compose file, break them
	$(BIN)/python -m pytest tests/image $(ARGS)

bench: $(DEV) ## measure everything, about twelve minutes on a quiet machine; needs redis-server
	$(BIN)/python -m bench.run_all

lock: ## pin anew what pyproject.toml asks for
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip --quiet --disable-pip-version-check install $(UV)
	PATH=$(CURDIR)/.venv-lock/bin:$$PATH sh requirements/lock.sh
	rm -rf .venv-lock

clean: ## forget .venv and every cache; what is in .zypher stays
	rm -rf .venv .venv-lock .hypothesis .import_linter_cache .pytest_cache .ruff_cache dist
	find . -name __pycache__ -prune -exec rm -rf {} +

$(SERVE): requirements/serve.txt pyproject.toml
	@echo "Making .venv: half a minute, a minute and a half with what the tests need."
	@test "$(WHOLE)" = yes || sh requirements/make_venv.sh $(PYTHON)
	$(PIP) --require-hashes --requirement requirements/serve.txt
	$(PIP) --no-deps --editable .
	@touch $@

$(EXAMPLES): $(SERVE) requirements/examples.txt
	$(PIP) --require-hashes --requirement requirements/examples.txt
	@touch $@

$(REDIS): $(SERVE) requirements/redis.txt
	$(PIP) --require-hashes --requirement requirements/redis.txt
	@touch $@

$(DEV): $(SERVE) requirements/dev.txt
	$(PIP) --require-hashes --requirement requirements/dev.txt
	@touch $@

$(IMAGE): $(DEV) requirements/image.txt
	$(PIP) --require-hashes --requirement requirements/image.txt
	@touch $@
