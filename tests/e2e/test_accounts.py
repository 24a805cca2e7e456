"""Accounts of the service: the first one, registration, tokens and their end."""
import json
import signal
import sqlite3

import pytest
from service import Service

PASSWORD = "correct horse battery"


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


def register(service, name="ada", **more):
    return service.send("/api/auth/register", {"username": name, "password": PASSWORD, **more})


def login(service, name="ada", password=PASSWORD):
    return service.send("/api/auth/login", {"username": name, "password": password})


def test_the_first_account_needs_the_token_of_the_terminal(service, magpie):
    first = {"username": "root", "password": PASSWORD}
    assert len(service.setup_token) == 32
    assert service.send("/api/auth/setup", {"setup_token": "0" * 32, **first})[0] == 403
    status, made = service.send("/api/auth/setup", {"setup_token": service.setup_token, **first})
    assert status == 201 and made["user"]["role"] == "admin"
    again = service.send("/api/auth/setup", {"setup_token": service.setup_token, **first})
    assert again[0] == 403
    assert service.stop()[0] == 0
    later = Service(magpie)
    assert later.setup_token == ""
    assert login(later, "root")[0] == 200  # it is in the library
    assert later.stop()[0] == 0


def test_register_login_and_who_am_i(service):
    status, made = register(service, email="ada@example.org")
    assert status == 201 and made["token"] == made["access_token"] and made["expires_in"] == 900
    assert made["user"]["username"] == "ada" and made["user"]["role"] == "user"
    assert "password" not in json.dumps(made)
    assert service.send("/api/auth/me", token=made["token"])[1]["user"] == made["user"]
    assert login(service, "ADA")[0] == 200  # names compare without case
    by_mail = service.send("/api/auth/login", {"email": "Ada@Example.org", "password": PASSWORD})
    assert by_mail[0] == 200 and by_mail[1]["user"]["id"] == made["user"]["id"]
    assert register(service, "Ada")[0] == 409
    assert register(service, "bob", email="ADA@example.org")[0] == 409
    wrong, unknown = login(service, "ada", "wrong password"), login(service, "nobody", "x" * 10)
    assert wrong[0] == unknown[0] == 401
    assert wrong[1]["detail"] == unknown[1]["detail"]  # nobody learns which names there are


@pytest.mark.parametrize("body,status", [
    ({"username": "ab", "password": PASSWORD}, 422),
    ({"username": "a b c", "password": PASSWORD}, 422),
    ({"username": "ada", "password": "short"}, 422),
    ({"username": "ada", "password": "ü" * 7}, 422),  # fourteen bytes
    ({"username": "adalovelace", "password": "AdaLovelace"}, 422),
    ({"username": "ada", "password": "x" * 129}, 422),
    ({"username": "ada", "password": PASSWORD, "email": "no address"}, 422),
    ({"username": "ada", "password": PASSWORD, "role": "admin"}, 422),
    ({"username": 7, "password": PASSWORD}, 422),
    ({"username": "ada"}, 422),
    ({"username": "a\u0000da", "password": PASSWORD}, 400),
    ([], 422),
])
def test_bad_registrations(service, body, status):
    answer = service.send("/api/auth/register", body)
    assert answer[0] == status and answer[1]["detail"]


def test_bodies_that_are_no_json(service):
    json_type = {"Content-Type": "application/json"}
    for text in (b"", b"{", b"nul", b'{"a":1}{', b'{"username":"a","username":"b"}', b"\xff", b"[" * 5000):
        assert service.ask("POST", "/api/auth/login", text, **json_type).status == 400, text[:20]
    assert service.ask("POST", "/api/auth/login", b"{}").status == 415
    assert service.ask("POST", "/api/auth/login", b"{}", **{"Content-Type": "text/json"}).status == 415
    large = (b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
             b"Content-Length: 2000000\r\n\r\n")
    assert b"HTTP/1.1 413 " in service.raw(large)  # before the body is sent
    chunked = large.replace(b"Content-Length: 2000000", b"Transfer-Encoding: chunked")
    piece = b"8000\r\n" + b"x" * 32768 + b"\r\n"
    assert b"HTTP/1.1 413 " in service.raw(chunked + piece * 40 + b"0\r\n\r\n")
    assert service.raw(chunked + piece * 400) == b""  # nobody may send for ever


def test_refresh_tokens_are_good_for_one_time(service):
    first = register(service)[1]
    status, second = service.send("/api/auth/refresh", {"refresh_token": first["refresh_token"]})
    assert status == 200 and second["refresh_token"] != first["refresh_token"]
    assert service.send("/api/auth/me", token=second["token"])[0] == 200
    # Whoever comes with the old one has stolen it, or been stolen from: the session ends for both.
    assert service.send("/api/auth/refresh", {"refresh_token": first["refresh_token"]})[0] == 401
    assert service.send("/api/auth/refresh", {"refresh_token": second["refresh_token"]})[0] == 401
    assert service.send("/api/auth/me", token=second["token"])[0] == 401
    assert login(service)[0] == 200
    for bad in ("x", "0" * 64, "é" * 10):
        assert service.send("/api/auth/refresh", {"refresh_token": bad})[0] == 401


def test_logout_ends_a_session_and_no_other(service):
    one, other = register(service)[1], login(service)[1]
    assert service.send("/api/auth/logout", {}, token=one["token"])[0] == 204
    assert service.send("/api/auth/me", token=one["token"])[0] == 401
    assert service.send("/api/auth/refresh", {"refresh_token": one["refresh_token"]})[0] == 401
    assert service.send("/api/auth/me", token=other["token"])[0] == 200


def test_guessing_is_slowed_down(service):
    register(service)
    statuses = [login(service, "ada", f"guess {i}")[0] for i in range(14)]
    assert 429 in statuses and statuses[0] == 401
    answer = service.ask("POST", "/api/auth/login", json.dumps({"username": "ada", "password": PASSWORD}),
                         **{"Content-Type": "application/json"})
    assert answer.status == 429 and int(answer.getheader("Retry-After")) >= 1
    assert login(service, "someone else")[0] == 401  # by name and address


def test_registration_can_be_closed(magpie):
    s = Service(magpie, "--registration", "closed")
    assert register(s)[0] == 403
    assert s.stop(signal.SIGINT)[0] == 0


def test_secrets_stay_out_of_the_log_and_the_database(service, magpie):
    made = register(service)[1]
    login(service, "ada", "wrong password")
    service.send("/api/auth/me", token=made["token"])
    _, log = service.stop()
    # Requests are logged as their connections come to their ends, which need not be in the order of the answers.
    [line] = [json.loads(text) for text in log.decode().splitlines() if '"/api/auth/me"' in text]
    assert line["user_id"] == made["user"]["id"] and line["remote"] == "127.0.0.1" and line["status"] == 200
    for secret in (PASSWORD, made["token"], made["refresh_token"], "wrong password"):
        assert secret.encode() not in log
        for path in magpie.library.glob("magpie.db*"):
            assert secret.encode() not in path.read_bytes()
    actions = [row[0] for row in sqlite3.connect(magpie.library / "magpie.db").execute(
        "SELECT action FROM audit ORDER BY id")]
    assert actions == ["user.register", "session.login", "session.refused"]
    assert magpie.sound("--deep") == 0


def test_sessions_can_be_seen_and_ended(service):
    one, two = register(service)[1], login(service)[1]
    rows = service.send("/api/auth/sessions", token=two["token"])[1]["sessions"]
    assert [row["current"] for row in rows] in ([True, False], [False, True])
    other = next(row["id"] for row in rows if not row["current"])
    stranger = register(service, "bob")[1]
    gone = service.send(f"/api/auth/sessions/{other}", token=stranger["token"], method="DELETE")
    assert gone[0] == 404  # not even that it is there
    assert service.send(f"/api/auth/sessions/{other}", token=two["token"], method="DELETE")[0] == 204
    assert service.send("/api/auth/me", token=one["token"])[0] == 401
    assert len(service.send("/api/auth/sessions", token=two["token"])[1]["sessions"]) == 1


@pytest.mark.parametrize("agent", [b"caf\xe9/1.0 \xff", b"x" * 199 + "\u00e9".encode()])
def test_no_client_s_name_hides_its_session(service, agent):
    token = register(service)[1]["token"]
    body = json.dumps({"username": "ada", "password": PASSWORD})
    headers = {"Content-Type": "application/json", "User-Agent": agent}
    assert service.ask("POST", "/api/auth/login", body, **headers).status == 200
    rows = service.send("/api/auth/sessions", token=token)[1]["sessions"]
    assert len(rows) == 2 and rows[0]["user_agent"].startswith(("caf?/1.0 ?", "x" * 199 + "?"))


def test_a_new_password_ends_the_other_sessions(service):
    one, two = register(service)[1], login(service)[1]
    change = lambda old, new: service.send("/api/auth/password", {"old_password": old, "new_password": new},
                                           token=two["token"])[0]
    assert change("wrong password", "another password") == 403
    assert change(PASSWORD, "short") == 422
    assert change(PASSWORD, "another password") == 204
    assert service.send("/api/auth/me", token=one["token"])[0] == 401
    assert service.send("/api/auth/me", token=two["token"])[0] == 200
    assert login(service)[0] == 401
    assert login(service, password="another password")[0] == 200


def test_only_admins_read_the_audit_log(service):
    admin = service.send("/api/auth/setup", {"setup_token": service.setup_token, "username": "root",
                                             "password": PASSWORD})[1]["token"]
    user = register(service)[1]["token"]
    assert service.send("/api/audit", token=user)[0] == 403
    assert service.send("/api/audit")[0] == 401
    status, page = service.send("/api/audit?limit=3", token=admin)
    assert status == 200 and [row["action"] for row in page["audit"]] == [
        "session.login", "user.register", "session.login"]
    rest = service.send(f"/api/audit?limit=3&before={page['next_before']}", token=admin)[1]
    assert [row["action"] for row in rest["audit"]] == ["user.register"] and rest["next_before"] is None
    for bad in ("limit=0", "limit=1001", "limit=x", "before=-1", "limit=", "before=99999999999999999999"):
        assert service.send(f"/api/audit?{bad}", token=admin)[0] == 422, bad
