.DEFAULT_GOAL := help
.PHONY: help demo test check fix lock vendor messages mutate
BIN := .venv/bin

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo:  ## Serve a demo hospital on http://127.0.0.1:8000 (needs python3.11 and pip, nothing more)
	@.ci/setup --demo
	@exec $(BIN)/python app.py demo

# One thread a process: processes with two each would spin while they wait for a core.  Three, for
# two cores: tests that start a program wait for it, and leave a core to the others.
test:  ## Run all tests, on SQLite and on a PostgreSQL of their own; T=path narrows them
	@.ci/setup
	@OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= .ci/with-postgres $(BIN)/pytest -q -n 3 --dist worksteal $(T)

check:  ## Run all that CI runs: format, lint, types, imports, tests
	@.ci/run

fix: .venv  ## Format, and repair what can be repaired by itself
	@$(BIN)/ruff check -q --fix --exit-zero . && $(BIN)/ruff format . && $(BIN)/ruff check .

lock: .venv  ## Pin all dependencies anew, to the newest that fit
	.tools/bin/uv pip compile -q --upgrade --universal --generate-hashes --group dev pyproject.toml -o requirements.lock
	PATH=$(CURDIR)/$(BIN):$$PATH npm install --package-lock-only --ignore-scripts --loglevel=error

vendor: .venv  ## Fetch the browser code and the font that package.json pins
	@.ci/vendor

messages: .venv  ## Collect new texts into the Chinese catalogue, to be translated there
	@$(BIN)/pybabel -q extract --ignore-dirs='.*' -F .ci/babel.cfg -k _l -k Spoken -k ngettext:1,2 --no-location --sort-output --omit-header -o .tools/messages.pot .
	@$(BIN)/pybabel -q update -i .tools/messages.pot -d apm/translations -l zh --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width=100

mutate: .venv  ## Break each guard on purpose, and see that a test notices
	@$(BIN)/python .ci/mutate

.venv:
	@.ci/setup --demo
