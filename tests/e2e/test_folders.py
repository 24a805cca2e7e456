"""Folders: what an upload tells of them, what the service keeps of it, and who is told which."""
import urllib.parse

import pytest
from conftest import picture
from people import PEOPLE, People
from service import Service


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    yield s
    assert s.stop()[0] == 0


@pytest.fixture
def bytes_of(tmp_path):
    def make(seed):
        path = tmp_path / f"made-{seed}.jpg"
        picture(path, seed)
        return path.read_bytes()
    return make


def folders(service, token, query=""):
    status, answer = service.send("/api/images/folders" + query, token=token)
    assert status == 200, answer
    assert answer["more"] is False
    return {row["path"]: row["count"] for row in answer["folders"]}


def names(service, token, **query):
    status, answer = service.send("/api/images?" + urllib.parse.urlencode(query), token=token)
    assert status == 200, answer
    return sorted(row["name"] for row in answer["images"])


def put(service, token, name, data, **fields):
    answer = service.upload(token, [(name, data)], **fields)
    assert answer.status in (200, 201), answer.text
    return answer.json["images"][0]


def test_an_upload_keeps_its_folder(service, bytes_of):
    token = service.set_up()
    put(service, token, "a.jpg", bytes_of(1), folder="holiday/rome")
    put(service, token, "b.jpg", bytes_of(2), folder="holiday")
    put(service, token, "c.jpg", bytes_of(3), folder="work/holiday")
    put(service, token, "d.jpg", bytes_of(4))
    assert folders(service, token) == {"/holiday": 1, "/holiday/rome": 1, "/work/holiday": 1}
    assert names(service, token, folder="/holiday") == ["a.jpg", "b.jpg"]
    assert names(service, token, folder="holiday") == ["a.jpg", "b.jpg", "c.jpg"]
    assert names(service, token, where="-folder:/holiday") == ["c.jpg", "d.jpg"]
    line = service.send("/api/images/timeline?folder=/holiday/rome", token=token)[1]
    assert line["total"] == 1
    # Known ones get a folder where they had none, and keep the one that they have.
    assert put(service, token, "d.jpg", bytes_of(4), folder="late")["status"] == "known"
    assert put(service, token, "a.jpg", bytes_of(1), folder="elsewhere")["status"] == "known"
    assert folders(service, token) == {"/holiday": 1, "/holiday/rome": 1, "/late": 1, "/work/holiday": 1}
    image = service.send("/api/images?folder=/late", token=token)[1]["images"][0]
    assert service.send(f"/api/images/{image['id']}", token=token, method="DELETE")[0] == 204
    assert "/late" not in folders(service, token)


def test_what_came_by_a_link_has_one_too(service, bytes_of):
    token = service.set_up()
    data = bytes_of(1)
    link = service.send("/api/presign/upload", {"file_name": "a.jpg", "file_type": "image/jpeg",
                                                "file_size": len(data)}, token)[1]
    assert service.put(link["upload_url"], data).status == 200
    status, made = service.send("/api/images/ingest", {"key": link["key"], "folder": "by/link"}, token)
    assert status == 201, made
    assert folders(service, token) == {"/by/link": 1}


@pytest.mark.parametrize("told, kept", [
    ("../../etc", "/etc"), ("/etc/ssl", "/etc/ssl"), ("a/../../../b", "/a/b"), ("C:\\Users\\ada", "/Users/ada"),
    ("..", None), ("/", None), ("a\x01\x7f/b", "/a__/b"), ("Über/日本/🐦", "/Über/日本/🐦"),
    ("<img src=x onerror=alert(1)>", "/<img src=x onerror=alert(1)>"), ("a\" OR folder:\"b", "/a\" OR folder:\"b"),
    ("%2e%2e/x", "/%2e%2e/x"), ("x" * 600, None), ("keep/" + "x" * 600, "/keep"), ("a  b/ c ", "/a  b/ c "),
])
def test_hostile_names_are_harmless(service, bytes_of, told, kept):
    token = service.set_up()
    put(service, token, "a.jpg", bytes_of(1), folder=told)
    put(service, token, "b.jpg", bytes_of(2))
    assert folders(service, token) == ({kept: 1} if kept else {})
    if kept:
        assert names(service, token, folder=kept) == ["a.jpg"]


def test_what_is_too_long_or_unknown_is_refused(service, bytes_of):
    token = service.set_up()
    assert service.upload(token, [("a.jpg", bytes_of(1))], folder="x" * 8193).status == 422
    assert service.send("/api/images/ingest", {"key": "k", "folder": "x" * 8193}, token)[0] == 422
    assert service.send("/api/images/ingest", {"key": "k", "folder": 3}, token)[0] == 422
    assert service.send("/api/images/folders?project_id=x", token=token)[0] == 422
    assert service.send("/api/images/folders?project_id=999", token=token)[0] == 404
    assert service.send("/api/images/folders")[0] == 401


def test_who_is_told_which(magpie, tmp_path, bytes_of):
    """Paths of the machine are for administrators; what was told with an upload is for who sees the picture."""
    disk = tmp_path / "disk"
    picture(disk / "inner" / "p.jpg", 9)
    magpie.add(disk)
    service = Service(magpie)
    people = People(service, magpie)
    coast = people.project("Coast")
    put(service, people.token["owner"], "a.jpg", bytes_of(1), folder="told", project_id=coast)
    seen = {name: folders(service, people.token[name]) for name in PEOPLE}
    told = {"/told": 1}
    assert seen == {"owner": told, "editor": told, "viewer": told, "guest": told, "stranger": {}, "operator": told,
                    "root": {"/told": 1, str(disk / "inner"): 1}}
    for name in PEOPLE:
        status, answer = service.send(f"/api/images/folders?project_id={coast}", token=people.token[name])
        assert (status == 404) == (name == "stranger"), answer
        if status == 200:
            assert answer["folders"] == [{"path": "/told", "count": 1}]
    # The first project, which holds what was added on the command line, is shared: its paths are not.
    assert service.send("/api/projects/1/members", {"username": "viewer", "role": "viewer"}, people.token["root"],
                        "PUT")[0] == 200
    assert folders(service, people.token["viewer"]) == told
    assert folders(service, people.token["viewer"], "?project_id=1") == {}
    # A key of the administrator's is told them when it may read the settings.
    for scopes, paths in ((["assets.read"], told), (["assets.read", "settings.read"], seen["root"])):
        status, made = service.send("/api/keys", {"name": "robot", "scopes": scopes}, people.token["root"])
        assert status == 201, made
        assert folders(service, made["key"]) == paths
    assert service.stop()[0] == 0

