"""The product search: a catalogue with pictures, found by words and by pictures together."""
import base64
import csv
import http.server
import io
import json
import sqlite3
import threading
import time
import urllib.parse
import uuid

import pytest
from conftest import picture
from service import Service
from test_jobs import wait_for


class Shop:
    """A web server with pictures; some paths misbehave."""

    def __init__(self, pictures):
        self.asked, shop = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                shop.asked.append(self.path)
                name = self.path.strip("/").split("?")[0]
                if name == "gone.jpg":
                    self.send_error(404)
                elif name == "words.txt":
                    self.reply(b"no picture", "text/plain")
                elif name == "lies.jpg":
                    self.reply(b"no picture either", "image/jpeg")
                elif name == "away.jpg":
                    self.send_response(302)
                    self.send_header("Location", "/p0.jpg")
                    self.end_headers()
                elif name == "later.jpg" and shop.asked.count(self.path) < 3:
                    self.send_error(503)
                else:
                    self.reply(pictures["p0.jpg" if name == "later.jpg" else name], "image/jpeg")

            def reply(self, data, type):
                self.send_response(200)
                self.send_header("Content-Type", type)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, name):
        return f"http://{self.host}/{name}"


@pytest.fixture
def shop(tmp_path):
    pictures = {}
    for i in range(8):
        path = tmp_path / "shop" / f"p{i}.jpg"
        picture(path, 100 + i)
        pictures[path.name] = path.read_bytes()
    s = Shop(pictures)
    s.pictures = pictures
    yield s
    s.server.shutdown()


@pytest.fixture
def service(magpie, shop):
    s = Service(magpie, "--allow-fetch", shop.host)
    s.root = s.set_up()
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


def form(service, path, fields, files, token):
    boundary = uuid.uuid4().hex
    body = b""
    for name, value in fields.items():
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for field, name, type, data in files:
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
                 f"Content-Type: {type}\r\n\r\n").encode() + data + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return service.ask("POST", path, body, Authorization=f"Bearer {token}",
                       Content_Type=f"multipart/form-data; boundary={boundary}")


def indexed(service, id, token=None):
    until = time.time() + 20
    while time.time() < until:
        p = service.send(f"/products/{id}", token=token or service.root)[1]
        if p["index_state"] in ("indexed", "failed", "none"):
            return p
        time.sleep(0.05)
    raise AssertionError(p)


TITLES = ["Red leather boots", "Blue cotton shirt", "Green wool hat", "Red silk scarf", "Black leather belt",
          "White running shoes", "Brown leather bag", "Grey wool coat"]


@pytest.fixture
def catalogue(service, shop):
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["external_id", "title", "description", "category", "price", "currency", "image_url", "size"])
    for i, title in enumerate(TITLES):
        rows.writerow([f"sku-{i}", title, f"A fine piece, number {i}", ["shoes", "tops", "hats", "accessories"][i % 4],
                       f"{10 + 10 * i}.50", "EUR", shop.url(f"p{i}.jpg"), "M"])
    answer = form(service, "/products/import", {}, [("file", "shop.csv", "text/csv", out.getvalue().encode())], service.root)
    assert answer.status == 200, answer.text
    report = answer.json
    assert (report["created"], report["refused"]) == (8, 0)
    assert wait_for(service, report["job_id"])["result"]["indexed"] == 8
    return {p["external_id"]: p for p in service.send("/products", token=service.root)[1]["products"]}


def test_one_product_is_indexed(service, shop, magpie):
    """The indexing flow: stored, a task, the picture fetched, its vector stored, the result kept."""
    status, made = service.send("/products", {"external_id": "a-1", "title": "A lamp", "description": "Of brass",
                                              "category": "lamps", "price": "12.50", "currency": "EUR",
                                              "image_url": shop.url("p0.jpg"), "metadata": {"colour": "gold"}}, service.root)
    assert status == 201 and made["index_state"] == "queued" and made["price"] == "12.50", made
    job = wait_for(service, made["job_id"])
    assert job["type"] == "index_product" and job["status"] == "completed" and job["result"]["indexed"]
    p = indexed(service, made["id"])
    assert p["index_state"] == "indexed" and p["metadata"] == {"colour": "gold"}
    assert service.get(p["preview_url"]).status == 200
    assert service.get(f"/api/images/{p['image_id']}/content", service.root).text == shop.pictures["p0.jpg"]
    status, p = service.send(f"/products/{p['id']}", {"price": 9, "title": "A small lamp"}, service.root, "PATCH")
    assert status == 200 and p["price"] == "9.00" and p["title"] == "A small lamp" and p["description"] == "Of brass"
    status, p = service.send(f"/products/{p['id']}", {"title": "Bare"}, service.root, "PUT")
    assert p["description"] == "" and p["price"] is None and p["image_id"] is None
    assert service.send("/products", {"external_id": "a-1", "title": "x"}, service.root)[0] == 409
    assert service.send(f"/products/{p['id']}", token=service.root, method="DELETE")[0] == 204
    assert service.send(f"/products/{p['id']}", token=service.root)[0] == 404
    assert service.stop()[0] == 0
    magpie.sound()


@pytest.mark.parametrize("name,words", [("gone.jpg", "404"), ("lies.jpg", "picture"), ("words.txt", "")])
def test_pictures_that_cannot_be_had(service, shop, name, words):
    made = service.send("/products", {"title": "x", "image_url": shop.url(name)}, service.root)[1]
    p = indexed(service, made["id"])
    assert p["index_state"] == "failed" and words in p["index_error"], p


def test_redirects_are_not_followed_and_failures_are_tried_again(service, shop):
    made = service.send("/products", {"title": "x", "image_url": shop.url("away.jpg")}, service.root)[1]
    assert indexed(service, made["id"])["index_state"] == "failed" and "/p0.jpg" not in shop.asked
    made = service.send("/products", {"title": "y", "image_url": shop.url("later.jpg")}, service.root)[1]
    assert indexed(service, made["id"])["index_state"] == "indexed"


SPELLINGS = ["http://127.0.0.1/", "http://localhost/", "http://localhost./", "http://2130706433/", "http://0x7f.1/",
             "http://0177.0.0.1/", "http://127.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/",
             "http://192.168.1.1/", "http://169.254.169.254/latest/", "http://[fe80::1]/", "http://0.0.0.0/", "http://100.64.0.1/",
             "http://user:pw@example.org/", "file:///etc/passwd", "gopher://example.org/", "ftp://example.org/x.jpg", "//x", "x"]


@pytest.mark.parametrize("url", SPELLINGS)
def test_no_private_address_is_reached(service, url):
    for body, path in (({"title": "x", "image_url": url}, "/products"), ({"image_url": url}, "/search/image")):
        status, answer = service.send(path, body, service.root)
        assert status == 422 and "image_url" in answer["error"], (path, answer)


@pytest.mark.parametrize("body", [
    {}, {"title": ""}, {"title": "x" * 513}, {"title": "x", "price": "12,50"}, {"title": "x", "price": -1},
    {"title": "x", "price": [1]}, {"title": "x", "currency": "euro"}, {"title": "x", "currency": "eu"},
    {"title": "x", "metadata": []}, {"title": "x", "external_id": ""}, {"title": "x", "surprise": 1}, {"title": 5},
])
def test_bad_products(service, body):
    status, answer = service.send("/products", body, service.root)
    assert status == 422 and answer["error"], answer


def test_lists_and_facets(service, catalogue):
    page = service.send("/products?sort=price&order=desc&limit=3&facets=yes", token=service.root)[1]
    assert [p["external_id"] for p in page["products"]] == ["sku-7", "sku-6", "sku-5"] and page["total"] == 8
    assert {f["value"]: f["count"] for f in page["facets"]["categories"]} == {"shoes": 2, "tops": 2, "hats": 2, "accessories": 2}
    assert page["facets"]["price"]["min"] == "10.50" and page["facets"]["price"]["max"] == "80.50"
    seen, cursor = [], ""
    while cursor is not None:
        page = service.send(f"/products?sort=title&limit=3&cursor={cursor}", token=service.root)[1]
        seen += [p["title"] for p in page["products"]]
        cursor = page["next_cursor"]
    assert seen == sorted(TITLES, key=str.lower)
    some = service.send("/products?category=shoes,hats&price_min=20&price_max=60", token=service.root)[1]
    assert {p["external_id"] for p in some["products"]} == {"sku-2", "sku-4"}
    for bad in ("limit=0", "sort=size", "price_min=x", "cursor=?", "project_id=9", "category=" + "a," * 21):
        assert service.send(f"/products?{bad}", token=service.root)[0] in (404, 422), bad
    assert catalogue["sku-0"]["metadata"] == {"size": "M"}


def test_import_reports_each_bad_line(service, shop):
    lines = [json.dumps({"external_id": "1", "title": "Good", "price": 5}), "{not json", json.dumps({"title": "no id"}),
             json.dumps({"external_id": "2", "title": "Bad price", "price": "many"}),
             json.dumps({"external_id": "3", "title": "Bad url", "image_url": "http://127.0.0.1:1/x.jpg"}),
             json.dumps({"external_id": "4", "title": "Also good"})]
    answer = form(service, "/products/import", {"format": "jsonl"}, [("file", "x", "text/plain", "\n".join(lines).encode())],
                  service.root).json
    assert answer["created"] == 2 and answer["refused"] == 4
    assert [e["line"] for e in answer["errors"]] == [2, 3, 4, 5]
    again = service.ask("POST", "/products/import", "\n".join(lines[:1]).encode(), Content_Type="application/x-ndjson+json",
                        Authorization=f"Bearer {service.root}").json
    assert (again["created"], again["unchanged"]) == (0, 1)
    mapped = form(service, "/products/import", {"mapping": json.dumps({"Artikel": "external_id", "Name": "title"})},
                  [("file", "x.csv", "text/csv", "Artikel;Name\n9;Neun\n".encode())], service.root).json
    assert mapped["created"] == 1
    assert form(service, "/products/import", {"format": "xml"}, [("file", "x.csv", "text/csv", b"external_id,title\n1,x\n")],
                service.root).status == 422
    for bad in (b"", b"\xff\xfe\x00\x01", b"a,b\n1,2\n"):
        assert form(service, "/products/import", {}, [("file", "x.csv", "text/csv", bad)], service.root).status == 422, bad


def test_categories_may_have_commas(service, catalogue):
    """Lists of a body are lists; in an address a backslash keeps the comma."""
    odd, plain = "hats, caps & \\ more", "caps"
    for external, category in (("sku-8", odd), ("sku-9", plain)):
        assert service.send("/products", {"external_id": external, "title": "Blue cap", "category": category},
                            service.root)[0] == 201
    for asked, expected in ((odd, ["sku-8"]), (plain, ["sku-9"])):
        escaped = asked.replace("\\", "\\\\").replace(",", "\\,")
        listed = service.send("/products?category=" + urllib.parse.quote(escaped), token=service.root)[1]
        assert [p["external_id"] for p in listed["products"]] == expected
        for category in ([asked], escaped):
            found = service.send("/search/text", {"query": "cap", "category": category, "weights": {"picture": 0}},
                                 service.root)[1]
            assert [p["external_id"] for p in found["results"]] == expected
    both = service.send("/search/text", {"query": "cap", "category": [odd, plain], "weights": {"picture": 0}},
                        service.root)[1]
    assert {p["external_id"] for p in both["results"]} == {"sku-8", "sku-9"}


def test_words_find_products(service, catalogue, magpie):
    """The text search flow."""
    status, found = service.send("/search/text", {"query": "red leather boots", "limit": 3}, service.root)
    assert status == 200 and found["query_type"] == "text"
    first = found["results"][0]
    assert first["external_id"] == "sku-0" and first["text_score"] == 1 and 0 < first["score"] <= 1
    assert found["execution_time_ms"] > 0 and found["facets"]["categories"]
    words = service.send("/search/text", {"query": "leather", "weights": {"picture": 0}}, service.root)[1]
    assert {p["external_id"] for p in words["results"]} == {"sku-0", "sku-4", "sku-6"}
    some = service.send("/search/text", {"query": "leather", "category": ["shoes"], "price_max": 20,
                                         "weights": {"picture": 0}}, service.root)[1]
    assert [p["external_id"] for p in some["results"]] == ["sku-0"]
    pages = service.send("/search/text", {"query": "leather", "weights": {"picture": 0}, "limit": 2}, service.root)[1]
    rest = service.send("/search/text", {"query": "leather", "weights": {"picture": 0}, "limit": 2,
                                         "cursor": pages["next_cursor"]}, service.root)[1]
    assert len(rest["results"]) == 1 and rest["next_cursor"] is None
    assert service.send("/search/text", {"query": "zeppelin", "weights": {"picture": 0}}, service.root)[1]["results"] == []
    logs = service.send("/search/logs", token=service.root)[1]["logs"]
    assert logs[-1]["query_text"] == "red leather boots" and logs[-1]["user_id"] == "1" and logs[-1]["session_id"]
    assert logs[0]["results_count"] == 0
    report = service.send("/search/report", token=service.root)[1]
    assert report["top"][0]["query"] == "leather" and report["top"][0]["count"] == 4
    assert [q["query"] for q in report["empty"]] == ["zeppelin"] and report["types"]["text"]["count"] == 6
    assert service.stop()[0] == 0
    db = sqlite3.connect(magpie.library / "magpie.db")
    assert db.execute("SELECT count(*) FROM search_log").fetchone()[0] == 6


def test_pictures_find_products(service, catalogue, shop):
    """The image search flow, in every way to show a picture."""
    data = shop.pictures["p3.jpg"]
    raw = base64.b64encode(data).decode()
    product = catalogue["sku-3"]
    answers = [
        form(service, "/search/image", {}, [("file", "x.jpg", "image/jpeg", data)], service.root).json,
        service.ask("POST", "/search/image", data, Content_Type="image/jpeg", Authorization=f"Bearer {service.root}").json,
        service.send("/search/image", {"image": raw}, service.root)[1],
        service.send("/search/image", {"image_url": shop.url("p3.jpg")}, service.root)[1],
    ]
    for found in answers:
        assert found["results"][0]["external_id"] == "sku-3" and found["results"][0]["picture_score"] > 0.99, found
        assert found["query_type"] == "image" and len(found["results"]) == 8
    for like in ({"product_id": product["id"]}, {"image_id": product["image_id"]}):
        found = service.send("/search/image", like, service.root)[1]
        assert found["query_type"] == "similar" and "sku-3" not in [p["external_id"] for p in found["results"]]
    mixed = form(service, "/search/image", {"query": json.dumps({"query": "wool coat", "weights": {"text": 5}})},
                 [("file", "x.jpg", "image/jpeg", data)], service.root).json
    assert mixed["query_type"] == "mixed" and "sku-7" in [p["external_id"] for p in mixed["results"][:2]]
    shoes = service.send("/search/image", {"image": raw, "category": "shoes"}, service.root)[1]
    assert {p["category"] for p in shoes["results"]} == {"shoes"}
    for bad, status in (({}, 422), ({"image": "***"}, 422), ({"image": base64.b64encode(b"text").decode()}, 415),
                        ({"product_id": 999}, 404), ({"image_id": 999}, 404), ({"image": raw, "weights": {"colour": 1}}, 422),
                        ({"image": raw, "weights": {"picture": 0, "text": 0}}, 422), ({"image": raw, "limit": 0}, 422),
                        ({"image": raw, "product_id": 1}, 422), ({"image": raw, "price_min": True}, 422),
                        ({"image": raw, "price_max": [5]}, 422), ({"image": raw, "category": 5}, 422),
                        ({"image": raw, "category": ["a", 5]}, 422)):
        assert service.send("/search/image", bad, service.root)[0] == status, bad


def test_a_picture_by_upload(service, shop):
    made = service.send("/products", {"title": "By hand"}, service.root)[1]
    assert made["index_state"] == "none"
    answer = form(service, f"/products/{made['id']}/image", {}, [("file", "x.jpg", "image/jpeg", shop.pictures["p5.jpg"])],
                  service.root)
    assert answer.status == 200 and answer.json["index_state"] == "indexed" and answer.json["image_id"]
    assert form(service, f"/products/{made['id']}/image", {}, [("file", "x.jpg", "image/jpeg", b"words")], service.root).status == 415
    assert service.send(f"/products/{made['id']}/index", {}, service.root)[0] == 409


def test_tasks(service, catalogue):
    one = service.send(f"/products/{catalogue['sku-1']['id']}/index", {}, service.root)
    assert one[0] == 202 and wait_for(service, one[1]["job_id"])["result"]["indexed"]
    ids = [p["id"] for p in catalogue.values()][:3]
    batch = service.send("/products/index", {"product_ids": ids}, service.root)
    assert batch[0] == 202 and wait_for(service, batch[1]["job_id"])["result"] == {"products": 3, "indexed": 3, "failed": 0}
    every = service.send("/products/reindex", {}, service.root)
    assert every[0] == 202 and wait_for(service, every[1]["job_id"])["result"] == {"products": 8, "indexed": 8, "failed": 0}
    assert service.send("/products/index", {"product_ids": ["x"]}, service.root)[0] == 422


def test_catalogues_are_their_owners(service, catalogue, shop):
    ada = service.register("ada")
    assert service.send("/products", token=ada)[1]["total"] == 0
    id = catalogue["sku-0"]["id"]
    for path, body, method in ((f"/products/{id}", None, "GET"), (f"/products/{id}", {"title": "x"}, "PATCH"),
                               (f"/products/{id}", {"title": "x"}, "PUT"), (f"/products/{id}", None, "DELETE"),
                               (f"/products/{id}/index", {}, "POST"), ("/search/image", {"product_id": id}, "POST"),
                               ("/search/image", {"image_id": catalogue["sku-0"]["image_id"]}, "POST"),
                               ("/products", {"title": "x", "project_id": 1}, "POST")):
        assert service.send(path, body, ada, method)[0] == 404, path
    assert service.send("/search/text", {"query": "leather"}, ada)[1]["results"] == []
    raw = base64.b64encode(shop.pictures["p0.jpg"]).decode()
    assert service.send("/search/image", {"image": raw}, ada)[1]["results"] == []
    for path in ("/search/logs", "/search/report"):
        assert service.send(path, token=ada)[0] == 403
    mine = service.send("/products", {"external_id": "sku-0", "title": "Mine"}, ada)
    assert mine[0] == 201  # ids are unique in a catalogue, not in the world
