"""Rooms depend one way, and each outside library has its room: every #include of src/ is held against
these tables. Offenders are printed."""
import pathlib
import re
import sys

ROOMS = {
    "base": set(),
    "config": {"base"},
    "simd": {"base"},
    "image": {"base", "simd"},
    "model": {"base", "simd", "image"},
    "index": {"base", "simd"},
    "meta": {"base"},
    "jobs": {"base", "meta"},
    "blob": {"base"},
    "net": {"base"},
    "cache": {"base"},
    "bus": {"base"},
    "core": {"base", "simd", "image", "model", "index", "meta", "blob", "cache", "bus"},
    # What a served library needs beyond the library; of core it knows the ports alone.
    "service": {"base", "meta", "core", "jobs", "net", "pack"},
    # The rest speaks to the public header.
    "pack": {"base"},
    "http": {"base", "meta", "core", "service", "net", "pack", "jobs", "cache"},
    "app": {"base", "config", "net", "pack", "http", "service"},
}
# Files that may look behind it, and why.
EXCEPTIONS = {
    ("app/main.c", "image"): "runs as the decode worker",
    ("app/main.c", "meta"): "says that the process is ours",
    ("app/cmd_doctor.c", "image"): "tries the sandboxed decoder",
    ("app/cmd_doctor.c", "simd"): "names the processor's instruction set",
    ("app/cmd_doctor.c", "model"): "tells which precision a model has qualified for",
    ("app/cmd_version.c", "simd"): "names the processor's instruction set",
    ("app/cmd_model.c", "model"): "looks at models before a library is open",
    ("app/model_measure.c", "model"): "measures a model, for which no library is needed",
    ("app/model_measure.c", "core"): "finds pictures in a folder as adding does",
    ("app/model_measure.c", "image"): "decodes the pictures that it measures on",
    ("app/model_try.c", "model"): "tries a model that has just come",
    ("app/pull.h", "model"): "brings what a manifest describes",
    ("app/pull.c", "model"): "knows the catalogue",
}
# Headers of other projects, by the rooms that may know them. Anything else is the C library or the system.
OUTSIDE = {
    "vips/": {"image"},
    "seccomp.h": {"image"},
    "sqlite3.h": {"meta"},
    "oneapi/": {"model"},
    "glib": {"image", "model"},
    "sodium.h": {"core", "base", "service", "http", "net"},
    "curl/": {"net"},
    "jwt.h": {"service"},
    "archive": {"pack"},
    "jansson.h": {"core", "model", "meta", "service", "pack", "http", "app"},
    "microhttpd.h": {"http"},
    "gnutls/": {"http"},
    "zlib.h": {"http", "model"},
    "magpie.h": {"core", "pack", "service", "http", "app"},
}
INCLUDE = re.compile(r'\s*#\s*include\s+(?:"(?P<own>[^"]+)"|<(?P<outside>[^>]+)>)')


def offence(file, room, own, outside):
    name = own or outside
    for prefix, rooms in OUTSIDE.items():
        if name.startswith(prefix):
            return None if room in rooms else f"only {' and '.join(sorted(rooms))} may know {name}"
    if outside:
        return None
    if "/" not in name:
        return f'say the room: "{room}/{name}"'
    target = name.split("/")[0]
    if target not in ROOMS:
        return f"{target} is no room"
    if target == room or target in ROOMS[room] or (file, target) in EXCEPTIONS:
        return None
    return f"{room} must not include {target}"


def main():
    src = pathlib.Path(sys.argv[1])
    offenders, seen, used = [], 0, set()
    for path in sorted(src.rglob("*.[ch]")):
        file = str(path.relative_to(src))
        room = file.split("/")[0]
        if room not in ROOMS:
            offenders.append(f"{path}: the table of rooms does not know {room}")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            seen += 1
            wrong = offence(file, room, match["own"], match["outside"])
            if match["own"]:
                used.add((file, match["own"].split("/")[0]))
            if wrong:
                offenders.append(f"{path}:{number}: {wrong}")
    offenders += [f"{file} no longer includes {room}: drop the exception"
                  for file, room in EXCEPTIONS if (file, room) not in used]
    print("\n".join(offenders) or f"{seen} includes go the right way")
    return 1 if offenders or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
