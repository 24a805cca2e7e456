"""Many pictures changed by one request: all of them or none."""
import pytest
from service import Service


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    yield s
    assert s.stop()[0] == 0


def pictures(service, token, photos):
    files = [(p.name, p.read_bytes()) for p in sorted(photos.iterdir())[:4]]
    return [image["id"] for image in service.upload(token, files).json["images"]]


def tags(service, token, ids):
    return [service.send(f"/api/images/{id}", token=token)[1]["tags"] for id in ids]


def test_all_or_none(service, photos):
    token, other = service.set_up(), service.register("other")
    ids = pictures(service, token, photos)
    send = service.send
    assert send("/api/images/tags", {"ids": ids[:3], "add_tags": ["sea", "sun"]}, token) == (200, {"changed": 3})
    assert send("/api/images/tags", {"ids": [str(ids[0])], "add_tags": ["x"], "remove_tags": ["sun"]}, token)[0] == 200
    assert tags(service, token, ids) == [["sea", "x"], ["sea", "sun"], ["sea", "sun"], []]
    for bad, status in (([ids[3], 999999], 404), ([], 422), (["x"], 404), ([None], 422), ([1] * 10001, 422)):
        assert send("/api/images/tags", {"ids": bad, "add_tags": ["no"]}, token)[0] == status, bad[:2]
        assert send("/api/images/delete", {"ids": bad}, token)[0] == status, bad[:2]
    assert send("/api/images/tags", {"ids": ids, "add_tags": [3]}, token)[0] == 422
    for path in ("/api/images/tags", "/api/images/delete"):
        assert send(path, {"ids": ids}, other)[0] == 404
        assert send(path, {"ids": ids})[0] == 401
    assert tags(service, token, ids)[3] == []
    assert send("/api/images/delete", {"ids": ids[:2]}, token) == (200, {"deleted": 2})
    left = send("/api/images", token=token)[1]["images"]
    assert [image["id"] for image in left] == ids[2:]
