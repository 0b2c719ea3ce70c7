# Two commands do all that is needed on a machine with Python 3.11+ and make:
#   make demo    the main job: Kepler runs in, a report of what is conserved out
#   make test    lint and the whole test suite, on TensorFlow and on JAX
# A third builds the documentation, in docs/_build/html:
#   make docs
PYTHON ?= python3
TF  := .venv-tensorflow
JAX := .venv-jax
# The stable and the nightly TensorFlow Probability install the same module, so each backend
# has an environment of its own.

# TensorFlow tells at every start which instructions its processor has.
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: demo test test-tensorflow test-jax test-slow lint bench docs clean

demo: $(TF)/ready
	KERAS_BACKEND=tensorflow $(TF)/bin/python examples/kepler.py

# Side by side, a thread each. The tests on TensorFlow take longer: two processes share their files.
test: lint
	OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 $(MAKE) --jobs=2 test-tensorflow test-jax

test-tensorflow: $(TF)/ready
	KERAS_BACKEND=tensorflow $(TF)/bin/python -m pytest -q --numprocesses=2 --dist=loadfile --no-loadscope-reorder

# JAX compiles each test's functions anew: without the slow passes, a fifth less time.
test-jax: $(JAX)/ready
	XLA_FLAGS="--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true" \
	KERAS_BACKEND=jax $(JAX)/bin/python -m pytest -q tests/keras_ndm

test-slow: $(TF)/ready-for-docs $(JAX)/ready
	KERAS_BACKEND=tensorflow $(TF)/bin/python -m pytest -q -m slow
	KERAS_BACKEND=jax $(JAX)/bin/python -m pytest -q -m slow tests/keras_ndm

lint: $(TF)/ready
	$(TF)/bin/ruff check .
	$(TF)/bin/ruff format --check .

bench: $(TF)/ready
	KERAS_BACKEND=tensorflow $(TF)/bin/python benchmarks/recovered_laws.py

# Pages are about both packages, so the environment is TensorFlow's, and Sphinx joins it.
docs: $(TF)/ready-for-docs
	KERAS_BACKEND=tensorflow $(TF)/bin/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

clean:
	rm -rf $(TF) $(JAX) build dist keras_ndm.egg-info docs/_build docs/gallery docs/notebooks docs/reference/api

$(TF)/ready: pyproject.toml
	$(PYTHON) -m venv $(TF)
	$(TF)/bin/python -m pip install --quiet --upgrade pip
	$(TF)/bin/python -m pip install --quiet --editable '.[tensorflow,test]'
	touch $@

$(TF)/ready-for-docs: $(TF)/ready
	$(TF)/bin/python -m pip install --quiet --editable '.[docs]'
	touch $@

$(JAX)/ready: pyproject.toml
	$(PYTHON) -m venv $(JAX)
	$(JAX)/bin/python -m pip install --quiet --upgrade pip
	$(JAX)/bin/python -m pip install --quiet --editable '.[jax,test]'
	touch $@
