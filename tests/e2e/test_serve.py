"""The service: health, metrics, errors, framing, and how it starts and stops."""
import json
import re
import signal
import socket
import subprocess

import pytest
from conftest import BINARY
from service import Service


@pytest.fixture
def service(magpie, photos):
    magpie.add(photos)
    s = Service(magpie)
    yield s
    if s.process.poll() is None:
        code, _ = s.stop()
        assert code == 0


def test_health_and_metrics(service):
    health = service.ask("GET", "/health")
    assert health.status == 200 and json.loads(health.text)["status"] == "healthy"
    assert json.loads(health.text)["timestamp"] > 1.7e9
    assert json.loads(service.ask("GET", "/health/live").text) == {"status": "alive"}
    assert json.loads(service.ask("GET", "/health/ready").text) == {"status": "ready"}
    parts = json.loads(service.ask("GET", "/health/dependencies").text)
    assert [p["status"] for p in parts["dependencies"]] == ["up"]
    metrics = service.ask("GET", "/metrics")
    assert metrics.getheader("Content-Type").startswith("text/plain; version=0.0.4")
    text = metrics.text.decode()
    assert 'http_requests_total{method="GET",endpoint="/health",status="200"} 1\n' in text
    for line in text.splitlines():
        assert line.startswith("# ") or re.fullmatch(r'[a-z_]+(\{[^{}]*\})? [-+0-9.e]+', line), line


def test_problems_have_one_shape(service):
    for method, path, status in (("GET", "/nothing", 404), ("POST", "/health", 405), ("GET", "/%zz", 400),
                                 ("PURGE", "/health", 405), ("GET", "/health/", 404)):
        answer = service.ask(method, path)
        assert answer.status == status, path
        assert answer.getheader("Content-Type") == "application/problem+json"
        problem = json.loads(answer.text)
        assert problem["status"] == status and problem["title"] and problem["error"]
        assert problem["request_id"] == answer.getheader("X-Request-Id")
    assert service.ask("POST", "/health").getheader("Allow") == "GET"
    assert service.ask("POST", "/health", b"x" * 100).status in (405, 413)


def test_request_ids_go_through(service):
    assert service.ask("GET", "/health", X_Request_Id="from-me.7").getheader("X-Request-Id") == "from-me.7"
    for bad in ("a b", "x" * 65, "\"}", "é"):
        given = service.ask("GET", "/health", X_Request_Id=bad.encode()).getheader("X-Request-Id")
        assert re.fullmatch("[0-9a-f]{32}", given)
    code, log = service.stop()
    lines = [json.loads(line) for line in log.decode().splitlines()]
    assert code == 0
    assert any(line["request_id"] == "from-me.7" and line["status"] == 200 for line in lines)


def test_head_has_no_body_and_connections_are_kept(service):
    answer = service.ask("HEAD", "/health")
    assert answer.status == 200 and answer.text == b"" and int(answer.getheader("Content-Length")) > 0
    both = service.raw(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    assert both.count(b"HTTP/1.1 200") == 2


# Framing that two parties could read in two ways, or that is no HTTP.
MALFORMED = [
    b"GARBAGE\r\n\r\n",
    b"GET /health HTTP/1.1\r\n\r\n",  # no Host
    b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    b"GET /health HTTP/1.1\r\nHost: x\r\nX(y): z\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nHost : y\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5x\r\n\r\nhello",
    b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n",
    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
]


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_malformed_requests(service, number):
    answer = service.raw(MALFORMED[number])
    assert b"HTTP/1.1 5" not in answer or b"HTTP/1.1 505" in answer
    assert not answer or re.match(rb"HTTP/1\.[01] (400|405|413|414|431|505) ", answer), answer[:200]
    assert service.ask("GET", "/health").status == 200


def test_a_taken_port_and_a_wrong_address_are_told(magpie, service):
    done = magpie.run("serve", "--port", service.port, code=6)
    assert b"Address already in use" in done.stderr
    assert b"numeric" in magpie.run("serve", "--address", "here", code=2).stderr


def test_it_finishes_what_is_under_way(service):
    with socket.create_connection(("127.0.0.1", service.port)) as s:
        s.sendall(b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = s.recv(65536)
    assert b" 200 " in answer
    code, _ = service.stop(signal.SIGINT)
    assert code == 0
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", service.port), timeout=1)
    assert subprocess.run([BINARY, "help", "serve"], capture_output=True).returncode == 0
