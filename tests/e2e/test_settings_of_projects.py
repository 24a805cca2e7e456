"""What a project's config says: its secrets are shown to nobody and survive being written back; how long it keeps."""
import json
import sqlite3
import subprocess
import time

import pytest
from service import Service
from test_jobs import wait_for

HOOK = {"channel": "webhook", "url": "https://hooks.example.org/a", "secret": "one secret", "events": ["image."]}
OTHER = {"channel": "webhook", "url": "https://hooks.example.org/b", "secret": "two secret"}


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    s.root = s.set_up()
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


def stored(magpie, project):
    with sqlite3.connect(magpie.library / "magpie.db", timeout=30) as db:
        return json.loads(db.execute("SELECT config FROM project WHERE id = ?", (project,)).fetchone()[0])


def make(service, config, code=201):
    status, made = service.send("/api/projects", {"name": f"p{time.monotonic_ns()}", "config": config}, service.root)
    assert status == code, made
    return made


def patch(service, project, config, code=200):
    status, answer = service.send(f"/api/projects/{project}", {"config": config}, service.root, "PATCH")
    assert status == code, answer
    return answer


def test_secrets_are_shown_to_nobody(service, magpie):
    config = {"notifications": [HOOK, OTHER], "s3": {"Secret_Key": "kept", "aws_password": "hidden pw", "Token": "hidden token"},
              "source": "https://me:hidden%40pw@example.org:8443/x?y=z@w", "bare": "https://hidden@example.org",
              "max_token": 3, "secrets": ["said"], "word": "***", "secret": "", "api-token": {"deep": [{"password": "hidden"}]}}
    made = make(service, config)
    project, shown = made["id"], made["config"]
    assert stored(magpie, project) == config
    assert [n["secret"] for n in shown["notifications"]] == ["***", "***"] and shown["notifications"][0]["url"] == HOOK["url"]
    assert shown["s3"] == {"Secret_Key": "kept", "aws_password": "***", "Token": "***"}
    assert shown["source"] == "https://me:***@example.org:8443/x?y=z@w" and shown["bare"] == "https://***@example.org"
    assert (shown["max_token"], shown["secrets"], shown["word"], shown["secret"]) == (3, ["said"], "***", "")
    viewer = service.register("viewer")
    service.send(f"/api/projects/{project}/members", {"username": "viewer", "role": "viewer"}, service.root, "PUT")
    for token in (service.root, viewer):
        for path in (f"/api/projects/{project}", "/api/projects"):
            text = json.dumps(service.send(path, token=token)[1])
            assert "hidden" not in text and "one secret" not in text and "***" in text
    patch(service, project, shown)  # as it was read
    assert stored(magpie, project) == config


def test_what_is_written_back_is_kept_where_it_belongs(service, magpie):
    project = make(service, {"notifications": [HOOK, OTHER]})["id"]
    hidden = [{**n, "secret": "***"} for n in (HOOK, OTHER)]

    def said(config):
        patch(service, project, {"notifications": config})
        return [(n["url"][-1], n["secret"]) for n in stored(magpie, project)["notifications"]]

    assert said(hidden[::-1]) == [("b", "two secret"), ("a", "one secret")]
    assert said(hidden) == [("a", "one secret"), ("b", "two secret")]
    assert said([{**hidden[0], "events": ["job."]}, hidden[1]]) == [("a", "one secret"), ("b", "two secret")]
    assert said([{**hidden[0], "secret": "new"}, hidden[1]]) == [("a", "new"), ("b", "two secret")]
    assert said([hidden[1]]) == [("b", "two secret")]
    before = stored(magpie, project)
    # Nowhere else: another address, a further place, another name.
    for bad in ({"notifications": [{**hidden[1], "url": "https://evil.example.org/"}]}, {"notifications": [hidden[1], hidden[0]]},
                {"hooks": [hidden[1]]}, {"secret": "***"}, {"source": "https://u:***@example.org"}, {"notifications": hidden[1]}):
        assert "***" in patch(service, project, bad, 422)["error"], bad
    assert stored(magpie, project) == before
    service.send(f"/api/projects/{project}", {"name": "renamed"}, service.root, "PATCH")
    assert stored(magpie, project) == before
    assert "config" in make(service, {"notifications": [hidden[0]]}, 422)["error"]


def test_passwords_in_urls(service, magpie):
    project = make(service, {"source": "https://me:pw@example.org/a"})["id"]
    patch(service, project, {"source": "https://me:***@example.org/a", "more": 1})
    assert stored(magpie, project) == {"source": "https://me:pw@example.org/a", "more": 1}
    for moved in ("https://me:***@evil.example.org/a", "https://you:***@example.org/a", "http://me:***@example.org/a"):
        patch(service, project, {"source": moved}, 422)
    patch(service, project, {"source": "https://me:new@example.org/b"})
    assert stored(magpie, project) == {"source": "https://me:new@example.org/b"}


def test_schedules_keep_theirs(service, magpie):
    body = {"type": "notification", "params": {"channel": "webhook", "url": "https://hooks.example.org/a", "secret": "kept close"},
            "every_s": 3600}
    assert service.send("/api/schedules/hook", body, service.root, "PUT")[0] == 200
    body["params"]["secret"] = "***"
    body["every_s"] = 7200
    assert service.send("/api/schedules/hook", body, service.root, "PUT")[0] == 200
    with sqlite3.connect(magpie.library / "magpie.db", timeout=30) as db:
        assert json.loads(db.execute("SELECT params FROM schedule WHERE name = 'hook'").fetchone()[0])["secret"] == "kept close"
    body["params"]["url"] = "https://evil.example.org/"
    assert service.send("/api/schedules/hook", body, service.root, "PUT")[0] == 422
    assert service.send("/api/schedules/other", body, service.root, "PUT")[0] == 422
    assert service.send("/api/jobs", {"type": "notification", "params": body["params"]}, service.root)[0] == 422


# ---- how long ----

@pytest.mark.parametrize("days", [0, -1, 36501, 1.5, "30", True, None, [30]])
def test_bad_retention(service, days):
    assert "retention_days" in make(service, {"retention_days": days}, 422)["error"]
    project = make(service, {"retention_days": 30})["id"]
    patch(service, project, {"retention_days": days}, 422)
    assert service.send(f"/api/projects/{project}", token=service.root)[1]["config"] == {"retention_days": 30}


def clean(service):
    job = service.send("/api/jobs", {"type": "cleanup", "params": {"keep_days": 36500}}, service.root)[1]["id"]
    done = wait_for(service, job)
    assert done["status"] == "completed", done
    return done["result"]["assets"]


def test_retention(service, magpie, photos):
    pictures = [p.read_bytes() for p in sorted(photos.iterdir())]

    def project(config):
        id = make(service, config)["id"]
        for i in range(3):
            assert service.upload(service.root, [(f"{i}.jpg", pictures[i])], project_id=id).status == 201
        answer = service.ask("POST", f"/api/projects/{id}/assets?name=a.txt", f"text of {id}", Content_Type="text/plain",
                             Authorization=f"Bearer {service.root}")
        assert answer.status == 201, answer.text
        rows = service.send(f"/api/projects/{id}/assets", token=service.root)[1]["assets"]
        return id, [row["id"] for row in rows]

    kept, kept_assets = project({})
    swept, swept_assets = project({"retention_days": 30})
    archived, archived_assets = project({"retention_days": 30})
    longer, longer_assets = project({"retention_days": 365})
    assert clean(service) == 0  # nothing is old
    product = service.send("/products", {"title": "x", "project_id": swept}, service.root)[1]["id"]
    answer = service.ask("POST", f"/products/{product}/image", pictures[5], Content_Type="image/jpeg",
                         Authorization=f"Bearer {service.root}")
    assert answer.status == 200, answer.text
    shown = int(answer.json["image_id"])
    service.send(f"/api/projects/{archived}", {"status": "archived"}, service.root, "PATCH")
    old = [*kept_assets, *archived_assets, *longer_assets, *swept_assets[:3], shown]  # the text stays young
    plan = service.send("/api/dedup/plans", {"clusters": [{"keep": swept_assets[0], "remove": [swept_assets[1]]}]}, service.root)
    assert plan[0] == 201 and service.send(f"/api/dedup/plans/{plan[1]['plan_id']}/apply", {}, service.root)[0] == 200
    with sqlite3.connect(magpie.library / "magpie.db", timeout=30) as db:
        db.executemany("UPDATE asset SET added_ms = added_ms - 31 * 86400000 WHERE id = ?", [(i,) for i in old])
    assert clean(service) == 2 and clean(service) == 0

    def left(id):
        return [row["id"] for row in service.send(f"/api/projects/{id}/assets", token=service.root)[1]["assets"]]

    assert left(kept) == kept_assets and left(longer) == longer_assets and left(archived) == archived_assets
    assert left(swept) == [swept_assets[3], shown]
    assert service.send(f"/api/dedup/plans/{plan[1]['plan_id']}/undo", {}, service.root)[0] == 200
    assert left(swept) == [swept_assets[1], swept_assets[3], shown]
    for i in kept_assets[:3]:  # the same bytes, of another project
        assert service.get(f"/api/images/{i}/content", service.root).status == 200
    notes = service.send("/api/audit?action=project.retention", token=service.root)[1]
    assert f"#{swept}: 2 assets older than 30 days" in json.dumps(notes)
    assert service.stop()[0] == 0
    magpie.sound()


def test_the_schedule_applies_it(magpie, photos):
    """Without anybody asking: by the daily clean-up, in a worker of its own."""
    magpie.add(photos)
    s = Service(magpie, "--no-worker")
    s.root = s.set_up()
    patch(s, 1, {"retention_days": 1})
    with sqlite3.connect(magpie.library / "magpie.db", timeout=30) as db:
        db.execute("UPDATE asset SET added_ms = added_ms - 2 * 86400000 WHERE id <= 5")
    worker = magpie.start("worker", "--json")
    worker.stdout.readline()
    with sqlite3.connect(magpie.library / "magpie.db", timeout=30) as db:
        assert db.execute("UPDATE schedule SET next_ms = 1 WHERE name = 'cleanup'").rowcount == 1
    until = time.time() + 90
    while s.send("/api/images", token=s.root)[1]["total"] > 7 and time.time() < until:
        time.sleep(0.2)
    assert s.send("/api/images", token=s.root)[1]["total"] == 7
    assert len(list(photos.iterdir())) == 12  # files that are only referenced stay
    worker.terminate()
    try:
        worker.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        worker.kill()
        raise
    assert s.stop()[0] == 0
    assert magpie.sound() == 7
