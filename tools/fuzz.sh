#!/usr/bin/env bash
# Runs each libFuzzer target for some seconds: tools/fuzz.sh SECONDS [SEED]; with a seed every run takes
# the same way, as far as it gets in its time. --can: is libFuzzer there?
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --can ]; then
    [ -f fuzz/CMakeLists.txt ] || exit 1
    echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n && 0; }' |
        clang -x c -fsanitize=fuzzer,address - -o /dev/null 2>/dev/null
    exit
fi
mkdir -p build
cmake --preset fuzz >build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }
cmake --build build/fuzz
for target in build/fuzz/fuzz/fuzz_*; do
    [ -x "$target" ] || continue
    echo "$(basename "$target"): ${1:-60} s"
    "$target" -seed="${2:-0}" -max_total_time="${1:-60}" -artifact_prefix=build/fuzz/ -verbosity=0 -rss_limit_mb=4096
done
