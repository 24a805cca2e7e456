"""Projects over HTTP: how they are made, listed, changed, shared and removed; and who may."""
import concurrent.futures

import pytest
from conftest import picture
from people import PEOPLE, People, role_of, talkative
from service import Service


@pytest.fixture
def service(magpie):
    s = talkative(Service(magpie))
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


@pytest.fixture
def people(service, magpie):
    return People(service, magpie)


def photo(tmp_path, seed):
    path = tmp_path / f"{seed}.jpg"
    picture(path, seed)
    return path.read_bytes()


def test_one_project(service, magpie):
    token = service.set_up()
    status, made = service.send("/api/projects", {"name": "Birds ☀", "description": "d", "config": {"a": [1]}}, token)
    assert status == 201
    assert (made["name"], made["description"], made["config"]) == ("Birds ☀", "d", {"a": [1]})
    assert (made["status"], made["is_default"], made["role"], made["assets"]) == ("active", False, "owner", 0)
    assert made["created_at"].endswith("Z") and made["owner_id"] == 1
    path = f"/api/projects/{made['id']}"
    assert service.send(path, token=token) == (200, made)
    status, changed = service.send(path, {"name": "Fish", "config": {}}, token, "PATCH")
    assert status == 200 and (changed["name"], changed["config"], changed["description"]) == ("Fish", {}, "d")
    assert service.send("/api/projects", {"name": "fISH"}, token)[0] == 409
    assert service.send(path, {"name": "default"}, token, "PATCH")[0] == 409  # the administrator's default project
    assert service.send(path, token=token, method="DELETE") == (204, None)
    assert service.send(path, token=token)[0] == 404
    assert service.send(path, token=token, method="DELETE")[0] == 404
    assert service.stop()[0] == 0
    magpie.sound()


@pytest.mark.parametrize("body,status", [
    ({}, 422), ({"name": ""}, 422), ({"name": "x" * 256}, 422), ({"name": "   "}, 422), ({"name": "a\nb"}, 422),
    ({"name": "a\x00b"}, 400), ({"name": 1}, 422), ({"name": "a", "config": []}, 422), ({"name": "a", "config": "{}"}, 422),
    ({"name": "a", "config": {"x": "y" * 65536}}, 422), ({"name": "a", "config": {"x": "y" * 60000}}, 201),
    ({"name": "a", "description": "y" * 8193}, 422), ({"name": "a", "status": "active"}, 422), ({"name": "a", "id": 1}, 422),
    ({"name": "a" * 255}, 201), ([], 422),
])
def test_bad_bodies(service, body, status):
    answer = service.send("/api/projects", body, service.set_up())
    assert answer[0] == status, answer


def test_lists_in_pages(service):
    token, ada = service.set_up(), service.register("ada")
    made = [service.send("/api/projects", {"name": f"p{i}"}, ada)[1]["id"] for i in range(7)]
    service.send(f"/api/projects/{made[3]}", {"status": "archived"}, ada, "PATCH")

    def pages(query, token):
        seen, cursor = [], ""
        while cursor is not None:
            status, page = service.send(f"/api/projects?limit=2&cursor={cursor}{query}", token=token)
            assert status == 200 and len(page["projects"]) <= 2
            seen += [p["id"] for p in page["projects"]]
            cursor = page["next_cursor"]
        return seen

    assert pages("", ada) == made
    assert pages("&status=archived", ada) == [made[3]]
    assert pages("&status=active", ada) == made[:3] + made[4:]
    assert set(made) < set(pages("", token))
    for bad in ("limit=0", "limit=201", "limit=x", "cursor=x", "cursor=-1", "status=gone"):
        assert service.send(f"/api/projects?{bad}", token=ada)[0] == 422, bad


def test_archived_projects_are_read_only(service, tmp_path):
    token = service.set_up()
    project = service.send("/api/projects", {"name": "old"}, token)[1]["id"]
    path = f"/api/projects/{project}"
    service.register("ada")
    assert service.upload(token, [("a.jpg", photo(tmp_path, 1))], project_id=project).status == 201
    assert service.send(path, {"status": "gone"}, token, "PATCH")[0] == 422
    assert service.send(path, {"status": "archived", "name": "older"}, token, "PATCH")[1]["status"] == "archived"
    assert service.send(path, {"status": "archived"}, token, "PATCH")[0] == 200
    assert service.send(path, {"status": "archived", "name": "x"}, token, "PATCH")[0] == 409
    assert service.send(path, {"description": "x"}, token, "PATCH")[0] == 409
    assert service.send(path + "/members", {"username": "ada", "role": "viewer"}, token, "PUT")[0] == 409
    assert service.send(path + "/members/2", token=token, method="DELETE")[0] == 409
    assert service.upload(token, [("b.jpg", photo(tmp_path, 2))], project_id=project).status == 409
    assert service.send(path, token=token)[1]["name"] == "older"
    assert service.send(f"/api/images?project_id={project}", token=token)[1]["total"] == 1
    assert service.send(path, {"status": "active", "name": "new"}, token, "PATCH")[1]["name"] == "new"
    assert service.upload(token, [("b.jpg", photo(tmp_path, 2))], project_id=project).status == 201


def test_defaults_stay(service):
    service.set_up()
    token = service.register("ada")
    assert service.send("/api/presign/upload", {"file_name": "a.jpg", "file_type": "image/jpeg", "file_size": 1},
                        token)[0] == 200  # makes it
    mine, = service.send("/api/projects", token=token)[1]["projects"]
    assert mine["is_default"]
    path = f"/api/projects/{mine['id']}"
    assert service.send(path, {"status": "archived"}, token, "PATCH")[0] == 409
    for query in ("", "?force=true"):
        status, problem = service.send(path + query, token=token, method="DELETE")
        assert status == 409 and "default" in problem["error"]
    assert service.send(path, {"name": "mine"}, token, "PATCH")[0] == 200


def test_removal_with_all_it_holds(service, magpie, tmp_path):
    token = service.set_up()
    kept = service.upload(token, [("kept.jpg", photo(tmp_path, 1))]).json["images"][0]
    project = service.send("/api/projects", {"name": "full"}, token)[1]["id"]
    path = f"/api/projects/{project}"
    files = [(f"{i}.jpg", photo(tmp_path, i)) for i in range(1, 6)]
    assert service.upload(token, files, project_id=project).json["added"] == 5
    status, problem = service.send(path, token=token, method="DELETE")
    assert status == 409 and "assets" in problem["error"]
    assert service.send(path + "?force=perhaps", token=token, method="DELETE")[0] == 422
    assert service.send(path + "?force=true", token=token, method="DELETE") == (204, None)
    assert service.send(path, token=token)[0] == 404
    assert service.send("/api/images", token=token)[1]["total"] == 1
    assert service.get(f"/api/images/{kept['id']}/content", token).text == files[0][1]  # of another project
    assert service.stop()[0] == 0
    assert len([p for p in (magpie.library / "blobs" / "originals").rglob("*") if p.is_file()]) == 1
    assert magpie.sound() == 1


def test_removal_while_pictures_come_in(service, magpie, tmp_path):
    """Either the project goes with everything, or what came in meanwhile keeps it: nothing is half there, and
    nobody else's upload suffers."""
    token = service.set_up()
    projects = [service.send("/api/projects", {"name": f"p{i}"}, token)[1]["id"] for i in range(4)]
    data = [photo(tmp_path, i) for i in range(8)]

    def upload(i):
        project = projects[i % 4] if i % 2 else None
        fields = {"project_id": project} if project else {}
        return project, service.upload(token, [(f"{i}.jpg", data[i % 8])], **fields)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        uploads = [pool.submit(upload, i) for i in range(48)]
        removals = [service.send(f"/api/projects/{p}?force=true", token=token, method="DELETE")[0] for p in projects]
        answers = [u.result() for u in uploads]
    assert set(removals) <= {204, 409}
    for project, answer in answers:
        assert answer.status in ((200, 201, 404) if project else (200, 201)), answer.text
    left = {p["id"] for p in service.send("/api/projects", token=token)[1]["projects"]}
    assert all((p in left) == (r == 409) for p, r in zip(projects, removals))
    assert service.stop()[0] == 0
    magpie.sound()


def test_members(service, magpie):
    root, ada = service.set_up(), service.register("ada")
    service.register("bob")
    project = service.send("/api/projects", {"name": "shared"}, ada)[1]["id"]
    path = f"/api/projects/{project}/members"
    assert service.send(path, token=ada) == (200, {"members": []})
    assert service.send(path, {"username": "BOB", "role": "viewer"}, ada, "PUT") == (
        200, {"user_id": 3, "username": "bob", "role": "viewer"})
    assert service.send(path, {"user_id": 3, "role": "editor"}, ada, "PUT")[1]["role"] == "editor"
    assert service.send(path, token=ada)[1]["members"] == [{"user_id": 3, "username": "bob", "role": "editor"}]
    for body in ({"role": "viewer"}, {"user_id": 3, "username": "bob", "role": "viewer"}, {"user_id": 3},
                 {"user_id": 3, "role": "owner"}, {"user_id": "3", "role": "viewer"}, {"user_id": 2, "role": "viewer"}):
        assert service.send(path, body, ada, "PUT")[0] == 422, body
    assert service.send(path, {"user_id": 99, "role": "viewer"}, ada, "PUT")[0] == 404
    assert service.send(path, {"username": "nobody", "role": "viewer"}, ada, "PUT")[0] == 404
    assert service.send(path + "/3", token=ada, method="DELETE")[0] == 204
    assert service.send(path + "/3", token=ada, method="DELETE")[0] == 404
    assert service.send(path + "/x", token=ada, method="DELETE")[0] == 404
    assert service.send(path, token=ada)[1]["members"] == []


def test_who_may_do_what(people):
    """A row for each thing that can be done; a column for each of PEOPLE."""
    send, token = people.service.send, people.token
    made = iter(range(1000))

    def on_project(method, tail, body=None):
        def ask(token, name):
            project = people.project(f"p{next(made)}")
            return send(f"/api/projects/{project}{tail}", body, token, method)[0]
        return ask

    def drop_member(token, name):
        project = people.project(f"p{next(made)}")
        members = send(f"/api/projects/{project}/members", token=people.token["owner"])[1]["members"]
        viewer, = [m["user_id"] for m in members if m["username"] == "viewer"]
        return send(f"/api/projects/{project}/members/{viewer}", token=token, method="DELETE")[0]

    table = {
        #                                                         owner editor viewer guest stranger operator root
        "list": (lambda t, n: send("/api/projects", token=t)[0],   (200, 200, 200, 200, 200, 200, 200)),
        "add": (lambda t, n: send("/api/projects", {"name": "n"}, t)[0],
                                                                  (201, 201, 201, 403, 201, 201, 201)),
        "get": (on_project("GET", ""),                            (200, 200, 200, 200, 404, 200, 200)),
        "change": (on_project("PATCH", "", {"description": "x"}), (200, 403, 403, 403, 404, 200, 200)),
        "archive": (on_project("PATCH", "", {"status": "archived"}), (200, 403, 403, 403, 404, 200, 200)),
        "delete": (on_project("DELETE", ""),                      (204, 403, 403, 403, 404, 204, 204)),
        "force": (on_project("DELETE", "?force=true"),            (204, 403, 403, 403, 404, 403, 204)),
        "members": (on_project("GET", "/members"),                (200, 200, 200, 200, 404, 200, 200)),
        "share": (on_project("PUT", "/members", {"username": "stranger", "role": "viewer"}),
                                                                  (200, 403, 403, 403, 404, 200, 200)),
        "unshare": (drop_member,                                  (204, 403, 403, 403, 404, 204, 204)),
    }
    for what, (ask, want) in table.items():
        assert people.statuses(ask) == want, (what, PEOPLE)
    for method, path in (("GET", "/api/projects"), ("POST", "/api/projects"), ("GET", "/api/projects/1"),
                         ("PATCH", "/api/projects/1"), ("DELETE", "/api/projects/1"), ("GET", "/api/projects/1/members"),
                         ("PUT", "/api/projects/1/members"), ("DELETE", "/api/projects/1/members/1")):
        assert people.service.ask(method, path).status == 401, (method, path)
    for path in ("/api/projects/0", "/api/projects/x", "/api/projects/-1", "/api/projects/99999999999999999999",
                 "/api/projects/4711"):
        assert send(path, token=token["root"])[0] == 404, path


def test_what_is_seen_of_others(people):
    """Lists show what is reached; a member who is put out sees nothing any more."""
    send, token = people.service.send, people.token
    project = people.project("shared")
    private = send("/api/projects", {"name": "private"}, token["stranger"])[1]["id"]

    def seen(name):
        return {p["id"]: p["role"] for p in send("/api/projects", token=token[name])[1]["projects"]}

    assert seen("owner") == {project: "owner"}
    assert seen("editor") == {project: "editor"} and seen("viewer") == {project: "viewer"}
    assert seen("guest") == {project: "editor"}
    assert seen("stranger") == {private: "owner"}
    assert {project, private} <= set(seen("operator")) and {project, private} <= set(seen("root"))
    members = {m["username"]: m["user_id"] for m in send(f"/api/projects/{project}/members", token=token["owner"])[1]["members"]}
    assert set(members) == {"editor", "viewer", "guest"}
    assert send(f"/api/projects/{project}/members/{members['viewer']}", token=token["owner"], method="DELETE")[0] == 204
    assert seen("viewer") == {} and send(f"/api/projects/{project}", token=token["viewer"])[0] == 404
    role_of(people.magpie, "owner", "guest")  # who is a guest by now manages nothing
    assert send(f"/api/projects/{project}", {"description": "x"}, token["owner"], "PATCH")[0] == 403
    assert send(f"/api/projects/{project}", token=token["owner"])[0] == 200


def test_changes_are_audited(people):
    send, token = people.service.send, people.token
    status, made = send("/api/projects", {"name": "watched"}, token["owner"], X_Request_Id="made-it")
    path = f"/api/projects/{made['id']}"
    send(path, {"name": "seen", "status": "archived"}, token["operator"], "PATCH")
    send(path, {"status": "active"}, token["owner"], "PATCH")
    send(path + "/members", {"username": "viewer", "role": "viewer"}, token["owner"], "PUT")
    member = send(path + "/members", token=token["owner"])[1]["members"][0]["user_id"]
    send(path + f"/members/{member}", token=token["owner"], method="DELETE")
    send(path, {"name": "x"}, token["stranger"], "PATCH")  # refused: not in the log
    send(path, token=token["owner"], method="DELETE")
    rows = [r for r in send("/api/audit?limit=100", token=token["root"])[1]["audit"] if r["action"].startswith("project.")]
    rows = [r for r in rows[::-1] if f"#{made['id']} " in r["detail"] + " "]
    assert [r["action"] for r in rows] == ["project.create", "project.change", "project.change", "project.member",
                                           "project.member", "project.delete"]
    owner = send("/api/auth/me", token=token["owner"])[1]["user"]["id"]
    operator = send("/api/auth/me", token=token["operator"])[1]["user"]["id"]
    assert [r["user_id"] for r in rows] == [owner, operator, owner, owner, owner, owner]
    assert rows[0]["request_id"] == "made-it" and all(r["address"] == "127.0.0.1" for r in rows)
    assert "seen" in rows[1]["detail"] and "archived" in rows[1]["detail"] and "viewer" in rows[3]["detail"]
