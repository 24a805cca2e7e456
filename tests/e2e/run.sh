#!/usr/bin/env bash
# Runs one file of e2e tests with the tests' Python.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-../../.venv-test/bin/python}
if ! "$python" -c 'import pytest, PIL' 2>/dev/null; then
    echo "no Python with pytest and Pillow: skipped"
    exit 77
fi
exec "$python" -m pytest -q -p no:cacheprovider "$@"
