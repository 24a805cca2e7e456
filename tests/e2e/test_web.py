"""How the service hands out the web app: which path gives what, for how long it is kept, in which coding, and
that nothing outside of the folder can be had."""
import re
import gzip
import os

import pytest
from service import Service

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SCRIPT = b"console.log('magpie');\n" * 200


@pytest.fixture
def web(tmp_path):
    folder = tmp_path / "pages"
    (folder / "assets").mkdir(parents=True)
    (folder / "docs").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>the app</title>")
    (folder / "sw.js").write_text("// of the shell")
    (folder / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "assets" / "index-BX2yz1a4.js").write_bytes(SCRIPT)
    (folder / "assets" / "index-BX2yz1a4.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / "index-BX2yz1a4.js.br").write_bytes(b"brotli stands here")
    (folder / ".hidden").write_text("not for you")
    (folder / "docs" / "secret.txt").write_text("not for you")
    (tmp_path / "outside.txt").write_text("not for you")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    return folder


@pytest.fixture
def service(magpie, web):
    s = Service(magpie, "--web", web)
    yield s
    assert s.stop()[0] == 0


def policy(answer):
    (value,) = answer.headers.get_all("Content-Security-Policy")
    return dict(part.strip().split(" ", 1) for part in value.split(";"))


def test_the_page_is_asked_for_anew_each_time(service, web):
    page = service.ask("GET", "/")
    assert page.status == 200 and page.text == (web / "index.html").read_bytes()
    assert page.getheader("Content-Type") == "text/html; charset=utf-8"
    assert "no-cache" in page.getheader("Cache-Control") and page.getheader("ETag")
    assert service.get("/", If_None_Match=page.getheader("ETag")).status == 304
    (web / "index.html").write_text("<!doctype html><title>the app of tomorrow</title>")
    again = service.get("/", If_None_Match=page.getheader("ETag"))
    assert again.status == 200 and b"tomorrow" in again.text  # while the service runs


@pytest.mark.parametrize("path", ["/library", "/images/12", "/search?q=a%20cat", "/setup?token=abc", "/search/",
                                  "/no/such/page", "/assets/gone-BX2yz1a4.js", "/..", "/%2e%2e/outside.txt"])
def test_paths_of_the_app_give_its_page_to_browsers_alone(service, web, path):
    page = service.get(path, **PAGE)
    assert page.status == 200 and page.text == (web / "index.html").read_bytes()
    assert "no-cache" in page.getheader("Cache-Control")
    other = service.get(path, Accept="application/json")
    assert other.status == 404 and other.json["status"] == 404
    assert service.ask("HEAD", path, **PAGE).status == 200
    assert service.ask("POST", path, b"", **PAGE).status == 404


@pytest.mark.parametrize("path", ["/api/nothing", "/api/", "/api", "/docs/secret.txt", "/docs/", "/embed/nothing",
                                  "/health/nothing", "/metrics/"])
def test_paths_of_the_interface_stay_problems(service, path):
    answer = service.get(path, **PAGE)
    assert answer.status == 404 and answer.getheader("Content-Type") == "application/problem+json"


def test_files_with_a_hash_are_kept_and_come_compressed(service):
    path = "/assets/index-BX2yz1a4.js"
    plain = service.get(path)
    assert plain.text == SCRIPT and plain.getheader("Content-Encoding") is None
    assert plain.getheader("Content-Type") == "text/javascript; charset=utf-8"
    assert plain.getheader("Cache-Control") == "public, max-age=31536000, immutable"
    assert "Accept-Encoding" in plain.getheader("Vary")
    zipped = service.get(path, Accept_Encoding="gzip")
    assert zipped.getheader("Content-Encoding") == "gzip" and gzip.decompress(zipped.text) == SCRIPT
    best = service.get(path, Accept_Encoding="gzip, deflate, br")
    assert best.getheader("Content-Encoding") == "br" and best.text == b"brotli stands here"
    assert len({plain.getheader("ETag"), zipped.getheader("ETag"), best.getheader("ETag")}) == 3
    for name in ("/sw.js", "/icon.svg"):
        assert "no-cache" in service.get(name).getheader("Cache-Control")


def test_what_the_page_may_do(service):
    for path in ("/", "/library"):
        rules = policy(service.get(path, **PAGE))
        assert rules["default-src"] == rules["script-src"] == rules["style-src"] == "'self'"
        assert rules["img-src"] == "'self' blob: data:" and rules["worker-src"] == "'self' blob:"
        assert rules["connect-src"] == rules["form-action"] == "'self'"
        assert rules["frame-ancestors"] == rules["base-uri"] == rules["object-src"] == "'none'"
    answer = service.get("/", **PAGE)
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("Referrer-Policy") == "no-referrer"
    assert policy(service.get("/api/nothing"))["default-src"] == "'none'"


@pytest.mark.parametrize("path", ["/../outside.txt", "/assets/../../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt",
                                  "//etc/passwd", "/%2fetc/passwd", "/link.txt", "/.hidden", "/assets/.././.hidden",
                                  "/%00", "/assets", "/assets/", "/docs/secret.txt", "/./docs/secret.txt",
                                  "/%64ocs/secret.txt", "/index.html%00.js"])
def test_nothing_else_can_be_had(service, path):
    answer = service.get(path)
    assert answer.status in (400, 404), path
    assert b"not for you" not in answer.text
    assert b"not for you" not in service.get(path, **PAGE).text


def test_files_that_are_none_are_not_sent(service, web):
    os.mkfifo(web / "pipe.js")
    (web / "folder.js").mkdir()
    for name in ("/pipe.js", "/folder.js"):
        assert service.get(name).status == 404


@pytest.mark.parametrize("made", [False, True])
def test_without_the_app_a_page_says_how_to_build_it(magpie, tmp_path, made):
    if made:
        (tmp_path / "empty").mkdir()
    service = Service(magpie, "--web", tmp_path / "empty")
    try:
        for answer in (service.get("/"), service.get("/library", **PAGE)):
            assert answer.status == 200 and answer.getheader("Content-Type").startswith("text/html")
            assert b"make web" in answer.text
        assert service.get("/library").status == 404
    finally:
        assert service.stop()[0] == 0


@pytest.mark.parametrize("app", [False, True])
def test_the_first_start_says_how_to_set_up(magpie, tmp_path, app):
    """A link where there is a page behind it, else the request."""
    if app:
        (tmp_path / "index.html").write_text("<!DOCTYPE html><title>Magpie</title>")
    process = magpie.start("serve", "--port", 0, "--web", tmp_path)
    try:
        lines = [process.stdout.readline().decode().strip() for _ in range(4 - app)]
        base = lines[0].split()[-1]
        if app:
            assert re.fullmatch(re.escape(base) + "/setup[?]token=[0-9a-f]{32}", lines[2])
        else:
            assert f"{base}/api/auth/setup" in lines[2] and re.search('"setup_token": "[0-9a-f]{32}"', lines[3])
    finally:
        process.terminate()
        process.communicate(timeout=30)
