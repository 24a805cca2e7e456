"""The timeline gives every picture its place: its segments and their cells are the list itself, in its order."""
import os

import pytest
from conftest import picture
from service import Service


@pytest.fixture
def service(magpie, tmp_path):
    folder = tmp_path / "dated"
    for i in range(45):
        path = folder / f"p{i:02}.jpg"
        picture(path, i, size=(320 if i % 3 else 100, 240))
        day = 1_700_000_000 + (i // 20) * 40 * 86400 + i  # months of 20, 20 and 5
        os.utime(path, (day, day))
    magpie.add(folder)
    magpie.run("tag", "--where", "name:p0*", "+few")
    s = Service(magpie)
    yield s
    assert s.stop()[0] == 0


def cells(service, token, query, segments, limit=None):
    out = []
    for segment in segments:
        cursor = f"&cursor={segment['cursor']}" if segment["cursor"] else ""
        status, page = service.send(f"/api/images/cells?{query}&limit={limit or segment['count']}{cursor}", token=token)
        assert status == 200, page
        out.append(page["cells"])
    return out


@pytest.mark.parametrize("sort, order", [("date", "asc"), ("date", "desc"), ("added", "asc"), ("added", "desc")])
def test_segments_are_the_list(service, sort, order):
    token = service.set_up()
    query = f"sort={sort}&order={order}"
    status, line = service.send(f"/api/images/timeline?{query}&size=10", token=token)
    assert status == 200 and line["total"] == 45 == sum(s["count"] for s in line["segments"])
    if sort == "date":
        counts = {}
        for s in line["segments"]:
            counts[s["month"]] = counts.get(s["month"], 0) + s["count"]
        assert sorted(counts.values()) == [5, 20, 20]
        assert list(counts) == sorted(counts, reverse=order == "desc")
    assert line["segments"][0]["cursor"] is None and all(s["count"] <= 10 for s in line["segments"])
    found = cells(service, token, query, line["segments"])
    listed = service.send(f"/api/images?{query}&limit=100", token=token)[1]["images"]
    assert [c["id"] for page in found for c in page] == [i["id"] for i in listed]
    for segment, page in zip(line["segments"], found):
        assert segment["ratio"] == pytest.approx(sum(c["width"] / c["height"] for c in page), abs=0.01)
    first = found[0][0]
    assert service.get(first["preview_url"]).status == 200 and first["name"].endswith(".jpg")


def test_a_filter_holds_in_both(service):
    token = service.set_up()
    line = service.send("/api/images/timeline?tag=few&sort=date", token=token)[1]
    assert line["total"] == 10
    (page,) = cells(service, token, "tag=few&sort=date", line["segments"])
    assert sorted(c["name"] for c in page) == [f"p{i:02}.jpg" for i in range(10)]
    assert service.send("/api/images/timeline?where=tag:none", token=token)[1] == {"total": 0, "segments": []}


def test_it_follows_changes_and_shows_nobody_what_is_not_theirs(service):
    token = service.set_up()
    stranger = service.register("stranger")
    for _ in range(2):
        assert service.send("/api/images/timeline", token=token)[1]["total"] == 45
        assert service.send("/api/images/timeline", token=stranger)[1]["total"] == 0
        assert service.send("/api/images/cells", token=stranger)[1] == {"cells": [], "next_cursor": None}
    image = service.send("/api/images/cells?limit=1", token=token)[1]["cells"][0]
    assert service.send(f"/api/images/{image['id']}", token=token, method="DELETE")[0] == 204
    assert service.send("/api/images/timeline", token=token)[1]["total"] == 44


@pytest.mark.parametrize("query", ["sort=name", "size=5", "size=2000", "where=(", "order=up", "project_id=x"])
def test_what_makes_no_sense_is_refused(service, query):
    token = service.set_up()
    assert service.send(f"/api/images/timeline?{query}", token=token)[0] == 422
    if "s" in query and "size" not in query and "name" not in query:
        assert service.send(f"/api/images/cells?{query}", token=token)[0] == 422
    assert service.send("/api/images/timeline")[0] == 401
