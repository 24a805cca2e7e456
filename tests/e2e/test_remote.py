"""The commands as clients of a service: the real binary on both sides."""
import io
import json
import os
import pty
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
import zipfile

import pytest
from conftest import BINARY, picture
from service import PASSWORD, Service


class Client:
    """The binary with a service to speak to, and no library of its own."""

    def __init__(self, magpie, service, token, tmp_path):
        self.magpie, self.service = magpie, service
        self.env = dict(magpie.env, MAGPIE_SERVER=f"http://127.0.0.1:{service.port}",
                        MAGPIE_LIBRARY=str(tmp_path / "nowhere"))
        if token:
            self.env["MAGPIE_TOKEN"] = token
        self.cwd = tmp_path / "here"
        self.cwd.mkdir(exist_ok=True)

    def run(self, *args, code=0, env=(), **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run([BINARY, *map(str, args)], env={**self.env, **dict(env)}, cwd=self.cwd,
                              capture_output=True, timeout=120, **options)
        if code is not None:
            assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
        return done

    def start(self, *args):
        return subprocess.Popen([BINARY, *map(str, args)], env=self.env, cwd=self.cwd, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def lines(self, *args, code=0, **options):
        out = [json.loads(line) for line in self.run(*args, "--json", code=code, **options).stdout.splitlines()]
        assert out and all(line["format"] == 1 and line["command"] == args[0] for line in out)
        return out

    def json(self, *args, **options):
        return self.lines(*args, **options)[-1]


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    s.root = s.set_up()
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


@pytest.fixture
def client(magpie, service, tmp_path):
    return Client(magpie, service, service.root, tmp_path)


# ---- signing in ----

def test_login(client, magpie):
    password = {"MAGPIE_PASSWORD": PASSWORD}
    made = client.json("login", "--username", "root", env=password)
    assert made["username"] == "root" and made["role"] == "admin" and made["expires_in"] > 0
    token = made["token"]
    assert client.json("projects", env={"MAGPIE_TOKEN": token})["projects"]
    text = client.run("login", "--username", "root", input=f"{PASSWORD}\n".encode(), stdin=None).stdout.decode()
    assert text.splitlines()[0] == f"export MAGPIE_SERVER='{client.env['MAGPIE_SERVER']}'"
    assert text.splitlines()[1].startswith("export MAGPIE_TOKEN=")
    wrong = client.run("login", "--username", "root", env={"MAGPIE_PASSWORD": "not this one"}, code=2)
    assert b"not this one" not in wrong.stderr + wrong.stdout and wrong.stderr.count(b"\n") == 1
    client.run("login", "--username", "root", code=2)  # no password
    client.run("login", code=2)
    client.run("login", "--username", "root", env={**password, "MAGPIE_SERVER": ""}, code=2)


def test_a_token_is_fit_for_a_shell(client):
    """What login prints goes to eval."""
    fake = Fake(reply(200, json.dumps({"token": "x; touch owned", "user": {}, "expires_in": 1}).encode()))
    error = client.json("login", "--username", "root", "--server", fake.url, env={"MAGPIE_PASSWORD": "x"}, code=6)
    assert "no token" in error["error"]["message"]
    fake = Fake(reply(200, b'{"token": "abc", "expires_in": 1}'))
    text = client.run("login", "--username", "root", "--server", fake.url + "/';touch${IFS}owned;'", "-q",
                      env={"MAGPIE_PASSWORD": "x"}).stdout
    out = subprocess.run(["sh", "-c", 'eval "$1"; echo "$MAGPIE_SERVER"', "sh", text], capture_output=True,
                         cwd=client.cwd, check=True).stdout.decode()
    assert out == fake.url + "/';touch${IFS}owned;'\n" and not list(client.cwd.iterdir())


def test_login_makes_a_key(client):
    sessions = lambda: len(client.service.send("/api/auth/sessions", token=client.service.root)[1]["sessions"])
    before = sessions()
    made = client.json("login", "--username", "root", "--make-key", "reader", "--scopes", "assets.read",
                       env={"MAGPIE_PASSWORD": PASSWORD})
    assert made["key"]["key"].startswith("mpk_") and made["key"]["scopes"] == ["assets.read"] and "token" not in made
    assert sessions() == before
    key = {"MAGPIE_TOKEN": made["key"]["key"]}
    assert client.json("jobs", env=key)["jobs"] == []
    denied = client.json("projects", "create", "x", env=key, code=2)
    assert denied["error"]["code"] == "invalid"
    client.json("login", "--username", "root", "--make-key", "x", "--scopes", "fly", env={"MAGPIE_PASSWORD": PASSWORD},
                code=2)


def test_the_password_is_not_shown(client):
    """On a terminal: asked for, not echoed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(BINARY, [BINARY, "login", "--username", "root"], client.env)
    out = b""
    while b"Password: " not in out:
        out += os.read(terminal, 1024)
    os.write(terminal, PASSWORD.encode() + b"\n")
    try:
        while piece := os.read(terminal, 4096):
            out += piece
    except OSError:
        pass  # the other end is closed
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"MAGPIE_TOKEN=" in out and PASSWORD.encode() not in out


# ---- who is asked, and what they say ----

def test_a_wrong_token(client, photos):
    for args in (("projects",), ("upload", photos), ("search", "--like", 1), ("jobs",), ("export", "-o", "x.zip")):
        error = client.json(*args, env={"MAGPIE_TOKEN": "nonsense"}, code=2)["error"]
        assert error["code"] == "invalid" and "token" in error["message"]
    assert not list(client.cwd.iterdir())
    assert "magpie login" in client.json("projects", env={"MAGPIE_TOKEN": ""}, code=2)["error"]["message"]
    error = client.run("projects", "--token", "a\nX-Other: b", code=2).stderr
    assert b"blanks or line ends" in error and b"X-Other" not in error
    verbose = client.run("projects", "show", 99, "-v", code=3).stderr
    assert b"(request " in verbose and verbose.count(b"\n") == 1
    assert b"request" not in client.run("projects", "show", 99, code=3).stderr
    assert "nonsense" not in client.run("doctor", env={"MAGPIE_TOKEN": "nonsense"}, code=None).stdout.decode()


def test_a_server_that_is_gone(client, photos):
    client.service.stop()
    for args in (("projects",), ("upload", photos), ("search", "--like", 1), ("jobs", "logs", 1, "--follow")):
        error = client.json(*args, code=6)["error"]
        assert error["code"] == "io" and str(client.service.port) in error["message"]
    error = client.json("projects", "--server", "http://no.such.host.invalid", code=6)["error"]
    assert "no address" in error["message"]
    for url in ("ftp://127.0.0.1", "127.0.0.1:8080", "http://127.0.0.1/?x=1"):
        client.run("projects", "--server", url, code=2)
    client.run("projects", env={"MAGPIE_SERVER": ""}, code=2)


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make certificates")
def test_a_certificate_that_nobody_vouches_for(magpie, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", tmp_path / "key.pem", "-out",
                    tmp_path / "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    service = Service(magpie, "--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem")
    client = Client(magpie, service, "secret", tmp_path)
    error = client.json("projects", "--server", f"https://127.0.0.1:{service.port}", code=6)["error"]
    assert "certificate" in error["message"]
    log = service.stop()[1]
    assert b"/api/projects" not in log  # nothing was asked, so no token was sent


class Fake(threading.Thread):
    """Answers each connection with the next of the given bytes, and keeps what was asked."""

    def __init__(self, *answers):
        super().__init__(daemon=True)
        self.answers, self.asked = list(answers), []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.start()

    def run(self):
        for answer in self.answers:
            connection = self.socket.accept()[0]
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            head, _, body = head.partition(b"\r\n\r\n")
            self.asked.append(head)
            if b"100-continue" in head:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            left = (int(length[1]) if length else 0) - len(body)
            while left > 0 and (piece := connection.recv(1 << 20)):
                left -= len(piece)
            self.left = left
            connection.sendall(answer)
            connection.close()
        self.socket.close()


def reply(status, body=b"", *headers):
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_it_comes_back_later_when_it_is_told_so(client):
    fake = Fake(reply(429, b"", "Retry-After: 1"), reply(200, b'{"id": 3, "name": "x"}'))
    began = time.monotonic()
    made = client.json("projects", "create", "x", "--server", fake.url)
    assert made["project"]["id"] == 3 and time.monotonic() - began >= 0.9
    fake = Fake(reply(429, b'{"detail": "too many"}', "Retry-After: 3600"))
    assert client.json("projects", "create", "x", "--server", fake.url, code=7)["error"]["message"] == "too many"


@pytest.mark.parametrize("answer,code", [
    (reply(200, b"<html>"), 6), (reply(302, b"", "Location: http://127.0.0.1:1/"), 6), (reply(404, b"<html>"), 3),
    (reply(409, b'{"detail": "no"}'), 4), (reply(413), 5), (reply(415), 5), (reply(507), 6), (b"garbage\r\n\r\n", 6),
    (reply(500), 6),
])
def test_answers_of_others(client, answer, code):
    fake = Fake(answer)
    error = client.json("projects", "create", "x", "--server", fake.url, code=code)["error"]
    assert error["message"] and error["exit"] == code and len(fake.asked) == 1


def test_a_name_is_shown_without_its_escapes(client):
    fake = Fake(reply(200, json.dumps({"projects": [{"id": 1, "name": "\x1b[31mred"}]}).encode()))
    assert b"\x1b" not in client.run("projects", "--server", fake.url).stdout


# ---- pictures ----

def test_upload(client, photos, tmp_path):
    (photos / "broken.jpg").write_bytes((photos / "p00.jpg").read_bytes()[:2000])
    (photos / "notes.txt").write_text("not a picture")
    (photos / "empty.jpg").write_bytes(b"")
    picture(photos / "deep" / "grün & rot?.png", 77)
    picture(photos / ".hidden" / "h.png", 78)
    lines = client.lines("upload", photos, "--tag", "rome", "--tag", "old", code=4)
    files = {os.path.basename(f["path"]): f for f in lines if f["event"] == "file"}
    summary = lines[-1]
    assert summary["event"] == "summary" and summary["added"] == 13 and summary["refused"] == 1
    assert summary["skipped"] == 2 and summary["server"] == client.env["MAGPIE_SERVER"] and len(files) == 16
    assert files["broken.jpg"]["outcome"] == "refused" and files["broken.jpg"]["error"] == "corrupt"
    assert files["broken.jpg"]["reason"] and files["broken.jpg"]["id"] is None
    assert files["notes.txt"]["outcome"] == files["empty.jpg"]["outcome"] == "skipped"
    there = client.service.send(f"/api/images/{files['grün & rot?.png']['id']}", token=client.service.root)[1]
    assert there["name"] == "grün & rot?.png" and sorted(there["tags"]) == ["old", "rome"]
    assert there["bytes"] == (photos / "deep" / "grün & rot?.png").stat().st_size
    again = client.json("upload", photos, code=4)
    assert again["added"] == 0 and again["known"] == 13
    assert client.json("upload", photos, "--no-recurse", code=4)["known"] == 12
    assert client.json("upload", photos / ".hidden")["added"] == 1  # named, so it is entered
    text = client.run("upload", photos / "p00.jpg", "-v").stdout.decode()
    assert text.startswith("known: ") and "known 1 in" in text


def test_upload_what_cannot_be(client, photos, tmp_path):
    client.run("upload", code=2)
    missing = client.lines("upload", photos / "p01.jpg", tmp_path / "absent", code=3)
    assert missing[0]["outcome"] == "added" and missing[-1]["error"]["code"] == "not_found"
    large = client.lines("upload", photos / "p02.jpg", "--max-bytes", "1kb", code=4)
    assert large[0]["error"] == "too_big"
    error = client.lines("upload", photos, "--project", 99, code=3)
    assert error[-1]["error"]["code"] == "not_found" and error[-2]["added"] == 0


def test_upload_to_a_project(client, photos):
    project = client.json("projects", "create", "Rome")["project"]["id"]
    client.json("upload", photos / "p03.jpg", "--project", project)
    assert [a["name"] for a in client.json("assets", "list", "--project", project)["assets"]] == ["p03.jpg"]


def test_a_large_folder_is_stopped_and_taken_up_again(client, tmp_path):
    folder = tmp_path / "many"
    for i in range(40):
        picture(folder / f"{i:02}.jpg", 1000 + i, size=(1600, 1200), quality=90)
    process = client.start("upload", folder, "--json")
    first = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    rest = [json.loads(line) for line in process.stdout]
    process.stderr.close()
    assert process.wait(60) == 130 and first["outcome"] == "added"
    told = [f for f in [first, *rest] if f["event"] == "file"]
    assert rest[-1]["event"] == "summary" and rest[-1]["added"] == len(told) < 40
    again = client.json("upload", folder)
    assert again["added"] + again["known"] == 40 and again["known"] >= len(told)


def test_a_server_that_dies_on_the_way(client, magpie, tmp_path):
    folder = tmp_path / "many"
    for i in range(30):
        picture(folder / f"{i:02}.jpg", 2000 + i, size=(1600, 1200), quality=90)
    process = client.start("upload", folder, "--json")
    first = json.loads(process.stdout.readline())
    client.service.stop(signal.SIGKILL)
    rest = [json.loads(line) for line in process.stdout]
    process.stderr.close()
    assert process.wait(60) == 6 and rest[-1]["error"]["code"] == "io" and rest[-2]["event"] == "summary"
    told = [f for f in [first, *rest] if f.get("event") == "file"]
    assert all(f["outcome"] == "added" for f in told) and len(told) < 30
    again = Service(magpie)
    client.env["MAGPIE_SERVER"] = f"http://127.0.0.1:{again.port}"
    files = {f["path"]: f for f in client.lines("upload", folder) if f["event"] == "file"}
    assert len(files) == 30 and all(files[f["path"]]["outcome"] == "known" and files[f["path"]]["id"] == f["id"] for f in told)
    assert again.stop()[0] == 0


def test_a_large_file_takes_no_memory(client):
    """What is sent goes from the disk to the network."""
    large = client.cwd / "large.bin"
    with large.open("wb") as f:
        f.truncate(600 << 20)
    fake = Fake(reply(201, b'{"images": [{"id": 7, "status": "added"}]}'))
    done = client.run("upload", large, "--max-bytes", "1gb", "--server", fake.url, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_AS, (512 << 20, 512 << 20)))
    assert done.stdout.startswith(b"added 1 in ") and fake.left == 0
    assert b"POST /api/images?name=large.bin " in fake.asked[0]


def test_search(client, photos, magpie):
    made = {f["path"][-7:]: f["id"] for f in client.lines("upload", photos)[:-1]}
    like = client.json("search", "--like", made["p03.jpg"], "--all", "-k", 5)
    assert len(like["hits"]) == 5 and made["p03.jpg"] not in [h["id"] for h in like["hits"]]
    same = client.json("search", "--image", photos / "p04.jpg")
    assert same["convincing"] and same["hits"][0]["id"] == made["p04.jpg"] and same["hits"][0]["name"] == "p04.jpg"
    assert same["hits"][0]["path"] == "" and same["model"] == "builtin" and same["hits"][0]["rank"] == 1
    mixed = client.json("search", "--image", photos / "p04.jpg", "--weight", 2, "--not-like", made["p05.jpg"], "--all")
    assert mixed["hits"][0]["id"] == made["p04.jpg"]
    piped = client.json("search", "--image", "-", input=(photos / "p06.jpg").read_bytes(), stdin=None)
    assert piped["hits"][0]["id"] == made["p06.jpg"]
    words = client.json("search", "p07", "--where", "name:p07*")
    assert [h["name"] for h in words["hits"]] == ["p07.jpg"]
    nothing = client.json("search", "--like", made["p03.jpg"], "--min-score", 2, code=1)
    assert nothing["hits"] == [] and not nothing["convincing"]
    assert "p04.jpg" in client.run("search", "--image", photos / "p04.jpg").stdout.decode()
    for args in (("--like", 999),):
        assert client.json("search", *args, code=3)["error"]["code"] == "not_found"
    client.json("search", "x", "--where", "colour:red", code=2)
    client.json("search", "--image", photos / "absent.jpg", code=3)
    for local in (("--html", "x.html"), ("--paths",), ("-0",)):
        client.run("search", "x", *local, code=2)
    # the same as on the library itself
    here = client.json("search", "--like", made["p03.jpg"], "--all", "-k", 5, "--library", magpie.library)
    assert [(h["id"], h["score"]) for h in here["hits"]] == [(h["id"], h["score"]) for h in like["hits"]]
    client.run("search", "x", "--project", 1, "--library", magpie.library, code=2)


# ---- projects and assets ----

def test_projects(client):
    before = len(client.json("projects")["projects"])
    made = client.json("projects", "create", "Rome", "--description", "2024")
    assert made["action"] == "create" and made["project"]["name"] == "Rome" and made["project"]["description"] == "2024"
    number = made["project"]["id"]
    assert len(client.json("projects", "list")["projects"]) == before + 1
    assert client.json("projects", "show", number)["project"]["role"] == "owner"
    assert "Rome" in client.run("projects").stdout.decode()
    assert "Rome" in client.run("projects", "show", number).stdout.decode()
    assert client.json("projects", "archive", number) == {"command": "projects", "format": 1, "action": "archive",
                                                          "id": number}
    assert client.json("projects", "create", "x" * 300, code=2)["error"]["code"] == "invalid"
    client.json("projects", "rm", number)
    client.json("projects", "show", number, code=3)
    for args in (("fly",), ("show",), ("show", "x"), ("create",), ("list", 1), ("rm", 1, 2)):
        client.run("projects", *args, code=2)


def test_many_pages(client):
    for i in range(230):
        client.service.send("/api/projects", {"name": f"n{i}"}, client.service.root)
    names = [p["name"] for p in client.json("projects")["projects"]]
    assert len(set(names) & {f"n{i}" for i in range(230)}) == 230


def test_assets(client, photos, tmp_path):
    project = client.json("projects", "create", "Rome")["project"]["id"]
    plan = client.cwd / "plan.txt"
    plan.write_text("one")
    made = client.json("assets", "upload", plan, "--project", project, "--type", "text")["asset"]
    number = made["id"]
    assert made["status"] == "added" and made["type"] == "text" and made["name"] == "plan.txt"
    assert client.json("assets", "upload", plan, "--project", project, "--type", "text")["asset"]["status"] == "known"
    plan.write_text("second")
    assert client.json("assets", "upload", plan, "--replace", number)["asset"]["version"] == 2
    assert {v["number"]: v["current"] for v in client.json("assets", "versions", number)["versions"]} == {1: False,
                                                                                                         2: True}
    client.run("assets", "download", number, code=2)  # plan.txt is there
    got = client.json("assets", "download", number, "-o", "new.txt")
    assert (client.cwd / "new.txt").read_text() == "second" and got["bytes"] == 6 and got["path"] == "new.txt"
    assert client.run("assets", "download", number, "--version", 1, "-o", "-").stdout == b"one"
    plan.unlink()
    client.run("assets", "download", number)
    assert plan.read_text() == "second"
    client.json("assets", "download", number, "--version", 9, "-o", "x", code=3)
    assert client.json("assets", "restore", number, 1)["asset"]["version"] == 3
    assert client.run("assets", "download", number, "-o", "-").stdout == b"one"
    assert client.json("assets", "show", number)["asset"]["bytes"] == 3
    assert client.json("projects", "rm", project, code=4)["error"]["code"] == "exists"
    client.json("assets", "rm", number)
    assert [a["id"] for a in client.json("assets", "list", "--project", project)["assets"]] == []
    client.json("assets", "show", 999, code=3)
    client.json("assets", "upload", client.cwd / "absent", "--project", project, code=3)
    client.json("assets", "upload", client.cwd, "--project", project, code=2)
    for args in (("list",), ("upload", plan), ("restore", number, "x"), ("download",)):
        client.run("assets", *args, code=2)
    assert sorted(p.name for p in client.cwd.iterdir()) == ["new.txt", "plan.txt"]


def test_a_download_goes_on_where_it_broke(client):
    data = os.urandom(50000)
    asset = json.dumps({"id": 1, "name": "a.bin", "bytes": len(data)}).encode()
    broken = (f"HTTP/1.1 200 x\r\nContent-Length: {len(data)}\r\n\r\n").encode() + data[:20000]
    fake = Fake(reply(200, asset), broken, reply(206, data[20000:]))
    client.run("assets", "download", 1, "--server", fake.url)
    assert (client.cwd / "a.bin").read_bytes() == data and b"range: bytes=20000-" in fake.asked[2].lower()
    fake = Fake(reply(200, asset), broken, reply(200, data), reply(200, data))  # one that knows no ranges
    client.run("assets", "download", 1, "-o", "b.bin", "--server", fake.url)
    assert (client.cwd / "b.bin").read_bytes() == data
    fake = Fake(reply(200, asset), reply(200, data[:100]))  # less than was promised
    assert client.json("assets", "download", 1, "-o", "c.bin", "--server", fake.url, code=5)["error"]["code"] == "corrupt"
    assert sorted(p.name for p in client.cwd.iterdir()) == ["a.bin", "b.bin"]


@pytest.mark.parametrize("name", ["../x", "/tmp/x", ".profile", ""])
def test_a_name_is_no_path(client, name):
    fake = Fake(reply(200, json.dumps({"id": 1, "name": name, "bytes": 1}).encode()))
    client.run("assets", "download", 1, "--server", fake.url, code=2)
    assert not list(client.cwd.iterdir())


# ---- what goes unencrypted ----

@pytest.mark.parametrize("server,warned", [
    ("http://192.0.2.1:9", True), ("http://localhost.example.org:9", True), ("http://127.example.org:9/x", True),
    ("http://[2001:db8::1]:9", True), ("http://localhost:9", False), ("http://a.localhost:9/", False), ("http://127.0.0.1:9", False),
    ("http://127.8.8.8:9", False), ("http://[::1]:9", False), ("https://192.0.2.1:9", False)])
def test_a_token_in_the_clear_is_warned_of(client, server, warned):
    process = client.start("jobs", "show", "1", "--server", server)
    line = process.stderr.readline().decode()
    process.kill()
    process.wait(10)
    process.stdout.close(), process.stderr.close()
    assert ("unencrypted" in line and server.rstrip("/") in line) == warned, line


def test_a_password_in_the_clear_is_warned_of(client):
    del client.env["MAGPIE_TOKEN"]
    client.env["MAGPIE_PASSWORD"] = "x"
    process = client.start("login", "-u", "x", "--server", "http://nowhere.invalid")
    assert process.communicate(timeout=30)[1].decode().count("the password goes to http://nowhere.invalid unencrypted") == 1


# ---- jobs and exports ----

def test_jobs(client, photos):
    client.json("upload", photos)
    params = '{"operation": "reindex"}'
    lines = client.lines("jobs", "start", "processing", "--params", params, "--follow")
    assert lines[0]["action"] == "start" and lines[-1]["event"] == "status" and lines[-1]["status"] == "completed"
    number = lines[0]["job"]["id"]
    told = [line for line in lines if line.get("event") == "log"]
    assert told and "reindex" in told[0]["text"]
    again = [line for line in client.lines("jobs", "logs", number, "--follow") if line["event"] == "log"]
    assert [line["id"] for line in again] == sorted({line["id"] for line in again})
    assert "reindex" in client.run("jobs", "logs", number).stdout.decode()
    assert "reindex" in client.run("jobs", "logs", number, "-f").stdout.decode()
    assert client.json("jobs", "logs", number)["logs"][0]["text"] == told[0]["text"]
    assert client.json("jobs", "show", number)["job"]["status"] == "completed"
    assert [j["id"] for j in client.json("jobs", "list", "--status", "completed")["jobs"]] == [number]
    assert client.json("jobs", "--status", "dead")["jobs"] == []
    more = client.json("jobs", "start", "processing", "--params", params)["job"]["id"]
    assert [j["id"] for j in client.json("jobs", "-k", 1)["jobs"]] == [more]
    assert [j["id"] for j in client.json("jobs")["jobs"]] == [more, number]
    client.json("jobs", "show", 99, code=3)
    client.json("jobs", "logs", 99, "--follow", code=3)
    client.json("jobs", "start", "dance", code=2)
    # How a job ended is the status of who followed it.
    bad = '{"channel": "email", "to": "a@example.org", "subject": "x"}'  # and there is no mail server
    failed = client.lines("jobs", "start", "notification", "--params", bad, "--follow", code=1)
    assert failed[-1]["status"] == "failed"
    client.run("jobs", "logs", failed[0]["job"]["id"], "-f", code=1)
    client.run("jobs", "logs", failed[0]["job"]["id"])
    for wrong in ("[]", "{", '"x"'):
        client.run("jobs", "start", "processing", "--params", wrong, code=2)


def test_a_job_is_cancelled_and_tried_again(magpie, tmp_path):
    service = Service(magpie, "--no-worker")
    client = Client(magpie, service, service.set_up(), tmp_path)
    number = client.json("jobs", "start", "processing", "--params", '{"operation": "reindex"}')["job"]["id"]
    process = client.start("jobs", "logs", number, "--follow", "--json")
    assert json.loads(process.stdout.readline())["status"] == "queued"
    process.send_signal(signal.SIGINT)  # the following ends, not the job
    assert process.wait(10) == 130
    process.stdout.close(), process.stderr.close()
    assert client.json("jobs", "cancel", number)["job"]["status"] == "cancelled"
    assert client.lines("jobs", "logs", number, "--follow", code=1)[-1]["status"] == "cancelled"
    assert client.json("jobs", "retry", number)["job"]["status"] == "queued"
    export = client.start("export", "-o", "x.zip")
    while not [j for j in client.json("jobs")["jobs"] if j["type"] == "export"]:
        time.sleep(0.05)
    export.send_signal(signal.SIGINT)
    assert export.wait(20) == 130
    export.stdout.close(), export.stderr.close()
    assert client.json("jobs")["jobs"][0]["status"] == "cancelled"
    assert not list(client.cwd.iterdir())
    assert service.stop()[0] == 0


def test_export(client, photos):
    client.json("upload", photos)
    made = client.json("export", "-o", "all.zip", "--manifest", "json,csv,coco", "--vectors", "--where", "id<=5")
    path = client.cwd / "all.zip"
    assert made["items"] == 5 and made["kind"] == "zip" and made["bytes"] == path.stat().st_size
    archive = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    assert archive.testzip() is None
    names = archive.namelist()
    assert sum(n.startswith("images/") for n in names) == 5
    assert {"manifest.json", "manifest.csv", "coco.json", "vectors.npy"} <= set(names)
    assert "wrote 12 pictures" in client.run("export", "plain.zip").stdout.decode()
    project = client.json("projects", "create", "Rome")["project"]["id"]
    client.json("upload", photos / "p01.jpg", "--project", project)
    assert client.json("export", "one.zip", "--project", project)["items"] == 1
    assert zipfile.ZipFile(io.BytesIO(client.run("export", "-").stdout)).testzip() is None
    client.json("export", "x.zip", "--manifest", "xml", code=2)
    client.json("export", "x.zip", "--project", 99, code=3)
    client.run("export", "x.zip", "--format", "csv", code=2)
    client.run("export", code=2)
    client.run("export", "x", "-o", "y", code=2)
    client.run("export", "v", "--vectors", env={"MAGPIE_SERVER": ""}, code=2)
    assert sorted(p.name for p in client.cwd.iterdir()) == ["all.zip", "one.zip", "plain.zip"]
