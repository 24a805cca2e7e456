#!/usr/bin/env bash
# run_openai.sh MAGPIE GOLDEN_FOLDER BUILD_FOLDER: real weights of CLIP, where they are. 77 = skipped.
set -euo pipefail
here=$(dirname "$0")
python=${PYTHON:-$("$here/../../../tools/python.sh")}
[ -n "$python" ] || { echo "skipped: no virtual environment"; exit 77; }
exec "$python" -B "$here/test_openai.py" "$@"
