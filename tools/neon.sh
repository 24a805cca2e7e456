#!/usr/bin/env bash
# Builds the kernels and their unit tests for 64-bit ARM and runs them under qemu, as a processor with
# nothing but the baseline (cortex-a53) and as one with all that qemu knows (max), SDOT among it.
# Everything it makes or fetches lies in build/neon. Where something is missing it says so and is no
# failure.
set -euo pipefail
cd "$(dirname "$0")/.."
cc=aarch64-linux-gnu-gcc
root=/usr/aarch64-linux-gnu
place=$PWD/build/neon
flags="-std=c17 -O3 -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
 -Wwrite-strings -fno-strict-aliasing -D_GNU_SOURCE -Isrc"

skip() {
    echo "neon: SKIPPED, the ARM kernels were not run: $*"
    exit 0
}

# cmocka for ARM, unpacked and not installed. The lists of packages are apt's own, checked by the
# system's keys, but in a folder beside: neither apt's state nor its architectures change.
fetch_cmocka() {
    mkdir -p "$place"/apt/{lists/partial,cache/archives/partial,debs}
    cat >"$place/apt/conf" <<END
Dir::State "$place/apt"; Dir::State::status "/dev/null"; Dir::Cache "$place/apt/cache";
APT::Architecture "arm64"; APT::Architectures { "arm64"; }; APT::Sandbox::User "$(id -un)";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
#clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success;
END
    (
        cd "$place/apt/debs"
        apt-get -qq -c ../conf update && apt-get -qq -c ../conf download libcmocka0 libcmocka-dev &&
            for deb in *.deb; do dpkg -x "$deb" "$place/cmocka"; done
    ) >"$place/apt/log" 2>&1
}

# Prints how many tests of a program passed; all it said where one did not.
run_one() { # PROCESSOR TEST
    local said
    if ! said=$(qemu-aarch64 -cpu "$1" -L $root -E LD_LIBRARY_PATH="$lib" "$place/$2" 2>&1); then
        printf '%s\nneon: %s failed as %s\n' "$said" "$2" "$1" >&2
        exit 1
    fi
    printf 'neon: %-11s %-15s %s\n' "$1" "$2" "$(sed -n 's/^\[  PASSED  \] //p' <<<"$said")"
    sed -n 's/^kernels: /neon: &/p' <<<"$said"
}

[ "$(uname -m)" != aarch64 ] || skip "this processor is one, the ordinary tests have run them"
command -v $cc >/dev/null || skip "no $cc (tools/deps.sh neon installs it)"
command -v qemu-aarch64 >/dev/null || skip "no qemu-aarch64 (tools/deps.sh neon installs it)"
lib=$place/cmocka/usr/lib/aarch64-linux-gnu
[ -e "$lib/libcmocka.so" ] || fetch_cmocka ||
    skip "apt has no cmocka for arm64 ($(tail -n 1 "$place/apt/log" 2>/dev/null))"

rm -f "$place"/*.[oa]
for source in src/base/base.c src/base/os.c src/simd/*.c; do
    object=$place/$(basename "$source" .c).o
    $cc $flags -c "$source" -o "$object"
    if command -v clang >/dev/null; then # warnings only: what runs is GCC's
        clang --target=aarch64-linux-gnu -isystem $root/include $flags -c "$source" -o /dev/null
    fi
done
ar rcs "$place/libkernels.a" "$place"/*.o
for source in tests/unit/simd/test_*.c; do
    $cc $flags -isystem "$place/cmocka/usr/include" "$source" -o "$place/$(basename "$source" .c)" \
        "$place/libkernels.a" -L"$lib" -lcmocka -lm
done
for processor in cortex-a53 max; do
    for source in tests/unit/simd/test_*.c; do
        run_one $processor "$(basename "$source" .c)"
    done
done | tee "$place/said"
grep -q neon-dotprod "$place/said" || { echo "neon: this qemu has no SDOT: its kernels were not run" >&2; exit 1; }
