"""Keys for machines, and the keys that sign access tokens."""
import sqlite3
import time

import pytest
from test_accounts import PASSWORD, login, register
from service import Service
from test_tokens import opened, signed
from test_users import set_up

SECRET = "a secret from outside, 32 bytes!"


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


def make_key(service, token, *scopes, **more):
    status, made = service.send("/api/keys", {"name": "robot", "scopes": list(scopes), **more}, token=token)
    assert status == 201, made
    return made


def test_a_key_does_what_its_scopes_and_its_role_allow(service):
    root = set_up(service)
    user = register(service)[1]["token"]
    audit, users, all_, others = (make_key(service, root, *scopes)["key"] for scopes in (
        ["audit.read"], ["users.*"], ["*"], ["assets.read", "projects.*"]))
    ask = lambda key, path: service.send(path, token=key)[0]
    for key, may_audit, may_users in ((audit, 200, 403), (users, 403, 200), (all_, 200, 200), (others, 403, 403)):
        assert ask(key, "/api/audit") == may_audit
        assert ask(key, "/api/users") == may_users
        assert ask(key, "/api/auth/me") == 200
    weak = make_key(service, user, "*")["key"]  # no more than its owner
    assert ask(weak, "/api/audit") == 403 and ask(weak, "/api/auth/me") == 200
    assert service.send("/api/users", {"username": "new", "password": PASSWORD, "role": "user"}, token=users)[0] == 201
    assert "scopes" in service.send("/api/audit", token=users)[1]["detail"]
    assert "role" in service.send("/api/audit", token=weak)[1]["detail"]


def test_a_key_comes_in_either_header(service):
    token = register(service)[1]["token"]
    key = make_key(service, token, "*")["key"]
    me = lambda **headers: service.ask("GET", "/api/auth/me", **headers).status
    assert me(Authorization=f"Bearer {key}") == me(X_API_Key=key) == me(Authorization=f"bearer {key}") == 200
    assert me(X_API_Key=token) == me(X_API_Key="") == me(Authorization=key) == 401
    assert me(Authorization="Basic eDp5", X_API_Key=key) == 401  # one way to say who asks
    assert me(X_API_Key=key + "0") == me(X_API_Key=key[:-1]) == me(X_API_Key="mpk_1_" + "0" * 64) == 401


def test_what_only_a_person_may_do(service):
    token = register(service)[1]["token"]
    key = make_key(service, token, "*")["key"]
    session = service.send("/api/auth/sessions", token=token)[1]["sessions"][0]["id"]
    for method, path, body in (
            ("POST", "/api/keys", {"name": "child", "scopes": ["*"]}), ("GET", "/api/keys", None),
            ("DELETE", "/api/keys/1", None), ("GET", "/api/auth/sessions", None),
            ("DELETE", f"/api/auth/sessions/{session}", None), ("POST", "/api/auth/logout", {}),
            ("POST", "/api/auth/password", {"old_password": PASSWORD, "new_password": "another password"})):
        assert service.send(path, body, token=key, method=method)[0] == 403, path
    assert service.send("/api/auth/me", token=token)[0] == 200
    assert login(service)[0] == 200


def test_keys_are_seen_and_removed_by_their_owner(service, magpie):
    token, other = register(service)[1]["token"], register(service, "bob")[1]["token"]
    made = make_key(service, token, "assets.read", "projects.*", expires_in_s=3600)
    assert made["key"].startswith(f"mpk_{made['id']}_") and made["scopes"] == ["assets.read", "projects.*"]
    assert 3500 < made["expires_at"] - time.time() <= 3600 and made["last_used_at"] is None
    assert make_key(service, token, "*")["expires_at"] is None
    rows = service.send("/api/keys", token=token)[1]["keys"]
    assert [row["name"] for row in rows] == ["robot"] * 2 and all("key" not in row for row in rows)
    assert service.send("/api/keys", token=other)[1]["keys"] == []
    service.send("/api/auth/me", token=made["key"])
    used = service.send("/api/keys", token=token)[1]["keys"][1]["last_used_at"]
    assert abs(used - time.time()) < 10
    path = f"/api/keys/{made['id']}"
    assert service.send(path, token=other, method="DELETE")[0] == 404
    assert service.send(path, token=token, method="DELETE")[0] == 204
    assert service.send(path, token=token, method="DELETE")[0] == 404
    assert service.send("/api/auth/me", token=made["key"])[0] == 401
    with sqlite3.connect(magpie.library / "magpie.db") as db:
        db.execute("UPDATE api_key SET expires_ms = 1")
    _, log = service.stop()
    for where in [log, *(p.read_bytes() for p in magpie.library.glob("magpie.db*"))]:
        assert made["key"].split("_")[2].encode() not in where


def test_expired_keys_are_refused(service, magpie):
    token = register(service)[1]["token"]
    key = make_key(service, token, "*", expires_in_s=60)["key"]
    assert service.send("/api/auth/me", token=key)[0] == 200
    with sqlite3.connect(magpie.library / "magpie.db") as db:
        db.execute("UPDATE api_key SET expires_ms = ?", (int(time.time() * 1000),))
    assert service.send("/api/auth/me", token=key)[0] == 401


@pytest.mark.parametrize("body", [
    {}, {"name": "x"}, {"scopes": ["*"]}, {"name": "", "scopes": ["*"]}, {"name": "x" * 101, "scopes": ["*"]},
    {"name": "x", "scopes": []}, {"name": "x", "scopes": "*"}, {"name": "x", "scopes": [7]},
    {"name": "x", "scopes": ["a b"]}, {"name": "x", "scopes": ["assets"]}, {"name": "x", "scopes": ["a.b"] * 33},
    {"name": "x", "scopes": ["*"], "expires_in_s": 1}, {"name": "x", "scopes": ["*"], "expires_in_s": 10**13},
    {"name": "x", "scopes": ["a.b"] * 100000}])
def test_bad_keys(service, body):
    assert service.send("/api/keys", body, token=register(service)[1]["token"])[0] == 422


# ---- signing keys ----

def test_tokens_outlive_a_rotation(service, magpie):
    root = set_up(service)
    user = register(service)[1]
    kids = {opened(user["token"])[0]["kid"]}
    for _ in range(3):
        status, made = service.send("/api/auth/keys/rotate", {}, token=root)
        assert status == 200 and made["kid"] not in kids and "key" not in made
        fresh = service.send("/api/auth/refresh", {"refresh_token": user["refresh_token"]})[1]
        assert opened(fresh["token"])[0]["kid"] == made["kid"]
        assert service.send("/api/auth/me", token=user["token"])[0] == 200
        kids.add(made["kid"])
        user = fresh
    database = magpie.library / "magpie.db"
    rows = sqlite3.connect(database).execute("SELECT kid, state FROM signing_key").fetchall()
    assert {kid for kid, _ in rows} == kids and [state for _, state in rows].count("current") == 1
    with sqlite3.connect(database) as db:  # an hour later
        db.execute("UPDATE signing_key SET retired_ms = retired_ms - 3600000 WHERE state = 'old'")
    time.sleep(1.1)  # a token that was verified holds for the rest of its second
    assert service.send("/api/auth/me", token=root)[0] == 401
    assert service.send("/api/auth/me", token=user["token"])[0] == 200
    again = login(service, "root")[1]["token"]
    assert service.send("/api/auth/keys/rotate", {}, token=again)[0] == 200
    assert len(sqlite3.connect(database).execute("SELECT 1 FROM signing_key").fetchall()) == 2


def test_two_services_on_one_library_know_each_others_keys(service, magpie):
    root = set_up(service)
    other = Service(magpie)
    assert other.send("/api/auth/keys/rotate", {}, token=root)[0] == 200
    token = login(other, "root")[1]["token"]
    assert service.send("/api/auth/me", token=token)[0] == 200
    assert other.stop()[0] == 0


def test_a_library_from_before_there_was_a_list(magpie):
    s = Service(magpie)
    token = register(s)[1]["token"]
    assert s.stop()[0] == 0
    with sqlite3.connect(magpie.library / "magpie.db") as db:
        key = db.execute("SELECT key FROM signing_key").fetchone()[0]
        db.execute("DELETE FROM signing_key")
        db.execute("INSERT INTO setting VALUES ('auth_key', ?)", (key.hex(),))
    s = Service(magpie)
    assert s.send("/api/auth/me", token=token)[0] == 200
    assert s.stop()[0] == 0
    with sqlite3.connect(magpie.library / "magpie.db") as db:
        assert db.execute("SELECT 1 FROM setting WHERE key = 'auth_key'").fetchall() == []


@pytest.mark.parametrize("name", ["MAGPIE_JWT_SECRET", "JWT_SECRET"])
def test_a_secret_of_the_configuration_signs(magpie, name):
    s = Service(magpie)
    own = register(s)[1]["token"]
    assert s.stop()[0] == 0
    magpie.env[name] = SECRET
    s = Service(magpie)
    assert s.send("/api/auth/me", token=own)[0] == 401
    token = login(s)[1]["token"]
    header, claims = opened(token)
    assert signed(header, claims, SECRET.encode()) == token
    assert s.send("/api/auth/me", token=token)[0] == 200
    with sqlite3.connect(magpie.library / "magpie.db") as db:
        db.execute("UPDATE user SET role = 'admin'")
    status, refused = s.send("/api/auth/keys/rotate", {}, token=token)
    assert status == 409 and "configuration" in refused["detail"]
    _, log = s.stop()
    shown = magpie.run("doctor", code=None), magpie.run("doctor", "--json", code=None)
    stored = [p.read_bytes() for p in magpie.library.glob("magpie.db*")]
    for text in [log, *(p.stdout + p.stderr for p in shown), *stored]:
        assert SECRET.encode() not in text


def test_a_secret_that_is_too_short(magpie):
    for args in (["--jwt-secret", SECRET[1:]], [f"--jwt-secret={SECRET[1:]}"]):
        done = magpie.run("serve", "--port", 0, *args, code=2)
        assert b"32 bytes" in done.stderr and SECRET[1:].encode() not in done.stderr + done.stdout
    magpie.run("serve", "--port", 0, "--registration", "sometimes", code=2)
