#!/usr/bin/env bash
# run_gate.sh QUALITY_DUPES DATA_DIR WORK_DIR: makes the copies where they are not there yet, then
# judges. 77 when the pictures or Pillow are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
if [ ! -d "$2/clothing" ]; then
    echo "skipped: no pictures at $2"
    exit 77
fi
if ! "$python" -c 'import PIL.ImageFont' 2>/dev/null; then
    echo "skipped: $python has no Pillow"
    exit 77
fi
"$python" "$here/make_transforms.py" "$2" "$3"
exec "$1" "$3/truth.csv"
