"""POST /api/images/ingest by URL: what is taken in, what is refused, and that no private address is reached."""
import hashlib
import socket
import threading
import time

import pytest
from service import Service
from test_products import SPELLINGS, shop, service  # noqa: F401 (fixtures)


def ingest(service, url, token=None, **more):
    return service.send("/api/images/ingest", {"url": url, **more}, token or service.root)


def test_a_picture_at_a_url(service, shop, magpie):
    status, taken = ingest(service, shop.url("p0.jpg?size=large#top"), title="From afar")
    assert status == 201 and taken["status"] == "added" and taken["name"] == "p0.jpg", taken
    assert taken["title"] == "From afar" and taken["sha256"] == hashlib.sha256(shop.pictures["p0.jpg"]).hexdigest()
    status, again = ingest(service, shop.url("p0.jpg"))
    assert status == 200 and again["status"] == "known" and again["id"] == taken["id"]
    assert service.get(f"/api/images/{taken['id']}/content", service.root).text == shop.pictures["p0.jpg"]
    assert service.send("/api/images", token=service.root)[1]["total"] == 1
    assert service.stop()[0] == 0
    assert not list((magpie.library / "tmp").iterdir())
    assert magpie.sound() == 1


def test_what_was_answered_survives_a_kill(service, shop, magpie):
    assert ingest(service, shop.url("p1.jpg"))[0] == 201
    service.stop(how=9)
    assert magpie.sound() == 1


def test_into_a_project(service, shop):
    project = service.send("/api/projects", {"name": "Coast"}, service.root)[1]["id"]
    status, taken = ingest(service, shop.url("p2.jpg"), project_id=project)
    assert status == 201 and taken["project_id"] == project
    asked = len(shop.asked)
    other = service.register("other")
    assert ingest(service, shop.url("p3.jpg"), other, project_id=project)[0] == 404
    assert ingest(service, shop.url("p3.jpg"), project_id=999)[0] == 404
    service.send(f"/api/projects/{project}/members", {"username": "other", "role": "viewer"}, service.root, "PUT")
    assert ingest(service, shop.url("p3.jpg"), other, project_id=project)[0] == 403
    assert len(shop.asked) == asked  # nobody was asked on behalf of who may not
    assert service.send("/api/images/ingest", {"url": shop.url("p3.jpg")})[0] == 401


@pytest.mark.parametrize("name,status", [("gone.jpg", 422), ("lies.jpg", 415), ("words.txt", 415), ("away.jpg", 422)])
def test_what_is_no_picture(service, shop, name, status):
    got, answer = ingest(service, shop.url(name))
    assert got == status and answer["error"], answer
    assert "/p0.jpg" not in shop.asked  # where the redirect leads
    assert service.send("/api/images", token=service.root)[1]["total"] == 0


def test_failures_are_tried_again(service, shop):
    assert ingest(service, shop.url("later.jpg"))[0] == 201 and shop.asked.count("/later.jpg") == 3


def test_a_limit_of_bytes(magpie, shop):
    s = Service(magpie, "--allow-fetch", shop.host, "--max-bytes", "1000000")
    s.root = s.set_up()
    shop.pictures["huge.jpg"] = b"\xff\xd8\xff" + b"x" * 2_000_000
    assert ingest(s, shop.url("huge.jpg"))[0] == 413
    assert s.stop()[0] == 0


@pytest.mark.parametrize("url", SPELLINGS + ["", "http://", "http://[", "http://%31%32%37.0.0.1/", "http://127。0。0。1/"])
def test_no_private_address_is_reached(service, url):
    status, answer = ingest(service, url)
    assert status == 422 and "url" in answer["error"], answer


@pytest.mark.parametrize("body", [{}, {"key": "images/1/x.jpg", "url": "https://example.org/x.jpg"}, {"url": 5}, {"url": None},
                                  {"url": "https://example.org/" + "x" * 2048}, {"key": "images/1/x.jpg", "project_id": 1},
                                  {"url": "https://example.org/x.jpg", "surprise": 1}])
def test_bad_bodies(service, body):
    status, answer = service.send("/api/images/ingest", body, service.root)
    assert status == 422 and answer["error"], answer


def test_no_connection_to_what_is_not_allowed(service):
    """A listener that the service may not reach hears nothing, in any spelling of its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        port = listener.getsockname()[1]
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0"):
            assert ingest(service, f"http://{host}:{port}/p0.jpg")[0] == 422
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_server_that_does_not_come_to_an_end(magpie):
    """Each byte in time, the picture never: the request ends by the limit in all, and others go on meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def drip():
            while True:
                try:
                    peer = listener.accept()[0]
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n")
                    for _ in range(600):
                        peer.sendall(b"x")
                        time.sleep(0.1)
                except OSError:
                    if listener.fileno() < 0:
                        return
        for _ in range(2):
            threading.Thread(target=drip, daemon=True).start()
        host = "127.0.0.1:%d" % listener.getsockname()[1]
        s = Service(magpie, "--allow-fetch", host)
        s.root = s.set_up()
        began, answers = time.time(), []
        slow = threading.Thread(target=lambda: answers.append(ingest(s, f"http://{host}/x.jpg")))
        slow.start()
        assert s.get("/health/ready").status == 200
        slow.join()
        assert answers[0][0] == 422 and 9 < time.time() - began < 28, (answers, time.time() - began)
        assert s.stop()[0] == 0
