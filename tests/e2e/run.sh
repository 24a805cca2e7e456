#!/usr/bin/env bash
# Runs one file of e2e tests with the tests' Python.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-../../.venv-test/bin/python}
if ! "$python" -c 'import pytest, PIL' 2>/dev/null; then
    echo "no Python with pytest and Pillow: skipped"
    exit 77
fi
status=0
"$python" -m pytest -q -rs -p no:cacheprovider "$@" || status=$?
[ $status -ne 5 ] || exit 77 # all of the file was skipped, and it says why
exit $status
