#!/usr/bin/env python3
"""Writes src/model/entities.c, HTML's named character references, from Python's own table of them.

    tools/entities.py           writes it
    tools/entities.py --check   says whether it is stale: exit status 1
"""
import html.entities
import pathlib
import sys

TARGET = pathlib.Path(__file__).resolve().parents[1] / "src/model/entities.c"
HEAD = """/* entities.c - made by tools/entities.py, not by hand: HTML's named character references. */
/* clang-format off */
#include "model/entities.h"

const mp_entity mp_entities[] = {
"""
TAIL = """};
const size_t mp_entities_n = sizeof mp_entities / sizeof *mp_entities;
"""


def rows():
    """One per name; `bare` says that it is known without its semicolon, too."""
    table = html.entities.html5
    for name in sorted(n[:-1] for n in table if n.endswith(";")):
        text = table[name + ";"]
        bare = name in table
        assert name.isascii() and name.isalnum() and len(text) in (1, 2)
        assert not bare or table[name] == text
        points = ", ".join(f"0x{ord(c):X}" for c in text)
        yield f'{{"{name}", {{{points}}}, {"true" if bare else "false"}}},'
    assert all(n + ";" in table for n in table if not n.endswith(";"))


def source():
    lines = [""]
    for row in rows():
        if len(lines[-1]) + 1 + len(row) > 100:
            lines.append("")
        lines[-1] += ("   " if not lines[-1] else "") + " " + row
    return HEAD + "\n".join(lines) + "\n" + TAIL


def main():
    if sys.argv[1:] == ["--check"]:
        stale = not TARGET.exists() or TARGET.read_text() != source()
        if stale:
            print("src/model/entities.c is stale: tools/entities.py", file=sys.stderr)
        return int(stale)
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    TARGET.write_text(source())
    return 0


if __name__ == "__main__":
    sys.exit(main())
