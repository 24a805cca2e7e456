#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that a purpose needs: tools/deps.sh build|test|bench
# Names what is missing first; uses sudo where it is not run by root.
set -euo pipefail

build="build-essential cmake ninja-build pkg-config python3 python3-pip libvips-dev libsqlite3-dev
 libdnnl-dev libsodium-dev libjansson-dev libseccomp-dev libcmocka-dev"
case "${1:-build}" in
build) wanted="$build" ;;
test | bench) wanted="$build python3-venv clang clang-format $(apt-cache show libclang-rt-14-dev >/dev/null 2>&1 && echo libclang-rt-14-dev || true)" ;;
*)
    echo "usage: $0 build|test|bench" >&2
    exit 2
    ;;
esac

if ! command -v apt-get >/dev/null; then
    echo "deps: no apt-get here; install by hand: $wanted" >&2
    exit 0
fi
missing=""
for package in $wanted; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "deps: installing$missing"
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing
