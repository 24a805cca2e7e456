"""The page of the interface: what it is made of, and nothing else from that folder."""
import os
import re
import shutil

import pytest
from conftest import ROOT
from service import Service

VENDOR = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript",
          "swagger-ui-standalone-preset.js": "text/javascript", "favicon-32x32.png": "image/png"}
OURS = {"page.css": "text/css", "init.js": "text/javascript"}


@pytest.fixture
def web(tmp_path):
    """As `make docs-ui` leaves it; what is fetched is stood for by a line each."""
    folder = tmp_path / "web" / "docs"
    folder.mkdir(parents=True)
    for name in ("index.html", *OURS):
        shutil.copy(ROOT / "web/docs" / name, folder)
    for name in VENDOR:
        (folder / name).write_text(f"/* {name} */")
    (folder / "secret.txt").write_text("not for you")
    return folder.parent


@pytest.fixture
def serve(magpie):
    started = []

    def start(*args, **env):
        magpie.env.update(env)
        started.append(Service(magpie, *args))
        return started[-1]

    yield start
    for s in started:
        assert s.stop()[0] == 0


def test_the_page_and_what_it_loads(serve, web):
    service = serve("--web", web)
    page = service.get("/docs")
    assert page.status == 200 and page.getheader("Content-Type") == "text/html; charset=utf-8"
    assert page.text == (ROOT / "web/docs/index.html").read_bytes()
    policy = page.getheader("Content-Security-Policy")
    assert "script-src 'self';" in policy and "unsafe" not in policy and "default-src 'none'" in policy
    assert len(page.headers.get_all("Content-Security-Policy")) == 1
    loaded = re.findall(r'(?:src|href)="(/docs/[^"]+)"', page.text.decode())
    assert {path.rsplit("/", 1)[1] for path in loaded} == {*VENDOR, *OURS}
    for path in loaded:
        name = path.rsplit("/", 1)[1]
        file = service.get(path)
        assert file.status == 200 and file.text == (web / "docs" / name).read_bytes()
        assert file.getheader("Content-Type").split(";")[0] == {**VENDOR, **OURS}[name]
        assert service.get(path, If_None_Match=file.getheader("ETag")).status == 304
    assert not re.search(rb"<script>|<style|\sstyle=|\son\w+=", page.text)  # nothing inline


def test_nothing_else_of_the_folder_is_served(serve, web):
    service = serve(MAGPIE_WEB=str(web))
    for path, status in (("secret.txt", 404), ("index.html", 404), ("", 404), ("..", 404), ("%2e%2e", 404),
                         ("..%2fdocs%2finit.js", 400), ("%00", 400), ("INIT.JS", 404), ("init.js/", 404)):
        assert service.get(f"/docs/{path}").status == status, path
    assert service.get("/docs/init.js").status == 200
    for name, make in (("init.js", os.mkfifo), ("page.css", os.mkdir)):
        (web / "docs" / name).unlink()
        make(web / "docs" / name)
        assert service.get(f"/docs/{name}").status == 404


@pytest.mark.parametrize("made", [False, True])
def test_without_its_files_the_page_says_how_to_get_them(serve, tmp_path, made):
    if made:
        (tmp_path / "empty").mkdir()
    service = serve("--web", tmp_path / "empty")
    page = service.get("/docs")
    assert page.status == 200 and page.getheader("Content-Type").startswith("text/html")
    assert b'href="/api/openapi.json"' in page.text and b"make docs-ui" in page.text.replace(b"\n", b" ")
    assert service.get("/docs/init.js").status == 404
    assert service.get("/api/openapi.json").json["openapi"].startswith("3.1")
