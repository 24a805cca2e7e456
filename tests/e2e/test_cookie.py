"""The session of a page: its refresh token in a cookie that only a page of this very host can use."""
import http.cookies

import pytest
from service import PASSWORD, Service
from test_http_extras import certificate, needs_openssl, trust

OURS = {"X_Requested_With": "magpie"}


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    yield s
    assert s.stop()[0] == 0


def post(service, path, body="{}", **headers):
    return service.ask("POST", path, body, Content_Type=headers.pop("Content_Type", "application/json"), **headers)


def cookie_of(answer):
    (text,) = answer.headers.get_all("Set-Cookie")
    ((name, morsel),) = http.cookies.SimpleCookie(text).items()
    return name, morsel, text


def sign_in(service):
    service.set_up()
    answer = post(service, "/api/auth/login", f'{{"username": "root", "password": "{PASSWORD}", "cookie": true}}')
    assert answer.status == 200 and "refresh_token" not in answer.json and answer.json["access_token"]
    return answer


def test_signing_in_sets_it_and_says_nothing_of_it(service):
    name, morsel, text = cookie_of(sign_in(service))
    assert name == f"magpie_refresh_{service.port}" and len(morsel.value) == 64
    assert morsel["path"] == "/api/auth" and morsel["httponly"] and morsel["samesite"] == "Strict"
    assert int(morsel["max-age"]) == 30 * 24 * 3600
    assert "Secure" not in text  # no TLS here
    plain = post(service, "/api/auth/login", f'{{"username": "root", "password": "{PASSWORD}"}}')
    assert plain.json["refresh_token"] and plain.getheader("Set-Cookie") is None


def test_set_up_and_registration_know_it_too(service):
    body = '{"setup_token": "%s", "username": "root", "password": "%s", "cookie": true}' % (service.setup_token, PASSWORD)
    assert service.get("/api/auth/ways").json == {"setup_needed": True, "registration": "open", "mail": False}
    made = post(service, "/api/auth/setup", body)
    assert made.status == 201 and "refresh_token" not in made.json and cookie_of(made)
    assert service.get("/api/auth/ways").json["setup_needed"] is False
    made = post(service, "/api/auth/register", '{"username": "ada", "password": "%s", "cookie": true}' % PASSWORD)
    assert made.status == 201 and "refresh_token" not in made.json and cookie_of(made)


def test_each_turn_gives_the_next_one(service):
    name, morsel, _ = cookie_of(sign_in(service))
    first = f"theme=dark; {name}={morsel.value}; other=1"
    answer = post(service, "/api/auth/refresh", Cookie=first, **OURS)
    assert answer.status == 200 and answer.json["user"]["username"] == "root"
    assert "refresh_token" not in answer.json
    name, fresh, _ = cookie_of(answer)
    assert fresh.value != morsel.value
    assert service.get("/api/auth/me", answer.json["access_token"]).status == 200
    stolen = post(service, "/api/auth/refresh", Cookie=first, **OURS)
    assert stolen.status == 401 and cookie_of(stolen)[1]["max-age"] == "0"
    assert service.get("/api/auth/me", answer.json["access_token"]).status == 401  # the session ended
    assert post(service, "/api/auth/refresh", Cookie=f"{name}={fresh.value}", **OURS).status == 401


@pytest.mark.parametrize("headers, status", [
    ({}, 403),
    ({"X_Requested_With": "XMLHttpRequest"}, 403),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "http://evil.example", **OURS}, 403),
    ({"Origin": "http://127.0.0.1"}, 403),  # another port
    ({"Origin": "null", **OURS}, 403),
    ({"Origin": "http://127.0.0.1:PORT.evil.example"}, 403),
    ({"Origin": "http://127.0.0.1:PORT"}, 200),
    ({"Origin": "http://127.0.0.1:PORT", **OURS}, 200),
    (OURS, 200),
])
def test_only_a_page_of_this_host_can_use_it(service, headers, status):
    name, morsel, _ = cookie_of(sign_in(service))
    headers = {k: v.replace("PORT", str(service.port)) for k, v in headers.items()}
    answer = post(service, "/api/auth/refresh", Cookie=f"{name}={morsel.value}", **headers)
    assert answer.status == status, answer.text
    if status == 403:  # and it was not used up
        assert answer.getheader("Set-Cookie") is None
        assert post(service, "/api/auth/refresh", Cookie=f"{name}={morsel.value}", **OURS).status == 200


def test_a_form_of_another_page_gets_nowhere(service):
    name, morsel, _ = cookie_of(sign_in(service))
    answer = post(service, "/api/auth/refresh", Cookie=f"{name}={morsel.value}", Origin="http://evil.example",
                  Content_Type="text/plain")
    assert answer.status == 415


def test_logout_takes_it_away(service):
    answer = sign_in(service)
    name, morsel, _ = cookie_of(answer)
    token = {"Authorization": f"Bearer {answer.json['access_token']}", "Cookie": f"{name}={morsel.value}"}
    assert post(service, "/api/auth/logout", "", Origin="http://evil.example", **token).status == 403
    out = post(service, "/api/auth/logout", "", **token, **OURS)
    assert out.status == 204 and cookie_of(out)[1]["max-age"] == "0" and not cookie_of(out)[1].value
    assert post(service, "/api/auth/refresh", Cookie=f"{name}={morsel.value}", **OURS).status == 401


def test_no_cookie_no_session(service):
    service.set_up()
    for cookie in ({}, {"Cookie": "magpie_refresh=x"}, {"Cookie": f"xmagpie_refresh_{service.port}=x"},
                   {"Cookie": "=;;,,"}, {"Cookie": f"magpie_refresh_{service.port}=" + "x" * 5000},
                   {"Cookie": f"magpie_refresh_{service.port}=x"}):
        assert post(service, "/api/auth/refresh", **cookie, **OURS).status == 401


@needs_openssl
def test_over_tls_it_is_secure(magpie, tmp_path):
    cert, secret = certificate(tmp_path, "magpie")
    service = Service(magpie, "--tls-cert", cert, "--tls-key", secret)
    service.tls = trust(cert)
    try:
        assert "Secure" in cookie_of(sign_in(service))[2]
    finally:
        assert service.stop()[0] == 0
