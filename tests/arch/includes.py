"""Rooms depend one way: every #include "room/..." of src/ is held against this table."""
import pathlib
import re
import sys

ALLOWED = {
    "base": set(),
    "config": {"base"},
    "simd": {"base"},
    "image": {"base", "simd"},
    "model": {"base", "simd", "image"},
    "index": {"base", "simd"},
    "meta": {"base"},
    "blob": {"base"},
    "core": {"base", "simd", "image", "model", "index", "meta", "blob"},
    # The command line speaks to the public header; image is for the decode worker, model for doctor
    # and pull, which look before a library is open.
    "app": {"base", "config", "image", "model", "simd"},
}


def main():
    src = pathlib.Path(sys.argv[1])
    offenders, seen = [], 0
    for path in sorted(src.rglob("*.[ch]")):
        room = path.relative_to(src).parts[0]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([a-z]+)/', line)
            if not match:
                continue
            seen += 1
            target = match.group(1)
            if target != room and target not in ALLOWED[room]:
                offenders.append(f"{path}:{number}: {room} must not include {target}")
    print("\n".join(offenders) or f"{seen} includes go the right way")
    return 1 if offenders or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
