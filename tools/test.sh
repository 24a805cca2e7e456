#!/usr/bin/env bash
# Everything that `make test` promises, in the order in which it is quickest to fail. The release run
# comes last, so that its counts close the output.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s\n' "$*"
}

export PYTHON
PYTHON=$(tools/python.sh)
[ -n "$PYTHON" ] || echo "no virtual environment: the Python tests are skipped"
step "release build (GCC, -Werror)"
make --no-print-directory release
step "model"
make --no-print-directory model
if command -v clang >/dev/null; then
    step "Clang build (-Werror)"
    make --no-print-directory clang
fi
step "AddressSanitizer and UndefinedBehaviorSanitizer"
make --no-print-directory asan
step "ThreadSanitizer"
make --no-print-directory tsan
if command -v clang >/dev/null && tools/fuzz.sh --can; then
    step "fuzz targets, a short run each"
    tools/fuzz.sh 10
fi
step "all tests, release build"
ctest --test-dir build/release --output-on-failure
