"""Jobs, exports, events, notifications and schedules: on the real service, with its own worker and another's."""
import hashlib
import hmac
import http.server
import io
import json
import re
import signal
import sqlite3
import threading
import time
import zipfile

import pytest
from conftest import picture
from service import PASSWORD, Service


@pytest.fixture
def service(magpie, photos):
    magpie.add(photos)
    s = Service(magpie)
    s.root = s.set_up()
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


def wait_for(service, job_id, token=None, seconds=30):
    until = time.time() + seconds
    while time.time() < until:
        job = service.send(f"/api/jobs/{job_id}", token=token or service.root)[1]
        if job["status"] not in ("queued", "processing"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"job {job_id} does not end: {job}")


def listen(service, path, token, last_id=None, until=lambda events: False, seconds=15):
    """The events of a stream, until enough came or the service ended it."""
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=seconds)
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    if last_id is not None:
        headers["Last-Event-ID"] = str(last_id)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200 and answer.getheader("Content-Type").startswith("text/event-stream")
    events, event = [], {}
    try:
        for line in answer:
            line = line.decode().rstrip("\n")
            if line.startswith(":") or line.startswith("retry:"):
                continue
            if line:
                key, _, value = line.partition(": ")
                event[key] = value
            elif "data" not in event:
                event = {}  # where the stream begins
            elif event:
                event["data"] = json.loads(event["data"])
                events.append(event)
                event = {}
                if until(events):
                    break
    finally:
        connection.close()
    return events


def first_block(service, query="", **headers):
    """What a stream says before anything happens."""
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    connection.request("GET", f"/api/events{query}", headers={"Authorization": f"Bearer {service.root}", **headers})
    answer, lines = connection.getresponse(), []
    while not any(line.startswith("id:") for line in lines) or lines[-1]:
        lines.append(answer.readline().decode().strip())
    connection.close()
    return [line for line in lines if line and not line.startswith(("retry:", ":"))]


def test_a_stream_says_where_it_begins(service):
    """Who loses it before the first event comes back with that id and misses nothing."""
    (begin,) = first_block(service)
    last = int(begin.removeprefix("id: "))
    assert service.send("/api/images/1", {"title": "changed"}, service.root, "PATCH")[0] == 200  # nobody listens
    events = listen(service, "/api/events", service.root, last_id=last, until=lambda events: len(events) >= 1)
    assert int(events[0]["id"]) > last
    assert first_block(service, "?after=0")[0] == "id: 0"
    # A browser asks for the same URL again, and says what it heard last.
    again = first_block(service, "?after=0", **{"Last-Event-ID": str(last)})
    assert again[0] == f"id: {last}", again


def test_a_job_runs_and_tells(service):
    status, job = service.send("/api/jobs", {"type": "processing", "params": {"operation": "reindex"}}, service.root)
    assert status == 202 and job["status"] in ("queued", "processing", "completed") and job["job_id"] == job["id"]
    done = wait_for(service, job["id"])
    assert done["status"] == "completed" and done["result"] == {"done": 12, "failed": 0} and done["attempts"] == 1
    assert re.fullmatch(r"\d{4}-.*Z", done["finished_at"])
    logs = service.send(f"/api/jobs/{job['id']}/logs", token=service.root)[1]
    assert logs["status"] == "completed" and "reindex" in logs["logs"][0]["text"]
    streamed = listen(service, f"/api/jobs/{job['id']}/logs", service.root)
    assert [e["event"] for e in streamed][-1] == "status" and streamed[-1]["data"]["status"] == "completed"
    assert any(e["event"] == "log" for e in streamed)
    listed = service.send("/api/jobs?type=processing&status=completed", token=service.root)[1]["jobs"]
    assert [j["id"] for j in listed] == [job["id"]]


@pytest.mark.parametrize("operation,params,has", [
    ("thumbnails", {}, "done"), ("deduplicate", {"kind": "same"}, "clusters"),
    ("anomalies", {"alpha": 0.2}, "image_ids"), ("reindex", {"where": "id<4"}, "done"),
])
def test_every_operation(service, operation, params, has):
    job = service.send("/api/jobs", {"type": "processing", "params": {"operation": operation, **params}}, service.root)[1]
    done = wait_for(service, job["id"])
    assert done["status"] == "completed" and has in done["result"], done


@pytest.mark.parametrize("body,status", [
    ({}, 422), ({"type": "dance"}, 422), ({"type": "processing"}, 422), ({"type": "processing", "params": []}, 422),
    ({"type": "processing", "params": {"operation": "x"}}, 422),
    ({"type": "processing", "params": {"operation": "reindex", "x": 1}}, 422),
    ({"type": "processing", "params": {"operation": "reindex", "where": "colour:red"}}, 422),
    ({"type": "export", "params": {"manifests": ["xml"]}}, 422), ({"type": "export", "project_id": 99}, 404),
    ({"type": "notification", "params": {"channel": "pigeon"}}, 422),
    ({"type": "notification", "params": {"channel": "webhook", "url": "http://127.0.0.1/", "secret": "s"}}, 422),
    ({"type": "notification", "params": {"channel": "webhook", "url": "http://[::ffff:10.0.0.1]/", "secret": "s"}}, 422),
    ({"type": "processing", "params": {"operation": "reindex"}, "priority": 1000}, 422),
])
def test_bad_jobs(service, body, status):
    assert service.send("/api/jobs", body, service.root)[0] == status


def test_the_same_key_is_the_same_job(service):
    body = {"type": "processing", "params": {"operation": "thumbnails"}}
    first = service.send("/api/jobs", body, service.root, Idempotency_Key="k1")
    again = service.send("/api/jobs", body, service.root, Idempotency_Key="k1")
    assert first[0] == 202 and again[0] == 200 and first[1]["id"] == again[1]["id"]
    other = service.send("/api/jobs", {"type": "export"}, service.root, Idempotency_Key="k1")
    assert other[0] == 409


def test_exports(service):
    """The export flow: asked for, waited for, downloaded, whole."""
    status, job = service.send("/api/exports", {"manifests": ["json", "csv", "coco"], "vectors": True, "where": "id<=5"},
                               service.root)
    assert status == 202
    done = wait_for(service, job["id"])
    assert done["status"] == "completed" and done["result"]["images"] == 5, done
    got = service.get(done["download_url"])  # the link is enough
    assert got.status == 200 and got.getheader("Content-Type") == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(got.text))
    assert archive.testzip() is None
    names = archive.namelist()
    assert sum(n.startswith("images/") for n in names) == 5 and {"manifest.json", "manifest.csv", "coco.json",
                                                                 "vectors.npy"} <= set(names)
    manifest = json.loads(archive.read("manifest.json"))
    for row in manifest["images"]:
        assert hashlib.sha256(archive.read(row["file"])).hexdigest() == row["sha256"]
    part = service.get(f"/api/exports/{job['id']}/content", service.root, Range="bytes=0-3")
    assert part.status == 206 and part.text == b"PK\x03\x04"
    assert service.get("/api/exports/999/content", service.root).status == 404
    reindex = service.send("/api/jobs", {"type": "processing", "params": {"operation": "reindex"}}, service.root)[1]
    assert service.get(f"/api/exports/{reindex['id']}/content", service.root).status == 404


def test_events_come_and_can_be_taken_up_again(service, tmp_path):
    heard = []
    thread = threading.Thread(target=lambda: heard.extend(
        listen(service, "/api/events", service.root, until=lambda events: len(events) >= 3)))
    thread.start()
    time.sleep(0.5)
    picture(tmp_path / "new" / "a.jpg", 50)
    made = service.upload(service.root, [("a.jpg", (tmp_path / "new" / "a.jpg").read_bytes())]).json["images"][0]
    service.send(f"/api/images/{made['id']}", {"add_tags": ["x"]}, service.root, "PATCH")
    service.send(f"/api/images/{made['id']}", token=service.root, method="DELETE")
    thread.join(15)
    assert [e["event"] for e in heard] == ["image.added", "image.tagged", "image.removed"]
    assert all(e["data"]["subject"] == str(made["id"]) and e["data"]["project_id"] == 1 for e in heard)
    ids = [int(e["id"]) for e in heard]
    assert ids == sorted(ids)
    again = listen(service, "/api/events", service.root, last_id=ids[0], until=lambda events: len(events) >= 2)
    assert [e["event"] for e in again] == ["image.tagged", "image.removed"]
    page = service.ask("GET", "/api/events?type=image.&after=0", Accept="application/json",
                       Authorization=f"Bearer {service.root}").json
    assert [e["type"] for e in page["events"]][-3:] == ["image.added", "image.tagged", "image.removed"]
    def back(query):
        return service.ask("GET", f"/api/events?type=image.&order=desc{query}", Accept="application/json",
                           Authorization=f"Bearer {service.root}")
    newest = back("").json
    assert [e["id"] for e in newest["events"][:3]] == ids[::-1]
    assert newest["last_id"] == newest["events"][-1]["id"]
    older = back(f"&before={ids[1]}").json
    assert older["events"][0]["id"] == ids[0]
    assert back(f"&before={newest['last_id']}").json == {"events": [], "last_id": newest["last_id"]}
    assert back("&before=0").status == 422
    until = time.time() + 10
    while time.time() < until:  # daily figures follow within seconds
        days = service.send("/api/analytics/daily?name=image.added", token=service.root)[1]["days"]
        if days:
            break
        time.sleep(0.1)
    assert days[0]["value"] == 1 and days[0]["project_id"] == 1
    audit = service.send("/api/audit?limit=1000", token=service.root)[1]["audit"]
    assert any(row["action"] == "image.removed" for row in audit)


def test_what_others_do_is_not_heard(service, tmp_path):
    ada = service.register("ada")
    heard = []
    thread = threading.Thread(target=lambda: heard.extend(
        listen(service, "/api/events?type=image.", ada, until=lambda events: len(events) >= 1)))
    thread.start()
    time.sleep(0.5)
    for i, token in enumerate((service.root, ada)):
        picture(tmp_path / "n" / f"{i}.jpg", 60 + i)
        service.upload(token, [(f"{i}.jpg", (tmp_path / "n" / f"{i}.jpg").read_bytes())])
    thread.join(15)
    assert len(heard) == 1 and heard[0]["data"]["project_id"] != 1
    job = service.send("/api/jobs", {"type": "processing", "params": {"operation": "thumbnails"}}, service.root)[1]
    for path, method in ((f"/api/jobs/{job['id']}", "GET"), (f"/api/jobs/{job['id']}/logs", "GET"),
                         (f"/api/jobs/{job['id']}/cancel", "POST"), (f"/api/jobs/{job['id']}/retry", "POST")):
        assert service.send(path, {} if method == "POST" else None, ada, method)[0] == 404
    assert service.send("/api/jobs", token=ada)[1]["jobs"] == []
    export = service.send("/api/exports", {"originals": True}, ada)[1]  # of her own pictures alone
    done = wait_for(service, export["id"], ada)
    assert done["result"]["images"] == 1
    assert service.send("/api/exports", {"project_id": 1}, ada)[0] == 404
    assert service.send("/api/jobs", {"type": "cleanup"}, ada)[0] == 403
    assert service.send("/api/jobs/replay", {}, ada)[0] == 403
    assert service.send("/api/schedules", token=ada)[0] == 403


@pytest.mark.parametrize("query", ["from=yesterday", "to=2026-13-01", "from=2026-01-32", "to=2026-1-1", "from="])
def test_figures_are_of_days(service, query):
    assert service.send(f"/api/analytics/daily?{query}", token=service.root)[0] == 422


class Receiver:
    """A webhook's other end: fails as often as it is told, then takes it."""

    def __init__(self, failures=0):
        self.got, receiver = [], self
        self.failures = failures

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                receiver.failures -= 1
                self.send_response(200 if receiver.failures < 0 else 500)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_webhooks_are_signed_and_tried_again(magpie, photos):
    receiver = Receiver(failures=1)
    s = Service(magpie, "--allow-fetch", f"127.0.0.1:{receiver.port}")
    root = s.set_up()
    db = sqlite3.connect(magpie.library / "magpie.db")
    config = {"notifications": [{"channel": "webhook", "url": f"http://127.0.0.1:{receiver.port}/hook", "secret": "shh",
                                 "events": ["image.added"]}]}
    db.execute("UPDATE project SET config = ? WHERE id = 1", (json.dumps(config),))
    db.commit()
    db.close()
    s.upload(root, [("p.jpg", (photos / "p00.jpg").read_bytes())])
    until = time.time() + 20
    while len(receiver.got) < 2 and time.time() < until:
        time.sleep(0.1)
    assert len(receiver.got) == 2  # the first was answered 500
    headers, body = receiver.got[1]
    stamp = headers["X-Magpie-Timestamp"]
    right = hmac.new(b"shh", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Magpie-Signature"] == f"sha256={right}" and headers["X-Magpie-Event"] == "image.added"
    assert json.loads(body)["type"] == "image.added" and json.loads(body)["project_id"] == 1
    assert headers["X-Magpie-Delivery"] == receiver.got[0][0]["X-Magpie-Delivery"]
    jobs = s.send("/api/jobs?type=notification", token=root)[1]["jobs"]
    assert len(jobs) == 1 and jobs[0]["params"]["secret"] == "***"
    assert s.stop()[0] == 0


def test_mail_without_a_server_fails_for_good_and_is_replayed(service):
    job = service.send("/api/jobs", {"type": "notification", "params": {
        "channel": "email", "to": "a@example.org", "subject": "x"}}, service.root)[1]
    done = wait_for(service, job["id"])
    assert done["status"] == "failed" and "mail server" in done["error"] and done["attempts"] == 1
    again = service.send(f"/api/jobs/{job['id']}/retry", {}, service.root)
    assert again[0] == 200 and wait_for(service, job["id"])["status"] == "failed"
    assert service.send(f"/api/jobs/{job['id']}/cancel", {}, service.root)[0] == 409
    assert service.send("/api/jobs/replay", {}, service.root) == (200, {"replayed": 0})  # none is dead
    assert service.send("/api/jobs/999/retry", {}, service.root)[0] == 404


def test_a_worker_beside_the_service(magpie, photos):
    magpie.add(photos)
    s = Service(magpie, "--no-worker")
    root = s.set_up()
    job = s.send("/api/jobs", {"type": "processing", "params": {"operation": "thumbnails"}}, root)[1]
    time.sleep(1)
    assert s.send(f"/api/jobs/{job['id']}", token=root)[1]["status"] == "queued"
    worker = magpie.start("worker", "--json")
    assert json.loads(worker.stdout.readline())["event"] == "ready"
    s.root = root
    assert wait_for(s, job["id"])["status"] == "completed"
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=30)
    assert worker.returncode == 0
    assert s.stop()[0] == 0


def test_a_queued_job_survives_a_kill_and_can_be_cancelled(magpie, photos):
    magpie.add(photos)
    s = Service(magpie, "--no-worker")
    root = s.set_up()
    kept = s.send("/api/exports", {}, root)[1]["id"]
    gone = s.send("/api/exports", {}, root)[1]["id"]
    assert s.send(f"/api/jobs/{gone}/cancel", {}, root)[1]["status"] == "cancelled"
    s.process.kill()
    s.process.wait()
    later = Service(magpie)
    later.root = later.login("root")
    assert wait_for(later, kept)["status"] == "completed"
    assert later.send(f"/api/jobs/{gone}", token=later.root)[1]["status"] == "cancelled"
    assert later.stop()[0] == 0


def test_schedules_and_cleanup(service):
    names = [s["name"] for s in service.send("/api/schedules", token=service.root)[1]["schedules"]]
    assert names == ["cleanup"]
    status, made = service.send("/api/schedules/nightly", {"type": "processing", "params": {"operation": "deduplicate"},
                                                           "every_s": 86400}, service.root, "PUT")
    assert status == 200 and [s["name"] for s in made["schedules"]] == ["cleanup", "nightly"]
    assert service.send("/api/schedules/bad", {"type": "processing", "params": {}, "every_s": 86400}, service.root, "PUT")[0] == 422
    assert service.send("/api/schedules/bad", {"type": "cleanup", "every_s": 1}, service.root, "PUT")[0] == 422
    assert service.send("/api/schedules/nightly", token=service.root, method="DELETE")[0] == 204
    assert service.send("/api/schedules/nightly", token=service.root, method="DELETE")[0] == 404
    hook = {"type": "notification", "every_s": 86400, "enabled": False,
            "params": {"channel": "webhook", "url": "http://10.0.0.1/", "secret": "kept close"}}
    assert service.send("/api/schedules/hook", hook, service.root, "PUT")[0] == 422
    hook["params"]["url"] = "https://hooks.example.org/"
    status, made = service.send("/api/schedules/hook", hook, service.root, "PUT")
    assert status == 200 and "kept close" not in json.dumps(made), made
    assert "kept close" not in json.dumps(service.send("/api/schedules", token=service.root)[1])
    job = service.send("/api/jobs", {"type": "cleanup", "params": {"keep_days": 1}}, service.root)[1]
    done = wait_for(service, job["id"])
    assert done["status"] == "completed" and set(done["result"]) == {"assets", "jobs", "events", "uploads", "exports", "clusters"}


def test_streams_end_when_the_service_stops(service):
    heard = []
    thread = threading.Thread(target=lambda: heard.extend(listen(service, "/api/events", service.root)))
    thread.start()
    time.sleep(0.5)
    began = time.time()
    assert service.stop()[0] == 0
    thread.join(10)
    assert not thread.is_alive() and time.time() - began < 10
