#!/usr/bin/env bash
# The tour: adds samples/ to a library of its own, finds by words and by look, shows copies and odd
# ones, writes demo.html, and leaves the service running (SERVE=no: not; PORT=N: not at 8080).
set -euo pipefail
cd "$(dirname "$0")/.."
magpie=build/release/src/app/magpie
export MAGPIE_LIBRARY=$PWD/demo-library MAGPIE_MODELS=${MAGPIE_MODELS:-$PWD/.models}
export MAGPIE_DECODER=$PWD/$magpie

python3 tools/demo_serve.py stop >/dev/null
rm -rf demo-library demo.html
$magpie init >/dev/null
echo "adding the pictures of samples/"
$magpie add --quiet samples
$magpie demo --words "running shoes" --html demo.html
echo
echo "Look at demo.html. Then try it on your own pictures:"
echo "  $magpie init ~/.magpie-demo && MAGPIE_LIBRARY=~/.magpie-demo $magpie add ~/Pictures"
if [ "${SERVE:-yes}" != no ]; then
    python3 tools/demo_serve.py start --port "${PORT:-8080}"
fi
