"""Tokens and bodies that somebody forged: always a refusal, never a failure."""
import base64
import hashlib
import hmac
import json
import sqlite3
import time

import pytest
from conftest import SHARED
from test_accounts import login, register
from service import Service

JWS = SHARED / "corpora/jws/json_web_signature_test.json"
JSON = SHARED / "corpora/jsontestsuite"


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value):
    return coded(json.dumps(value, separators=(",", ":")).encode())


def signed(header, claims, key, algorithm=hashlib.sha256):
    """In the order of members that the service writes, so that what is opened can be signed again."""
    text = f"{part(dict(sorted(header.items())))}.{part(dict(sorted(claims.items())))}"
    return text + "." + coded(hmac.new(key, text.encode(), algorithm).digest())


def opened(token):
    pieces = token.split(".")
    return [json.loads(base64.urlsafe_b64decode(p + "=" * (-len(p) % 4))) for p in pieces[:2]]


def key_of(magpie):
    return sqlite3.connect(magpie.library / "magpie.db").execute(
        "SELECT key FROM signing_key WHERE state = 'current'").fetchone()[0]


def me(service, token):
    answer = service.ask("GET", "/api/auth/me", Authorization=f"Bearer {token}")
    return answer.status


@pytest.fixture
def token(service):
    return register(service)[1]["token"]


def test_what_the_service_signs(service, magpie, token):
    header, claims = opened(token)
    assert header["alg"] == "HS256" and claims["username"] == "ada" and claims["jti"]
    assert claims["exp"] - claims["iat"] == 900
    assert me(service, signed(header, claims, key_of(magpie))) == 200
    now = int(time.time())
    for fine in ({"nbf": now}, {"nbf": now - 1000}, {"nbf": now + 10}, {"iat": now + 10}, {"more": [1, {}]}):
        assert me(service, signed(header, {**claims, **fine}, key_of(magpie))) == 200, fine


CHANGES = {
    "expired": lambda now: {"exp": now - 1},
    "expires now": lambda now: {"exp": now},
    "expired long ago": lambda now: {"exp": -1},
    "issued in the future": lambda now: {"iat": now + 3600},
    "not yet": lambda now: {"nbf": now + 3600},
    "not yet, as text": lambda now: {"nbf": str(now)},
    "nbf null": lambda now: {"nbf": None},
    "nbf true": lambda now: {"nbf": True},
    "nbf real": lambda now: {"nbf": now + 0.5},
    "exp text": lambda now: {"exp": str(now + 100)},
    "exp real": lambda now: {"exp": now + 100.5},
    "exp huge real": lambda now: {"exp": 1e300},
    "exp true": lambda now: {"exp": True},
    "exp list": lambda now: {"exp": [now + 100]},
    "exp beyond 64 bits": lambda now: {"exp": 10**30},
    "no exp": lambda now: {"exp": ...},
    "no iat": lambda now: {"iat": ...},
    "iat text": lambda now: {"iat": "0"},
    "no jti": lambda now: {"jti": ...},
    "jti number": lambda now: {"jti": 7},
    "jti null": lambda now: {"jti": None},
    "another jti": lambda now: {"jti": "0" * 32},
    "jti of a query": lambda now: {"jti": "' OR 1=1 --"},
    "no user": lambda now: {"user_id": ...},
    "another user": lambda now: {"user_id": "2"},
    "user number": lambda now: {"user_id": 1},
    "user with a sign": lambda now: {"user_id": "+1"},
    "user with more": lambda now: {"user_id": "1 "},
    "user beyond 64 bits": lambda now: {"user_id": "9" * 30},
    "user empty": lambda now: {"user_id": ""},
    "user zero": lambda now: {"user_id": "0"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_claims_that_do_not_hold(service, magpie, token, name):
    header, claims = opened(token)
    changed = {**claims, **CHANGES[name](int(time.time()))}
    changed = {k: v for k, v in changed.items() if v is not ...}
    assert me(service, signed(header, changed, key_of(magpie))) == 401
    assert me(service, token) == 200


def test_forged_heads_and_signatures(service, magpie, token):
    header, claims = opened(token)
    key = key_of(magpie)
    head, body, mac = token.split(".")
    public = b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
    forged = [token[:-4] + "AAAA", token + "x", token + "=", token + ".", "." + token, "x", "a.b.c", "..", "...",
              f"{head}.{body}", f"{head}.{body}.", f"{head}..{mac}", f".{body}.{mac}", f"{body}.{head}.{mac}",
              f"{head}.{part({**claims, 'user_id': '2'})}.{mac}",
              coded(b"\xff\xfe") + f".{body}.{mac}", coded(b"[]") + f".{body}.{mac}", coded(b"null") + f".{body}.{mac}",
              signed(header, claims, b"guess"), signed(header, claims, b""), signed(header, claims, public),
              signed(header, claims, key[:31]), signed(header, claims, key.hex().encode()),
              signed({**header, "alg": "HS512"}, claims, key, hashlib.sha512),
              signed({**header, "alg": "HS384"}, claims, key, hashlib.sha384)]
    for algorithm in ("none", "None", "NONE", "nOnE", "", "RS256", "ES256", "PS256", "EdDSA", "hs256", "HS257",
                      None, 7, []):
        bad = {**header, "alg": algorithm}
        forged += [signed(bad, claims, key), f"{part(bad)}.{part(claims)}.", f"{part(bad)}.{part(claims)}"]
    for kid in ("other", "", "0" * 16, "../../dev/null", "' OR '1'='1", "x" * 3000, None, 7, [], header["kid"] + " ",
                header["kid"].upper() + "x", header["kid"][:-1]):
        forged.append(signed({**header, "kid": kid}, claims, key))
    forged += [signed({k: v for k, v in header.items() if k != "kid"}, claims, key),
               signed({k: v for k, v in header.items() if k != "alg"}, claims, key)]
    for wrong in forged:
        assert me(service, wrong) == 401, wrong
    assert me(service, token) == 200


def test_tokens_that_come_in_odd_ways(service, token):
    ask = lambda value: service.ask("GET", "/api/auth/me", Authorization=value).status
    assert ask(f"bearer {token}") == 200
    for value in ("Bearer", "Bearer ", f"Bearer  {token}x", f"Basic {token}", token, f"Bearer {token} {token}",
                  f"Bearer {token}, Bearer {token}", b"Bearer \xff\xfe", f"Token {token}"):
        assert ask(value) == 401, value
    assert service.send(f"/api/auth/me?access_token={token}")[0] == 401


def test_huge_heads(service, magpie, token):
    header, claims = opened(token)
    key = key_of(magpie)
    for n in (1000, 4000, 10000, 25000):
        assert me(service, "x" * n) == me(service, f"{'x' * n}.y.z") == me(service, "." * n) == 401
    assert me(service, signed({**header, "more": "x" * 4000}, claims, key)) == 401  # longer than any of ours
    assert me(service, coded(b"[" * 9000) + ".x.y") == me(service, coded(b'{"a":' * 600) + ".x.y") == 401
    raw = service.raw(b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b"x" * 200000 + b"\r\n\r\n")
    assert not raw or raw.split(b" ")[1] in (b"400", b"413", b"431")
    assert me(service, token) == 200


def test_an_ended_session_is_ended_for_its_tokens(service, magpie, token):
    header, claims = opened(token)
    fresh = signed(header, {**claims, "exp": claims["exp"] + 600}, key_of(magpie))
    assert me(service, fresh) == 200
    assert service.send("/api/auth/logout", {}, token=token)[0] == 204
    assert me(service, token) == me(service, fresh) == 401
    again = login(service)[1]["token"]
    with sqlite3.connect(magpie.library / "magpie.db") as db:
        db.execute("UPDATE session SET expires_ms = 1")
    assert me(service, again) == 401


# ---- what others have collected ----

def test_jws_of_others(service, token):
    if not JWS.is_file():
        pytest.skip(f"{JWS} is not there: tokens of others are NOT tried")
    groups = json.loads(JWS.read_text())["testGroups"]
    n = 0
    for group in groups:
        for case in group["tests"]:
            if not case["jws"].isascii() or any(c in case["jws"] for c in "\r\n"):
                continue  # no header could hold it
            assert me(service, case["jws"]) == 401, case  # whatever it is, it is not ours
            n += 1
    assert n >= 300 and me(service, token) == 200


def test_a_key_that_others_know(magpie):
    """With the very key of their vectors as our secret, what they call invalid stays so; what they call
    valid is no access token. A token of ours by that key is good, so the key is the right one."""
    if not JWS.is_file():
        pytest.skip(f"{JWS} is not there: tokens of others are NOT tried")
    groups = [g for g in json.loads(JWS.read_text())["testGroups"] if g.get("private", {}).get("kty") == "oct"]
    assert groups
    # Their keys are bytes; a secret of ours is text: one of theirs as text is a key of ours.
    secret = groups[0]["private"]["k"]
    magpie.env["MAGPIE_JWT_SECRET"] = secret
    s = Service(magpie)
    token = register(s)[1]["token"]
    header, claims = opened(token)
    assert signed(header, claims, secret.encode()) == token and me(s, token) == 200
    kid = header["kid"]
    for group in groups:
        for case in group["tests"]:
            if case["jws"].count(".") != 2 or not case["jws"].isascii():
                continue
            assert me(s, case["jws"]) == 401
            # Their bodies and signatures under our head, and signed by our key: no claims of ours.
            body = case["jws"].split(".")[1]
            text = f"{part({'alg': 'HS256', 'kid': kid})}.{body}"
            mac = coded(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())
            assert me(s, f"{text}.{mac}") == 401, case
    assert me(s, token) == 200 and s.stop()[0] == 0


# Well-formed by the grammar, and refused all the same: a parser behind us might take the other one of two
# members, or end a string at the NUL.
STRICTER = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json",
            "y_object_escaped_null_in_key.json", "y_string_null_escape.json"}


def test_json_of_others(service):
    if not JSON.is_dir():
        pytest.skip(f"{JSON} is not there: JSON of others is NOT tried")
    files = sorted(JSON.glob("*.json"))
    stricter = set()
    for path in files:
        answer = service.ask("POST", "/api/auth/login", path.read_bytes(), Content_Type="application/json")
        if path.name[0] == "n":
            assert answer.status == 400, path.name
        elif path.name[0] == "y" and answer.status == 400:
            stricter.add(path.name)
        else:
            assert 400 <= answer.status < 500, path.name
        assert json.loads(answer.text)["status"] == answer.status
    assert len(files) >= 300 and stricter == STRICTER
    assert service.ask("GET", "/health").status == 200
