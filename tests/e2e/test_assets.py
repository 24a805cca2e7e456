"""Assets of any type and their versions over HTTP: how they come in, are shown, changed, replaced, restored and
removed; whose they are; and that no kill loses a byte that was promised."""
import concurrent.futures
import hashlib
import random
import sqlite3
import time
import uuid

import pytest
from conftest import picture
from people import PEOPLE, People, talkative
from service import Service


@pytest.fixture
def service(magpie):
    s = talkative(Service(magpie))
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


@pytest.fixture
def bytes_of(tmp_path):
    def make(seed, size=(160, 120), kind="jpg"):
        path = tmp_path / "made" / f"{seed}.{kind}"
        picture(path, seed, size)
        return path.read_bytes()
    return make


def sha(data):
    return hashlib.sha256(data).hexdigest()


def form(files, fields):
    boundary = uuid.uuid4().hex
    body = b""
    for name, value in fields.items():
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, data in files:
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
                 "Content-Type: application/octet-stream\r\n\r\n").encode() + data + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def add(service, token, project, files, **fields):
    body, kind = form(files, fields)
    return service.ask("POST", f"/api/projects/{project}/assets", body, Authorization=f"Bearer {token}",
                       Content_Type=kind)


def add_one(service, token, project, name, data, **fields):
    answer = add(service, token, project, [(name, data)], **fields)
    assert answer.status == 201, answer.text
    return answer.json["assets"][0]


def replace(service, token, asset, data):
    return service.ask("POST", f"/api/assets/{asset}/versions", data, Authorization=f"Bearer {token}",
                       Content_Type="application/octet-stream")


def originals(magpie):
    return sorted(p.name for p in (magpie.library / "blobs" / "originals").rglob("*") if p.is_file())


def test_a_file_and_its_versions(service, magpie):
    token = service.set_up()
    made = add_one(service, token, 1, "notes.txt", b"first", title="T", description="D", type="document",
                   metadata='{"a": 1, "b": [2]}')
    assert (made["name"], made["title"], made["description"], made["type"]) == ("notes.txt", "T", "D", "document")
    assert (made["sha256"], made["bytes"], made["version"], made["format"]) == (sha(b"first"), 5, 1, "")
    assert made["metadata"] == {"a": 1, "b": [2]} and made["status"] == "added" and made["project_id"] == 1
    path = f"/api/assets/{made['id']}"
    status, got = service.send(path, token=token)
    assert status == 200 and {k: v for k, v in made.items() if k in got} == got
    assert replace(service, token, made["id"], b"first").status == 200  # these are its bytes
    second = replace(service, token, made["id"], b"second!")
    assert second.status == 201 and second.json["status"] == "added"
    assert (second.json["version"], second.json["sha256"]) == (2, sha(b"second!"))
    rows = service.send(path + "/versions", token=token)[1]["versions"]
    assert [(r["number"], r["sha256"], r["bytes"], r["current"]) for r in rows] == [
        (1, sha(b"first"), 5, False), (2, sha(b"second!"), 7, True)]
    assert service.get(path + "/content", token).text == b"second!"
    for number, data in ((1, b"first"), (2, b"second!")):
        answer = service.get(f"{path}/versions/{number}/content", token)
        assert answer.text == data and answer.getheader("ETag") == f'"{sha(data)}"'
        assert "max-age=3600" in answer.getheader("Cache-Control")
    for number in ("0", "3", "x", "-1", "99999999999999999999"):
        assert service.get(f"{path}/versions/{number}/content", token).status == 404
        assert service.send(f"{path}/versions/{number}/restore", {}, token)[0] == 404
    status, back = service.send(f"{path}/versions/1/restore", {}, token)
    assert status == 201 and (back["version"], back["sha256"]) == (3, sha(b"first"))
    assert service.send(f"{path}/versions/1/restore", {}, token)[0] == 200  # they are the current ones
    assert service.get(path + "/content", token).text == b"first"
    assert originals(magpie) == sorted([sha(b"first"), sha(b"second!")])
    assert service.send(path, token=token, method="DELETE") == (204, None)
    assert service.send(path, token=token)[0] == 404
    assert originals(magpie) == []
    assert service.stop()[0] == 0
    magpie.sound()


def test_headers_of_bytes(service):
    """What is not a picture is saved, never shown, and never of a type that a browser would run."""
    token = service.set_up()
    want = {"page.html": "application/octet-stream", "x.svg": "application/octet-stream", "a.xml": "application/octet-stream",
            "code.js": "application/octet-stream", "page.HTM": "application/octet-stream", "m.mhtml": "application/octet-stream",
            "x.xhtml": "application/octet-stream", "data.csv": "text/csv; charset=utf-8", "r.pdf": "application/pdf",
            "none": "application/octet-stream", "a;\"b'.txt": "text/plain; charset=utf-8"}
    for i, (name, kind) in enumerate(want.items()):
        data = f"<script>{i}</script>".encode() * 10
        answer = service.ask("POST", f"/api/projects/1/assets?name={name.replace(';', '%3B')}", data,
                             Authorization=f"Bearer {token}", Content_Type="text/html")
        made = answer.json["assets"][0]
        assert made["type"] == "file"
        for url in (f"/api/assets/{made['id']}/content", f"/api/assets/{made['id']}/versions/1/content"):
            got = service.get(url, token)
            assert got.getheader("Content-Type") == kind and got.text == data
            assert got.getheader("Content-Disposition").startswith("attachment; filename*=UTF-8''")
            assert got.getheader("Content-Disposition").count(";") == 1
            assert got.getheader("X-Content-Type-Options") == "nosniff"
            assert got.getheader("Content-Security-Policy").startswith("default-src 'none'")
        part = service.get(f"/api/assets/{made['id']}/content", token, Range="bytes=2-7")
        assert part.status == 206 and part.text == data[2:8]
        assert service.get(f"/api/assets/{made['id']}/content", token, If_None_Match=got.getheader("ETag")).status == 304
        assert service.get(made["content_url"]).text == data  # a link needs no token
        assert service.get(made["content_url"].replace("/content", "")).status == 401
        assert service.get(made["content_url"].replace("sig=", "sig=x")).status == 403


def test_pictures_are_items(service, magpie, bytes_of):
    token = service.set_up()
    made = add_one(service, token, 1, "one.jpg", bytes_of(1), title="One", metadata='{"k": "v"}')
    assert (made["type"], made["format"], made["width"], made["height"]) == ("image", "jpeg", 160, 120)
    assert made["metadata"] == {"k": "v"} and "preview_url" in made
    path = f"/api/assets/{made['id']}"
    item = service.send(f"/api/images/{made['id']}", token=token)[1]
    assert item["title"] == "One" and item["sha256"] == made["sha256"]
    content = service.get(path + "/content", token)
    assert content.getheader("Content-Type") == "image/jpeg"
    assert content.getheader("Content-Disposition").startswith("inline")
    again = add(service, token, 1, [("other name.jpg", bytes_of(1))])
    assert again.status == 200 and again.json["assets"][0]["id"] == made["id"]
    # Files are no items: lists of pictures, searches and figures leave them out.
    text = add_one(service, token, 1, "one.txt", b"One")
    assert service.send("/api/images", token=token)[1]["total"] == 1
    assert service.send(f"/api/images/{text['id']}", token=token)[0] == 404
    assert service.send(f"/api/images/{text['id']}", {"title": "x"}, token, "PATCH")[0] == 404
    assert service.send(f"/api/images/{text['id']}", token=token, method="DELETE")[0] == 404
    found = service.send("/api/search/text", {"query": "one"}, token)[1]["results"]
    assert [hit["id"] for hit in found] == [made["id"]]
    for args in (("tag", "+x", text["id"]), ("rm", text["id"]), ("show", text["id"])):
        assert magpie.run(*args, code=None).returncode != 0, args
    assert service.send(f"/api/assets/{text['id']}", token=token)[0] == 200
    assert service.send("/api/projects/1", token=token)[1]["assets"] == 2


def test_a_new_version_of_a_picture_is_looked_at_anew(service, magpie, bytes_of):
    """Measures, vectors and thumbnail are those of the new bytes; words and tags stay."""
    token = service.set_up()
    rows = [add_one(service, token, 1, f"{i}.jpg", bytes_of(i)) for i in range(1, 6)]
    made, other = rows[0], rows[4]
    service.send(f"/api/images/{made['id']}", {"title": "Kept", "add_tags": ["red"]}, token, "PATCH")

    def nearest():
        best = service.send("/api/search/similar", {"id": made["id"], "limit": 1, "threshold": -1}, token)[1]["results"][0]
        return best["id"], best["score"]

    assert nearest()[1] < 0.99
    before = service.get(f"/api/images/{made['id']}/thumbnail", token).text
    answer = replace(service, token, made["id"], bytes_of(5, (200, 150), "png"))
    assert answer.status == 201, answer.text
    assert (answer.json["format"], answer.json["width"], answer.json["version"]) == ("png", 200, 2)
    assert answer.json["name"] == "1.jpg"
    item = service.send(f"/api/images/{made['id']}", token=token)[1]
    assert (item["title"], item["tags"], item["format"]) == ("Kept", ["red"], "png")
    assert service.get(f"/api/images/{made['id']}/thumbnail", token).text != before
    assert service.get(f"/api/images/{made['id']}/content", token).text == bytes_of(5, (200, 150), "png")
    found = service.send("/api/search/text", {"query": "kept"}, token)[1]["results"]
    assert [hit["id"] for hit in found] == [made["id"]]
    versions = service.send(f"/api/assets/{made['id']}/versions", token=token)[1]["versions"]
    assert [(v["format"], v["width"], v["current"]) for v in versions] == [("jpeg", 160, False), ("png", 200, True)]
    assert service.get(f"/api/assets/{made['id']}/versions/1/content", token).text == bytes_of(1)
    # The same bytes as another picture's: both stay, and look alike.
    assert replace(service, token, made["id"], bytes_of(5)).status == 201
    assert nearest()[0] == other["id"] and nearest()[1] > 0.999
    assert service.send(f"/api/assets/{made['id']}/versions/1/restore", {}, token)[0] == 201
    restored = service.send(f"/api/images/{made['id']}", token=token)[1]
    assert restored["sha256"] == made["sha256"] and restored["title"] == "Kept"
    assert service.get(f"/api/images/{made['id']}/thumbnail", token).text == before
    assert replace(service, token, made["id"], b"no picture").status == 415
    assert replace(service, token, made["id"], bytes_of(3)[:200]).status == 422
    assert service.send("/api/images", token=token)[1]["total"] == 5
    assert service.stop()[0] == 0
    assert magpie.sound("--deep") == 5


def test_types(service, bytes_of):
    token = service.set_up()
    assert add_one(service, token, 1, "a.bin", b"\0\1\2")["type"] == "file"
    assert add_one(service, token, 1, "m.onnx", b"model", type="model")["type"] == "model"
    forced = add_one(service, token, 1, "kept.jpg", bytes_of(1), type="dataset")
    assert (forced["type"], forced["format"], forced["width"]) == ("dataset", "", 0)
    assert add(service, token, 1, [("a.txt", b"words")], type="image").status == 415
    broken = add(service, token, 1, [("a.jpg", bytes_of(2)[:300])])
    assert broken.status == 422 and broken.json["error"]
    for bad in ("Image", "a b", "1a", "x" * 33, "<b>", "ä"):
        assert add(service, token, 1, [("a.txt", b"x")], type=bad).status == 422, bad


def test_forms_and_what_they_refuse(service, bytes_of):
    token = service.set_up()
    answer = add(service, token, 1, [("a.jpg", bytes_of(1)), ("b.txt", b"b"), ("b.txt", b"b"), ("c.txt", b""),
                                     ("c/d\\b.txt", b"d")])
    made = answer.json
    assert answer.status == 201 and (made["added"], made["known"], made["refused"]) == (3, 1, 1)
    assert [a["status"] for a in made["assets"]] == ["added", "added", "known", "refused", "added"]
    assert made["assets"][1]["id"] == made["assets"][2]["id"] != made["assets"][4]["id"]
    assert made["assets"][4]["name"] == "b.txt" and made["assets"][3]["code"] == 422
    for fields in ({"metadata": "[]"}, {"metadata": "{"}, {"metadata": '{"x": "' + "y" * 65530 + '"}'}, {"surprise": "1"},
                   {"title": "x" * 513}, {"description": "x" * 8193}):
        assert add(service, token, 1, [("a.txt", b"x")], **fields).status in (413, 422), fields
    head = {"Authorization": f"Bearer {token}"}
    assert add(service, token, 1, []).status == 422
    assert service.ask("POST", "/api/projects/1/assets?name=empty", b"", **head).status == 422
    assert service.ask("POST", "/api/projects/1/assets", b"x", Content_Type="multipart/form-data", **head).status == 400
    assert add(service, token, 1, [("big.bin", bytes(26 * 1024 * 1024))]).status == 413
    assert add(service, token, 77, [("a.txt", b"x")]).status == 404
    body, kind = form([("a", b"1"), ("b", b"2")], {})
    asset = made["assets"][1]["id"]
    assert service.ask("POST", f"/api/assets/{asset}/versions", body, Content_Type=kind, **head).status == 422
    body, kind = form([("a", b"1")], {"name": "x"})
    assert service.ask("POST", f"/api/assets/{asset}/versions", body, Content_Type=kind, **head).status == 422
    body, kind = form([("a", b"1")], {})
    assert service.ask("POST", f"/api/assets/{asset}/versions", body, Content_Type=kind, **head).status == 201
    assert replace(service, token, asset, b"").status == 422
    assert replace(service, token, 4711, b"x").status == 404


def test_changes(service, bytes_of):
    token = service.set_up()
    for name, data in (("a.txt", b"words"), ("a.jpg", bytes_of(1))):
        made = add_one(service, token, 1, name, data)
        path = f"/api/assets/{made['id']}"
        status, changed = service.send(path, {"name": "ä.bin", "title": "T", "metadata": {"x": None}}, token, "PATCH")
        assert status == 200
        assert (changed["name"], changed["title"], changed["metadata"]) == ("ä.bin", "T", {"x": None})
        assert changed["description"] == "" and changed["version"] == 1
        assert service.send(path, {}, token, "PATCH")[1] == changed
        for body in ({"name": ""}, {"name": "a/b"}, {"name": "a\tb"}, {"name": "x" * 256}, {"metadata": []},
                     {"metadata": {"x": "y" * 65536}}, {"title": "x" * 513}, {"type": "x"}, {"description": 1}):
            assert service.send(path, body, token, "PATCH")[0] == 422, body
        assert service.send(path, token=token)[1] == changed
    item = service.send(f"/api/images/{made['id']}", token=token)[1]
    assert (item["name"], item["title"]) == ("ä.bin", "T")
    found = service.send("/api/images?name=%C3%A4.*", token=token)[1]
    assert [i["id"] for i in found["images"]] == [made["id"]]


def test_lists(service, bytes_of):
    token = service.set_up()
    project = service.send("/api/projects", {"name": "p"}, token)[1]["id"]
    names = [f"{i}.{'txt' if i % 2 else 'CSV'}" for i in range(7)]
    ids = [add_one(service, token, project, n, n.encode(), type="document" if i < 3 else "")["id"]
           for i, n in enumerate(names)]
    ids.append(add_one(service, token, project, "p.jpg", bytes_of(1))["id"])
    add_one(service, token, 1, "elsewhere.txt", b"x")

    def pages(query):
        seen, cursor = [], ""
        while cursor is not None:
            status, page = service.send(f"/api/projects/{project}/assets?limit=3&cursor={cursor}{query}", token=token)
            assert status == 200 and len(page["assets"]) <= 3
            seen += [a["id"] for a in page["assets"]]
            cursor = page["next_cursor"]
        return seen

    assert pages("") == ids
    assert pages("&type=document") == ids[:3] and pages("&type=image") == ids[7:]
    assert pages("&q=*.csv") == ids[0:7:2] and pages("&q=[12].TXT") == [ids[1]]
    assert pages("&type=document&q=*.txt") == [ids[1]] and pages("&type=nothing") == []
    for bad in ("limit=0", "limit=201", "cursor=x", "type=A%20B", "q=" + "x" * 256):
        assert service.send(f"/api/projects/{project}/assets?{bad}", token=token)[0] == 422, bad
    started = time.monotonic()
    pages("&q=" + "*a" * 100)
    assert time.monotonic() - started < 5
    # Versions in pages.
    for i in range(5):
        assert replace(service, token, ids[0], f"v{i}".encode()).status == 201
    seen, cursor = [], ""
    while cursor is not None:
        page = service.send(f"/api/assets/{ids[0]}/versions?limit=4&cursor={cursor}", token=token)[1]
        seen += [v["number"] for v in page["versions"]]
        cursor = page["next_cursor"]
    assert seen == [1, 2, 3, 4, 5, 6]


def test_diff(service, bytes_of):
    token = service.set_up()
    made = add_one(service, token, 1, "a.jpg", bytes_of(1), metadata='{"keep": 1, "change": 1, "drop": true}')
    path = f"/api/assets/{made['id']}"
    assert service.send(path + "/diff", token=token)[1]["changes"] == []
    replace(service, token, made["id"], bytes_of(2, (200, 150), "png"))
    service.send(path, {"name": "b.png", "metadata": {"keep": 1, "change": 2, "new": {"x": 1}}}, token, "PATCH")
    status, diff = service.send(path + "/diff", token=token)
    assert status == 200 and (diff["asset_id"], diff["from"], diff["to"]) == (made["id"], 1, 2)
    changes = {c["field"]: (c["from"], c["to"]) for c in diff["changes"]}
    assert changes.pop("sha256") == (sha(bytes_of(1)), sha(bytes_of(2, (200, 150), "png")))
    assert changes.pop("bytes") == (len(bytes_of(1)), len(bytes_of(2, (200, 150), "png")))
    assert changes == {"format": ("jpeg", "png"), "width": (160, 200), "height": (120, 150), "name": ("a.jpg", "b.png"),
                       "metadata.change": (1, 2), "metadata.drop": (True, None), "metadata.new": (None, {"x": 1})}
    turned = service.send(path + "/diff?from=2&to=1", token=token)[1]
    assert {c["field"]: (c["to"], c["from"]) for c in turned["changes"]}["width"] == (160, 200)
    assert service.send(path + "/diff?from=1&to=1", token=token)[1]["changes"] == []
    assert service.send(path + "/diff?from=1&to=3", token=token)[0] == 404
    assert service.send(path + "/diff?from=0", token=token)[0] == 422


def test_referenced_files(service, magpie, photos, bytes_of):
    """Files that were only looked at: their old versions can be had as long as the file is what it was."""
    magpie.add(photos)
    token = service.set_up()
    first, second = service.send("/api/projects/1/assets?limit=2", token=token)[1]["assets"]
    path = f"/api/assets/{first['id']}"
    old = service.get(path + "/content", token)
    assert old.status == 200 and sha(old.text) == first["sha256"]
    assert replace(service, token, first["id"], bytes_of(99)).status == 201
    assert service.get(path + "/versions/1/content", token).text == old.text
    assert service.send(path + "/versions/1/restore", {}, token)[1]["sha256"] == first["sha256"]
    file = photos / first["name"]
    file.write_bytes(b"x" * len(old.text))  # as long, and other bytes
    assert service.get(path + "/versions/1/content", token).text == old.text  # it was brought in by the restore
    (photos / second["name"]).unlink()
    for tail in ("/content", "/versions/1/content"):
        assert service.get(f"/api/assets/{second['id']}{tail}", token).status == 410
    assert replace(service, token, second["id"], bytes_of(98)).status == 201
    assert service.get(f"/api/assets/{second['id']}/versions/1/content", token).status == 410
    assert service.send(f"/api/assets/{second['id']}/versions/1/restore", {}, token)[0] == 410
    assert service.get(f"/api/assets/{second['id']}/content", token).text == bytes_of(98)


def test_bytes_that_others_have_stay(service, magpie):
    token = service.set_up()
    other = service.send("/api/projects", {"name": "other"}, token)[1]["id"]
    a = add_one(service, token, 1, "a.txt", b"shared")["id"]
    b = add_one(service, token, other, "b.txt", b"shared")["id"]
    c = add_one(service, token, other, "c.txt", b"own")["id"]
    assert replace(service, token, c, b"shared").status == 201 and replace(service, token, c, b"newer").status == 201
    assert service.send(f"/api/assets/{a}", token=token, method="DELETE")[0] == 204
    assert service.get(f"/api/assets/{b}/content", token).text == b"shared"
    assert service.send(f"/api/assets/{b}", token=token, method="DELETE")[0] == 204
    assert service.get(f"/api/assets/{c}/versions/2/content", token).text == b"shared"
    assert service.send(f"/api/projects/{other}?force=true", token=token, method="DELETE")[0] == 204
    assert originals(magpie) == []


def test_archived_projects_are_read_only(service):
    token = service.set_up()
    project = service.send("/api/projects", {"name": "old"}, token)[1]["id"]
    asset = add_one(service, token, project, "a.txt", b"1")["id"]
    assert replace(service, token, asset, b"2").status == 201
    assert service.send(f"/api/projects/{project}", {"status": "archived"}, token, "PATCH")[0] == 200
    path = f"/api/assets/{asset}"
    assert add(service, token, project, [("b.txt", b"1")]).status == 409
    assert replace(service, token, asset, b"3").status == 409
    assert service.send(path, {"title": "x"}, token, "PATCH")[0] == 409
    assert service.send(path, token=token, method="DELETE")[0] == 409
    assert service.send(path + "/versions/1/restore", {}, token)[0] == 409
    assert service.get(path + "/content", token).text == b"2"
    assert len(service.send(f"/api/projects/{project}/assets", token=token)[1]["assets"]) == 1


def test_who_may_do_what(people, bytes_of):
    """A row for each thing that can be done; a column for each of PEOPLE."""
    service, send = people.service, people.service.send
    project = people.project("p")
    owner = people.token["owner"]
    number = iter(range(100000))

    def fresh():
        i = next(number)
        if i % 2:  # a picture now and then
            return add_one(service, owner, project, f"{i}.jpg", bytes_of(i))["id"]
        return add_one(service, owner, project, f"{i}.txt", str(i).encode())["id"]

    def on_asset(method, tail, body=None):
        def ask(token, name):
            asset = fresh()
            replace(service, owner, asset, bytes_of(next(number)))
            return send(f"/api/assets/{asset}{tail}", body, token, method)[0]
        return ask

    def content(tail):
        def ask(token, name):
            asset = fresh()
            return service.get(f"/api/assets/{asset}{tail}", token).status
        return ask

    table = {
        #                                                            owner editor viewer guest stranger operator root
        "list": (lambda t, n: send(f"/api/projects/{project}/assets", token=t)[0],
                                                                     (200, 200, 200, 200, 404, 200, 200)),
        "add": (lambda t, n: add(service, t, project, [(n, n.encode())]).status,
                                                                     (201, 201, 403, 403, 404, 201, 201)),
        "get": (on_asset("GET", ""),                                 (200, 200, 200, 200, 404, 200, 200)),
        "content": (content("/content"),                             (200, 200, 200, 200, 404, 200, 200)),
        "versions": (on_asset("GET", "/versions"),                   (200, 200, 200, 200, 404, 200, 200)),
        "version": (content("/versions/1/content"),                  (200, 200, 200, 200, 404, 200, 200)),
        "diff": (on_asset("GET", "/diff"),                           (200, 200, 200, 200, 404, 200, 200)),
        "change": (on_asset("PATCH", "", {"title": "x"}),            (200, 200, 403, 403, 404, 200, 200)),
        "replace": (lambda t, n: replace(service, t, fresh(), bytes_of(next(number))).status,
                                                                     (201, 201, 403, 403, 404, 201, 201)),
        "restore": (on_asset("POST", "/versions/1/restore", {}),     (201, 201, 403, 403, 404, 201, 201)),
        "delete": (on_asset("DELETE", ""),                           (204, 204, 403, 403, 404, 204, 204)),
    }
    for what, (ask, want) in table.items():
        assert people.statuses(ask) == want, (what, PEOPLE)
    asset = fresh()
    for method, tail in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/content"), ("GET", "/versions"),
                         ("POST", "/versions"), ("GET", "/versions/1/content"), ("POST", "/versions/1/restore"),
                         ("GET", "/diff")):
        assert service.ask(method, f"/api/assets/{asset}{tail}").status == 401, (method, tail)
        for number_ in ("0", "x", "4711", "99999999999999999999"):
            answer = service.ask(method, f"/api/assets/{number_}{tail}", "{}" if method in ("PATCH", "POST") else None,
                                 Authorization=f"Bearer {people.token['root']}", Content_Type="application/json")
            assert answer.status == 404, (method, tail, number_)
    assert service.ask("POST", f"/api/projects/{project}/assets", b"x").status == 401
    # A refused upload is refused by its head: the body is not taken.
    big = bytes(20 * 1024 * 1024)
    try:
        assert replace(service, people.token["stranger"], asset, big).status == 404
    except OSError:
        pass  # the connection was closed while it was sent


@pytest.fixture
def people(service, magpie):
    return People(service, magpie)


def test_changes_are_audited(people):
    service, send, token = people.service, people.service.send, people.token
    project = people.project("p")
    asset = add_one(service, token["owner"], project, "a.txt", b"1")["id"]
    path = f"/api/assets/{asset}"
    send(path, {"name": "b.txt"}, token["editor"], "PATCH", X_Request_Id="rename")
    replace(service, token["editor"], asset, b"2")
    replace(service, token["editor"], asset, b"2")  # nothing changed: no row
    send(path + "/versions/1/restore", {}, token["editor"])
    send(path, token=token["viewer"], method="DELETE")
    send(path, token=token["operator"], method="DELETE")
    rows = [r for r in send("/api/audit", token=token["root"])[1]["audit"] if r["action"].startswith("asset.")][::-1]
    assert [r["action"] for r in rows] == ["asset.change", "asset.version", "asset.restore", "asset.delete"]
    assert rows[0]["request_id"] == "rename" and "b.txt" in rows[0]["detail"]
    assert all(r["address"] == "127.0.0.1" and f"#{asset}" in r["detail"] for r in rows)
    assert len({r["user_id"] for r in rows[:3]}) == 1 and rows[3]["user_id"] != rows[0]["user_id"]


def test_versions_by_many_at_once(service, magpie, bytes_of):
    """Each of them is there, in some order, and the last one is the current one."""
    token = service.set_up()
    file = add_one(service, token, 1, "a.txt", b"0")["id"]
    image = add_one(service, token, 1, "a.jpg", bytes_of(0))["id"]
    texts, images = [f"text {i}".encode() for i in range(24)], [bytes_of(i) for i in range(1, 25)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda job: replace(service, token, *job).status,
                                [job for pair in zip([(file, t) for t in texts], [(image, i) for i in images]) for job in pair]))
    assert set(answers) == {201}
    for asset, data in ((file, [b"0"] + texts), (image, [bytes_of(0)] + images)):
        rows = service.send(f"/api/assets/{asset}/versions?limit=200", token=token)[1]["versions"]
        assert [r["number"] for r in rows] == list(range(1, 26))
        assert sorted(r["sha256"] for r in rows) == sorted(map(sha, data))
        assert [r["current"] for r in rows] == [False] * 24 + [True]
        assert sha(service.get(f"/api/assets/{asset}/content", token).text) == rows[-1]["sha256"]
    assert service.stop()[0] == 0
    assert magpie.sound("--deep") == 1


def test_killed_in_the_middle_of_versions(magpie, bytes_of):
    """Each asset has a whole current version after SIGKILL, at least the last that was answered, and the bytes of
    every version hash to their SHA-256."""
    rng = random.Random(5)
    service = talkative(Service(magpie))
    token = service.set_up()
    files = [add_one(service, token, 1, f"{i}.txt", f"{i}".encode())["id"] for i in range(6)]
    pictures = [add_one(service, token, 1, f"{i}.jpg", bytes_of(i))["id"] for i in range(4)]
    answered = {}
    for turn in range(4):
        sent = {}

        def send(asset, i, service=service, token=token, turn=turn, sent=sent):
            for step in range(20):
                data = (f"{turn} {step} {asset} ".encode() * 5000 if asset in files
                        else bytes_of(1000 * turn + 40 * i + step + 100, (96, 64)))
                sent.setdefault(asset, []).append(sha(data))
                try:
                    if replace(service, token, asset, data).status == 201:
                        answered.setdefault(asset, []).append(sha(data))
                except OSError:
                    return

        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            jobs = [pool.submit(send, asset, i) for i, asset in enumerate(files + pictures)]
            time.sleep(rng.uniform(0.2, 0.8))
            service.process.kill()
            for job in jobs:
                job.result()
        service.process.wait()
        db = sqlite3.connect(magpie.library / "magpie.db")
        for asset in files + pictures:
            have = [row[0].hex() for row in db.execute("SELECT sha256 FROM version WHERE asset_id = ? ORDER BY id", (asset,))]
            current, = db.execute("SELECT v.sha256 FROM asset a JOIN version v ON v.id = a.version_id WHERE a.id = ?", (asset,))
            assert current[0].hex() == have[-1]
            assert set(answered.get(asset, [])) <= set(have)
            mine = sent.get(asset, [])
            last = [s for s in answered.get(asset, []) if s in mine][-1:]
            if last:  # nothing older than what was promised last, and at most one that was not
                assert have[-1] in mine[mine.index(last[0]):mine.index(last[0]) + 2]
        for row in db.execute("SELECT DISTINCT sha256 FROM version"):
            blob = magpie.library / "blobs" / "originals" / row[0].hex()[:2] / row[0].hex()
            assert sha(blob.read_bytes()) == row[0].hex()
        db.close()
        assert magpie.sound("--deep") == len(pictures)
        service = talkative(Service(magpie))
        token = service.login("root")
    assert sum(map(len, answered.values())) > 10
    for asset in files + pictures:
        assert replace(service, token, asset, b"" if asset in files else b"x").status in (415, 422)
        assert service.send(f"/api/assets/{asset}", token=token, method="DELETE")[0] == 204
    assert service.stop()[0] == 0
    magpie.sound()
