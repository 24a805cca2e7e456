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


def test_move(service, photos):
    """To another project: all or none, only what may be written, and never beside the same bytes."""
    token, other = service.set_up(), service.register("other")
    ids = pictures(service, token, photos)
    send = service.send
    target = send("/api/projects", {"name": "Coast"}, token)[1]["id"]
    theirs = send("/api/projects", {"name": "Theirs"}, other)[1]["id"]
    home = send(f"/api/images/{ids[0]}", token=token)[1]["project_id"]
    send("/api/images/tags", {"ids": ids, "add_tags": ["sea"]}, token)

    def move(list, project, who=token):
        return send("/api/images/move", {"ids": list, "project_id": project}, who)

    def projects():
        return [send(f"/api/images/{id}", token=token)[1]["project_id"] for id in ids]

    came = [{"project_id": home, "ids": ids[:2]}]
    assert move(ids[:2], target) == (200, {"moved": 2, "from": came})
    assert projects() == [target, target, home, home]
    assert tags(service, token, ids) == [["sea"]] * 4
    listed = send(f"/api/images?project_id={target}&tag=sea", token=token)[1]
    assert {image["id"] for image in listed["images"]} == set(ids[:2])
    for bad, project, status in (([ids[2], 999999], target, 404), ([], target, 422), (ids, 0, 422), (ids, 999999, 404)):
        assert move(bad, project)[0] == status, (bad, project)
    assert move(ids, target, other)[0] == 404  # not theirs
    mine = pictures(service, other, photos)
    assert move(mine, target, other)[0] == 404
    # The bytes of what went are sent again: they are new at home, and cannot follow.
    again = pictures(service, token, photos)[0]
    assert again not in ids
    status, problem = move([ids[2], again], target)
    assert status == 409 and f"#{again}" in problem["detail"]
    assert projects() == [target, target, home, home]
    assert move([ids[0]], target)[0] == 200  # where it is already
    assert send(f"/api/projects/{target}", {"status": "archived"}, token, method="PATCH")[0] == 200
    assert move([ids[3]], target)[0] == 409
    assert theirs != target
