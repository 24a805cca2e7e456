# The two commands: `make demo` and `make test`. The rest is for those who work on Magpie.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
MODELS := $(CURDIR)/.models
export MAGPIE_MODELS ?= $(MODELS)
SOURCES = find src include tests bench examples fuzz -name '*.[ch]' -print0

.PHONY: help demo test quality bench bench-http peers bench-peers install format check-format asan tsan clang neon fuzz clean \
	release model deps-demo deps-test deps-bench deps-neon kill200 memory10000 api generated docs-ui schema \
	sdk-python sdk-typescript demo-stop web web-app web-e2e

help:
	@echo "make demo      install what is needed, build, fetch the model, show it on samples/, serve it"
	@echo "               (SERVE=no: do not; PORT=N: not at 8080); make demo-stop ends the service"
	@echo "make test      install what tests need and run all of them"
	@echo "make quality   print every quality figure beside its floor"
	@echo "make bench     print every bench's JSON; make peers: beside other libraries from PyPI"
	@echo "make bench-http   the service beside the library, nginx and the command line"
	@echo "make install   install into PREFIX (default /usr/local; DESTDIR works, too)"
	@echo "make kill200 memory10000   the long forms of two end-to-end tests"
	@echo "make api       write api/openapi.json anew from api/openapi.yaml"
	@echo "make generated   that, and what the binary prints of itself: docs/cli.md and the examples of settings"
	@echo "make web       check, test and build the web app (npm); serve shows it from build/web"
	@echo "make web-e2e   drive the app in Chromium against the real binary"
	@echo "make docs-ui   fetch what the page /docs needs (npm); before make install"
	@echo "make sdk-typescript   fetch what the TypeScript client needs (npm), build and check it"
	@echo "make sdk-python   build the Python client's wheel into build/sdk-python"
	@echo "make schema    ask the service everything that its interface file allows, for longer"
	@echo "make neon      build the kernels for 64-bit ARM and run their tests under qemu (deps-neon: what it needs)"
	@echo "make asan tsan clang fuzz format check-format clean"

deps-demo deps-test deps-bench deps-neon:
	@tools/deps.sh $(@:deps-%=%)

# $(call configure,PRESET,OPTIONS): quiet unless it fails.
configure = mkdir -p build && { cmake --preset $(1) $(2) >build/$(1).log 2>&1 || { cat build/$(1).log; exit 1; }; }

release:
	@$(call configure,release,$(if $(PYTHON),-DMAGPIE_PYTHON=$(PYTHON)) -DCMAKE_INSTALL_PREFIX=$(PREFIX))
	@cmake --build build/release -j $(JOBS)

# Out of reach is no failure: everything but words works with the builtin model. Ends as `magpie model pull`
# does, with the measure that decides whether 8-bit products are used.
model: release
	@python3 tools/lite_fetch.py --to $(MODELS) || \
		echo "the lite model is out of reach: going on with builtin"
	@[ ! -d $(MODELS)/lite ] || MAGPIE_MODELS=$(MODELS) build/release/src/app/magpie model quantize lite

demo: deps-demo
	@$(MAKE) --no-print-directory release model
	@$(MAKE) --no-print-directory web-app >build/web-app.log 2>&1 || \
		echo "the web app was not built (build/web-app.log says why): the service runs without it"
	@SERVE=$(SERVE) PORT=$(PORT) tools/demo.sh

demo-stop:
	@python3 tools/demo_serve.py stop

test: deps-test
	@tools/test.sh

quality: deps-test release model
	@PYTHON=$$(tools/python.sh) ctest --test-dir build/release -L quality --verbose

bench: deps-bench release model
	@for b in build/release/bench/*/bench_*; do if [ -x $$b ]; then $$b || exit 1; fi; done

peers bench-peers: deps-bench release model
	@bench/peers/run

asan tsan:
	@$(call configure,$@)
	@cmake --build build/$@ -j $(JOBS)
	@tools/sanitized.sh $@

clang:
	@$(call configure,clang)
	@cmake --build build/clang -j $(JOBS)

neon:
	@tools/neon.sh

fuzz: deps-test
	@tools/fuzz.sh 60

bench-http: deps-bench release model
	@PYTHON=$$(tools/python.sh) bench/http/run build/release

install: release
	@cmake --install build/release

format:
	@$(SOURCES) | xargs -0 "$$(tools/clang_format.sh)" -i
check-format:
	@$(SOURCES) | xargs -0 "$$(tools/clang_format.sh)" --dry-run -Werror

kill200: release
	@KILLS=200 PYTHON=$$(tools/python.sh) tests/e2e/run.sh test_kill.py
memory10000: release
	@PICTURES=10000 PYTHON=$$(tools/python.sh) tests/e2e/run.sh -s test_memory.py

generated: release api
	@build/release/src/app/magpie help --markdown >docs/cli.md
	@build/release/src/app/magpie help --env >.env.example
	@build/release/src/app/magpie help --toml >magpie.example.toml

api:
	@python=$$(tools/python.sh) && $${python:?needs PyYAML of tests/requirements.txt} tools/openapi_json.py

# What npm fetches is pinned by hash; nothing of it is run. The tree of the source stays as it is.
docs-ui: UI := build/npm-docs/node_modules/swagger-ui-dist
docs-ui:
	@mkdir -p build/npm-docs build/web/docs
	@cp web/docs/package.json web/docs/package-lock.json build/npm-docs/
	@npm ci --prefix build/npm-docs --ignore-scripts --no-audit --no-fund --loglevel=error
	@cp $(UI)/swagger-ui.css $(UI)/swagger-ui-bundle.js $(UI)/swagger-ui-standalone-preset.js \
		$(UI)/favicon-32x32.png $(UI)/LICENSE $(UI)/NOTICE \
		$(UI)/swagger-ui-bundle.js.LICENSE.txt $(UI)/swagger-ui-standalone-preset.js.LICENSE.txt build/web/docs/
	@cp web/docs/index.html web/docs/page.css web/docs/init.js build/web/docs/

# As of the lock file; no script of any package is run. docs/ in build/web is another target's.
web: web-app
	@node=$$(tools/node.sh) && export PATH="$$node:$$PATH" && cd web && npm run --silent lint && \
		npm run --silent typecheck && npm run --silent test

web-app:
	@node=$$(tools/node.sh) && export PATH="$$node:$$PATH" && cd web && \
		npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent build
	@mkdir -p build/web && find build/web -mindepth 1 -maxdepth 1 ! -name docs -exec rm -rf {} +
	@cp -R web/dist/. build/web/ && rm -rf build/web/.vite

web-e2e: release web-app
	@node=$$(tools/node.sh) && export PATH="$$node:$$PATH" && cd web && \
		MAGPIE=$${MAGPIE:-$(CURDIR)/build/release/src/app/magpie} \
		MAKE_LIBRARY=$${MAKE_LIBRARY:-$(CURDIR)/build/release/bench/http/http_library} npm run --silent e2e

# As of the lock file; no script of any package is run.
sdk-typescript:
	@cd sdk/typescript && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && \
		npm run --silent build && npm run --silent typecheck && npm run --silent lint

schema: release
	@EXAMPLES=300 PYTHON=$$(tools/python.sh) tests/e2e/run.sh -s test_schema.py

sdk-python:
	@mkdir -p build/sdk-python
	@python=$$(tools/python.sh) && $${python:?needs the packages of tests/requirements.txt} -m pip wheel --quiet \
		--disable-pip-version-check --no-deps --wheel-dir build/sdk-python ./sdk/python
	@ls build/sdk-python/*.whl

clean:
	@rm -rf build demo-library demo.html .venv-test
