"""api/openapi.yaml against the running service: every operation is asked what the file allows and what it
forbids, by everybody who could ask; no answer may be one that the file does not tell of.

EXAMPLES: how many random requests are made of each operation beside the systematic ones (12, always the same
ones; with another number they differ from run to run)."""
import collections
import copy
import http.client
import itertools
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT, Magpie, picture
from service import PASSWORD, Answer, Service

schemathesis = pytest.importorskip("schemathesis")
import hypothesis
import requests
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (content_type_conformance, negative_data_rejection,
                                               response_headers_conformance, response_schema_conformance,
                                               status_code_conformance)

FILE = json.loads((ROOT / "api/openapi.json").read_text())
USUAL = 12
EXAMPLES = int(os.environ.get("EXAMPLES", USUAL))
PICTURES, PLANS, PROJECTS = 12, 40, 3
JOBS, PRODUCTS = 12, 12
SPARE = 4  # accounts and projects that may be changed and removed, after those that ask
ASKERS = ("nobody", "guest", "user", "operator", "admin")  # who may least asks first
ENDING = ["logout", "endSession", "changePassword"]  # of the session that asks
LATER = ["applyPlan", "undoPlan", "changeUser", "changeProject", "moveImages"]  # take away what others ask for
LAST = ["deleteImage", "deleteImages", "dropPlan", "deleteAsset", "deleteProduct", "deleteUser", "deleteProject",
        "rotateSigningKey"]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
          response_schema_conformance, negative_data_rejection]
SETTINGS = hypothesis.settings(max_examples=EXAMPLES, derandomize=EXAMPLES == USUAL, deadline=None, database=None,
                               suppress_health_check=list(hypothesis.HealthCheck))


# ---- what is asked ----

def lighter(node):
    """Without the limits that only lists of thousands reach: they take long to make and are of no other kind."""
    if isinstance(node, dict):
        return {k: lighter(v) for k, v in node.items() if not (k == "maxItems" and type(v) is int and v > 1000)}
    return [lighter(v) for v in node] if isinstance(node, list) else node


def loaded():
    file = lighter(FILE)
    file["components"]["schemas"]["Filter"]["format"] = "filter"
    schema = schemathesis.openapi.from_dict(file)
    schema.config.generation.update(with_security_parameters=False, allow_extra_parameters=False)
    schema.config.phases.coverage.unexpected_methods = set()
    schema.config.checks.negative_data_rejection.expected_statuses += ["413", "416"]
    return schema


@schemathesis.serializer("text/csv", "application/x-ndjson")
def as_text(context, value):
    return value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()


# The language of filters is beyond a schema: some that are in it, some that are not.
schemathesis.openapi.format("filter", st.sampled_from(
    ["", "tag:sea", "format:jpeg width>=20", "-tag:x", "id>3", "name:*.jpg", "(state:present)", 'tag:"a b"',
     "state:trashed OR id<5", "nosuch:1", "id>", "((", 'tag:"']))
schema = loaded()


def number(value, most):
    """A number that is likely to be there; what is no number stays as it is."""
    n = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and value[0] != "0" else value
    if type(n) is not int or not most < n <= 9 * 10**15:
        return value
    return type(value)(n % most + 1)


def aim(value, key=None):
    if isinstance(value, dict):
        return {k: aim(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [aim(v, key) for v in value]
    if key in ("id", "ids", "image_id", "other_id", "keep", "remove", "with", "product_id", "product_ids"):
        return number(value, PICTURES)
    if key == "user_id":
        return number(value, len(ASKERS) - 1)
    return number(value, PROJECTS) if key == "project_id" else value


def aim_path(case, key, value):
    path, name = case.operation.path, case.operation.definition.raw["operationId"]
    if path.startswith("/api/schedules/"):
        return "nightly" if isinstance(value, str) and value.isalnum() and len(value) < 100 else value
    if key == "number":
        return number(value, 2)
    if path.startswith("/api/deduplicate/"):
        job = number(value, 2)
        real = type(job) in (int, str) and re.fullmatch("[12]", str(job))
        return type(job)(2 if int(job) == 1 else JOBS) if real else job  # one that is finished, one that is none
    if path.startswith("/api/dedup/plans/"):
        plan = number(value, PLANS // 2)
        real = type(plan) in (int, str) and re.fullmatch("[1-9][0-9]*", str(plan))
        draft = case.method == "DELETE"  # of the other half: only drafts are dropped
        return type(plan)(int(plan) + PLANS // 2) if draft and real else plan
    first = SPARES.get(name)
    if key != "id" or not first:
        return number(value, PROJECTS) if path.startswith("/api/projects/") and key == "id" else aim(value, key)
    n = number(value, SPARE)
    return value if n == value and str(n) not in map(str, range(1, SPARE + 1)) else type(n)(int(n) + first)


def aimed(case):
    case.path_parameters = {k: aim_path(case, k, v) for k, v in (case.path_parameters or {}).items()}
    case.query = aim(case.query)
    if isinstance(case.body, (dict, list)):
        case.body = aim(case.body)
    return case


# ---- what is answered ----

def strict(node, used=False):
    """The schema once more, with members that it does not name refused; `used`: as a value's whole schema, not
    one of several that hold together."""
    if isinstance(node, list):
        return [strict(v) for v in node]
    if not isinstance(node, dict):
        return node
    out = {}
    for key, value in node.items():
        if key == "properties":
            out[key] = {name: strict(v, True) for name, v in value.items()}
        else:
            out[key] = strict(value, key == "items") if key != "example" else value
    if used and ("properties" in node or "$ref" in node or "allOf" in node or "anyOf" in node):
        out["unevaluatedProperties"] = False
    return out


COMPONENTS = {"schemas": {name: strict(s) for name, s in FILE["components"]["schemas"].items()}}
VALIDATORS = {}


def every_member_is_named(response, case):
    label, status = case.operation.definition.raw["operationId"], str(response.status_code)
    media = response.headers.get("Content-Type", [""])[0]
    if media != "application/json":
        return
    if (label, status) not in VALIDATORS:
        answer = FILE["paths"][case.operation.path][case.operation.method.lower()]["responses"][status]
        while "$ref" in answer:
            answer = FILE["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
        whole = dict(strict(answer["content"][media]["schema"], True), components=COMPONENTS)
        VALIDATORS[label, status] = Draft202012Validator(whole)
    VALIDATORS[label, status].validate(response.json())


# ---- who asks ----

SPARES = {}  # operations that change or take away, and the number before the first that is there for them


def furnish(s, magpie):
    """Jobs, products, accounts and projects, so that there is something to ask for."""
    def send(path, body, who="admin", method=None, **headers):
        status, made = s.send(path, body, s.tokens[who], method, **headers)
        assert status in (200, 201, 202), made
        return made

    export = send("/api/exports", {}, "user")
    send("/api/deduplicate", {"async": True, "project_id": 1}, "user")  # the second job
    for i in range(JOBS - 2):
        send("/api/jobs", {"type": "processing", "params": {"operation": "thumbnails"}, "run_at": 4 * 10**9}, "user")
    for i in range(PRODUCTS):
        url = {} if i % 3 else {"image_url": "https://pictures.invalid/lamp.jpg"}
        send("/products", {"title": f"lamp {i}", "category": "lamps", "price": f"{i}.50", "currency": "EUR", **url}, "user")
    data = (magpie.library.parent / "photos" / "p00.jpg").read_bytes()
    for i in (1, 2):
        answer = s.ask("POST", f"/products/{i}/image", data, Authorization=f"Bearer {s.tokens['user']}",
                       Content_Type="image/jpeg")
        assert answer.status == 200, answer.text
    users = [send("/api/users", {"username": f"spare{i}", "password": PASSWORD, "role": "guest"}) for i in range(SPARE)]
    projects = [send("/api/projects", {"name": f"spare{i}"}, "user") for i in range(SPARE)]
    assets = [s.ask("POST", f"/api/projects/1/assets?name=a{i}.txt", f"{i}", Content_Type="text/plain",
                    Authorization=f"Bearer {s.tokens['admin']}").json["assets"][0] for i in range(SPARE)]
    for names, made in (("changeUser deleteUser", users), ("deleteAsset", assets),
                        ("changeProject deleteProject putMember dropMember", projects)):
        assert [one["id"] for one in made] == list(range(made[0]["id"], made[0]["id"] + SPARE))
        SPARES.update(dict.fromkeys(names.split(), made[0]["id"] - 1))
    until = time.monotonic() + 60
    while {s.send(f"/api/jobs/{export['id'] + i}", token=s.tokens["user"])[1]["status"] for i in (0, 1)} != {"completed"}:
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture(scope="module")
def magpie(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schema")
    m = Magpie(folder)
    m.run("init", "--model", "builtin")
    for i in range(PICTURES):  # pairs of the same picture
        picture(folder / "photos" / f"p{i:02}.jpg", i // 2, quality=90 - 20 * (i % 2))
    m.add(folder / "photos")
    return m


def become(magpie, statement, *values):
    with sqlite3.connect(magpie.library / "magpie.db", timeout=30) as db:
        db.execute(statement, values)


@pytest.fixture(scope="module")
def service(magpie):
    magpie.env.update(MAGPIE_SMTP_URL="smtp://127.0.0.1:9", MAGPIE_SMTP_FROM="magpie@example.org")  # nobody is there
    magpie.env["MAGPIE_SHARE"] = str(magpie.library)  # no script there: nothing is fetched
    s = Service(magpie, "--reset-url", "https://example.org/reset?token=", "--jwt-expiry", "24h")  # it may take an hour
    log = []
    reader = threading.Thread(target=lambda: log.extend(s.process.stderr))  # else the pipe fills up
    reader.start()
    s.tokens = {"nobody": None, "admin": s.set_up()}
    for i, role in enumerate(("operator", "user", "guest"), 2):
        s.register(role)
        become(magpie, "UPDATE user SET role = ? WHERE id = ?", role, i)
        s.tokens[role] = s.login(role)
    become(magpie, "INSERT INTO project_member VALUES (1, 3, 'editor'), (1, 4, 'viewer')")
    for i in range(PLANS):
        pair = i % (PICTURES // 2) * 2 + 1
        plan = {"clusters": [{"keep": pair, "remove": [pair + 1]}]}
        assert s.send("/api/dedup/plans", plan, s.tokens["user"])[0] == 201
    furnish(s, magpie)
    s.counts = collections.Counter()
    s.sessions = requests.Session()
    yield s
    s.process.terminate()
    assert s.process.wait(60) == 0
    reader.join()
    errors = [line for line in log if b'"level":"error"' in line]
    assert not errors, b"".join(errors[:3]).decode()
    magpie.sound()


def ask(service, case, token):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if case.operation.definition.raw["operationId"] == "listEvents":
        headers["Accept"] = "application/json"  # the stream does not end
    response = case.call(f"http://127.0.0.1:{service.port}", service.sessions, headers)
    service.counts[case.operation.definition.raw["operationId"], response.status_code] += 1
    return response


def judge(case, response):
    if response.status_code == 414:  # told of all operations at once, in info.description
        assert len(response.request.url) > 8192 and "414" in FILE["info"]["description"]
        return
    # Of forms and texts it cannot tell what becomes valid on its way.
    vague = any(word in str(case.media_type) for word in ("multipart", "csv", "ndjson"))
    case.validate_response(response, [c for c in CHECKS if not (vague and c is negative_data_rejection)])
    if 200 <= response.status_code < 300:
        every_member_is_named(response, case)


def asked_by_all(service, case):
    aimed(case)
    secured = "security" in case.operation.definition.raw
    for who in ASKERS if secured else ("nobody",):
        response = ask(service, case, service.tokens[who])
        if secured and who == "nobody":
            assert response.status_code in (400, 401, 414), response.status_code
        judge(case, response)


# ---- the file ----

def test_the_json_is_not_stale():
    done = subprocess.run([sys.executable, str(ROOT / "tools/openapi_json.py"), "--check"], capture_output=True)
    assert done.returncode == 0, done.stderr


def test_examples_are_true():
    """Every example in the file is of the schema that it stands beside."""
    seen = 0

    def look(node, where):
        nonlocal seen
        if isinstance(node, list):
            for i, v in enumerate(node):
                look(v, f"{where}/{i}")
        if not isinstance(node, dict):
            return
        shown = [node["example"]] if "example" in node else []
        shown += [e["value"] for e in node.get("examples", {}).values()] if "schema" in node else []
        for example in shown if "schema" in node else []:
            whole = dict(strict(node["schema"], True), components=COMPONENTS)
            for error in Draft202012Validator(whole).iter_errors(example):
                pytest.fail(f"{where}: {error}")
            seen += 1
        for key, v in node.items():
            look(v, f"{where}/{key}")

    look(FILE, "")
    assert seen > 140


def test_every_operation_has_examples():
    """Of every body and every answer that people can read: JSON, forms, text."""
    def there(node):
        while "$ref" in node:
            node = FILE["components"][node["$ref"].split("/")[2]][node["$ref"].split("/")[3]]
        return node.get("content", {})

    missing = []
    for path in FILE["paths"].values():
        for o in path.values():
            parts = {"body": o.get("requestBody", {}), **{s: a for s, a in o["responses"].items() if s < "300"}}
            missing += [f"{o['operationId']} {name} {type}" for name, part in parts.items() for type, media in there(part).items()
                        if re.search("json|form-data|text/(plain|csv|event-stream)", type)
                        and not {"example", "examples"} & set(media)]
    assert not missing


def test_operations_are_named_once_and_their_tags_are_told():
    operations = [o for path in FILE["paths"].values() for o in path.values()]
    names = [o["operationId"] for o in operations]
    assert len(set(names)) == len(names) and all(n.isidentifier() and n[0].islower() for n in names)
    assert {t for o in operations for t in o["tags"]} == {t["name"] for t in FILE["tags"]}
    assert all(len(o["tags"]) == 1 and o["summary"] for o in operations)
    assert {*ENDING, *LATER, *LAST} <= set(names)


def test_the_service_tells_it(service):
    told = service.get("/api/openapi.json")
    assert told.json == FILE
    again = service.get("/api/openapi.json", If_None_Match=told.getheader("ETag"))
    assert again.status == 304 and again.text == b""


# ---- the service ----

@schema.exclude(operation_id=ENDING + LATER + LAST).parametrize()
@SETTINGS
def test_asked(case, service):
    asked_by_all(service, case)


@schema.include(operation_id=LATER).parametrize()
@SETTINGS
def test_applied(case, service):
    asked_by_all(service, case)


@schema.include(operation_id=LAST).parametrize()
@SETTINGS
def test_removed(case, service):
    asked_by_all(service, case)


addresses = (f"127.1.{i // 250 % 250}.{i % 250 + 1}" for i in itertools.count())


def new_session(service):
    """Tokens of a new account, from an address of its own: few may register from one."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, source_address=(next(addresses), 0))
    body = json.dumps({"username": f"one{next(service.numbers)}", "password": PASSWORD})
    connection.request("POST", "/api/auth/register", body, {"Content-Type": "application/json"})
    answer = Answer(connection.getresponse())
    connection.close()
    assert answer.status == 201, answer.text
    return answer.json["token"]


@schema.include(operation_id=ENDING).parametrize()
@SETTINGS
def test_ended(case, service):
    """What ends a session gets one of its own each time."""
    if not hasattr(service, "numbers"):
        service.numbers, service.throwaway = itertools.count(), None
    token = service.throwaway = service.throwaway or new_session(service)
    if isinstance(case.body, dict) and isinstance(case.body.get("old_password"), str) and (
            1 <= len(case.body["old_password"]) <= 128):
        case.body["old_password"] = PASSWORD
    if "id" in (case.path_parameters or {}) and str(case.path_parameters["id"]).isalnum():
        case.path_parameters["id"] = service.send("/api/auth/sessions", token=token)[1]["sessions"][0]["id"]
    response = ask(service, case, token)
    if response.status_code == 204:
        service.throwaway = None
    judge(case, response)


def test_enough_was_answered(service):
    """The requests did not all fail at the door: operations that can succeed here did."""
    operations = {o["operationId"] for path in FILE["paths"].values() for o in path.values()}
    done = {name for (name, status), n in service.counts.items() if status < 300}
    # What needs a token of ours, or what the limit of attempts by one address stops before it comes to it
    # (register), what the built-in model cannot (words), and what others may have taken away: the URL of indexProduct,
    # the pictures of deleteImages (test_bulk.py has those), the verdict of clearVerdict (test_questions.py). Models that
    # are installed are not fetched (test_administration.py does).
    assert operations - done <= {"setUp", "embedText", "register", "login", "refresh", "forgotPassword", "resetPassword",
                                 "putUpload", "ingestUpload", "getDocsFile", "indexProduct", "deleteImages",
                                 "clearVerdict", "fetchModel"}
