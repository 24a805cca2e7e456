#!/usr/bin/env bash
# Everything that `make test` promises, in the order in which it is quickest to fail. The release run
# comes last, so that its counts close the output, after what was skipped and why.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s (%d:%02d)\n' "$*" $((SECONDS / 60)) $((SECONDS % 60))
}

run() {
    make --no-print-directory "$@"
}

export PYTHON
PYTHON=$(tools/python.sh)
[ -n "$PYTHON" ] || echo "no virtual environment: the Python tests are skipped"
step "formatting"
if tools/clang_format.sh >/dev/null; then run check-format; else echo "no clang-format: skipped"; fi
step "release build (GCC, -Werror)"
run release
step "model"
run model
step "web app: lint, types, unit tests, build"
run web
if command -v npm >/dev/null; then
    step "TypeScript client: build, types, lint"
    run sdk-typescript
else
    echo "no npm: the TypeScript client is not tested"
fi
if command -v "${CHROMIUM:-chromium}" >/dev/null; then
    step "web app in Chromium"
    run web-e2e
else
    echo "no Chromium: the web app is not driven"
fi
if command -v clang >/dev/null; then
    step "Clang build (-Werror)"
    run clang
fi
step "kernels for 64-bit ARM, under qemu"
run neon
step "AddressSanitizer and UndefinedBehaviorSanitizer"
run asan
step "ThreadSanitizer"
run tsan
if command -v clang >/dev/null && tools/fuzz.sh --can; then
    step "fuzz targets, a short run each, the same way each time ('make fuzz' goes new ways)"
    tools/fuzz.sh 20 1
fi
step "all tests, release build"
tools/ctest.sh build/release --output-on-failure -j2
