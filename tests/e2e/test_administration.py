"""What administrators are told of the service, and what they do with its models while it is in use."""
import json
import pathlib
import shutil
import threading
import time

import pytest
from conftest import Magpie, picture
from people import role_of
from service import Service
from test_jobs import wait_for


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    s.root = s.set_up()
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


def models(service, token=None):
    status, answer = service.send("/api/models", token=token or service.root)
    assert status == 200, answer
    return {one["name"]: one for one in answer["models"]}


def current(service):
    return [name for name, one in models(service).items() if one["current"]]


def use(service, name, code=202):
    status, answer = service.send(f"/api/models/{name}/use", {}, service.root)
    assert status == code, answer
    return answer


def actions(service):
    return [(row["action"], row["detail"]) for row in service.send("/api/audit?action=model.", token=service.root)[1]["audit"]]


# ---- who may ----

def test_each_role_hears_what_is_for_it(service, magpie):
    tokens = {}
    for name in ("operator", "plain", "guest"):
        service.register(name)
        if name != "plain":
            role_of(magpie, name, name)
        tokens[name] = service.login(name)
    tokens["root"] = service.root
    for path, allowed in (("/api/roles", {"root", "operator", "plain", "guest"}), ("/api/models", {"root", "operator"}),
                          ("/api/settings", {"root"})):
        heard = {name for name, token in tokens.items() if service.send(path, token=token)[0] == 200}
        assert heard == allowed, path
    for name in ("operator", "plain", "guest"):
        for what in ("use", "fetch"):
            assert service.send(f"/api/models/lite/{what}", {}, tokens[name])[0] == 403
    for path in ("/api/roles", "/api/models", "/api/settings"):
        assert service.send(path)[0] == 401


def test_roles_are_told_as_they_are_held(service):
    answer = service.send("/api/roles", token=service.root)[1]
    roles = {one["role"]: one for one in answer["roles"]}
    assert list(roles) == ["admin", "operator", "user", "guest"]
    assert set(roles["admin"]["permissions"]) == set(answer["permissions"]) >= {"users.write", "settings.read"}
    assert "audit.read" not in roles["operator"]["permissions"] and "jobs.write" in roles["operator"]["permissions"]
    assert set(roles["guest"]["permissions"]) == {"assets.read", "projects.read"}
    assert [one["everything"] for one in roles.values()] == [True, True, False, False]


# ---- settings ----

def test_settings_with_their_sources(magpie, tmp_path):
    folder = tmp_path / "config" / "magpie"
    folder.mkdir(parents=True)
    (folder / "magpie.toml").write_text('max-side = 5000\nsmtp-password = "hush hush"\n[serve]\njob-threads = 1\n'
                                        'cors = ["https://a.example", "https://b.example"]\n')
    (folder / "magpie.toml").chmod(0o600)
    magpie.env["MAGPIE_JWT_SECRET"] = "a secret of more than thirty-two bytes"
    magpie.env["MAGPIE_SMTP_URL"] = "smtp://ada:secret@mail.example"
    magpie.env["JWT_EXPIRY"] = "20min"
    s = Service(magpie, "--rate-burst", 60)
    s.root = s.set_up()
    answer = s.send("/api/settings", token=s.root)[1]
    assert answer["file"] == str(folder / "magpie.toml")
    rows = {row["name"]: row for row in answer["settings"]}
    said = {name: (rows[name]["value"], rows[name]["origin"]) for name in rows}
    assert said["rate-burst"] == ("60", "option") and said["max-side"] == ("5000", "file")
    assert said["job-threads"] == ("1", "file") and said["jwt-expiry"] == ("20min", "environment")
    assert said["cors"] == (["https://a.example", "https://b.example"], "file")
    assert said["idle"] == ("60s", "default") and said["no-worker"] == ("no", "default")
    assert said["jwt-secret"] == ("***", "environment") and rows["jwt-secret"]["secret"]
    assert said["smtp-password"] == ("***", "file") and said["smtp-url"] == ("***", "environment")
    assert said["embed-token"] == (None, "default")
    assert rows["max-side"]["source"] == "magpie.toml:1" and rows["max-side"]["environment"] == "MAGPIE_MAX_SIDE"
    assert rows["jwt-expiry"]["source"] == "JWT_EXPIRY" and rows["idle"]["default"] == "60s"
    text = json.dumps(answer)
    for secret in ("hush", "thirty-two", "ada:secret"):
        assert secret not in text
    assert s.stop()[0] == 0


# ---- models ----

def test_a_library_is_switched_while_it_is_in_use(lite, tmp_path):
    folder = tmp_path / "photos"
    for i in range(40):
        picture(folder / f"p{i:02}.jpg", i, quality=90)
    lite.add(folder)
    s = Service(lite)
    s.root = s.set_up()
    assert current(s) == ["lite"] and models(s)["lite"]["images"] == 40
    assert use(s, "lite", 409)["detail"] == "lite is in use already"
    assert use(s, "nosuch", 404)
    stop, wrong = threading.Event(), []

    def searching():
        while not stop.is_set():
            status, answer = s.send("/api/search/similar", {"image_id": 1, "limit": 5}, s.root)
            if status != 200 or not answer["results"]:
                wrong.append((status, answer))

    def uploading():
        for i in range(100, 124):
            path = tmp_path / f"u{i}.jpg"
            picture(path, i, quality=90)
            answer = s.upload(s.root, [(path.name, path.read_bytes())])
            if answer.status != 201:
                wrong.append(answer.text)

    threads = [threading.Thread(target=searching) for _ in range(2)] + [threading.Thread(target=uploading)]
    for thread in threads:
        thread.start()
    for name in ("builtin", "lite", "builtin"):
        job = use(s, name)
        assert job["type"] == "use_model" and job["params"] == {"model": name}
        done = wait_for(s, job["id"], s.root, seconds=120)
        assert done["status"] == "completed" and done["result"]["model"] == name, done
        assert current(s) == [name]
    threads[2].join()
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]
    assert models(s)["builtin"]["images"] == 64
    assert s.send("/api/images/1", token=s.root)[1]["model_name"] == "builtin"
    assert s.send("/api/stats", token=s.root)[1]["vectors"] == 64
    assert [one for one in actions(s)] == [("model.use", "builtin instead of lite"), ("model.use", "lite instead of builtin"),
                                           ("model.use", "builtin instead of lite")]
    assert s.stop()[0] == 0
    assert lite.sound() == 64


def test_answers_are_those_of_the_model_in_use(lite, photos):
    lite.add(photos)
    s = Service(lite)
    s.root = s.set_up()

    def ask():
        return s.send("/api/search/similar", {"image_id": 1, "limit": 5, "threshold": -1}, s.root)[1]["results"]

    before = ask()
    assert ask() == before
    wait_for(s, use(s, "builtin")["id"], s.root, seconds=60)
    after = ask()
    assert [one["score"] for one in after] != [one["score"] for one in before]
    wait_for(s, use(s, "lite")["id"], s.root, seconds=60)
    assert [one["score"] for one in ask()] == [one["score"] for one in before]
    assert s.stop()[0] == 0


def test_another_process_switches_and_the_service_follows(lite, photos, tmp_path):
    lite.add(photos)
    s = Service(lite, "--no-worker")
    s.root = s.set_up()
    job = use(s, "builtin")
    assert use(s, "builtin", 409)["detail"].startswith(f"job {job['id']} ")
    assert s.send("/api/models", token=s.root)[1]["job"]["id"] == job["id"]
    cancelled = s.send(f"/api/jobs/{job['id']}/cancel", {}, s.root)[1]
    assert cancelled["status"] == "cancelled" and current(s) == ["lite"]
    job = use(s, "builtin")
    worker = lite.start("worker", "--json")
    worker.stdout.readline()
    assert wait_for(s, job["id"], s.root, seconds=60)["status"] == "completed"
    worker.terminate()
    assert worker.wait(timeout=30) == 0
    worker.stdout.close(), worker.stderr.close()
    until = time.monotonic() + 10
    while current(s) != ["builtin"] and time.monotonic() < until:
        time.sleep(0.1)
    assert current(s) == ["builtin"]
    lite.run("model", "use", "lite")
    picture(tmp_path / "new.jpg", 77, quality=90)  # a write sees it at once
    assert s.upload(s.root, [("new.jpg", (tmp_path / "new.jpg").read_bytes())]).status == 201
    assert s.send("/api/images/13", token=s.root)[1]["model_name"] == "lite"
    assert s.stop()[0] == 0
    assert lite.sound() == 13


# ---- models from outside ----

def with_script(tmp_path, text):
    m = Magpie(tmp_path)
    m.run("init", "--model", "builtin")
    share = tmp_path / "share"
    share.mkdir()
    (share / "lite_fetch.py").write_text(text)
    m.env["MAGPIE_SHARE"] = str(share)
    m.env["MAGPIE_MODELS"] = str(tmp_path / "models")
    s = Service(m)
    s.root = s.set_up()
    return s


def lines(service, job):
    return service.get(f"/api/jobs/{job}/logs", service.root).text.decode()


def test_a_model_is_fetched(tmp_path):
    source = pathlib.Path(Magpie(tmp_path).env["MAGPIE_MODELS"], "lite")
    if not source.exists():
        pytest.skip("the lite model is not installed")
    s = with_script(tmp_path, "import os, sys\nprint('half way', flush=True)\nos.makedirs(sys.argv[2])\n"
                              f"os.symlink({str(source)!r}, os.path.join(sys.argv[2], 'lite'))\n")
    assert not models(s)["lite"]["installed"] and models(s)["lite"]["fetchable"] and not models(s)["builtin"]["fetchable"]
    assert "fetch it first" in use(s, "lite", 409)["detail"]
    assert s.send("/api/models/builtin/fetch", {}, s.root)[0] == 409
    status, job = s.send("/api/models/lite/fetch", {}, s.root)
    assert status == 202 and wait_for(s, job["id"], s.root)["status"] == "completed"
    assert "half way" in lines(s, job["id"])
    assert models(s)["lite"]["installed"] and models(s)["lite"]["dims"] > 0
    assert actions(s) == [("model.fetch", "lite")]
    assert s.stop()[0] == 0


def test_a_fetch_that_fails_says_why(tmp_path):
    s = with_script(tmp_path, "import sys\nprint('its SHA-256 is not the pinned one', file=sys.stderr)\nsys.exit(1)\n")
    job = s.send("/api/models/lite/fetch", {}, s.root)[1]
    done = wait_for(s, job["id"], s.root)
    assert done["status"] == "failed" and "could not be installed" in done["error"]
    assert "not the pinned one" in lines(s, job["id"])
    assert s.stop()[0] == 0


def test_a_fetch_can_be_stopped(tmp_path):
    s = with_script(tmp_path, "import time\nprint('it takes long', flush=True)\ntime.sleep(600)\n")
    job = s.send("/api/models/lite/fetch", {}, s.root)[1]
    until = time.monotonic() + 20
    while s.send(f"/api/jobs/{job['id']}", token=s.root)[1]["status"] == "queued" and time.monotonic() < until:
        time.sleep(0.05)
    assert s.send(f"/api/jobs/{job['id']}/cancel", {}, s.root)[0] == 200
    assert wait_for(s, job["id"], s.root)["status"] == "cancelled"
    assert s.stop()[0] == 0
    shutil.rmtree(tmp_path / "share")
