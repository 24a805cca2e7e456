#!/usr/bin/env bash
# run.sh TEST_PROGRAM BUILD_FOLDER: CLIP's tokens against the `tokenizers` package, with the vocabulary
# of open_clip, which is fetched into the build folder once. Exit code 77 = skipped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-$("$here/../../../tools/python.sh")}
[ -n "$python" ] || { echo "SKIPPED: CLIP's tokens are NOT checked: no virtual environment"; exit 77; }
"$python" -B "$here/make_golden.py" "$2"
MAGPIE_GOLDEN=$2 exec "$1"
