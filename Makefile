# The two commands: `make demo` and `make test`. The rest is for those who work on Magpie.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
MODELS := $(CURDIR)/.models
export MAGPIE_MODELS ?= $(MODELS)

.PHONY: help demo test quality bench peers install format check-format asan tsan clang fuzz clean \
	release model deps-build deps-test kill200

help:
	@echo "make demo      install what is needed, build, fetch the model, show it on samples/"
	@echo "make test      install what tests need and run all of them"
	@echo "make quality   print every quality figure beside its floor"
	@echo "make bench     print every bench's JSON; make peers: beside hnswlib, faiss, onnxruntime"
	@echo "make install   install into PREFIX (default /usr/local)"
	@echo "make asan tsan clang fuzz format check-format clean"

deps-build:
	@tools/deps.sh build
deps-test:
	@tools/deps.sh test

release:
	@cmake --preset release $(if $(PYTHON),-DMAGPIE_PYTHON=$(PYTHON)) >build.log 2>&1 || { cat build.log; exit 1; }
	@cmake --build build/release -j $(JOBS)

# Out of reach is no failure: everything but words works with the builtin model.
model:
	@python3 tools/lite_fetch.py --to $(MODELS) || \
		echo "the lite model is out of reach: going on with builtin"

demo: deps-build
	@$(MAKE) --no-print-directory release model
	@tools/demo.sh

test: deps-test
	@tools/test.sh

quality: deps-test release model
	@PYTHON=$$(tools/python.sh) ctest --test-dir build/release -L quality --verbose

bench: release model
	@for b in build/release/bench/*/bench_*; do [ -x $$b ] && $$b; done

peers: release model
	@bench/peers/run

asan tsan:
	@cmake --preset $@ >build.log 2>&1 || { cat build.log; exit 1; }
	@cmake --build build/$@ -j $(JOBS)
	@tools/sanitized.sh $@

clang:
	@cmake --preset clang >build.log 2>&1 || { cat build.log; exit 1; }
	@cmake --build build/clang -j $(JOBS)

fuzz:
	@tools/fuzz.sh 60

install: release
	@cmake --install build/release $(if $(PREFIX),--prefix $(PREFIX))

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i
check-format:
	@git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror

kill200: release
	@KILLS=200 $$(tools/python.sh) -m pytest -q tests/e2e/test_kill.py

clean:
	@rm -rf build demo-library demo.html .venv-test build.log
