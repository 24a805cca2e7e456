"""What a page that draws every picture as a point needs: the map made in the background, a value for each point, and
what it takes to show some of them."""
import math
import struct
import time

import pytest
from service import Service


@pytest.fixture
def service(magpie, photos):
    magpie.add(photos)
    s = Service(magpie)
    s.root = s.set_up()
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


def drawn(service, query, token, wait_s=60):
    """The binary map, asked for again while it is being made, and what was said meanwhile."""
    said, until = [], time.monotonic() + wait_s
    while time.monotonic() < until:
        answer = service.get(f"/api/vectors/map?format=binary&background=true&{query}", token)
        if answer.status == 200:
            return answer.text, said
        assert answer.status == 202
        said.append(answer.json)
        time.sleep(0.05)
    raise AssertionError("the map was not made in time")


def colors(service, query, token):
    answer = service.get(f"/api/vectors/map/colors?{query}", token)
    assert answer.status == 200, answer.text
    raw = answer.text
    magic, categories, n = struct.unpack_from("<4sIQ", raw)
    assert magic == b"MPC1"
    ids = struct.unpack_from(f"<{n}q", raw, 16)
    values = struct.unpack_from(f"<{n}f", raw, 16 + 8 * n)
    names = raw[16 + 12 * n:].split(b"\0")
    assert names.pop() == b"" and len(names) == categories and sorted(ids) == list(ids)
    return dict(zip(ids, values)), [name.decode() for name in names]


def test_a_map_is_made_in_the_background_and_kept(service):
    raw, said = drawn(service, "dims=2&seed=3", service.root)
    assert said and all(set(one) == {"stage", "done", "total", "elapsed_s"} for one in said)
    assert drawn(service, "dims=2&seed=3", service.root) == (raw, [])
    # The same by waiting, and other options are another map.
    assert service.get("/api/vectors/map?format=binary&dims=2&seed=3", service.root).text == raw
    assert drawn(service, "dims=3&seed=3", service.root)[0] != raw
    # Tags do not move anything; pictures that go do.
    service.send("/api/images/tags", {"ids": [1], "add_tags": ["sea"]}, service.root)
    assert drawn(service, "dims=2&seed=3", service.root) == (raw, [])
    tagged = struct.unpack_from("<Q", drawn(service, "dims=2&where=tag:sea", service.root)[0], 8)
    assert tagged == (1,)
    service.send("/api/images/tags", {"ids": [2], "add_tags": ["sea"]}, service.root)
    assert struct.unpack_from("<Q", drawn(service, "dims=2&where=tag:sea", service.root)[0], 8) == (2,)
    service.send("/api/images/delete", {"ids": [1]}, service.root)
    assert struct.unpack_from("<Q", drawn(service, "dims=2&seed=3", service.root)[0], 8) == (11,)
    assert service.send("/api/vectors/map?background=perhaps", token=service.root)[0] == 422


def test_a_map_stays_its_askers(service, photos):
    drawn(service, "dims=2", service.root)
    ada = service.register("ada")
    assert struct.unpack_from("<Q", drawn(service, "dims=2", ada)[0], 8) == (0,)
    service.upload(ada, [("ada.jpg", (photos / "p00.jpg").read_bytes())])
    assert struct.unpack_from("<Q", drawn(service, "dims=2", ada)[0], 8) == (1,)


def test_a_service_stops_while_it_makes_a_map(service):
    service.get("/api/vectors/map?format=binary&background=true&seed=9", service.root)
    assert service.stop()[0] == 0


def test_colors(service, photos):
    root = service.root
    ids = [p["id"] for p in service.send("/api/vectors/map?method=pca", token=root)[1]["points"]]
    images = {i["id"]: i for i in service.send("/api/images?limit=100", token=root)[1]["images"]}
    values, names = colors(service, "of=project", root)
    assert list(values) == ids and set(values.values()) == {0.0} and len(names) == 1
    for what in ("sharpness", "brightness", "contrast", "entropy"):
        values, names = colors(service, f"of={what}", root)
        assert names == [] and list(values) == ids
        assert all(values[i] == pytest.approx(images[i]["quality"][what], rel=1e-5, abs=1e-5) for i in ids)
    days, _ = colors(service, "of=added", root)
    assert all(abs(day - time.time() / 86400) < 1 for day in days.values())
    days, _ = colors(service, "of=date", root)
    assert all(math.isfinite(day) and day > 0 for day in days.values())
    odd, names = colors(service, "of=anomaly", root)
    listed = service.send("/api/qa/anomalies?limit=100", token=root)[1]["anomalies"]
    assert names == [] and odd == {a["id"]: pytest.approx(a["anomaly_score"], abs=1e-6) for a in listed}


def test_colors_by_tag(service):
    root = service.root
    service.send("/api/images/tags", {"ids": list(range(1, 13)), "add_tags": ["all"]}, root)
    service.send("/api/images/tags", {"ids": [1, 2, 3], "add_tags": ["three"]}, root)
    service.send("/api/images/tags", {"ids": [3], "add_tags": ["ünique"]}, root)
    values, names = colors(service, "of=tag", root)
    assert names == ["all", "three", "ünique"]
    assert [values[i] for i in range(1, 5)] == [1, 1, 2, 0]
    service.send("/api/images/tags", {"ids": [12], "remove_tags": ["all"]}, root)
    values, _ = colors(service, "of=tag", root)
    assert values[12] == -1 and values[11] == 0
    values, names = colors(service, "of=tag&where=tag:three", root)
    assert sorted(values) == [1, 2, 3] and names == ["all", "three", "ünique"]


def test_colors_and_cells_stay_in_the_askers_projects(service, photos):
    ada = service.register("ada")
    made = service.upload(ada, [("ada.jpg", (photos / "p00.jpg").read_bytes())]).json["images"][0]["id"]
    for what in ("project", "tag", "date", "sharpness"):
        assert list(colors(service, f"of={what}", ada)[0]) == [made]
    assert service.send("/api/images/cells", {"ids": [1, made, 2]}, ada)[1]["cells"][0]["id"] == made
    assert len(service.send("/api/images/cells", {"ids": [1, made, 2]}, ada)[1]["cells"]) == 1
    assert service.send("/api/images/cells", {"ids": [1]})[0] == 401
    assert service.send("/api/vectors/map/colors")[0] == 401
    assert service.send("/api/vectors/map/colors?of=taste", token=ada)[0] == 422
    assert service.send("/api/vectors/map/colors?where=nothing:1", token=ada)[0] in (400, 422)


def test_cells_of_some(service):
    root = service.root
    service.send("/api/images/tags", {"ids": [5], "add_tags": ["sea", "blue"]}, root)
    service.send("/api/images/delete", {"ids": [4]}, root)
    status, answer = service.send("/api/images/cells", {"ids": [7, 5, 4, 99999]}, root)
    assert status == 200 and [c["id"] for c in answer["cells"]] == [7, 5]
    assert answer["cells"][1]["tags"] == ["blue", "sea"] and answer["cells"][0]["tags"] == []
    assert service.get(answer["cells"][0]["preview_url"]).status == 200
    for bad in ({"ids": []}, {"ids": ["5"]}, {"ids": [0]}, {"ids": list(range(1, 1002))}, {"ids": 5}, {}):
        assert service.send("/api/images/cells", bad, root)[0] == 422, bad
