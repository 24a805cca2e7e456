#!/usr/bin/env python3
"""Writes api/openapi.json, which the binary holds, from api/openapi.yaml, which people write.

    tools/openapi_json.py           writes it
    tools/openapi_json.py --check   says whether it is stale: exit status 1
"""
import datetime
import json
import pathlib
import sys

import yaml

API = pathlib.Path(__file__).resolve().parents[1] / "api"


class Loader(yaml.SafeLoader):
    """YAML's own rules, but a key may stand once in a mapping."""

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        keys = [key.value for key, _ in node.value]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.composer.ComposerError(None, None, f"twice: {twice}", node.start_mark)
        return node


def refuse(value):
    """A date or a set: it wants quotes in the YAML."""
    kind = "a date" if isinstance(value, datetime.date) else type(value).__name__
    raise TypeError(f"{kind} is no JSON: {value}")


def convert():
    document = yaml.load((API / "openapi.yaml").read_text(), Loader)
    return json.dumps(document, indent=1, ensure_ascii=False, default=refuse) + "\n"


def main():
    target = API / "openapi.json"
    if sys.argv[1:] == ["--check"]:
        stale = not target.exists() or target.read_text() != convert()
        if stale:
            print("api/openapi.json is stale: make api", file=sys.stderr)
        return int(stale)
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    target.write_text(convert())
    return 0


if __name__ == "__main__":
    sys.exit(main())
