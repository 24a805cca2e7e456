"""What make demo leaves running: it answers, lets the account in that it prints, and ends when told."""
import json
import re
import socket
import subprocess
import sys
import urllib.request

import pytest
from conftest import BINARY, ROOT, picture


@pytest.fixture
def demo(magpie, tmp_path):
    magpie.run("init", "--model", "builtin")
    picture(tmp_path / "pictures" / "a.jpg", 1)
    magpie.run("add", tmp_path / "pictures")
    state = tmp_path / "state"

    def run(what, *more):
        return subprocess.run([sys.executable, str(ROOT / "tools/demo_serve.py"), what, "--magpie", BINARY,
                               "--library", str(magpie.library), "--state", str(state), *map(str, more)],
                              env=magpie.env, capture_output=True, text=True, timeout=120)
    yield run
    run("stop")


def sent(url, body=None, token=None):
    head = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, head)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def shown(text):
    return re.search(r"runs at (http://localhost:\d+)", text)[1], re.search(r"log in as +(\S+) / (\S+)", text).groups()


def test_it_runs_lets_in_and_ends(demo):
    first = demo("start", "--port", 0)
    assert first.returncode == 0, first.stderr
    base, (name, password) = shown(first.stdout)
    token = sent(f"{base}/api/auth/login", {"username": name, "password": password})["token"]
    assert sent(f"{base}/api/images", token=token)["total"] == 1
    assert "is stopped" in demo("stop").stdout
    with pytest.raises(OSError):
        sent(f"{base}/health")
    assert "does not run" in demo("stop").stdout


def test_a_port_that_is_taken(demo):
    with socket.create_server(("127.0.0.1", 0)) as s:
        answer = demo("start", "--port", s.getsockname()[1])
    assert answer.returncode == 1 and "PORT=N" in answer.stderr and answer.stdout == ""
    assert "does not run" in demo("stop").stdout
