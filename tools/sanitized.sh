#!/usr/bin/env bash
# Runs the unit and contract tests of the asan or tsan build.
# oneDNN and libgomp come uninstrumented from the distribution: what ThreadSanitizer sees of them is
# suppressed in tests/tsan.supp, each line with its reason.
set -euo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp:halt_on_error=1:second_deadlock_stack=1
exec tools/ctest.sh "build/$1" -L 'unit|contract' --output-on-failure -j2
