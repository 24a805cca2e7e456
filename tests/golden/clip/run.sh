#!/usr/bin/env bash
# run.sh PROBE BUILD_FOLDER: CLIP's towers against onnxruntime. Exit code 77 = skipped.
set -euo pipefail
here=$(dirname "$0")
python=${PYTHON:-$("$here/../../../tools/python.sh")}
[ -n "$python" ] || { echo "skipped: no virtual environment"; exit 77; }
exec "$python" -B "$here/test_clip.py" "$1" "$2"
