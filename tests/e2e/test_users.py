"""Who may make an account, and what administrators do with accounts."""
import concurrent.futures
import json
import sqlite3
import time

import pytest
from test_accounts import PASSWORD, login, register
from service import Service


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


def set_up(service):
    """The administrator's access token."""
    return service.send("/api/auth/setup", {"setup_token": service.setup_token, "username": "root",
                                            "password": PASSWORD})[1]["token"]


def actions(service, token, query=""):
    page = service.send(f"/api/audit?limit=1000{query}", token=token)[1]
    return [row["action"] for row in page["audit"]]


# ---- registration ----

def test_with_invitations_only(magpie):
    s = Service(magpie, "--registration", "invite")
    root = set_up(s)
    refused = register(s)
    assert refused[0] == 403 and "invitation" in refused[1]["detail"]
    status, invite = s.send("/api/invites", {"role": "operator", "email": "Ada@Example.org",
                                             "expires_in_s": 3600}, token=root)
    assert status == 201 and len(invite["token"]) == 64 and invite["role"] == "operator"
    assert 3500 < invite["expires_at"] - time.time() <= 3600
    for wrong in ("0" * 64, "x", invite["token"][:-2], invite["token"] + "00"):
        assert register(s, invite=wrong)[0] == 403
    assert register(s, invite=invite["token"], email="other@example.org")[0] == 422
    assert register(s, "root", invite=invite["token"])[0] == 409
    assert register(s, invite=invite["token"], password="short")[0] == 422
    status, made = register(s, invite=invite["token"])  # refusals have not used it up
    assert status == 201 and made["user"]["role"] == "operator"
    assert made["user"]["email"] == "Ada@Example.org"
    assert register(s, "bob", invite=invite["token"])[0] == 403
    row = s.send("/api/invites", token=root)[1]["invites"][0]
    assert row["used_by"] == made["user"]["id"] and row["used_at"] and "token" not in row
    assert actions(s, root, "&action=invite.") == ["invite.create"]
    assert s.stop()[0] == 0
    for path in magpie.library.glob("magpie.db*"):
        assert invite["token"].encode() not in path.read_bytes()


def test_invitations_can_be_taken_back_and_end(magpie):
    s = Service(magpie, "--registration", "invite")
    root = set_up(s)
    first, second = (s.send("/api/invites", {}, token=root)[1] for _ in range(2))
    assert first["role"] == "user" and first["email"] == ""
    assert s.send(f"/api/invites/{first['id']}", token=root, method="DELETE")[0] == 204
    assert s.send(f"/api/invites/{first['id']}", token=root, method="DELETE")[0] == 404
    assert register(s, invite=first["token"])[0] == 403
    with sqlite3.connect(magpie.library / "magpie.db") as db:
        db.execute("UPDATE invite SET expires_ms = ?", (int(time.time() * 1000) - 1,))
    assert register(s, invite=second["token"])[0] == 403
    for bad in ({"role": "king"}, {"email": "no address"}, {"expires_in_s": 1}, {"expires_in_s": "60"},
                {"expires_in_s": 60.5}, {"expires_in_s": 10**12}, {"token": "x"}, []):
        assert s.send("/api/invites", bad, token=root)[0] == 422, bad
    for bad in ("0", "-1", "x", "99999999999999999999", "1x"):
        assert s.send(f"/api/invites/{bad}", token=root, method="DELETE")[0] == 404
    assert s.stop()[0] == 0


def test_one_invitation_lets_one_in(magpie):
    s = Service(magpie, "--registration", "invite")
    invite = s.send("/api/invites", {}, token=set_up(s))[1]["token"]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda i: register(s, f"guest{i}", invite=invite)[0], range(6)))
    assert sorted(answers) == [201] + [403] * 5
    assert s.stop()[0] == 0


def test_closed_is_closed_to_the_invited_too(magpie):
    s = Service(magpie, "--registration", "closed")
    root = set_up(s)
    invite = s.send("/api/invites", {}, token=root)[1]["token"]
    assert register(s, invite=invite)[0] == 403
    made = s.send("/api/users", {"username": "ada", "password": PASSWORD, "role": "user"}, token=root)
    assert made[0] == 201 and login(s)[0] == 200
    assert s.stop()[0] == 0


def test_where_everybody_may_an_invitation_still_says_the_role(service):
    root = set_up(service)
    invite = service.send("/api/invites", {"role": "guest"}, token=root)[1]["token"]
    assert register(service)[1]["user"]["role"] == "user"
    assert register(service, "bob", invite=invite)[1]["user"]["role"] == "guest"


def test_only_admins_invite(service):
    set_up(service)
    user = register(service)[1]["token"]
    for method, path, body in (("GET", "/api/invites", None), ("POST", "/api/invites", {}),
                               ("DELETE", "/api/invites/1", None)):
        assert service.send(path, body, token=user, method=method)[0] == 403
        assert service.send(path, body, method=method)[0] == 401


# ---- users ----

def make(service, root, name, role="user", **more):
    status, made = service.send("/api/users", {"username": name, "password": PASSWORD, "role": role, **more},
                                token=root)
    assert status == 201, made
    return made


def test_admins_make_and_find_users(service):
    root = set_up(service)
    ada = make(service, root, "ada", "operator", email="ada@example.org")
    assert ada["role"] == "operator" and ada["active"] is True and "password" not in ada
    names = [make(service, root, f"user{i}")["username"] for i in range(5)]
    make(service, root, "guest", "guest")
    ask = lambda query: [u["username"] for u in service.send(f"/api/users?{query}", token=root)[1]["users"]]
    assert ask("") == ["root", "ada", *names, "guest"]
    assert ask("role=user") == names
    assert ask("q=EXAMPLE") == ["ada"] and ask("q=user&limit=2") == names[:2] and ask("q=%25") == []
    assert ask("active=false") == [] and len(ask("active=true")) == 8
    seen, cursor = [], ""
    while cursor is not None:
        page = service.send(f"/api/users?limit=3{cursor and '&cursor=' + cursor}", token=root)[1]
        seen += [u["username"] for u in page["users"]]
        cursor = page["next_cursor"]
    assert seen == ask("")
    for bad in ("limit=0", "limit=1001", "role=king", "active=1", "cursor=x", "cursor=-1"):
        assert service.send(f"/api/users?{bad}", token=root)[0] == 422, bad
    assert service.send(f"/api/users/{ada['id']}", token=root) == (200, ada)
    for missing in ("999", "x", "0"):
        assert service.send(f"/api/users/{missing}", token=root)[0] == 404
    for bad, status in (({"role": "king"}, 422), ({"username": "a"}, 422), ({"password": "short"}, 422),
                        ({"email": "no"}, 422), ({"username": "ADA"}, 409), ({"email": "ada@EXAMPLE.org"}, 409)):
        body = {"username": "new", "password": PASSWORD, "role": "user", **bad}
        assert service.send("/api/users", body, token=root)[0] == status, bad
    log = service.send("/api/audit?action=user.create&limit=1", token=root)[1]["audit"][0]
    assert log["user_id"] == 1 and log["target_id"] == 8 and log["detail"] == "guest"


def test_operators_read_and_users_do_not(service):
    root = set_up(service)
    make(service, root, "olga", "operator")
    make(service, root, "uma")
    olga, uma = login(service, "olga")[1]["token"], login(service, "uma")[1]["token"]
    assert service.send("/api/users", token=olga)[0] == 200
    assert service.send("/api/users/1", token=olga)[0] == 200
    assert service.send("/api/users", token=uma)[0] == 403
    assert service.send("/api/users/1", token=uma)[0] == 403
    for token in (olga, uma):
        body = {"username": "new", "password": PASSWORD, "role": "admin"}
        assert service.send("/api/users", body, token=token)[0] == 403
        assert service.send("/api/users/2", {"role": "admin"}, token=token, method="PATCH")[0] == 403
        assert service.send("/api/users/1", token=token, method="DELETE")[0] == 403
        assert service.send("/api/auth/keys/rotate", {}, token=token)[0] == 403


def test_another_role_and_closing_end_sessions_and_keys(service):
    root = set_up(service)
    for change in ({"role": "operator"}, {"active": False}):
        name = f"ada{len(change)}{list(change)[0]}"
        path = f"/api/users/{make(service, root, name)['id']}"
        ada = login(service, name)[1]
        key = service.send("/api/keys", {"name": "k", "scopes": ["*"]}, token=ada["token"])[1]["key"]
        assert service.send("/api/auth/me", token=key)[0] == 200
        assert service.send(path, {"email": f"{name}@example.org"}, token=root, method="PATCH")[0] == 200
        assert service.send("/api/auth/me", token=ada["token"])[0] == 200  # an address ends nothing
        status, now = service.send(path, change, token=root, method="PATCH")
        assert status == 200 and all(now[k] == v for k, v in change.items())
        assert service.send("/api/auth/me", token=ada["token"])[0] == 401
        assert service.send("/api/auth/me", token=key)[0] == 401
        assert service.send("/api/auth/refresh", {"refresh_token": ada["refresh_token"]})[0] == 401
        assert login(service, name)[0] == (401 if "active" in change else 200)
    assert service.send(path, {"active": True}, token=root, method="PATCH")[0] == 200
    assert login(service, name)[0] == 200
    assert service.send("/api/auth/me", token=key)[0] == 401  # gone for good
    for bad in ({}, {"role": "king"}, {"role": None}, {"active": 1}, {"email": "no"}, {"username": "x"}, []):
        assert service.send(path, bad, token=root, method="PATCH")[0] == 422, bad
    assert service.send("/api/users/999", {"active": True}, token=root, method="PATCH")[0] == 404


def test_the_last_admin_stays(service):
    root = set_up(service)
    for change in ({"role": "user"}, {"active": False}):
        assert service.send("/api/users/1", change, token=root, method="PATCH")[0] == 409
    assert service.send("/api/users/1", token=root, method="DELETE")[0] == 409
    assert service.send("/api/auth/me", token=root)[0] == 200
    make(service, root, "second", "admin")
    second = login(service, "second")[1]["token"]
    # Two who put each other out at the same moment: one of them stays.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(service.send, "/api/users/2", {"role": "user"}, root, "PATCH"),
                 pool.submit(service.send, "/api/users/1", {"role": "user"}, second, "PATCH")]
        statuses = sorted(c.result()[0] for c in calls)
    assert statuses[0] == 200 and statuses[1] in (401, 403, 409)


def test_deleted_users_are_anonymous(service, magpie):
    root = set_up(service)
    ada = make(service, root, "ada", email="ada@example.org")
    token = login(service)[1]["token"]
    path = f"/api/users/{ada['id']}"
    assert service.send(path, token=root, method="DELETE")[0] == 204
    assert service.send("/api/auth/me", token=token)[0] == 401
    assert login(service)[0] == 401 and login(service, "ada@example.org")[0] == 401
    assert service.send(path, token=root)[0] == 404
    assert service.send(path, token=root, method="DELETE")[0] == 404
    assert service.send(path, {"active": True}, token=root, method="PATCH")[0] == 404
    assert [u["username"] for u in service.send("/api/users", token=root)[1]["users"]] == ["root"]
    assert make(service, root, "ada", email="ada@example.org")["id"] > ada["id"]
    log = service.send(f"/api/audit?action=user.delete", token=root)[1]["audit"]
    assert [row["target_id"] for row in log] == [ada["id"]]
    assert service.stop()[0] == 0
    rows = sqlite3.connect(magpie.library / "magpie.db").execute(
        "SELECT username, email, password, active FROM user WHERE id = ?", (ada["id"],)).fetchall()
    assert rows == [(f"deleted#{ada['id']}", None, "!", 0)]


# ---- the log, mails ----

def test_the_audit_log_is_filtered(service):
    root = set_up(service)
    before = int(time.time())
    user = register(service)[1]["user"]["id"]
    login(service, "ada", "wrong password")
    assert actions(service, root, f"&user_id={user}") == ["session.refused", "session.login", "user.register"]
    assert actions(service, root, "&action=user.") == ["user.register", "user.register"]
    assert actions(service, root, f"&user_id={user}&action=session.login") == ["session.login"]
    assert actions(service, root, f"&from={before + 3600}") == []
    assert actions(service, root, f"&to={before - 3600}") == []
    assert len(actions(service, root, f"&from={before - 60}&to={before + 60}")) == 5
    for bad in ("user_id=0", "user_id=x", "from=-1", "to=0", "from=x", "to=99999999999999999999"):
        assert service.send(f"/api/audit?{bad}", token=root)[0] == 422, bad


def test_without_a_mail_server_nobody_can_forget(service):
    register(service, email="ada@example.org")
    answers = [service.send("/api/auth/password/forgot", {"email": mail})
               for mail in ("ada@example.org", "nobody@example.org")]
    assert [status for status, _ in answers] == [503, 503]
    assert "mail server" in answers[0][1]["detail"] and answers[0][1]["detail"] == answers[1][1]["detail"]
    for body in ({}, {"email": ""}, {"email": 7}, {"email": "a@b.c", "more": 1}):
        assert service.send("/api/auth/password/forgot", body)[0] == 422
    reset = lambda token: service.send("/api/auth/password/reset", {"token": token, "new_password": "x" * 10})
    assert reset("0" * 64)[0] == reset("x")[0] == 403
    statuses = [service.send("/api/auth/password/forgot", {"email": "ada@example.org"})[0] for _ in range(6)]
    assert statuses[-1] == 429  # nobody's mailbox is filled


def test_every_change_is_in_the_log(service):
    root = set_up(service)
    path = f"/api/users/{make(service, root, 'lovelace')['id']}"
    service.send(path, {"role": "guest", "active": False, "email": "lovelace@example.org"}, token=root, method="PATCH")
    service.send(path, token=root, method="DELETE")
    invite = service.send("/api/invites", {}, token=root)[1]["id"]
    service.send(f"/api/invites/{invite}", token=root, method="DELETE")
    key = service.send("/api/keys", {"name": "k", "scopes": ["*"]}, token=root)[1]["id"]
    service.send(f"/api/keys/{key}", token=root, method="DELETE")
    service.send("/api/auth/keys/rotate", {}, token=root)
    service.send("/api/auth/password", {"old_password": PASSWORD, "new_password": PASSWORD + "!"}, token=root)
    log = service.send("/api/audit", token=root)[1]["audit"]
    assert [row["action"] for row in reversed(log)] == [
        "user.register", "session.login", "user.create", "user.change", "user.delete", "invite.create",
        "invite.remove", "key.create", "key.remove", "keys.rotate", "user.password"]
    change = next(row for row in log if row["action"] == "user.change")
    assert change["detail"] == "role guest closed e-mail" and change["request_id"] and change["address"]
    assert "lovelace" not in json.dumps(log)  # names and addresses would outlive the account
