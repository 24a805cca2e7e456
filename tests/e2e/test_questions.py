"""Search, duplicates, odd ones, verdicts, maps and figures over HTTP."""
import base64
import io
import json
import math
import re
import struct
import time
import uuid

import pytest
from conftest import picture
from PIL import Image, ImageOps
from service import Service


@pytest.fixture
def service(magpie, photos):
    magpie.add(photos)
    s = Service(magpie)
    s.root = s.set_up()
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


def jpeg(im, **options):
    out = io.BytesIO()
    im.save(out, "JPEG", **options)
    return out.getvalue()


def names(answer):
    return [row["payload"]["name"] for row in answer["results"]]


def test_similar(service, photos):
    """The similarity flow of the first service: results with id, score, payload and a picture to show."""
    status, found = service.send("/api/search/similar", {"image_id": "1", "limit": 3}, service.root)
    assert status == 200 and len(found["results"]) == 3
    best = found["results"][0]
    assert set(best) >= {"id", "score", "payload", "preview_url"} and best["payload"]["image_id"] == str(best["id"])
    assert all(row["id"] != 1 for row in found["results"])  # never itself
    assert [r["score"] for r in found["results"]] == sorted((r["score"] for r in found["results"]), reverse=True)
    assert service.get(best["preview_url"]).status == 200
    assert service.send("/api/search/similar", {"id": 1}, service.root)[1]["results"][0]["id"] == best["id"]
    none = service.send("/api/search/similar", {"id": 1, "threshold": 0.9999}, service.root)[1]
    assert none["results"] == [] and not none["convincing"] and none["best"] > 0
    seen, cursor = [], ""
    while cursor is not None:
        page = service.send("/api/search/similar", {"id": 1, "limit": 4, "cursor": cursor}, service.root)[1]
        seen += [row["id"] for row in page["results"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == list(range(2, 13))
    only = service.send("/api/search/similar", {"id": 1, "where": "id>6", "exact": True}, service.root)[1]
    assert {row["id"] for row in only["results"]} == set(range(7, 13))
    bare = service.send("/api/search/similar", {"id": 1, "limit": 3, "with_payload": False}, service.root)[1]
    assert bare["results"] == [{k: v for k, v in row.items() if k != "payload"} for row in found["results"]]
    assert service.send("/api/search/similar", {"id": 1, "with_payload": 0}, service.root)[0] == 422


def form(files, **fields):
    boundary = uuid.uuid4().hex
    body = b"".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                    for name, value in fields.items())
    for name, data in files.items():
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="x.jpg"\r\n\r\n'.encode()
                 + data + b"\r\n")
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def test_copies(service, photos):
    """What shows the same picture, not what looks like it; from outside of the library, too."""
    im = Image.open(photos / "p04.jpg")
    small, turned = jpeg(im.resize((im.width // 2, im.height // 2))), jpeg(im.rotate(90, expand=True))

    def ask(data, **question):
        body, kind = form({"image": data}, **({"query": json.dumps(question)} if question else {}))
        return service.ask("POST", "/api/search/copies", body, Content_Type=kind, Authorization=f"Bearer {service.root}")

    for data, relation in ((small, "exact"), (turned, "turned")):  # exact: but for noise of the coding
        answer = ask(data)
        assert answer.status == 200
        [row] = answer.json["results"]
        assert row["payload"]["name"] == "p04.jpg" and row["relation"] == relation and row["score"] > 0.8
        assert service.get(row["preview_url"]).status == 200
    assert "payload" not in ask(small, with_payload=False).json["results"][0]
    assert ask(small, where="id>6").json["results"] == []
    assert ask(jpeg(Image.effect_noise((320, 240), 80).convert("RGB"))).json["results"] == []
    assert service.send("/api/search/copies", {"image_id": 1}, service.root)[1]["results"] == []
    assert service.send("/api/search/copies", {"image_id": 99}, service.root)[0] == 404
    assert service.send("/api/search/copies", {}, service.root)[0] == 422
    assert service.send("/api/search/copies", {"image_id": 1, "id": 1}, service.root)[0] == 422
    assert ask(b"no picture").status == 415
    assert ask(small, image_id=1).status == 422  # both


def test_words(service):
    service.send("/api/images/3", {"title": "A crooked lighthouse"}, service.root, "PATCH")
    status, found = service.send("/api/search/text", {"query": "lighthouse"}, service.root)
    assert status == 200 and names(found) == ["p02.jpg"] and found["convincing"]
    assert service.send("/api/search/text", {"text": "lighthouse"}, service.root)[1]["results"]
    nothing = service.send("/api/search/text", {"query": "zeppelin"}, service.root)[1]
    assert nothing["results"] == [] and not nothing["convincing"]


def test_mixed(service, photos):
    raw = base64.b64encode((photos / "p05.jpg").read_bytes()).decode()
    both = service.send("/api/search", {"images": [raw], "texts": [{"text": "lighthouse", "weight": 0.2}],
                                        "threshold": -100}, service.root)
    assert both[0] == 200 and names(both[1])[0] == "p05.jpg"
    assert names(service.send("/api/search", {"images": ["data:image/jpeg;base64," + raw]}, service.root)[1])[0] == "p05.jpg"
    by_id = service.send("/api/search", {"ids": [6, {"id": "6", "weight": 2}], "negatives": {"ids": [1]}}, service.root)
    assert by_id[0] == 200 and 6 not in [row["id"] for row in by_id[1]["results"]]
    boundary = uuid.uuid4().hex
    body = (f'--{boundary}\r\nContent-Disposition: form-data; name="query"\r\n\r\n{{"limit": 2, "threshold": -100}}\r\n--{boundary}\r\n'
            'Content-Disposition: form-data; name="images"; filename="x.jpg"\r\n\r\n').encode()
    body += (photos / "p07.jpg").read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    form = service.ask("POST", "/api/search", body, Authorization=f"Bearer {service.root}",
                       Content_Type=f"multipart/form-data; boundary={boundary}")
    assert form.status == 200 and names(form.json)[0] == "p07.jpg" and len(form.json["results"]) == 2
    unknown = service.ask("POST", "/api/search", body.replace(b'name="query"', b'name="limit"'),
                          Authorization=f"Bearer {service.root}",
                          Content_Type=f"multipart/form-data; boundary={boundary}")
    assert unknown.status == 422 and "limit is not known" in unknown.json["error"]


@pytest.mark.parametrize("path,body,status", [
    ("similar", {}, 422), ("similar", {"id": "x"}, 404), ("similar", {"id": 0}, 404), ("similar", {"id": 99}, 404),
    ("similar", {"id": [1]}, 422), ("similar", {"id": 1, "limit": 0}, 422), ("similar", {"id": 1, "limit": 1001}, 422),
    ("similar", {"id": 1, "limit": "3"}, 422), ("similar", {"id": 1, "threshold": "x"}, 422),
    ("similar", {"id": 1, "cursor": "x"}, 422), ("similar", {"id": 1, "cursor": "99999999"}, 422),
    ("similar", {"id": 1, "where": "colour:red"}, 422), ("similar", {"id": 1, "where": "id:1) OR (id:2"}, 422),
    ("similar", {"id": 1, "project_id": 5}, 404), ("similar", {"id": 1, "surprise": 1}, 422),
    ("text", {}, 422), ("text", {"query": ""}, 422), ("text", {"query": "  "}, 422), ("text", {"query": 5}, 422),
    ("text", {"query": "x" * 8193}, 422), ("text", {"query": "a\u0000b"}, 400),
    ("", {}, 422), ("", {"negatives": {"ids": [1]}}, 422), ("", {"ids": [1] * 17}, 422), ("", {"ids": [{"id": 1, "w": 2}]}, 422),
    ("", {"images": ["***"]}, 422), ("", {"images": [base64.b64encode(b"no picture").decode()]}, 415),
    ("", {"vectors": [[1, 2]]}, 422), ("", {"vectors": [["x"]]}, 422), ("", {"texts": "x"}, 422),
    ("similar", {"id": 1, "image_id": 1}, 422),
    ("", {"ids": [{"id": 1, "weight": 0}]}, 422), ("", {"ids": [{"id": 1, "weight": "2"}]}, 422),
    ("", {"ids": [{"id": 1, "weight": 2.5e-42}], "texts": ["x"]}, 422),
    ("", {"ids": [{"id": 1, "weight": 3e38}, {"id": 2, "weight": 3e38}]}, 422),
    ("", {"ids": [{"id": 1, "weight": -1000.5}], "texts": ["x"]}, 422),
    ("", {"vectors": [[1e300] * 512]}, 422), ("", {"vectors": [[1e-300] * 512]}, 422),
    ("", {"negatives": {"what": []}, "ids": [1]}, 422),
])
def test_bad_questions(service, path, body, status):
    answer = service.send("/api/search" + (f"/{path}" if path else ""), body, service.root)
    assert answer[0] == status, answer
    assert answer[1]["error"]


@pytest.fixture
def copies(service, photos):
    """Three copies of one, two of another; all but the first of each are worse."""
    a, b = Image.open(photos / "p00.jpg"), Image.open(photos / "p01.jpg")
    files = [("a-small.jpg", jpeg(a.resize((160, 120)), quality=80)), ("a-worse.jpg", jpeg(a, quality=40)),
             ("b-small.jpg", jpeg(b.resize((240, 180)), quality=85))]
    rows = service.upload(service.root, files, tags="copy").json["images"]
    return {row["file_name"]: row["id"] for row in rows}


def test_duplicates_are_reviewed_applied_and_undone(service, copies, magpie):
    """The deduplication flow: clusters, a plan, its review, its end, and the way back."""
    status, found = service.send("/api/deduplicate", {}, service.root)
    assert status == 200 and found["total"] == 2 and len(found["clusters"]) == 2
    by_size = {len(c): c for c in found["clusters"]}
    keep = [m for m in by_size[3] if m["keep"]]
    assert len(keep) == 1 and keep[0]["payload"]["name"] == "p00.jpg" and keep[0]["reason"]
    assert {m["id"] for m in by_size[3]} == {1, copies["a-small.jpg"], copies["a-worse.jpg"]}
    info = found["cluster_info"]
    assert info[0]["size"] == len(found["clusters"][0]) and 0 < info[0]["weakest"]["score"] <= 1
    first = service.send("/api/deduplicate", {"limit": 1}, service.root)[1]
    assert len(first["clusters"]) == 1
    last = service.send("/api/deduplicate", {"limit": 1, "cursor": first["next_cursor"]}, service.root)[1]
    assert last["next_cursor"] is None and [*first["clusters"], *last["clusters"]] == found["clusters"]
    clusters = [{"keep": 1, "remove": [copies["a-small.jpg"], copies["a-worse.jpg"]]}]
    status, plan = service.send("/api/dedup/plans", {"clusters": clusters}, service.root)
    assert status == 201 and plan["status"] == "draft" and plan["pictures"] == 2 and plan["bytes_saved"] > 0
    path = f"/api/dedup/plans/{plan['plan_id']}"
    review = service.send(path, token=service.root)[1]
    assert review["clusters"][0]["keep"]["id"] == 1 and len(review["clusters"][0]["remove"]) == 2
    assert "path" not in review["clusters"][0]["keep"]
    assert service.send(path + "/undo", {}, service.root)[0] == 409  # not applied yet
    done = service.send(path + "/apply", {}, service.root)
    assert done[0] == 200 and done[1]["pictures"] == 2 and done[1]["skipped"] == 0
    assert service.send(path + "/apply", {}, service.root)[0] == 409
    assert service.send(path, token=service.root, method="DELETE")[0] == 409
    assert service.send("/api/images", token=service.root)[1]["total"] == 13
    assert service.send("/api/images/1", token=service.root)[1]["tags"] == ["copy"]  # merged
    undone = service.send(path + "/undo", {}, service.root)
    assert undone[0] == 200 and undone[1]["pictures"] == 2
    assert service.send(path + "/undo", {}, service.root)[0] == 409
    assert service.send("/api/images", token=service.root)[1]["total"] == 15
    assert service.send("/api/images/1", token=service.root)[1]["tags"] == []
    auto = service.send("/api/dedup/plans", {}, service.root)
    assert auto[0] == 201 and auto[1]["clusters"] == 2 and auto[1]["pictures"] == 3
    assert service.send(f"/api/dedup/plans/{auto[1]['plan_id']}", token=service.root, method="DELETE")[0] == 204
    assert [p["status"] for p in service.send("/api/dedup/plans", token=service.root)[1]["plans"]] == ["undone"]
    assert service.stop()[0] == 0
    magpie.sound()


def test_verdicts_part_clusters(service, copies):
    pair = {"verdict": "different", "image_id": 1, "other_id": copies["a-worse.jpg"]}
    assert service.send("/api/verdicts", pair, service.root)[0] == 201
    found = service.send("/api/deduplicate", {}, service.root)[1]
    for cluster in found["clusters"]:
        assert not {1, copies["a-worse.jpg"]} <= {m["id"] for m in cluster}
    listed = service.send("/api/verdicts", token=service.root)[1]["verdicts"]
    assert listed[0]["verdict"] == "different" and listed[0]["at"]
    for bad, status in (({"verdict": "perhaps", "image_id": 1}, 422), ({"verdict": "same", "image_id": 1}, 422),
                        ({"verdict": "normal", "image_id": 1, "other_id": 2}, 422),
                        ({"verdict": "same", "image_id": 1, "other_id": 1}, 422),
                        ({"verdict": "same", "image_id": 1, "other_id": 999}, 404)):
        assert service.send("/api/verdicts", bad, service.root)[0] == status, bad


def test_verdicts_are_taken_back(service, copies):
    other = copies["a-worse.jpg"]
    before = service.send("/api/deduplicate", {}, service.root)[1]["clusters"]
    service.send("/api/verdicts", {"verdict": "different", "image_id": 1, "other_id": other}, service.root)
    service.send("/api/verdicts", {"verdict": "anomaly", "image_id": 2}, service.root)
    service.send("/api/verdicts", {"verdict": "note", "image_id": 2, "note": "look again"}, service.root)

    def back(query, token=service.root):
        return service.send(f"/api/verdicts?{query}", token=token, method="DELETE")[0]
    assert back(f"image_id={other}&other_id=1") == 204  # in either order
    assert back(f"image_id={other}&other_id=1") == 404
    same = [[m["id"] for m in cluster] for cluster in before]
    found = service.send("/api/deduplicate", {}, service.root)[1]["clusters"]
    assert [[m["id"] for m in cluster] for cluster in found] == same
    assert back("image_id=2") == 204 and back("image_id=2") == 404
    assert [v["verdict"] for v in service.send("/api/verdicts", token=service.root)[1]["verdicts"]] == ["note"]
    assert back("") == 422 and back("image_id=999") == 404 and back("image_id=1", token="") == 401


@pytest.mark.parametrize("body,status", [
    ({"clusters": []}, 422), ({"clusters": [{"keep": 1}]}, 422), ({"clusters": [{"keep": 1, "remove": []}]}, 422),
    ({"clusters": [{"keep": 1, "remove": [1]}]}, 422), ({"clusters": [{"keep": 1, "remove": [99]}]}, 404),
    ({"clusters": [{"keep": 1, "remove": [2], "x": 1}]}, 422), ({"threshold": 2}, 422),
    ({}, 409),
])
def test_bad_plans(service, body, status):
    assert service.send("/api/dedup/plans", body, service.root)[0] == status


def test_odd_ones(service, tmp_path):
    """The anomaly flow: the page of what does not belong, with a score, a p-value and a picture."""
    base = Image.open(tmp_path / "photos" / "p00.jpg")
    normals = [(f"n{i}.jpg", jpeg(base.rotate(i / 3).crop((20, 20, 300, 220)), quality=70 + i)) for i in range(12)]
    rows = service.upload(service.root, normals, tags="normal").json["images"]
    status, found = service.send("/api/qa/anomalies?where=-tag:normal&normals=tag:normal&alpha=0.1", token=service.root)
    assert status == 200 and found["total"] == 12 and found["normals"] == 12 and found["alpha"] == 0.1
    first = found["anomalies"][0]
    assert set(first) >= {"image_id", "anomaly_score", "payload", "preview_url", "p_value", "score", "flagged"}
    assert first["flagged"] and first["image_id"] == first["payload"]["image_id"]
    least = found["anomalies"][-1]
    assert least["image_id"] == "1"  # the one that the normals were made of
    assert sum(found["histogram"]["counts"]) == 12
    scored = [a["score"] for a in found["anomalies"]]
    assert sum(found["scores"]["counts"]) == 12
    assert (found["scores"]["from"], found["scores"]["to"]) == (min(scored), max(scored))
    for rate in found["rates"]:
        over = [a["score"] for a in found["anomalies"] if a["p_value"] <= rate["alpha"]]
        assert (rate["flagged"], rate["score"]) == (len(over), min(over, default=None))
    assert found["rates"][0]["flagged"] == 0 and {r["alpha"]: r["flagged"] for r in found["rates"]}[0.1] > 0
    assert service.get(first["heatmap_url"] + "?normals=tag:normal", service.root).status == 200
    by_plain = service.send("/api/qa/anomalies?sort=anomaly_score", token=service.root)[1]["anomalies"]
    scores = [a["anomaly_score"] for a in by_plain]
    assert scores == sorted(scores, reverse=True)
    pages = []
    cursor = 0
    while cursor is not None:
        page = service.send(f"/api/qa/anomalies?limit=7&cursor={cursor}", token=service.root)[1]
        pages += [a["image_id"] for a in page["anomalies"]]
        cursor = page["next_cursor"]
    assert len(set(pages)) == 24
    for bad in ("alpha=0", "alpha=1", "alpha=x", "alpha=nan", "limit=0", "sort=no", "normals=zzz", "where=id:1"):
        assert service.send(f"/api/qa/anomalies?{bad}", token=service.root)[0] == 422, bad
    said = service.send("/api/feedback", {"image_id": first["image_id"], "action": "anomaly", "note": "a scratch"},
                        service.root)
    assert said[0] == 201
    kept = service.send(f"/api/feedback?image_id={first['image_id']}", token=service.root)[1]["feedback"]
    assert kept[0]["action"] == "anomaly" and kept[0]["note"] == "a scratch" and kept[0]["user_id"] == "1"
    assert service.send("/api/feedback", {"image_id": 9999, "action": "x"}, service.root)[0] == 404


def test_pages_of_anomalies_are_judged_once(service):
    def judged():
        text = service.get("/metrics").text.decode()
        found = re.search(r'image_processing_duration_seconds_count\{[^}]*"anomalies"[^}]*\} (\d+)', text)
        return int(found[1]) if found else 0

    first = service.send("/api/qa/anomalies?limit=7", token=service.root)[1]
    before = judged()
    assert before >= 1
    second = service.send(f"/api/qa/anomalies?limit=7&cursor={first['next_cursor']}", token=service.root)[1]
    strict = service.send("/api/qa/anomalies?alpha=0.01", token=service.root)[1]
    assert judged() == before, "another page and another rate judge nothing anew"
    assert {a["id"] for a in first["anomalies"]}.isdisjoint(a["id"] for a in second["anomalies"])
    assert strict["flagged"] == sum(a["p_value"] <= 0.01 for a in strict["anomalies"]) <= first["flagged"]
    other = service.send("/api/qa/anomalies?where=id>3", token=service.root)[1]
    assert judged() == before + 1 and other["total"] == first["total"] - 3
    gone = first["anomalies"][0]["id"]
    assert service.send(f"/api/images/{gone}", token=service.root, method="DELETE")[0] in (200, 204)
    assert gone not in {a["id"] for a in service.send("/api/qa/anomalies", token=service.root)[1]["anomalies"]}
    assert judged() == before + 2


def test_quality(service, tmp_path):
    blank = jpeg(Image.new("RGB", (200, 150), (128, 128, 128)))
    dark = jpeg(picture(tmp_path / "dark.png", 77).point(lambda v: v // 12))
    made = service.upload(service.root, [("dark.jpg", dark), ("blank.jpg", blank)]).json["images"][0]
    found = service.send("/api/qa/quality", token=service.root)[1]
    assert made["id"] in [row["id"] for row in found["images"]]
    assert found["counts"]["too_dark"] >= 1 and found["counts"]["blank"] >= 1
    only = service.send("/api/qa/quality?issue=too_dark", token=service.root)[1]
    assert [row["id"] for row in only["images"]] == [made["id"]]
    assert service.send("/api/qa/quality?issue=ugly", token=service.root)[0] == 422


def test_map(service):
    for dims in (2, 3):
        for method in ("umap", "pca", "auto"):
            drawn = service.send(f"/api/vectors/map?dims={dims}&method={method}&seed=5", token=service.root)[1]
            assert drawn["total"] == 12 and all(len(p["position"]) == dims for p in drawn["points"])
            assert all(math.isfinite(x) and -1.001 <= x <= 1.001 for p in drawn["points"] for x in p["position"])
    raw = service.get("/api/vectors/map?format=binary&dims=3&seed=5", service.root).text
    magic, dims, n = struct.unpack_from("<4sIQ", raw)
    assert (magic, dims, n) == (b"MPM1", 3, 12) and len(raw) == 16 + n * 8 + n * 12
    assert sorted(struct.unpack_from("<12q", raw, 16)) == list(range(1, 13))
    assert service.send("/api/vectors/map?dims=4", token=service.root)[0] == 422


def test_stats(service):
    whole = service.send("/api/stats", token=service.root)[1]
    assert whole["images"] == 12 and whole["vectors"] == 12 and whole["model"] == "builtin"
    ada = service.register("ada")
    hers = service.send("/api/stats", token=ada)[1]
    assert hers["images"] == 0 and "bytes_library" not in hers


def test_days_of_growth_count_what_came_by_any_way(service):
    """Pictures that the command line added have no event in the service; they count all the same."""
    assert "added" not in service.send("/api/stats", token=service.root)[1]
    added = service.send("/api/stats?days=3", token=service.root)[1]["added"]
    assert len(added) == 3 and sum(row["count"] for row in added) == 12
    days = [row["day"] for row in added]
    assert days == sorted(days) and days[-1] >= time.strftime("%Y-%m-%d", time.gmtime(time.time() - 3600))
    eve = service.register("eve")
    assert [row["count"] for row in service.send("/api/stats?days=2", token=eve)[1]["added"]] == [0, 0]
    for days in ("-1", "367", "many"):
        assert service.send(f"/api/stats?days={days}", token=service.root)[0] == 422


def test_questions_stay_in_the_asker_s_projects(service, photos, copies):
    """Nothing of another's comes up in any answer, nor can it be asked with."""
    ada = service.register("ada")
    mine = service.upload(ada, [(f"ada{i}.jpg", (photos / f"p{i:02}.jpg").read_bytes()) for i in range(3)]).json["images"]
    ids = {row["id"] for row in mine}
    asked = [
        service.send("/api/search/similar", {"id": mine[0]["id"], "limit": 100}, ada),
        service.send("/api/search/text", {"query": "p00 jpg", "threshold": -100}, ada),
        service.send("/api/search", {"ids": [mine[0]["id"]], "threshold": -100, "where": "id>0 OR id<0"}, ada),
    ]
    for status, found in asked:
        assert status == 200 and {row["id"] for row in found["results"]} <= ids
    assert service.send("/api/search/similar", {"id": 1}, ada)[0] == 404
    assert service.send("/api/search", {"ids": [1]}, ada)[0] == 404
    assert service.send("/api/search", {"texts": ["x"], "negatives": {"ids": [1]}}, ada)[0] == 404
    assert service.send("/api/search/similar", {"id": mine[0]["id"], "project_id": 1}, ada)[0] == 404
    assert service.send("/api/deduplicate", {}, ada)[1]["total"] == 0
    assert service.send("/api/dedup/plans", {"clusters": [{"keep": mine[0]["id"], "remove": [2]}]}, ada)[0] == 404
    plan = service.send("/api/dedup/plans", {}, service.root)[1]["plan_id"]
    for what, method in (("", "GET"), ("", "DELETE"), ("/apply", "POST"), ("/undo", "POST")):
        body = {} if method == "POST" else None
        assert service.send(f"/api/dedup/plans/{plan}{what}", body, ada, method)[0] == 404
    assert service.send("/api/dedup/plans", token=ada)[1]["plans"] == []
    assert service.send("/api/verdicts", {"verdict": "normal", "image_id": 1}, ada)[0] == 404
    service.send("/api/verdicts", {"verdict": "normal", "image_id": 1}, service.root)
    assert service.send("/api/verdicts", token=ada)[1]["verdicts"] == []
    assert service.send("/api/feedback", {"image_id": 1, "action": "x"}, ada)[0] == 404
    assert service.send("/api/qa/quality", token=ada)[1]["images"] == []
    assert service.send("/api/vectors/map?method=pca", token=ada)[1]["total"] == 3
    assert {a["id"] for a in service.send("/api/qa/anomalies", token=ada)[1]["anomalies"]} <= ids
    for what in ("search/similar", "search/text", "search", "deduplicate", "dedup/plans", "verdicts", "feedback"):
        assert service.send(f"/api/{what}", {})[0] == 401
