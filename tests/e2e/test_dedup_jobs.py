"""POST /api/deduplicate: at once when little, by a job when much; pages that are not computed anew; rights."""
import io
import re
import sqlite3
import time

import pytest
from conftest import picture
from PIL import Image
from service import Service
from test_jobs import wait_for


def copies_of(path, n):
    """n smaller ones of a picture."""
    out = []
    for i in range(n):
        buffer = io.BytesIO()
        Image.open(path).resize((160 + 16 * i, 120 + 12 * i)).save(buffer, "JPEG", quality=85)
        out.append((f"{path.stem}-{i}.jpg", buffer.getvalue()))
    return out


@pytest.fixture
def library(magpie, photos):
    magpie.add(photos)
    return magpie


def serve(magpie, *args):
    s = Service(magpie, *args)
    s.root = s.set_up() if s.setup_token else s.login("root")
    return s


@pytest.fixture
def service(library, photos):
    s = serve(library)
    files = [f for i in range(4) for f in copies_of(photos / f"p{i:02}.jpg", 2)]
    assert s.upload(s.root, files).status == 201
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


def dedup(service, body, token=None, **headers):
    return service.send("/api/deduplicate", body, token or service.root, **headers)


def found_by(service, job_id, token=None, query=""):
    until = time.time() + 30
    while time.time() < until:
        status, answer = service.send(f"/api/deduplicate/{job_id}{query}", token=token or service.root)
        if status != 202:
            return status, answer
        assert answer["job_id"] == job_id and answer["status"] in ("queued", "processing")
        time.sleep(0.05)
    raise AssertionError(answer)


def without_links(clusters):
    drop = {"preview_url", "payload"}
    return [[{k: v for k, v in member.items() if k not in drop} for member in cluster] for cluster in clusters]


def computed(service):
    text = service.get("/metrics").text.decode()
    found = re.search(r'image_processing_duration_seconds_count\{[^}]*"deduplicate"[^}]*\} (\d+)', text)
    return int(found[1]) if found else 0


def test_a_job_finds_what_an_answer_at_once_has(service, library):
    now = dedup(service, {})[1]
    assert now["total"] == 4 and [len(c) for c in now["clusters"]] == [3] * 4
    status, job = dedup(service, {"async": True})
    assert status == 202 and job["type"] == "processing" and job["params"]["operation"] == "deduplicate"
    assert job["clusters_url"] == f"/api/deduplicate/{job['job_id']}"
    status, first = found_by(service, job["job_id"], query="?limit=3")
    assert status == 200 and first["status"] == "done" and first["job_id"] == job["job_id"], first
    assert (first["total"], first["bytes_saved"]) == (4, now["bytes_saved"]) and len(first["clusters"]) == 3
    last = service.send(f"{job['clusters_url']}?limit=3&cursor={first['next_cursor']}", token=service.root)[1]
    assert last["next_cursor"] is None
    assert without_links(first["clusters"] + last["clusters"]) == without_links(now["clusters"])
    assert first["cluster_info"] + last["cluster_info"] == now["cluster_info"]
    assert service.get(first["clusters"][0][0]["preview_url"]).status == 200
    beyond = service.send(f"{job['clusters_url']}?cursor=99", token=service.root)[1]
    assert beyond["clusters"] == [] and beyond["next_cursor"] is None
    assert service.send(f"/api/jobs/{job['job_id']}", token=service.root)[1]["result"]["total"] == 4
    assert [p.name for p in (library.library / "clusters").iterdir()] == [f"{job['job_id']}.groups"]
    for bad in ("limit=0", "cursor=x", "limit=1001"):
        assert service.send(f"{job['clusters_url']}?{bad}", token=service.root)[0] == 422


def test_much_is_a_job(library, photos):
    s = serve(library, "--dedup-at-once", "5")
    s.upload(s.root, copies_of(photos / "p00.jpg", 2))
    status, job = dedup(s, {})
    assert status == 202 and found_by(s, job["job_id"])[1]["total"] == 1
    status, refused = dedup(s, {"async": False})
    assert status == 422 and "5 pictures" in refused["error"]
    assert dedup(s, {"where": "id<=5"})[0] == 200  # little of much
    assert dedup(s, {"where": "id<=5", "async": False})[0] == 200
    status, refused = s.send("/api/dedup/plans", {}, s.root)
    assert status == 422 and "job_id" in refused["error"]
    status, plan = s.send("/api/dedup/plans", {"job_id": job["job_id"]}, s.root)
    assert status == 201 and (plan["clusters"], plan["pictures"]) == (1, 2)
    for bad in ({"job_id": job["job_id"], "where": "id<3"}, {"job_id": job["job_id"], "clusters": [{"keep": 1, "remove": [2]}]}):
        assert s.send("/api/dedup/plans", bad, s.root)[0] == 422
    assert s.send("/api/dedup/plans", {"job_id": 999}, s.root)[0] == 404
    other = s.send("/api/jobs", {"type": "processing", "params": {"operation": "thumbnails"}}, s.root)[1]["id"]
    assert wait_for(s, other)["status"] == "completed"
    assert s.send("/api/dedup/plans", {"job_id": other}, s.root)[0] == 404
    assert s.send(f"/api/deduplicate/{other}", token=s.root)[0] == 404
    similar = dedup(s, {"kind": "similar", "threshold": 0.3, "async": True})[1]["job_id"]
    assert found_by(s, similar)[1]["kind"] == "similar"
    assert s.send("/api/dedup/plans", {"job_id": similar}, s.root)[0] == 422
    assert s.send(f"/api/dedup/plans/{plan['plan_id']}/apply", {}, s.root)[1]["pictures"] == 2
    assert found_by(s, job["job_id"])[1]["clusters"] != [] and s.stop()[0] == 0


def test_the_same_key_is_the_same_job(service):
    first = dedup(service, {"async": True}, Idempotency_Key="d1")
    again = dedup(service, {"async": True}, Idempotency_Key="d1")
    assert first[0] == again[0] == 202 and first[1]["job_id"] == again[1]["job_id"]
    assert dedup(service, {"async": True, "kind": "similar"}, Idempotency_Key="d1")[0] == 409


def test_pages_are_of_one_state_and_computed_once(service, library, photos):
    whole = dedup(service, {})[1]
    before = computed(service)
    page = first = dedup(service, {"limit": 1})[1]
    clusters = list(page["clusters"])
    assert service.upload(service.root, copies_of(photos / "p07.jpg", 1)).status == 201  # a fifth cluster
    while page["next_cursor"]:
        page = dedup(service, {"limit": 1, "cursor": page["next_cursor"]})[1]
        clusters += page["clusters"]
    assert without_links(clusters) == without_links(whole["clusters"]) and page["total"] == 4
    assert computed(service) == before
    assert dedup(service, {})[1]["total"] == 5 and computed(service) == before + 1
    for bad in ("1", "x", "0.0.0", first["next_cursor"].replace(".", "!"), first["next_cursor"] + "x"):
        assert dedup(service, {"limit": 1, "cursor": bad})[0] == 422, bad
    for other in ({"kind": "similar"}, {"threshold": 0.9}, {"where": "id<100"}, {"async": True}):
        assert dedup(service, {**other, "cursor": first["next_cursor"]})[0] == 422, other
    mine = service.register("other")
    assert dedup(service, {"cursor": first["next_cursor"]}, mine)[0] == 422
    assert service.stop()[0] == 0
    s = serve(library)  # nothing is remembered: what has not changed is found again
    now = dedup(s, {"limit": 1})[1]
    assert s.stop()[0] == 0
    s = serve(library)
    assert dedup(s, {"limit": 1, "cursor": now["next_cursor"]})[0] == 200
    status, gone = dedup(s, {"limit": 1, "cursor": first["next_cursor"]})
    assert status == 409 and "changed" in gone["error"]
    assert s.stop()[0] == 0


def test_a_verdict_is_a_new_state(service):
    cluster = dedup(service, {})[1]["clusters"][0]
    said = {"verdict": "different", "image_id": cluster[0]["id"], "other_id": cluster[1]["id"]}
    assert service.send("/api/verdicts", said, service.root)[0] == 201
    assert without_links(dedup(service, {})[1]["clusters"])[0] != without_links([cluster])[0]


def test_whose_clusters_these_are(service, photos):
    ada, bob = service.register("ada"), service.register("bob")
    assert service.upload(ada, copies_of(photos / "p09.jpg", 3)).status == 201
    status, job = dedup(service, {"async": True}, ada)
    assert status == 202
    status, mine = found_by(service, job["job_id"], ada)
    assert status == 200 and mine["total"] == 1 and len(mine["clusters"][0]) == 3  # of her own alone
    assert service.send(f"/api/deduplicate/{job['job_id']}", token=bob)[0] == 404
    assert service.send("/api/dedup/plans", {"job_id": job["job_id"]}, bob)[0] == 404
    assert service.send(f"/api/deduplicate/{job['job_id']}")[0] == 401
    theirs = dedup(service, {"async": True, "project_id": 1})[1]["job_id"]
    assert found_by(service, theirs)[0] == 200 and service.send(f"/api/deduplicate/{theirs}", token=bob)[0] == 404
    assert dedup(service, {"async": True, "project_id": 1}, bob)[0] == 404
    # A viewer sees them and plans nothing; who is shut out again sees none of these pictures.
    service.send("/api/projects/1/members", {"username": "bob", "role": "viewer"}, service.root, "PUT")
    assert service.send(f"/api/deduplicate/{theirs}", token=bob)[1]["total"] == 4
    assert service.send("/api/dedup/plans", {"job_id": theirs}, bob)[0] == 403
    status, own = dedup(service, {"async": True}, bob)
    assert status == 202 and len(found_by(service, own["job_id"], bob)[1]["clusters"][0]) == 3
    bob_id = next(m["user_id"] for m in service.send("/api/projects/1/members", token=service.root)[1]["members"]
                  if m["username"] == "bob")
    assert service.send(f"/api/projects/1/members/{bob_id}", token=service.root, method="DELETE")[0] == 204
    assert service.send(f"/api/deduplicate/{own['job_id']}", token=bob)[1]["clusters"] == [[]] * 4
    assert service.send(f"/api/deduplicate/{theirs}", token=bob)[0] == 404
    # Naming projects reaches none.
    status, sly = service.send("/api/jobs", {"type": "processing", "params": {"operation": "deduplicate", "projects": [1]}}, bob)
    assert status == 202 and found_by(service, sly["id"], bob)[1]["total"] == 0


def test_a_job_whose_process_was_killed_is_done_by_the_next(library, photos, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(10):
        for name, data in copies_of(photos / f"p{i:02}.jpg", 40):
            (folder / name).write_bytes(data)
    library.add(folder)
    s = serve(library)
    job = dedup(s, {"async": True})[1]["job_id"]
    while s.send(f"/api/jobs/{job}", token=s.root)[1]["status"] == "queued":
        pass
    s.process.kill()
    s.process.wait()
    assert list(library.library.glob("clusters/*.groups")) == [], "it was to be killed at work"
    with sqlite3.connect(library.library / "magpie.db") as db:  # as if its time had passed
        assert db.execute("UPDATE job SET lease_until_ms = 1 WHERE id = ? AND status = 'processing'", [job]).rowcount == 1
    s = serve(library)
    done = wait_for(s, job, seconds=60)
    assert (done["status"], done["attempts"], done["result"]["total"]) == ("completed", 2, 10), done
    assert [len(c) for c in found_by(s, job)[1]["clusters"]] == [41] * 10
    assert [p.name for p in (library.library / "clusters").iterdir()] == [f"{job}.groups"]
    assert s.stop()[0] == 0


def test_a_job_that_did_not_come_to_its_end(service):
    body = {"type": "processing", "params": {"operation": "deduplicate"}, "run_at": 4 * 10**9}
    job = service.send("/api/jobs", body, service.root)[1]["id"]
    assert service.send(f"/api/deduplicate/{job}", token=service.root)[0] == 202
    assert service.send(f"/api/jobs/{job}/cancel", {}, service.root)[0] == 200
    status, answer = service.send(f"/api/deduplicate/{job}", token=service.root)
    assert status == 409 and "cancelled" in answer["error"]
    assert service.send("/api/dedup/plans", {"job_id": job}, service.root)[0] == 404
    for bad in ("0", "x", "999", "9" * 30):
        assert service.send(f"/api/deduplicate/{bad}", token=service.root)[0] == 404


def test_clusters_go_with_their_job_and_damage_is_no_crash(service, library):
    job = dedup(service, {"async": True})[1]["job_id"]
    assert found_by(service, job)[0] == 200
    file = library.library / "clusters" / f"{job}.groups"
    whole = file.read_bytes()
    for damaged in (b"", b"x", whole[:-1], whole[:40] + b"\xff" + whole[41:], whole + b"x"):
        file.write_bytes(damaged)
        assert service.send(f"/api/deduplicate/{job}", token=service.root)[0] == 404
    stray = library.library / "clusters" / "999.groups.0123456789abcdef.tmp"
    stray.write_bytes(b"x")
    keep = library.library / "clusters" / "README"
    keep.write_bytes(b"x")
    with sqlite3.connect(library.library / "magpie.db", timeout=30) as db:
        db.execute("UPDATE job SET finished_ms = finished_ms - 10 * 86400000 WHERE id = ?", (job,))
    clean = service.send("/api/jobs", {"type": "cleanup", "params": {"keep_days": 5}}, service.root)[1]["id"]
    assert wait_for(service, clean)["result"]["clusters"] == 2
    assert not file.exists() and not stray.exists() and keep.exists()
    assert service.send(f"/api/deduplicate/{job}", token=service.root)[0] == 404
