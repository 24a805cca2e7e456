"""What the first services answered, name by name: a client of theirs finds its members here, with their types.

The shapes are those of their documents: upload_url; results with id, score and payload; clusters of payloads;
anomalies with image_id, anomaly_score, payload and preview_url; the claims of a token; status and error. More may
stand beside them."""
import base64
import json
import re

import pytest
from conftest import picture
from service import PASSWORD, Service

# "Payload Fields" of the collection's schema.
PAYLOAD = {"image_id": str, "user_id": str, "sha256": str, "phash": str, "width": int, "height": int, "format": str,
           "key": str, "created_at": str, "model_name": str, "model_version": str}
CLAIMS = {"user_id": str, "username": str, "role": str, "exp": int, "iat": int}
FEEDBACK = {"id": int, "image_id": str, "user_id": str, "action": str, "note": str, "created_at": str}


def has(answer, shape):
    for name, kind in shape.items():
        assert name in answer, (name, sorted(answer))
        value = answer[name]
        if isinstance(kind, dict):
            has(value, kind)
        elif kind is float:
            assert type(value) in (int, float), (name, value)
        else:
            assert type(value) is kind, (name, value)


def is_payload(payload, image_id):
    has(payload, PAYLOAD)
    assert payload["image_id"] == str(image_id)
    assert re.fullmatch("[0-9a-f]{64}", payload["sha256"])
    assert re.fullmatch("p:[0-9a-f]{16}", payload["phash"])  # "p:" and 64 bits
    assert payload["key"].startswith(f"images/{payload['user_id']}/")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", payload["created_at"])


def shows(service, url):
    """A preview is a picture for whoever has its address."""
    shown = service.get(url)
    assert shown.status == 200 and shown.getheader("Content-Type").startswith("image/")


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    s.root = s.set_up()
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


@pytest.fixture
def ids(service, tmp_path):
    """Twelve pictures, the last a worse copy of the first."""
    files = []
    for i in range(12):
        path = tmp_path / f"{i}.jpg"
        picture(path, i % 11, quality=40 if i == 11 else 90)
        files.append((path.name, path.read_bytes()))
    return [row["id"] for row in service.upload(service.root, files).json["images"]]


def test_register_and_login(service):
    """Login and register: a token whose claims name the user, and who it is."""
    for path, status in (("register", 201), ("login", 200)):
        got, answer = service.send(f"/api/auth/{path}", {"username": "ada", "password": PASSWORD})
        assert got == status
        has(answer, {"token": str, "user": {"username": str}})
        body = answer["token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        has(claims, CLAIMS)
        assert claims["username"] == "ada" and claims["iat"] < claims["exp"]
        assert service.send("/api/images", token=answer["token"])[0] == 200


@pytest.mark.parametrize("asked", ["GET", "POST"])  # the diagrams have the one, the handlers the other
def test_upload_flow(service, tmp_path, asked):
    """Presign, PUT, ingest, list: the image upload flow."""
    data = tmp_path / "one.jpg"
    picture(data, 5)
    size = data.stat().st_size
    wanted = {"file_name": "one.jpg", "file_type": "image/jpeg", "file_size": size}
    if asked == "GET":
        path = "/api/presign/upload?" + "&".join(f"{k}={v}" for k, v in wanted.items())
        status, link = service.send(path, token=service.root)
    else:
        status, link = service.send("/api/presign/upload", wanted, service.root)
    assert status == 200
    has(link, {"upload_url": str, "key": str})
    assert service.put(link["upload_url"], data.read_bytes()).status == 200
    status, made = service.send("/api/images/ingest", {"key": link["key"]}, service.root)
    assert status == 201
    has(made, {"id": int, "status": str})
    is_payload(made, made["id"])
    status, listed = service.send("/api/images", token=service.root)
    assert status == 200
    has(listed, {"images": list})
    is_payload(listed["images"][0], made["id"])
    shows(service, listed["images"][0]["preview_url"])


def test_search(service, ids):
    """Search results: id, score and payload, by falling score; ids can be strings, as payloads have them."""
    service.send(f"/api/images/{ids[3]}", {"title": "lighthouse"}, service.root, "PATCH")
    for path, body in (("similar", {"image_id": str(ids[0]), "limit": 5, "threshold": 0.1}),
                       ("text", {"query": "lighthouse", "limit": 5})):
        status, found = service.send(f"/api/search/{path}", body, service.root)
        assert status == 200 and found["results"], path
        for row in found["results"]:
            has(row, {"id": int, "score": float, "payload": dict, "preview_url": str})
            is_payload(row["payload"], row["id"])
        scores = [row["score"] for row in found["results"]]
        assert scores == sorted(scores, reverse=True)
        shows(service, found["results"][0]["preview_url"])


def test_deduplicate(service, ids):
    """Clusters: lists of pictures."""
    status, found = service.send("/api/deduplicate", {}, service.root)
    assert status == 200
    has(found, {"clusters": list})
    assert [sorted(m["image_id"] for m in c) for c in found["clusters"]] == [sorted([str(ids[0]), str(ids[11])])]
    for member in found["clusters"][0]:
        has(member, {"image_id": str, "payload": dict, "preview_url": str})
        is_payload(member["payload"], member["image_id"])


def test_anomalies(service, ids):
    """Anomalies: one minus the nearest score, the largest first when it is asked for."""
    status, found = service.send("/api/qa/anomalies?sort=anomaly_score", token=service.root)
    assert status == 200
    has(found, {"anomalies": list})
    assert len(found["anomalies"]) == 12
    for row in found["anomalies"]:
        has(row, {"image_id": str, "anomaly_score": float, "payload": dict, "preview_url": str})
        is_payload(row["payload"], row["image_id"])
    least = found["anomalies"][-1]
    nearest = service.send("/api/search/similar", {"image_id": least["image_id"], "limit": 1}, service.root)[1]
    assert least["anomaly_score"] == pytest.approx(1 - nearest["results"][0]["score"], abs=1e-3)


def test_one_image(service, ids):
    """Reindex, thumbnail and delete."""
    for what in ("reindex", "thumbnail"):
        status, done = service.send(f"/api/images/{ids[0]}/{what}", {}, service.root)
        assert status == 200
        has(done, {"status": str, "image_id": str})
    shown = service.get(f"/api/images/{ids[0]}/thumbnail", service.root)
    assert shown.status == 200 and shown.getheader("Content-Type") == "image/webp"
    assert service.send(f"/api/images/{ids[0]}", token=service.root, method="DELETE")[0] == 204
    assert service.send(f"/api/images/{ids[0]}", token=service.root)[0] == 404


def test_feedback(service, ids):
    said = {"image_id": str(ids[0]), "action": "anomaly", "note": "a scratch"}
    assert service.send("/api/feedback", said, service.root)[0] == 201
    (kept,) = service.send(f"/api/feedback?image_id={ids[0]}", token=service.root)[1]["feedback"]
    has(kept, FEEDBACK)
    assert {k: kept[k] for k in said} == said


def test_health(service):
    status, health = service.send("/health")
    assert status == 200
    has(health, {"status": str, "timestamp": int, "version": str})
    assert health["status"] == "healthy"
    assert service.send("/health/ready") == (200, {"status": "ready"})
    metrics = service.get("/metrics").text.decode()
    for name in ("http_requests_total", "image_processing_duration_seconds", "vector_search_duration_seconds"):
        assert f"# TYPE {name} " in metrics
    assert re.search(r'http_requests_total\{method="GET",endpoint="/health",status="200"\} 1\b', metrics)


def test_errors(service):
    """Whatever fails says `error`, a text."""
    asked = [(401, service.send("/api/images")), (404, service.send("/api/images/99", token=service.root)),
             (401, service.send("/api/auth/login", {"username": "root", "password": "wrong password"})),
             (422, service.send("/api/presign/upload", {"file_name": "x"}, service.root)),
             (422, service.send("/api/presign/upload",
                                {"file_name": "x", "file_type": "text/html", "file_size": 5}, service.root))]
    asked += [(429, [service.send("/api/auth/login", {"username": "eve", "password": "x"}) for _ in range(11)][-1])]
    for status, (got, answer) in asked:
        assert got == status
        has(answer, {"error": str, "status": int})
        assert answer["status"] == status and answer["error"]
