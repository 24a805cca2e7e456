#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that a purpose needs: tools/deps.sh demo|test|bench|neon
# Names what is missing first; uses sudo where it is not run by root. Touches nothing when all is there.
set -euo pipefail

build="build-essential cmake ninja-build pkg-config python3 python3-pip libvips-dev libjpeg-dev libwebp-dev libsqlite3-dev
 libdnnl-dev libsodium-dev libjansson-dev libseccomp-dev libmicrohttpd-dev libgnutls28-dev zlib1g-dev libjwt-dev libcurl4-openssl-dev
 libarchive-dev
 libcmocka-dev"
cross="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" # builds and runs tools/neon.sh's tests
[ "$(uname -m)" != aarch64 ] || cross=
case "${1:-demo}" in
demo) wanted=$build ;;
test) wanted="$build python3-venv clang chromium $cross" ;;
bench) wanted="$build python3-venv clang wrk nginx-light" ;; # what bench/http measures with, and beside
neon) wanted=$cross ;;
*)
    echo "usage: $0 demo|test|bench|neon" >&2
    exit 2
    ;;
esac

if ! command -v apt-get >/dev/null; then
    echo "deps: no apt-get on this system, so nothing was installed; what is needed:" $wanted >&2
    exit 0
fi

installed() {
    dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        echo "deps: neither root nor sudo; as root:" "$@" >&2
        exit 1
    fi
}

get() {
    echo "deps: installing" "$@"
    as_root apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

missing=()
for package in $wanted; do
    installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "deps: missing:" "${missing[@]}"
    as_root apt-get update -qq </dev/null
    get "${missing[@]}"
fi

# Clang's sanitizers and libFuzzer: a package of their own, named by version, on most releases. Without it
# only the fuzz targets are left out.
if command -v clang >/dev/null && [[ $wanted == *clang* ]]; then
    runtime=libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev
    installed "$runtime" || ! apt-cache show "$runtime" >/dev/null 2>&1 || get "$runtime"
fi
