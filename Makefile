# make help lists the targets. reproduce, test, lab and list set up .venv by themselves.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup reproduce compare plan report doctor test soak lab list refresh bench clean

# What may be chosen on the command line, for example: make reproduce PROFILE=smoke JOBS=1
PROFILE ?= cpu
MODEL   ?= testbed
TASK    ?=
DATA    ?=
PAPERS  ?=
JOBS    ?= 2
SEED    ?=
SEEDS   ?=
SWEEP   ?=
RUNS    ?=
RESULTS ?=
DEVICE  ?=
GPU     ?=
SHARDS  ?=
CLUSTER ?=
ARGS    ?=

# The first Python of a supported version that can make virtual environments; PYTHON=<path> names another.
SUPPORTED := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))
PYTHON    ?= $(shell for p in python3.11 python3.12 python3; do \
	if $$p -c '$(SUPPORTED)' 2>/dev/null; then echo $$p; break; fi; done)

LOCK  := env/requirements-cpu.lock
TORCH := $(shell grep '^torch==' $(LOCK))
PIP    = .venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check
# The name holds a checksum of this folder: an environment that was copied along is set up again.
READY := .venv/.ready-$(shell echo '$(CURDIR)' | cksum | cut -d' ' -f1)
RUN   := .venv/bin/python -m replication

# One thread a process: on small models two are slower, and two notebooks run side by side.
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false
export PYTHONHASHSEED ?= 0
export TQDM_DISABLE ?= 1
# A fixed backend would make figures vanish from executed notebooks; PYTHONPATH could shadow the locked packages;
# without bytecode, as containers often set it, each of the many processes compiles all that it imports again.
unexport MPLBACKEND PYTHONPATH PYTHONDONTWRITEBYTECODE
# A run ends with the make that started it, also when that is killed.
export REPLICATION_FOLLOW := $(shell echo $$PPID)
ifneq ($(strip $(RESULTS)),)
export REPLICATION_RESULTS := $(abspath $(RESULTS))
endif

option = $(if $(strip $($(2))),$(1) '$(strip $($(2)))')
CHOICE = $(call option,--profile,PROFILE) $(call option,--model,MODEL) $(call option,--task,TASK) \
	$(call option,--data-dir,DATA) $(call option,--papers,PAPERS) $(call option,--seed,SEED) \
	$(call option,--results,RESULTS) $(call option,--device,DEVICE)
WHAT   = $(call option,--profile,PROFILE) $(call option,--model,MODEL) $(call option,--task,TASK) \
	$(call option,--data-dir,DATA) $(call option,--papers,PAPERS) $(call option,--gpu,GPU)
# A word of SWEEP is a parameter with its values: SWEEP="k=4,10 n_questions=20,40" is a grid.
MORE = $(call option,--seeds,SEEDS) $(foreach one,$(SWEEP),--sweep '$(one)') $(call option,--shards,SHARDS) \
	$(if $(strip $(CLUSTER)),--executor-profile 'env/cluster/$(strip $(CLUSTER))')

help:  ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20
	@echo; echo "  Variables of reproduce: PROFILE=smoke|cpu|gpu|paper MODEL= TASK= DATA= PAPERS= JOBS= SEED= RESULTS= DEVICE="
	@echo "  SEEDS=5 pools as many seeds; SWEEP=\"k=4,10\" runs each value. Of compare: RUNS=\"cpu-testbed cpu-testbed-large\"."
	@echo "  SHARDS=4 workers share the model runs of each notebook; CLUSTER=slurm runs the jobs there (env/cluster)."

setup: $(READY)  ## make .venv (done by the other targets when it is missing or outdated)

$(READY): $(LOCK) pyproject.toml
	@if [ -z '$(PYTHON)' ] || ! $(PYTHON) -c '$(SUPPORTED)' 2>/dev/null; then \
	echo "Python 3.11 or 3.12 with its venv module is needed: install one, or name it with PYTHON=<path>." >&2; exit 2; fi
	@echo "Setting up .venv with $(PYTHON) (once; about 2 minutes and 2 GB)"
	@rm -f .venv/.ready-*
	@$(PYTHON) -m venv .venv
	@$(PIP) -c $(LOCK) '$(TORCH)'
	@$(PIP) --no-deps -r $(LOCK)
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

reproduce: $(READY)  ## run the notebooks of all papers and judge every claim
	@$(RUN) reproduce $(CHOICE) $(MORE) --jobs '$(JOBS)' $(ARGS)

compare: $(READY)  ## runs side by side, what changed first: RUNS="cpu-testbed cpu-testbed-large"
	@$(RUN) compare $(RUNS) --notebook $(call option,--results,RESULTS) $(ARGS)

plan: $(READY)  ## what a run will cost, before it starts: tokens, operations, memory, hours (GPU=h100, ...)
	@$(RUN) plan $(WHAT) --jobs '$(JOBS)' $(ARGS)

test: export HF_HUB_OFFLINE := 1
test: $(READY)  ## lint, then unit tests and every notebook re-executed and compared
	@.venv/bin/python -m ruff check
	@.venv/bin/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder --nbval --nbval-current-env \
	--nbval-cell-timeout=1800 --nbval-sanitize-with=env/nbval_sanitize.cfg $(ARGS)

doctor: $(READY)  ## check the machine and say what each profile can do on it
	@$(RUN) doctor $(call option,--results,RESULTS) $(ARGS)

soak: export HF_HUB_OFFLINE := 1
soak: export REPLICATION_FUZZ := 200
soak: $(READY)  ## hostile texts, kills, full disks, damaged files, all notebooks on all architectures; an hour or two
	@.venv/bin/python -m pytest -q -n $(JOBS) tests/faults tests/architectures $(ARGS)

lab: $(READY)  ## open the notebooks in JupyterLab
	@.venv/bin/python -m jupyterlab notebooks $(ARGS)

list: $(READY)  ## papers, notebooks, claims, tables and figures, with where each stands
	@$(RUN) list $(ARGS)

report: $(READY)  ## the full site of a run, from what it has stored (PROFILE= MODEL= SEED= as it was run)
	@$(RUN) report $(call option,--profile,PROFILE) $(call option,--model,MODEL) $(call option,--task,TASK) \
	$(call option,--seed,SEED) $(call option,--results,RESULTS) $(ARGS)

refresh: $(READY)  ## store the outputs of the last cpu run in notebooks/
	@$(RUN) refresh $(ARGS)

bench: export HF_HUB_OFFLINE := 1
bench: $(READY)  ## speed and memory against peers, as ratios in one run; takes some minutes
	@.venv/bin/python -m benchmarks.run $(ARGS)

clean:  ## remove results and caches; .venv stays
	rm -rf results .pytest_cache .ruff_cache .hypothesis
