#!/usr/bin/env python3
"""Writes src/magpie_client/_sync from src/magpie_client/_async: the same code without its awaits.

With --check it writes nothing and fails where something would change. _backend.py is written by hand in both.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1] / "src" / "magpie_client"
WORDS = [
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync(Client|Iterator|BaseTransport)\b", lambda m: m[1]),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\ba(close|read|iter_bytes)\b", r"\1"),
]
HEAD = "# Made of ../_async by tools/make_sync.py: change it there.\n"


def sync_of(text: str) -> str:
    for word, instead in WORDS:
        text = re.sub(word, instead, text)
    # A comprehension's parentheses around what was awaited stay: they do no harm.
    return HEAD + text


def main() -> int:
    stale = []
    for source in sorted((ROOT / "_async").glob("*.py")):
        if source.name in ("_backend.py", "__init__.py"):
            continue
        target = ROOT / "_sync" / source.name
        text = sync_of(source.read_text())
        if not target.exists() or target.read_text() != text:
            stale.append(target.name)
            if "--check" not in sys.argv:
                target.write_text(text)
    if "--check" in sys.argv and stale:
        print("stale, run tools/make_sync.py:", *stale, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
