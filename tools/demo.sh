#!/usr/bin/env bash
# The tour: adds samples/ to a library of its own, finds by words and by look, shows copies and odd
# ones, and writes demo.html.
set -euo pipefail
cd "$(dirname "$0")/.."
magpie=build/release/src/app/magpie
export MAGPIE_LIBRARY=$PWD/demo-library MAGPIE_MODELS=${MAGPIE_MODELS:-$PWD/.models}
export MAGPIE_DECODER=$PWD/$magpie

rm -rf demo-library demo.html
$magpie init >/dev/null
echo "adding the pictures of samples/"
$magpie add --quiet samples
$magpie demo --words "running shoes" --html demo.html
echo
echo "Look at demo.html. Then try it on your own pictures:"
echo "  $magpie init ~/.magpie-demo && MAGPIE_LIBRARY=~/.magpie-demo $magpie add ~/Pictures"
