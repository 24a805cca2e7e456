#!/bin/sh
# Makes the golden tensors with the tests' Python, then compares: run.sh TEST_PROGRAM OUT_FOLDER
set -e
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-$here/../../../.venv-test/bin/python}
[ -x "$python" ] || python=python3
[ -n "$MAGPIE_MODELS" ] || { echo "MAGPIE_MODELS is not set: skipped"; exit 77; }
"$python" -B "$here/make_golden.py" "$MAGPIE_MODELS/lite" "$2"
MAGPIE_GOLDEN=$2 exec "$1"
