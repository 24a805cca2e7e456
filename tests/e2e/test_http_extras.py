"""What stands around the handlers: limits held against raw sockets, TLS, CORS, compression, traces, rates."""
import contextlib
import gzip
import http.client
import http.server
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from service import Service


@pytest.fixture
def serve(magpie):
    """Starts services with options; each must end well."""
    running = []

    def start(*args):
        running.append(Service(magpie, *args))
        return running[-1]

    yield start
    for s in running:
        if s.process.poll() is None:
            code, _ = s.stop()
            assert code == 0


def dial(service):
    return socket.create_connection(("127.0.0.1", service.port), timeout=30)


def read_until(s, mark, most=1 << 20):
    out = b""
    while mark not in out and len(out) < most:
        piece = s.recv(65536)
        if not piece:
            break
        out += piece
    return out


def log_lines(log):
    return [json.loads(line) for line in log.decode().splitlines() if line.startswith("{")]


# ---- limits ----

def test_caps_of_the_head(serve):
    s = serve()
    head = b"GET /health?%s HTTP/1.1\r\nHost: x\r\n%s\r\n"
    assert b" 200 " in s.raw(head % (b"a" * 8000, b""))
    assert b" 414 " in s.raw(head % (b"a" * 8200, b""))
    assert b" 414 " in s.raw(head % (b"a" * 200_000, b""))
    assert b" 200 " in s.raw(head % (b"", b"A: " + b"b" * 31_000 + b"\r\n"))
    over = s.raw(head % (b"", b"A: " + b"b" * 33_000 + b"\r\n"))
    assert b" 431 " in over and b"application/problem+json" in over
    assert b" 431 " in s.raw(head % (b"", b"".join(b"A%d: b\r\n" % i for i in range(5000))))
    assert b" 431 " in s.raw(head % (b"", b"A: " + b"b" * 300_000 + b"\r\n"))
    assert s.ask("GET", "/health").status == 200


def closes_within(s, feed, limit):
    """How long a connection lives that is fed a byte now and then."""
    began = time.monotonic()
    s.settimeout(0.2)
    while time.monotonic() - began < limit:
        try:
            if feed:
                s.sendall(feed)
            if not s.recv(65536):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


def test_slow_heads_and_bodies_are_closed(serve):
    s = serve("--idle", "2s")
    token = s.set_up()
    with dial(s) as slow:  # a header line grows for ever
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nA: ")
        assert 1.5 < closes_within(slow, b"b", 10) < 5
    with dial(s) as slow:  # also of the second request
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in read_until(slow, b"}")
        slow.sendall(b"GET /he")
        assert 1.5 < closes_within(slow, b"a", 10) < 5
    with dial(s) as slow:
        slow.sendall(b"POST /api/images/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
                     b"Content-Type: application/json\r\nAuthorization: Bearer " + token.encode() + b"\r\n\r\n")
        assert 1.5 < closes_within(slow, b" ", 10) < 6
    with dial(s) as silent:
        assert 1 < closes_within(silent, b"", 10) < 5
    with dial(s) as steady:  # slower than the idle time in all, but it moves
        steady.sendall(b"POST /api/images/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n"
                       b"Content-Type: application/json\r\nAuthorization: Bearer " + token.encode() + b"\r\n\r\n")
        for _ in range(40):
            steady.sendall(b" " * 1000)
            time.sleep(0.1)
        assert b"HTTP/1.1 4" in read_until(steady, b"\r\n\r\n")


def test_a_thousand_idle_connections(serve):
    s = serve("--idle", "30s", "--connections-per-address", "0")
    idle = [dial(s) for _ in range(1000)]
    try:
        with dial(s) as one_more:
            one_more.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            one_more.settimeout(0.5)
            try:
                early = one_more.recv(65536)
            except TimeoutError:
                early = b""
            for c in idle[:20]:
                c.close()
            one_more.settimeout(5)
            assert b" 200 " in (early or one_more.recv(65536))
    finally:
        for c in idle:
            c.close()
    assert s.ask("GET", "/health").status == 200


def test_pipelined_requests_are_answered_in_order(serve):
    s = serve()
    paths = [b"/health", b"/health/ready", b"/health/live", b"/nothing", b"/health/dependencies"] * 20
    with dial(s) as c:
        c.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\nX-Request-Id: p%d\r\n\r\n" % (p, i)
                           for i, p in enumerate(paths)))
        c.shutdown(socket.SHUT_WR)
        out = read_until(c, b"nothing more")
    assert re.findall(rb"X-Request-Id: (p\d+)", out) == [b"p%d" % i for i in range(len(paths))]
    assert out.count(b"HTTP/1.1 200") == 80 and out.count(b"HTTP/1.1 404") == 20


def test_a_refused_upload_is_not_asked_for(serve):
    s = serve()
    token = s.set_up()
    head = (b"POST /api/images HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\nExpect: 100-continue\r\n"
            b"Content-Type: image/jpeg\r\nAuthorization: Bearer %s\r\n\r\n")
    with dial(s) as c:
        c.sendall(head % b"wrong")
        answer = read_until(c, b"}")
        assert answer.startswith(b"HTTP/1.1 401") and b"100 Continue" not in answer
        assert b"Connection: close" in answer
        assert c.recv(100) == b""
    with dial(s) as c:
        c.sendall(head % token.encode())
        assert c.recv(100).startswith(b"HTTP/1.1 100")


# ---- TLS ----

def certificate(folder, name, key=("-newkey", "rsa:2048")):
    """A self-signed certificate of this machine and its key."""
    cert, secret = folder / f"{name}.pem", folder / f"{name}.key"
    done = subprocess.run(["openssl", "req", "-x509", *key, "-nodes", "-keyout", secret, "-out", cert, "-days", "2",
                           "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    return cert, secret


def trust(cert, version=None, ciphers=None):
    context = ssl.create_default_context(cafile=cert)
    if ciphers:
        context.set_ciphers(ciphers)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def shake_hands(service, context):
    """The version and the suite that both agree on, and the name in the certificate."""
    with dial(service) as plain, context.wrap_socket(plain, server_hostname="localhost") as s:
        return s.version(), s.cipher()[0], dict(x[0] for x in s.getpeercert()["subject"])["commonName"]


needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make certificates")


@needs_openssl
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("key", [("-newkey", "rsa:2048"), ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")])
def test_tls_versions_and_suites(serve, tmp_path, key):
    cert, secret = certificate(tmp_path, "magpie", key)
    s = serve("--tls-cert", cert, "--tls-key", secret)
    s.tls = trust(cert)
    answer = s.ask("GET", "/health")
    assert answer.status == 200
    assert answer.getheader("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"
    assert shake_hands(s, trust(cert))[0] == "TLSv1.3"
    version, suite, _ = shake_hands(s, trust(cert, ssl.TLSVersion.TLSv1_2))
    assert version == "TLSv1.2" and suite.startswith("ECDHE-") and ("GCM" in suite or "CHACHA20" in suite)
    assert shake_hands(s, trust(cert, ssl.TLSVersion.TLSv1_3))[0] == "TLSv1.3"
    for refused in (trust(cert, ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"),
                    trust(cert, ssl.TLSVersion.TLSv1, "ALL:@SECLEVEL=0"),
                    trust(cert, ssl.TLSVersion.TLSv1_2, "AES128-GCM-SHA256:@SECLEVEL=0"),  # no forward secrecy
                    trust(cert, ssl.TLSVersion.TLSv1_2, "ECDHE+AES+SHA1:ECDHE+AES+SHA256:!AESGCM:@SECLEVEL=0")):
        with pytest.raises(ssl.SSLError, match="(?i)alert|EOF"):  # the service ends it, not our side
            shake_hands(s, refused)
    assert s.ask("GET", "/health").status == 200
    assert b" 200 " not in s.raw(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")  # plain HTTP at this port
    assert s.ask("GET", "/health").status == 200


@needs_openssl
def test_links_and_uploads_over_tls(serve, photos, tmp_path):
    cert, secret = certificate(tmp_path, "magpie")
    s = serve("--tls-cert", cert, "--tls-key", secret)
    s.tls = trust(cert)
    token = s.set_up()
    data = (photos / "p00.jpg").read_bytes()
    status, made = s.send(f"/api/presign/upload?file_name=a.jpg&file_type=image/jpeg&file_size={len(data)}",
                          token=token)
    assert status == 200 and made["upload_url"].startswith(f"https://127.0.0.1:{s.port}/"), made
    assert s.upload(token, [("p00.jpg", data)]).status in (200, 201)
    image = s.send("/api/images", token=token)[1]["images"][0]
    assert s.get(f"/api/images/{image['id']}/content", token).text == data


@needs_openssl
def test_a_renewed_certificate_is_taken_over(serve, tmp_path):
    cert, secret = certificate(tmp_path, "old")
    s = serve("--tls-cert", cert, "--tls-key", secret)
    with dial(s) as plain, trust(cert).wrap_socket(plain, server_hostname="localhost") as kept:
        kept.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in read_until(kept, b"}")
        newer, its_key = certificate(tmp_path, "new")
        its_key.rename(secret)
        s.process.send_signal(signal.SIGHUP)  # the halves do not belong together now: nothing changes
        time.sleep(1.5)
        assert shake_hands(s, trust(cert))[2] == "old"
        newer.rename(cert)
        s.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                assert shake_hands(s, trust(cert))[2] == "new"
                break
            except ssl.SSLError:
                time.sleep(0.1)
        else:
            pytest.fail("the new certificate is not shown")
        kept.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in read_until(kept, b"}")


@needs_openssl
def test_bad_pairs_are_told(magpie, serve, tmp_path):
    cert, secret = certificate(tmp_path, "one")
    _, other = certificate(tmp_path, "two")
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "rsa", "-aes128", "-passout", "pass:secret", "-in", secret, "-out", locked],
                   check=True, capture_output=True)
    for c, k, words in ((cert, other, b"is not the one of the certificate"), (empty, secret, b"holds no certificate"),
                        (secret, secret, b"holds no certificate"), (cert, empty, b"holds no private key"),
                        (cert, cert, b"holds no private key"), (cert, locked, b"passphrase"),
                        (tmp_path / "absent", secret, b"cannot open")):
        done = magpie.run("serve", "--port", 0, "--tls-cert", c, "--tls-key", k, code=None)
        assert done.returncode in (2, 3, 4, 5, 6) and words in done.stderr, (done.returncode, done.stderr)
    assert b"together" in magpie.run("serve", "--port", 0, "--tls-cert", cert, code=2).stderr
    plain = serve()
    assert plain.ask("GET", "/health").getheader("Strict-Transport-Security") is None


# ---- CORS ----

def cors_headers(answer):
    return {k.lower(): v for k, v in answer.headers.items() if k.lower().startswith("access-control-")}


def preflight(service, path, origin, method="GET"):
    return service.ask("OPTIONS", path, Origin=origin, Access_Control_Request_Method=method,
                       Access_Control_Request_Headers="authorization")


def test_cors_answers_the_listed_origins_alone(serve):
    s = serve("--cors", "http://localhost:3000", "--cors", "HTTPS://App.Example.org:443")
    for origin in ("http://localhost:3000", "https://app.example.org"):
        answer = preflight(s, "/api/images/7", origin, "PATCH")
        assert answer.status == 204 and answer.text == b""
        assert cors_headers(answer) == {
            "access-control-allow-origin": origin, "access-control-allow-credentials": "true",
            "access-control-allow-methods": "GET, PATCH, DELETE, HEAD, OPTIONS",
            "access-control-allow-headers": "Authorization, Content-Type, X-Request-Id, Idempotency-Key, "
                                            "traceparent, X-API-Key",
            "access-control-max-age": "43200"}
        assert "Origin" in answer.getheader("Vary")
        for path, status in (("/health", 200), ("/api/images", 401), ("/api/nothing", 404)):
            answer = s.ask("GET", path, Origin=origin)
            assert answer.status == status and "Origin" in answer.getheader("Vary")
            assert cors_headers(answer) == {
                "access-control-allow-origin": origin, "access-control-allow-credentials": "true",
                "access-control-expose-headers": "X-Request-Id, ETag, Content-Length, Location"}
    for origin in ("http://localhost:3001", "https://localhost:3000", "http://localhost:3000.evil.org", "null",
                   "http://localhost:3000/", "https://app.example.org.", "https://evil.org,http://localhost:3000"):
        for answer in (preflight(s, "/api/images", origin), s.ask("GET", "/health", Origin=origin)):
            assert answer.status in (200, 204) and not cors_headers(answer)
            assert "Origin" in answer.getheader("Vary")


def test_options_without_an_origin_names_the_methods(serve):
    s = serve()
    for path, allow in (("/health", "GET, HEAD, OPTIONS"), ("/api/auth/login", "POST, OPTIONS"),
                        ("/api/images/7/thumbnail", "GET, POST, HEAD, OPTIONS")):
        answer = s.ask("OPTIONS", path)
        assert (answer.status, answer.getheader("Allow")) == (204, allow)
        assert not cors_headers(answer) and answer.getheader("Vary") is None
    assert s.ask("OPTIONS", "/api/nothing").status == 404
    assert s.ask("OPTIONS", "/api/images/%zz").status == 400
    assert not cors_headers(preflight(s, "/health", "http://localhost:3000"))
    assert b" 204 " in s.raw(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
    with dial(s) as c:  # a preflight costs no connection
        c.sendall(b"OPTIONS /health HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_until(c, b"}").count(b"HTTP/1.1 20") == 2


def test_any_origin_goes_without_credentials(serve):
    s = serve("--cors", "*")
    answer = preflight(s, "/api/images", "https://anybody.example")
    assert answer.getheader("Access-Control-Allow-Origin") == "*"
    assert answer.getheader("Access-Control-Allow-Credentials") is None


@pytest.mark.parametrize("bad", [("*", "http://a"), ("http://a/",), ("http://a/path",), ("a",), ("ftp://a",), ("null",),
                                 ("http://",), ("http://a:0",), ("http://a:99999",), ("http://a:8080x",),
                                 ("http://u@a",), ("http://a b",), ("http://*.a",), ("",)])
def test_what_is_no_origin_is_told(magpie, bad):
    options = [word for origin in bad for word in ("--cors", origin)]
    done = magpie.run("serve", "--port", 0, *options, code=2)
    assert b"origin" in done.stderr


# ---- what every answer says ----

def test_security_headers(serve, magpie, photos):
    magpie.add(photos / "p00.jpg")
    s = serve("--cors", "http://localhost:3000")
    token = s.set_up()
    for path in ("/health", "/api/nothing", "/api/images"):
        headers = s.ask("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
        assert headers["X-XSS-Protection"] == "1; mode=block"
        assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
        assert "camera=()" in headers["Permissions-Policy"]
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers.get_all("Cross-Origin-Resource-Policy") == ["same-origin"]
    image = s.send("/api/images", token=token)[1]["images"][0]["id"]
    policy = {o: s.get(f"/api/images/{image}/content", token, **({"Origin": o} if o else {})).headers.get_all(
        "Cross-Origin-Resource-Policy") for o in ("", "http://localhost:3000", "http://evil.example")}
    assert policy == {"": ["same-origin"], "http://localhost:3000": ["cross-origin"],
                      "http://evil.example": ["same-origin"]}
    answer = s.get(f"/api/images/{image}/content", token)
    assert len(answer.headers.get_all("Cache-Control")) == 1 and "max-age" in answer.getheader("Cache-Control")


# ---- compression ----

def test_text_is_packed_and_pictures_are_not(serve, magpie, photos):
    magpie.add(photos)
    s = serve("--cors", "http://localhost:3000")
    token = s.set_up()
    plain = s.get("/api/images?limit=12", token)
    assert len(plain.text) >= 1024 and plain.getheader("Content-Encoding") is None
    assert plain.getheader("Vary") == "Origin, Accept-Encoding"
    for accept in ("gzip", "x-gzip, identity;q=0.5", "br, *;q=0.1", "identity;q=0, gzip;q=0.001"):
        packed = s.get("/api/images?limit=12", token, Accept_Encoding=accept)
        assert packed.getheader("Content-Encoding") == "gzip", accept
        assert int(packed.getheader("Content-Length")) == len(packed.text) < len(plain.text) / 2
        assert len(json.loads(gzip.decompress(packed.text))["images"]) == 12
        head = s.ask("HEAD", "/api/images?limit=12", Accept_Encoding=accept, Authorization=f"Bearer {token}")
        assert head.text == b"" and head.getheader("Content-Encoding") == "gzip"
        # links carry the time, so that the length may differ by a few bytes
        assert abs(int(head.getheader("Content-Length")) - len(packed.text)) < 200
    for accept in ("gzip;q=0", "br", "identity", "gzip;q=0.5, identity;q=1"):
        assert s.get("/api/images?limit=12", token, Accept_Encoding=accept).getheader("Content-Encoding") is None
    for path in ("/health", "/api/nothing"):
        assert s.ask("GET", path, Accept_Encoding="gzip").getheader("Content-Encoding") is None  # too short
    image = json.loads(plain.text)["images"][0]["id"]
    for path in (f"/api/images/{image}/content", f"/api/images/{image}/thumbnail"):
        answer = s.get(path, token, Accept_Encoding="gzip")
        assert answer.status == 200 and answer.getheader("Content-Encoding") is None
        assert answer.getheader("ETag").startswith('"')
    part = s.get(f"/api/images/{image}/content", token, Accept_Encoding="gzip", Range="bytes=0-99")
    assert part.status == 206 and len(part.text) == 100 and part.getheader("Content-Encoding") is None
    assert gzip.decompress(s.ask("GET", "/metrics", Accept_Encoding="gzip").text).startswith(b"# HELP")


# ---- traces ----

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector:
    """Takes what is posted; `status` is what it answers, and `hold` keeps it waiting."""

    def __init__(self):
        self.bodies, self.status, self.hold = [], 200, threading.Event()
        self.hold.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.hold.wait(30)
                outer.bodies.append((self.path, self.headers["Content-Type"], json.loads(body)))
                with contextlib.suppress(OSError):  # the service may have gone
                    self.send_response(outer.status)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"{}")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def spans(self):
        return [span for _, _, body in self.bodies for r in body["resourceSpans"] for s in r["scopeSpans"]
                for span in s["spans"]]

    def close(self):
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def collector():
    c = Collector()
    yield c
    c.close()


def wait_for(what, seconds=15):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def attributes(span):
    return {a["key"]: list(a["value"].values())[0] for a in span["attributes"]}


def test_traces_go_through_and_to_the_collector(serve, collector):
    s = serve("--otlp-endpoint", collector.url)
    before = time.time_ns()
    first = s.ask("GET", "/health?secret=1", traceparent=f"00-{TRACE}-{SPAN}-01", tracestate="a=1")
    ours = re.fullmatch(f"00-{TRACE}-([0-9a-f]{{16}})-01", first.getheader("traceparent"))[1]
    assert ours != SPAN and first.getheader("tracestate") == "a=1"
    begun = s.ask("GET", "/api/nothing/here", traceparent="00-" + "0" * 32 + f"-{SPAN}-01", tracestate="a=1")
    theirs = re.fullmatch("00-([0-9a-f]{32})-([0-9a-f]{16})-01", begun.getheader("traceparent"))
    assert theirs[1] not in (TRACE, "0" * 32) and begun.getheader("tracestate") is None
    assert s.ask("GET", "/health", traceparent=f"00-{TRACE}-{SPAN}-00").getheader("traceparent").endswith("-00")
    s.ask("GET", "/api/images/123456/content")
    wait_for(lambda: len(collector.spans()) >= 3)
    path, type_, body = collector.bodies[0]
    assert path == "/v1/traces" and type_ == "application/json"
    assert {"key": "service.name", "value": {"stringValue": "magpie"}} in body["resourceSpans"][0]["resource"]["attributes"]
    spans = {span["spanId"]: span for span in collector.spans()}
    assert len(spans) == 3  # not the one that its caller does not sample
    span = spans[ours]
    assert span["traceId"] == TRACE and span["parentSpanId"] == SPAN and span["kind"] == 2
    assert span["name"] == "GET /health"
    assert attributes(span) == {"http.request.method": "GET", "url.path": "/health", "http.route": "/health",
                                "http.response.status_code": "200"}
    began, ended = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    assert before - 10**9 < began <= ended < time.time_ns() + 10**9
    assert spans[theirs[2]]["traceId"] == theirs[1] and "parentSpanId" not in spans[theirs[2]]
    assert attributes(spans[theirs[2]]) == {"http.request.method": "GET", "http.response.status_code": "404"}
    text = json.dumps(collector.bodies)
    assert "/api/images/{id}/content" in text and "123456" not in text and "secret" not in text
    code, log = s.stop()
    assert code == 0
    line = next(line for line in log_lines(log) if line["span_id"] == ours)
    assert line["trace_id"] == TRACE and line["endpoint"] == "/health"


def test_what_waits_is_sent_at_the_end(serve, collector):
    s = serve("--otlp-endpoint", collector.url)
    for _ in range(20):
        s.ask("GET", "/health")
    began = time.monotonic()
    assert s.stop()[0] == 0
    assert time.monotonic() - began < 4
    assert len(collector.spans()) == 20


def test_a_collector_that_hangs_holds_nobody_up(serve, collector):
    s = serve("--otlp-endpoint", collector.url)
    collector.hold.clear()
    s.ask("GET", "/health")
    time.sleep(1.5)  # it waits for the collector now
    began = time.monotonic()
    with dial(s) as c:
        for _ in range(20):
            c.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
            out = b""
            while out.count(b"alive") < 100:
                out += c.recv(1 << 20)
    assert time.monotonic() - began < 10
    began = time.monotonic()
    assert s.stop()[0] == 0
    assert time.monotonic() - began < 4


def test_spans_that_are_refused_are_counted(serve, collector):
    s = serve("--otlp-endpoint", collector.url)
    collector.status = 400
    s.ask("GET", "/health")
    wait_for(lambda: collector.bodies)
    wait_for(lambda: not re.search(rb"\notlp_spans_dropped_total 0\n", s.ask("GET", "/metrics").text))
    code, log = s.stop()
    assert code == 0 and log.count(b"traces are not taken") == 1


def test_without_a_collector_nothing_is_sampled(serve, magpie):
    s = serve()
    assert s.ask("GET", "/health").getheader("traceparent").endswith("-00")
    assert b"otlp" not in s.ask("GET", "/metrics").text
    assert b"http://" in magpie.run("serve", "--port", 0, "--otlp-endpoint", "localhost:4318", code=2).stderr


# ---- rates ----

def statuses(service, n, path, **headers):
    """Of n requests at once, over one connection."""
    lines = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
    with dial(service) as c:
        c.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode() * n)
        out = b""
        while out.count(b"HTTP/1.1 ") < n:
            out += c.recv(1 << 20)
    found = [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+)", out)]
    return {code: found.count(code) for code in set(found)}


def test_rates_by_address_and_by_user(serve, magpie, photos):
    magpie.add(photos / "p00.jpg")
    s = serve("--rate-limit", "1", "--rate-burst", "20")
    token = s.set_up()  # one of this address's
    other = s.register("ada")
    image = s.send("/api/images", token=token)[1]["images"][0]
    link = image["preview_url"]
    anonymous = statuses(s, 40, "/api/nothing")
    assert anonymous[429] >= 15 and 10 <= anonymous[404] <= 25
    refused = s.ask("GET", "/api/nothing")
    assert refused.status == 429 and refused.getheader("Content-Type") == "application/problem+json"
    assert 1 <= int(refused.getheader("Retry-After")) <= 2 and refused.json["status"] == 429
    assert s.send("/api/auth/login", {"username": "ada", "password": "x"})[0] == 429
    assert statuses(s, 40, "/health") == {200: 40} and statuses(s, 40, "/metrics") == {200: 40}
    # users have buckets of their own, wherever they are
    mine = statuses(s, 40, "/api/auth/me", Authorization=f"Bearer {token}")
    assert 15 <= mine[200] <= 25 and mine[429] >= 15
    assert s.send("/api/auth/me", token=token)[0] == 429
    assert s.send("/api/auth/me", token=other)[0] == 200
    # guesses at tokens count for the address, whose bucket is empty
    assert statuses(s, 10, "/api/auth/me", Authorization="Bearer wrong").get(401, 0) <= 2
    # signed links: ten times as many
    shown = statuses(s, 150, link)
    assert shown == {200: 150}
    assert statuses(s, 150, link)[429] >= 50
    time.sleep(2.1)
    assert s.ask("GET", "/api/nothing").status == 404


def test_rates_of_uploads_are_known_before_the_body(serve):
    s = serve("--rate-limit", "0.1", "--rate-burst", "3")
    token = s.set_up()
    for _ in range(3):
        s.send("/api/auth/me", token=token)
    with dial(s) as c:
        c.sendall(b"POST /api/images HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\nExpect: 100-continue\r\n"
                  b"Content-Type: image/jpeg\r\nAuthorization: Bearer " + token.encode() + b"\r\n\r\n")
        assert read_until(c, b"}").startswith(b"HTTP/1.1 429")


def test_without_limits_all_are_answered(serve):
    s = serve("--rate-limit", "0")
    assert statuses(s, 300, "/api/nothing") == {404: 300}


def test_addresses_behind_a_trusted_proxy(serve, magpie):
    s = serve("--rate-limit", "0.1", "--rate-burst", "2", "--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "::1")
    for i in range(5):  # each client has its own bucket, and writes nothing into another's
        chain = f"198.51.100.{i}, 203.0.113.{i}"
        assert [s.ask("GET", "/api/nothing", X_Forwarded_For=chain).status for _ in range(3)] == [404, 404, 429]
    assert s.ask("GET", "/api/nothing", X_Forwarded_For="203.0.113.99, 203.0.113.1").status == 429
    code, log = s.stop()
    assert code == 0
    assert {line["remote"] for line in log_lines(log)} == {f"203.0.113.{i}" for i in range(5)}
    alone = serve("--rate-limit", "0.1", "--rate-burst", "2")
    assert [alone.ask("GET", "/api/nothing", X_Forwarded_For=f"203.0.113.{i}").status for i in range(3)] == [404, 404, 429]
    assert b"no address" in magpie.run("serve", "--port", 0, "--trusted-proxy", "proxy.local", code=2).stderr


def test_links_know_the_scheme_of_a_trusted_proxy(serve):
    s = serve("--trusted-proxy", "127.0.0.1")
    token = s.set_up()
    for scheme in ("http", "https"):
        made = s.get("/api/presign/upload?file_name=a.jpg&file_type=image/jpeg&file_size=10", token,
                     X_Forwarded_Proto=scheme)
        assert made.json["upload_url"].startswith(scheme + "://")


# ---- how many ----

def open_until_refused(service, most):
    """How many idle connections of one address are served; they stay open until the list is cleared."""
    held = []
    for _ in range(most):
        s = socket.create_connection(("127.0.0.1", service.port), timeout=5)
        try:
            s.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            if not s.recv(4096):
                break
        except ConnectionError:
            break
        held.append(s)
    return held


@pytest.mark.parametrize("args,served", [
    (["--connections-per-address", "7"], 7), ([], 200), (["--connections-per-address", "0"], 230),
    (["--trusted-proxy", "127.0.0.1"], 230), (["--trusted-proxy", "127.0.0.1", "--connections-per-address", "9"], 9)])
def test_connections_of_one_address(magpie, args, served):
    service = Service(magpie, *args)
    held = open_until_refused(service, 230)
    assert len(held) == served
    for s in held:
        s.close()
    until = time.time() + 10  # the places are free again
    while time.time() < until:
        try:
            assert service.get("/health/live").status == 200
            break
        except (ConnectionError, http.client.HTTPException):
            time.sleep(0.1)
    else:
        raise AssertionError("still refused")
    assert service.stop()[0] == 0
