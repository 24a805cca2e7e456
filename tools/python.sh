#!/usr/bin/env bash
# Prints the Python of the tests' virtual environment, made when absent: pinned packages of
# tests/requirements.txt. Prints nothing when it cannot be made (no venv module, no registry).
set -uo pipefail
cd "$(dirname "$0")/.."
venv=.venv-test
stamp=$venv/.made-for
if ! cmp -s tests/requirements.txt "$stamp"; then
    python3 -m venv "$venv" >&2 &&
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt >&2 &&
        cp tests/requirements.txt "$stamp" || exit 0
fi
echo "$PWD/$venv/bin/python"
