# Needs Python 3.11 or newer and make, nothing else: each target makes .venv, or mends it, before it works.
# Nothing is installed outside .venv. PYTHON=... chooses the interpreter, ARGS=... is handed on to the command.

PY = .venv/bin/python
ARGS =

.PHONY: help verify test lint clean setup setup-dev

help:
	@echo 'make verify   the main job: every engine on the protocol and recorded histories'
	@echo "make test     the test suite, on all cores; ARGS=-n0 for one"
	@echo 'make lint     ruff, mypy, pyright and the import direction'
	@echo 'make clean    remove .venv and every cache'
	@echo
	@echo "ARGS='...' is handed on, as in: make test ARGS='-k cut -x'"
	@echo 'PYTHON=/path/to/python3.12 chooses the interpreter.'

# The set-up decides for itself whether there is anything to do; that takes some hundredths of a second.
setup:
	@sh tools/setup.sh test

setup-dev:
	@sh tools/setup.sh dev

verify: setup
	$(PY) -m mirrorspec.cli verify $(ARGS)

test: setup
	$(PY) -m pytest -n auto --dist worksteal $(ARGS)

# Every linter has its say, also after one has failed.
lint: setup-dev
	@failed=; \
	for linter in '-m ruff check .' '-m ruff format --check --quiet .' '-m mypy' '-m pyright --pythonpath $(PY)' \
	    .venv/bin/lint-imports; do \
	    case $$linter in -*) linter="$(PY) $$linter" ;; esac; \
	    echo "$$linter"; $$linter || failed="$$failed\n  $$linter"; \
	done; \
	if [ -n "$$failed" ]; then printf "failed:$$failed\n" >&2; exit 1; fi

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find spec proofs impl oracle model_tests -name __pycache__ -type d -prune -exec rm -rf {} +
