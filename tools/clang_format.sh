#!/usr/bin/env bash
# Prints the clang-format to use: the pinned one of the tests' environment, because releases disagree on
# layout; else the system's.
set -euo pipefail
cd "$(dirname "$0")/.."
pinned=.venv-test/bin/clang-format
[ -x $pinned ] && echo "$PWD/$pinned" || command -v clang-format
