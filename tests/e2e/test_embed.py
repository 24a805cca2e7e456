"""The embedding service, inside serve and alone."""
import json
import math
import os
import signal
import uuid

import pytest
from service import Service


def form(files, field="file"):
    boundary = uuid.uuid4().hex
    body = b"".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{n}"\r\n\r\n'.encode() + d + b"\r\n"
                    for n, d in files) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


class Alone(Service):
    """magpie embed: no accounts."""

    def __init__(self, magpie, *args, **env):
        import threading
        magpie.env.update(env)
        self.process = magpie.start("embed", "--port", 0, "--json", *args)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.tls, self.log = None, []
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self.reader.start()


def length(v):
    return math.sqrt(sum(x * x for x in v))


def test_in_serve(magpie, photos):
    magpie.add(photos)
    s = Service(magpie)
    root = s.set_up()
    files = [(p.name, p.read_bytes()) for p in sorted(photos.iterdir())[:10]]
    body, kind = form(files[3:4])
    one = s.ask("POST", "/embed/image", body, Content_Type=kind, Authorization=f"Bearer {root}").json
    assert len(one["embedding"]) == one["dims"] == 512 and abs(length(one["embedding"]) - 1) < 1e-3
    assert one["model"] == "builtin" and one["space"] == "look"
    body, kind = form(files, "files")
    many = s.ask("POST", "/embed/images", body, Content_Type=kind, Authorization=f"Bearer {root}").json
    assert len(many["embeddings"]) == 10
    assert max(abs(a - b) for a, b in zip(many["embeddings"][3], one["embedding"])) < 1e-5
    # It is the vector that the library stores.
    found = s.send("/api/search", {"vectors": [one["embedding"]], "limit": 1}, root)[1]["results"][0]
    assert found["payload"]["name"] == files[3][0] and found["score"] > 0.999
    assert s.send("/embed/text", {"text": "a cat"}, root)[0] == 422  # builtin knows no words
    for bad, status in (({}, 422), ({"text": ""}, 422), ({"text": 5}, 422), ({"text": "x", "y": 1}, 422)):
        assert s.send("/embed/text", bad, root)[0] == status
    body, kind = form([("x.jpg", b"words")])
    assert s.ask("POST", "/embed/image", body, Content_Type=kind, Authorization=f"Bearer {root}").status == 415
    body, kind = form([])
    assert s.ask("POST", "/embed/image", body, Content_Type=kind, Authorization=f"Bearer {root}").status in (400, 422)
    assert s.ask("POST", "/embed/image", body, Content_Type=kind).status == 401
    assert s.stop()[0] == 0


def test_alone(magpie, photos, tmp_path):
    tmp = tmp_path / "scratch"
    tmp.mkdir()
    s = Alone(magpie, TMPDIR=str(tmp))
    body, kind = form([("p.jpg", (photos / "p00.jpg").read_bytes())])
    one = s.ask("POST", "/embed/image", body, Content_Type=kind)
    assert one.status == 200 and len(one.json["embedding"]) == one.json["dims"]
    assert s.ask("GET", "/health").json["status"] == "healthy"
    for path in ("/api/images", "/api/auth/login", "/products", "/docs"):
        assert s.ask("GET", path).status in (404, 405), path
    assert list(tmp.iterdir())  # its scratch library
    assert s.stop()[0] == 0
    assert not list(tmp.iterdir())  # goes with it


def test_alone_with_a_token(magpie, photos):
    s = Alone(magpie, MAGPIE_EMBED_TOKEN="open sesame")
    body, kind = form([("p.jpg", (photos / "p00.jpg").read_bytes())])
    assert s.ask("POST", "/embed/image", body, Content_Type=kind).status == 401
    assert s.ask("POST", "/embed/image", body, Content_Type=kind, Authorization="Bearer open sesami").status == 401
    assert s.ask("POST", "/embed/image", body, Content_Type=kind, Authorization="Bearer open sesame").status == 200
    code, log = s.stop(signal.SIGINT)
    assert code == 0 and b"sesame" not in log


def test_words_with_lite(lite, photos):
    s = Service(lite)
    root = s.set_up()
    cat = s.send("/embed/text", {"text": "a tabby cat"}, root)[1]
    dog = s.send("/embed/text", {"text": "a golden retriever"}, root)[1]
    assert cat["space"] == "word" and abs(length(cat["embedding"]) - 1) < 1e-3
    assert sum(a * b for a, b in zip(cat["embedding"], dog["embedding"])) < 0.9
    body, kind = form([("p.jpg", (photos / "p00.jpg").read_bytes())])
    picture = s.ask("POST", "/embed/image?space=word", body, Content_Type=kind, Authorization=f"Bearer {root}").json
    assert picture["dims"] == cat["dims"]  # words and pictures meet
    answers = [s.send("/api/search/text", {"query": "a tabby cat", "limit": n}, root)[1] for n in (5, 6, 6)]
    assert answers[1] == answers[2]  # also how long it took: it was not asked again
    metrics = s.ask("GET", "/metrics").text.decode()
    for cache in ("query_vectors", "results"):
        hits = [line for line in metrics.splitlines() if line.startswith(f'cache_hits_total{{cache="{cache}"}}')]
        assert hits and int(hits[0].split()[-1]) >= 1
    body, kind = form([("q.jpg", (photos / "p01.jpg").read_bytes())], "files")
    assert s.ask("POST", "/api/images", body, Content_Type=kind, Authorization=f"Bearer {root}").status == 201
    again = s.send("/api/search/text", {"query": "a tabby cat", "limit": 6}, root)[1]
    assert again["took_ms"] != answers[2]["took_ms"]  # a write makes every answer old
    assert s.stop()[0] == 0
