"""Pictures over HTTP: how they come in, are listed, shown, changed and go; and whose they are."""
import concurrent.futures
import hashlib
import io
import json
import pathlib
import re
import socket
import sqlite3
import time

import pytest
from conftest import picture
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from service import Service


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


@pytest.fixture
def bytes_of(tmp_path):
    def make(seed, size=(320, 240), kind="jpg"):
        path = tmp_path / "made" / f"{seed}.{kind}"
        picture(path, seed, size)
        return path.read_bytes()
    return make


def payload_is_whole(row, data):
    assert row["sha256"] == hashlib.sha256(data).hexdigest()
    assert re.fullmatch("p:[0-9a-f]{16}", row["phash"])
    assert (row["width"], row["height"], row["format"]) == (320, 240, "jpeg")
    assert row["image_id"] == str(row["id"]) and row["key"].startswith("images/")
    assert row["model_name"] == "builtin" and row["model_version"] == "builtin-1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["created_at"])


def test_presigned_upload_and_ingest(service, magpie, bytes_of):
    """The upload flow of the first service: presign, PUT, ingest."""
    token, data = service.set_up(), bytes_of(1)
    status, link = service.send("/api/presign/upload", {"file_name": "a b.jpg", "file_type": "image/jpeg",
                                                        "file_size": len(data)}, token)
    assert status == 200 and link["method"] == "PUT" and link["expires_in"] == 900
    assert link["upload_url"].startswith(f"http://127.0.0.1:{service.port}/api/uploads/")
    assert service.send("/api/images/ingest", {"key": link["key"]}, token)[0] == 404  # nothing there yet
    assert service.put(link["upload_url"], data).status == 200
    assert service.put(link["upload_url"], data).status == 403  # once only
    status, taken = service.send("/api/images/ingest", {"key": link["key"], "title": "Ein Bild"}, token)
    assert status == 201 and taken["status"] == "added" and taken["name"] == "a b.jpg"
    assert taken["title"] == "Ein Bild"
    payload_is_whole(taken, data)
    again = service.send("/api/images/ingest", {"key": link["key"]}, token)
    assert again[0] == 200 and again[1]["id"] == taken["id"]
    listed = service.send("/api/images", token=token)[1]
    assert listed["total"] == 1 and listed["images"][0]["id"] == taken["id"]
    assert service.stop()[0] == 0
    # On disk: one original, no upload left over, one row with the bytes' hash.
    kept = [p for p in (magpie.library / "blobs" / "originals").rglob("*") if p.is_file()]
    assert [p.read_bytes() for p in kept] == [data]
    assert not [p for p in (magpie.library / "blobs").glob("uploads/*") if p.is_file()]
    assert not list((magpie.library / "tmp").iterdir())
    magpie.sound()


def test_presign_by_get_as_in_the_diagrams(service, bytes_of):
    token, data = service.set_up(), bytes_of(1)
    link = service.get(f"/api/presign/upload?file_name=x.jpg&file_type=image%2Fjpeg&file_size={len(data)}", token)
    assert link.status == 200 and service.put(link.json["upload_url"], data).status == 200


@pytest.mark.parametrize("change,status", [
    (lambda url, data: (url.replace("size=", "size=1"), data), 403),
    (lambda url, data: (re.sub("sig=.", "sig=A" if "sig=B" in url else "sig=B", url), data), 403),
    (lambda url, data: (url.replace("user=1", "user=2"), data), 403),
    (lambda url, data: (url.replace("project=1", "project=2"), data), 403),
    (lambda url, data: (re.sub(r"exp=\d+", "exp=9999999999", url), data), 403),
    (lambda url, data: (re.sub("uploads/.", "uploads/g", url), data), 403),
    (lambda url, data: (url.split("&sig")[0], data), 403),
    (lambda url, data: (url, data + b"x"), 413),
    (lambda url, data: (url, data[:-1]), 422),
])
def test_forged_uploads_are_refused(service, bytes_of, change, status):
    token, data = service.set_up(), bytes_of(1)
    link = service.send("/api/presign/upload", {"file_name": "a.jpg", "file_type": "image/jpeg",
                                                "file_size": len(data)}, token)[1]
    url, body = change(link["upload_url"], data)
    assert service.put(url, body).status == status
    assert service.put(link["upload_url"], data, type="image/png").status == 415
    assert service.put(link["upload_url"], data).status == 200  # the link itself is still good


@pytest.mark.parametrize("body,status", [
    ({"file_name": "a.jpg", "file_type": "text/html", "file_size": 10}, 422),
    ({"file_name": "", "file_type": "image/jpeg", "file_size": 10}, 422),
    ({"file_name": "x" * 256, "file_type": "image/jpeg", "file_size": 10}, 422),
    ({"file_name": "a.jpg", "file_type": "image/jpeg", "file_size": 0}, 422),
    ({"file_name": "a.jpg", "file_type": "image/jpeg", "file_size": 10**9}, 413),
    ({"file_name": "a.jpg", "file_type": "image/jpeg", "file_size": "10"}, 422),
    ({"file_name": "a.jpg", "file_type": "image/jpeg"}, 422),
    ({"file_name": "a.jpg", "file_type": "image/jpeg", "file_size": 10, "x": 1}, 422),
    ({"file_name": "a.jpg", "file_type": "image/jpeg", "file_size": 10, "project_id": 77}, 404),
])
def test_presign_checks_what_it_is_asked(service, body, status):
    answer = service.send("/api/presign/upload", body, service.set_up())
    assert answer[0] == status and answer[1]["error"]


def test_forms_with_many_files(service, magpie, bytes_of):
    token = service.set_up()
    files = [(f"f{i}.jpg", bytes_of(i)) for i in range(20)]
    answer = service.upload(token, files + [("again.jpg", files[0][1]), ("no.txt", b"words")],
                            tags="red, blue", title="Same")
    made = answer.json
    assert answer.status == 201 and (made["added"], made["known"], made["refused"]) == (20, 1, 1)
    rows = {row["file_name"]: row for row in made["images"]}
    assert rows["no.txt"]["status"] == "refused" and rows["no.txt"]["code"] == 415
    twins = [rows["f0.jpg"], rows["again.jpg"]]
    assert sorted(row["status"] for row in twins) == ["added", "known"]
    assert twins[0]["id"] == twins[1]["id"]
    assert rows["f7.jpg"]["tags"] == ["blue", "red"] and rows["f7.jpg"]["title"] == "Same"
    assert service.upload(token, files[:3]).status == 200  # known
    assert service.upload(token, [("x.jpg", b"GIF89a")]).status in (415, 422)
    assert service.upload(token, []).status == 422
    assert service.stop()[0] == 0
    assert magpie.sound() == 20


def test_one_raw_file(service, bytes_of):
    token = service.set_up()
    answer = service.ask("POST", "/api/images?name=raw.jpg", bytes_of(3), Authorization=f"Bearer {token}",
                         Content_Type="image/jpeg")
    assert answer.status == 201 and answer.json["images"][0]["name"] == "raw.jpg"


def test_uploads_from_many_at_once(service, magpie, bytes_of):
    token = service.set_up()
    data = [bytes_of(i % 30) for i in range(60)]  # each twice
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda i: service.upload(token, [(f"{i}.jpg", data[i])]), range(60)))
    assert {a.status for a in answers} <= {200, 201}
    assert sum(a.status == 201 for a in answers) == 30
    assert service.send("/api/images", token=token)[1]["total"] == 30
    assert service.stop()[0] == 0
    assert magpie.sound() == 30


def test_forms_cut_anywhere(service, bytes_of):
    """A network's pieces end where they like: within the first bytes of a field or a file, too."""
    data, token, address = bytes_of(77), service.set_up(), ("127.0.0.1", service.port)
    field = b'--edge7\r\nContent-Disposition: form-data; name="title"\r\n\r\nA title\r\n'
    head = b'--edge7\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
    body = field + head + data + b"\r\n--edge7--\r\n"
    starts = len(field) - len(b"A title\r\n"), len(field) + len(head)
    for cut in [s + n for s in starts for n in range(-2, 8)] + [len(field)]:
        with socket.create_connection(address) as c:
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            c.sendall(f"POST /api/images HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n"
                      f"Content-Type: multipart/form-data; boundary=edge7\r\nContent-Length: {len(body)}\r\n"
                      "Connection: close\r\n\r\n".encode())
            c.sendall(body[:cut])
            time.sleep(0.05)
            c.sendall(body[cut:])
            answer = b"".join(iter(lambda: c.recv(65536), b""))
        said = json.loads(answer.split(b"\r\n\r\n", 1)[1])
        assert said["refused"] == 0 and len(said["images"]) == 1, (cut, said)


def test_bad_forms(service, bytes_of):
    token = service.set_up()
    head = {"Authorization": f"Bearer {token}"}
    assert service.ask("POST", "/api/images", b"x", Content_Type="multipart/form-data; boundary=x").status == 401
    assert service.ask("POST", "/api/images", b"x", Content_Type="multipart/form-data", **head).status == 400
    assert service.ask("POST", "/api/images", b"x", Content_Type="multipart/mixed; boundary=x", **head).status == 415
    torn = b'--edge\r\nContent-Disposition: form-data; name="f"; filename="a.jpg"\r\n\r\n' + bytes_of(1)
    assert service.ask("POST", "/api/images", torn, Content_Type="multipart/form-data; boundary=edge",
                       **head).status == 400
    for head_of_part in ("form-data", 'form-data; name="a\0b"', 'form-data; filename="a.jpg"', "attachment"):
        nameless = f"--edge\r\nContent-Disposition: {head_of_part}\r\n\r\nx\r\n--edge--\r\n".encode()
        for path in ("images", "search"):
            assert service.ask("POST", f"/api/{path}", nameless, Content_Type="multipart/form-data; boundary=edge",
                               **head).status == 400
    assert service.upload(token, [("a.jpg", bytes_of(1))], surprise="1").status == 422
    assert service.upload(token, [("a.jpg", bytes_of(1))], project_id="x").status == 422
    assert service.upload(token, [("a.jpg", bytes_of(1))], project_id="99").status == 404
    whole = (b'--edge\r\nContent-Disposition: form-data; name="project_id"\r\n\r\n1\r\n--edge\r\n'
             b'Content-Disposition: form-data; name="f"; filename="a.jpg"\r\n\r\n' + bytes_of(1) + b"\r\n--edge--\r\n")
    for query, status in (("x", 422), ("", 422), ("1", 201)):  # looked at also where the form says it
        assert service.ask("POST", f"/api/images?project_id={query}", whole,
                           Content_Type="multipart/form-data; boundary=edge", **head).status == status
    too_big = b"\xff\xd8\xff" + bytes(26 * 1024 * 1024)
    assert service.upload(token, [("big.jpg", too_big)]).status == 413
    assert service.upload(token, [("..\\..\\evil/../name.jpg", bytes_of(2))]).json["images"][0]["name"] == "name.jpg"
    assert service.send("/api/images", token=token)[1]["total"] == 2


def test_lists_in_pages_and_orders(service, magpie, photos):
    magpie.add(photos)
    token = service.set_up()  # the first administrator owns what was there
    for sort in ("id", "added", "date", "size", "name"):
        for order in ("asc", "desc"):
            seen, cursor = [], ""
            while cursor is not None:
                page = service.send(f"/api/images?limit=5&sort={sort}&order={order}&cursor={cursor}", token=token)[1]
                assert page["total"] == 12
                seen += page["images"]
                cursor = page["next_cursor"]
            assert len({row["id"] for row in seen}) == 12
            key = {"id": "id", "size": "bytes", "name": "name"}.get(sort)
            if key:
                values = [row[key] for row in seen]
                assert values == sorted(values, reverse=order == "desc")
    first = service.send("/api/images?limit=5&sort=name", token=token)[1]["next_cursor"]
    assert service.send(f"/api/images?sort=size&cursor={first}", token=token)[0] == 422
    for bad in ("cursor=x", "cursor=%00", "limit=0", "limit=1001", "limit=x", "sort=colour", "order=up",
                "where=nonsense", "where=(id:1", "where=id:1)%20OR%20(id:2", "project_id=x"):
        assert service.send(f"/api/images?{bad}", token=token)[0] in (400, 422), bad
    some = service.send("/api/images?name=p0*.jpg&where=id%3E3", token=token)[1]
    assert some["total"] == 7


def test_one_picture(service, bytes_of):
    token, data = service.set_up(), bytes_of(5)
    made = service.upload(token, [("five.jpg", data)]).json["images"][0]
    path = f"/api/images/{made['id']}"
    status, row = service.send(path, token=token)
    assert status == 200 and row["id"] == made["id"]
    payload_is_whole(row, data)
    content = service.get(path + "/content", token)
    assert content.text == data and content.getheader("Content-Type") == "image/jpeg"
    etag = content.getheader("ETag")
    assert etag == f'"{row["sha256"]}"' and content.getheader("Cache-Control") == "private, max-age=0"
    assert service.get(path + "/content", token, If_None_Match=etag).status == 304
    assert service.get(path + "/content", token, If_None_Match=f'"x", {etag}').status == 304
    part = service.get(path + "/content", token, Range="bytes=10-19")
    assert part.status == 206 and part.text == data[10:20]
    assert part.getheader("Content-Range") == f"bytes 10-19/{len(data)}"
    assert service.get(path + "/content", token, Range="bytes=-5").text == data[-5:]
    assert service.get(path + "/content", token, Range="bytes=10-").text == data[10:]
    beyond = service.get(path + "/content", token, Range=f"bytes={len(data)}-")
    assert beyond.status == 416 and beyond.getheader("Content-Range") == f"bytes */{len(data)}"
    for odd in ("bytes=5-3", "lines=1-2", "bytes=1-2,4-5", "bytes=x"):
        assert service.get(path + "/content", token, Range=odd).status in (200, 416), odd
    assert service.ask("HEAD", path + "/content", Authorization=f"Bearer {token}").getheader(
        "Content-Length") == str(len(data))
    small = service.get(path + "/thumbnail", token)
    assert Image.open(io.BytesIO(small.text)).size == (256, 192) and small.getheader("ETag")
    assert service.get(path + "/thumbnail?size=1024", token).status == 200
    assert service.get(path + "/thumbnail?size=7", token).status == 422
    assert service.send(path + "/thumbnail", {}, token)[1]["status"] == "thumbnails made"
    assert service.send(path + "/reindex", {}, token)[1]["status"] == "reindexed"
    status, row = service.send(path, {"title": "T", "description": "D", "add_tags": ["x", "y"]}, token, "PATCH")
    assert (row["title"], row["description"], row["tags"]) == ("T", "D", ["x", "y"])
    assert service.send(path, {"remove_tags": ["x"]}, token, "PATCH")[1]["tags"] == ["y"]
    assert service.send(path, {"add_tags": ["a,b"]}, token, "PATCH")[0] == 422
    assert service.send(path, {"add_tags": [1]}, token, "PATCH")[0] == 422
    assert service.send(path, token=token, method="DELETE") == (204, None)
    assert service.send(path, token=token)[0] == 404
    assert service.get(path + "/content", token).status == 404
    assert service.send("/api/images/x", token=token)[0] == 404
    assert service.send("/api/images/99999999999999999999", token=token)[0] == 404


def test_links_show_without_a_token(service, bytes_of):
    token = service.set_up()
    made = service.upload(token, [("a.jpg", bytes_of(1)), ("b.jpg", bytes_of(2))]).json["images"]
    a, b = made[0], made[1]
    assert service.get(a["preview_url"]).status == 200
    assert service.get(a["content_url"]).text == bytes_of(1)
    assert service.get(a["preview_url"] + "&size=1024").status == 200
    signature = a["preview_url"].split("?")[1]
    for forged in (f"/api/images/{b['id']}/thumbnail?{signature}", a["content_url"].split("?")[0] + "?" + signature,
                   f"/api/images/{a['id']}?{signature}", re.sub(r"exp=\d+", "exp=9999999999", a["preview_url"]),
                   a["preview_url"].replace("sig=", "sig=x")):
        assert service.get(forged).status in (401, 403), forged


def test_explanations(service, bytes_of, tmp_path):
    token = service.set_up()
    original = Image.open(io.BytesIO(bytes_of(1)))
    turned = io.BytesIO()
    original.transpose(Image.Transpose.ROTATE_90).save(turned, "PNG")
    rows = service.upload(token, [("a.jpg", bytes_of(1)), ("turned.png", turned.getvalue()),
                                  ("other.jpg", bytes_of(2))] + [(f"{i}.jpg", bytes_of(i)) for i in range(10, 20)]
                          ).json["images"]
    a, b, c = (row["id"] for row in rows[:3])
    why = service.send(f"/api/images/{a}/explain?with={b}", token=token)[1]
    assert why["same_picture"] and why["relation"] == "turned" and why["phash_distance"] < 10
    apart = service.send(f"/api/images/{a}/explain?with={c}", token=token)[1]
    assert not apart["same_picture"] and apart["relation"] == "" and apart["same"] < why["same"]
    for url in (why["difference_url"], f"/api/images/{a}/explain"):
        png = service.get(url, token)
        assert png.status == 200 and Image.open(io.BytesIO(png.text)).format == "PNG", png.text
    assert service.send(f"/api/images/{a}/explain?with=77777", token=token)[0] == 404


def test_what_is_not_mine_is_not_there(service, bytes_of):
    """Two users and a guest: each sees their own; an administrator sees all."""
    root = service.set_up()
    ada, bob = service.register("ada"), service.register("bob")
    mine = service.upload(ada, [("mine.jpg", bytes_of(1))]).json["images"][0]
    same = service.upload(bob, [("same.jpg", bytes_of(1))])
    assert same.status == 201 and same.json["images"][0]["id"] != mine["id"]  # bytes are compared within one project
    path = f"/api/images/{mine['id']}"
    for what, method in ((path, "GET"), (path, "DELETE"), (path + "/content", "GET"), (path + "/thumbnail", "GET"),
                         (path + "/explain", "GET")):
        assert service.send(what, token=bob, method=method)[0] == 404, what
    for what in ("/reindex", "/thumbnail"):
        assert service.send(path + what, {}, bob)[0] == 404
    assert service.send(path, {"title": "x"}, bob, "PATCH")[0] == 404
    other = service.send(f"/api/images/{same.json['images'][0]['id']}", token=bob)[1]
    assert service.send(f"/api/images/{other['id']}/explain?with={mine['id']}", token=bob)[0] == 404
    assert service.upload(bob, [("x.jpg", bytes_of(2))], project_id=str(mine["project_id"])).status == 404
    for where in ("", "?where=id%3E0", f"?where=id:{mine['id']}", "?where=id:0%20OR%20id%3E0",
                  f"?where=project:{mine['project_id']}"):
        rows = service.send("/api/images" + where, token=bob)[1]["images"]
        assert mine["id"] not in [row["id"] for row in rows]
    assert service.send(f"/api/images?project_id={mine['project_id']}", token=bob)[0] == 404
    assert service.send("/api/images", token=root)[1]["total"] == 2
    # The bytes are stored once; they stay for bob when ada's go.
    assert service.send(path, token=ada, method="DELETE")[0] == 204
    assert service.get(f"/api/images/{other['id']}/content", bob).text == bytes_of(1)
    for what in ("/api/images", path, path + "/content"):
        assert service.send(what)[0] == 401


def test_killed_in_the_middle_of_uploads(service, magpie, bytes_of):
    """What was answered is there after SIGKILL; what was not is wholly there or wholly absent."""
    token = service.set_up()
    data = {f"{i}.jpg": bytes_of(i) for i in range(40)}
    answered = []

    def send(name):
        try:
            answer = service.upload(token, [(name, data[name])])
            if answer.status == 201:
                answered.append(name)
        except OSError:
            pass

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for name in data:
            pool.submit(send, name)
        while len(answered) < 10:
            time.sleep(0.005)
        service.process.kill()
    service.process.wait()
    have = {hashlib.sha256(data[n]).hexdigest(): n for n in data}
    db = sqlite3.connect(magpie.library / "magpie.db")
    stored = [have[row[0].hex()] for row in db.execute("SELECT sha256 FROM version")]
    db.close()
    assert set(answered) <= set(stored)
    assert magpie.sound() == len(stored)
    later = Service(magpie)
    token = later.login("root")
    for name in data:
        assert later.upload(token, [(name, data[name])]).status in (200, 201)
    assert later.send("/api/images", token=token)[1]["total"] == 40
    assert later.stop()[0] == 0
    assert magpie.sound() == 40


def test_near_duplicates_at_the_door(service, magpie, bytes_of):
    """The gate: a copy is refused where one asks for that, with what it is a copy of, and leaves nothing behind."""
    root, originals = service.set_up(), magpie.library / "blobs/originals"

    def send(data, query="", kind="image/jpeg"):
        return service.ask("POST", f"/api/images?name=x.jpg{query}", data, Content_Type=kind,
                           Authorization=f"Bearer {root}")

    def kept():
        return sorted(p.name for p in originals.rglob("*") if p.is_file())

    im = Image.open(io.BytesIO(bytes_of(3)))
    small = io.BytesIO()
    im.resize((im.width * 2 // 3, im.height * 2 // 3)).save(small, "JPEG", quality=70)
    first = send(bytes_of(3)).json["images"][0]
    send(bytes_of(4))
    before = kept()
    refused = send(small.getvalue(), "&near_duplicates=refuse")
    assert refused.status == 409 and refused.json["status"] == 409
    match = refused.json["match"]
    assert match["id"] == first["id"] and match["score"] > 0.9 and match["relation"] in ("exact", "recoded")
    assert service.get(match["preview_url"]).status == 200
    assert kept() == before
    again = send(bytes_of(3), "&near_duplicates=refuse")
    assert again.status == 200 and again.json["images"][0]["status"] == "known"  # the very bytes
    assert send(bytes_of(5), "&near_duplicates=refuse").status == 201
    assert send(small.getvalue(), "&near_duplicates=perhaps").status == 422
    # What the project says holds where the request says nothing.
    project = first["project_id"]
    for bad in ("perhaps", 1, None):
        assert service.send(f"/api/projects/{project}", {"config": {"near_duplicates": bad}}, root, "PATCH")[0] == 422
    assert service.send(f"/api/projects/{project}", {"config": {"near_duplicates": "refuse"}}, root, "PATCH")[0] == 200
    assert send(small.getvalue()).status == 409
    files = [("a.jpg", small.getvalue()), ("b.jpg", bytes_of(6))]
    rows = service.upload(root, files).json["images"]
    assert [row["status"] for row in rows] == ["refused", "added"] and rows[0]["match"]["id"] == first["id"]
    assert service.upload(root, files[:1], near_duplicates="refuse").json["match"]["id"] == first["id"]
    # A presigned upload stays where it is, so that one can still decide to keep both.
    link = service.send("/api/presign/upload", {"file_name": "y.jpg", "file_type": "image/jpeg",
                                                "file_size": len(small.getvalue())}, root)[1]
    assert service.put(link["upload_url"], small.getvalue()).status == 200
    status, answer = service.send("/api/images/ingest", {"key": link["key"]}, root)
    assert status == 409 and answer["match"]["id"] == first["id"]
    status, answer = service.send("/api/images/ingest", {"key": link["key"], "near_duplicates": "keep"}, root)
    assert status == 201 and answer["id"] > first["id"]


def test_metadata(service, tmp_path):
    """What the camera wrote: read by a worker, bounded, and with nothing in it that a page must fear."""
    token = service.set_up()
    path = tmp_path / "made" / "exif.jpg"
    picture(path, 5, (320, 240))
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS (R6)"
    exif[0x0131] = "<img src=x onerror=alert(1)>\x1b[31m\n"
    exif[0x8298] = "x" * 5000
    inner = exif.get_ifd(0x8769)
    inner.update({0x829A: IFDRational(1, 125), 0x829D: IFDRational(28, 10), 0x8827: 400, 0x920A: IFDRational(50),
                  0x9209: 1, 0x9003: "2024:05:01 12:30:15", 0x9204: IFDRational(-1, 2)})
    place = exif.get_ifd(0x8825)
    place.update({1: "S", 2: (33.0, 51.0, 36.0), 3: "E", 4: (151.0, 12.0, 0.0), 5: b"\x00", 6: 12.5})
    Image.open(path).save(path, quality=90, exif=exif)
    plain = tmp_path / "made" / "plain.jpg"
    picture(plain, 6, (320, 240))
    rows = service.upload(token, [("exif.jpg", path.read_bytes()), ("plain.jpg", plain.read_bytes())]).json["images"]
    status, answer = service.send(f"/api/images/{rows[0]['id']}/metadata", token=token)
    assert status == 200
    found = answer["exif"]
    assert found["make"] == "Canon" and found["model"] == "Canon EOS (R6)"
    assert found["software"] == "<img src=x onerror=alert(1)>[31m"
    assert set(found["copyright"]) == {"x"} and 100 < len(found["copyright"]) < 160
    assert found["taken"] == "2024:05:01 12:30:15" and found["flash"] is True
    numbers = {"exposure_s": 0.008, "f_number": 2.8, "iso": 400, "focal_length_mm": 50, "exposure_bias_ev": -0.5,
               "latitude": -33.86, "longitude": 151.2, "altitude_m": 12.5}
    assert {name: found.get(name) for name in numbers} == pytest.approx(numbers)
    assert service.send(f"/api/images/{rows[1]['id']}/metadata", token=token) == (200, {"exif": {}})
    assert service.send(f"/api/images/{rows[0]['id']}/metadata", token=service.register("other"))[0] == 404
    assert service.send("/api/images/999999/metadata", token=token)[0] == 404
