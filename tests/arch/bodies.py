#!/usr/bin/env python3
"""The members that a route's handler takes in a JSON body are those that the interface file says.

    bodies.py SRC/HTTP OPENAPI_JSON

Reads the tables of mp_member (body.h) that each handler of routes.c comes by, its own or a function's of its
file, and holds names, types and what is required against api/openapi.json. Prints the differences; exit code 1
when there is one, or when fewer tables are found than the code has."""
import json
import pathlib
import re
import sys

TYPES = {"JSON_STRING": "string", "JSON_INTEGER": "integer", "JSON_REAL": "number", "JSON_TRUE": "boolean",
         "JSON_OBJECT": "object", "JSON_ARRAY": "array", "MP_JSON_ANY": None}
ROW = re.compile(r'\{\s*"(\w+)",\s*(\w+),\s*(true|false)\s*,')
FUNCTION = re.compile(r"^(?:static )?[a-z][\w \*]*?\b\**(\w+)\((?:[^;{]*)\)\n\{\n(.*?)^\}", re.M | re.S)
MACRO = re.compile(r"^#define (\w+)[ \t]+(.*)$", re.M)
ROUTE = re.compile(r"AT\(\s*(\w+),\s*\"([^\"]+)\",\s*(\w+)")


def rows_of(text, macros):
    found = {name: (TYPES[kind], needed == "true") for name, kind, needed in ROW.findall(text)}
    for name, body in macros.items():
        if re.search(rf"\b{name}\b", text):
            found.update(rows_of(body, {}))
    return found


class Source:
    def __init__(self, path):
        text = path.read_text()
        joined = re.sub(r"\\\n", " ", text)
        self.macros = dict(pair for pair in MACRO.findall(joined) if ROW.search(pair[1]))
        self.functions = dict(FUNCTION.findall(text))
        self.tables = text.count("mp_body_read(r,")
        # What only some of the routes of one table need is asked for beside it, in these words.
        self.asked = set(re.findall(r'"(\w+) is missing', text))

    def members(self, name, seen):
        """Of the table that `name` reads a body by, itself or through functions of its file."""
        seen.add(name)
        body = self.functions[name]
        if "mp_body_read(r," in body:
            table = re.search(r"mp_member \w+\[\] = (.*?);\n", body, re.S).group(1)
            return rows_of(table, self.macros)
        for called in re.findall(r"\b(\w+)\(", body):
            if called in self.functions and called not in seen:
                found = self.members(called, seen)
                if found is not None:
                    return found
        return None


def merged(schema, schemas):
    """All properties, and what is required of all of them."""
    if "$ref" in schema:
        return merged(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    properties, needed = dict(schema.get("properties", {})), set(schema.get("required", []))
    for part in schema.get("allOf", []):
        more, also = merged(part, schemas)
        properties.update(more)
        needed |= also
    for part in schema.get("oneOf", []) + schema.get("anyOf", []):
        properties.update(merged(part, schemas)[0])
    return properties, needed


def type_of(schema, schemas):
    if "$ref" in schema:
        return type_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next(one for one in kind if one != "null")
    if kind is None and "enum" in schema and all(isinstance(value, str) for value in schema["enum"]):
        kind = "string"
    return kind


def differences(where, members, asked, schema, schemas):
    properties, needed = merged(schema, schemas)
    for name in sorted(properties.keys() - members.keys()):
        yield f"{where}: {name} is in the file alone"
    for name in sorted(members.keys() - properties.keys()):
        yield f"{where}: {name} is in the code alone"
    for name in sorted(members.keys() & properties.keys()):
        kind, required = members[name]
        said = type_of(properties[name], schemas)
        if kind and said and kind != said:
            yield f"{where}: {name} is {kind} in the code, {said} in the file"
        if required != (name in needed) and (required or name not in asked):
            yield f"{where}: {name} is required in the {'code' if required else 'file'} alone"


def main(folder, interface):
    sources = {path.name: Source(path) for path in sorted(pathlib.Path(folder).glob("*.c"))}
    handlers = {name: source for source in sources.values() for name in source.functions
                if name.startswith("mp_handle_")}
    interface = json.loads(pathlib.Path(interface).read_text())
    schemas = interface["components"]["schemas"]
    wrong, held = [], 0
    for method, path, handler in ROUTE.findall((pathlib.Path(folder) / "routes.c").read_text()):
        source = handlers[f"mp_handle_{handler}"]
        members = source.members(f"mp_handle_{handler}", set())
        content = interface["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if members is None and schema is not None:
            wrong.append(f"{method} {path}: a JSON body in the file alone")
        elif members is not None and method != "GET":
            held += 1
            wrong += differences(f"{method} {path}", members, source.asked, schema or {}, schemas)
    tables = sum(source.tables for source in sources.values())
    if held < tables:
        wrong.append(f"only {held} bodies were looked at, of {tables} that are read")
    print("\n".join(wrong) if wrong else f"{held} bodies are as the interface file says")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
