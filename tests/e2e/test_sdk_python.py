"""The Python client against the real service: every resource, by both clients, and what it does when things fail."""
import asyncio
import hashlib
import inspect
import io
import json
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
import zipfile

import pytest
from conftest import ROOT, picture
from service import PASSWORD, Service

SDK = ROOT / "sdk" / "python"
sys.path.insert(0, str(SDK / "src"))
httpx = pytest.importorskip("httpx")
anyio = pytest.importorskip("anyio")
from anyio.from_thread import start_blocking_portal  # noqa: E402

import magpie_client  # noqa: E402
from magpie_client import (AsyncClient, Client, Conflict, Forbidden, Invalid, MagpieError, NotFound, RateLimited,  # noqa: E402
                           Unauthorized, Unavailable, Unreachable, WaitTimeout, Weighted, _body, _core, _map, _sse, types)


class Blocking:
    """An AsyncClient, or something of it, that is asked as a Client is: one set of tests holds both to the same."""

    def __init__(self, inner, portal):
        self.__dict__.update(_inner=inner, _portal=portal)

    def __setattr__(self, name, value):
        setattr(self._inner, name, value)

    def __getattr__(self, name):
        value = getattr(self._inner, name)
        if inspect.isroutine(value):
            return lambda *args, **more: self._result(value(*args, **more))
        return Blocking(value, self._portal) if type(value).__module__.startswith("magpie_client") else value

    def _result(self, value):
        if inspect.isasyncgen(value):
            return self._drain(value)
        if inspect.isawaitable(value):
            async def wait():
                return await value
            return self._portal.call(wait)
        return value

    def _drain(self, items):
        try:
            while True:
                try:
                    yield self._portal.call(items.__anext__)
                except StopAsyncIteration:
                    return
        finally:
            self._portal.call(items.aclose)


@pytest.fixture
def service(magpie):
    s = Service(magpie)
    s.url = f"http://127.0.0.1:{s.port}"
    yield s
    if s.process.poll() is None:
        assert s.stop()[0] == 0


@pytest.fixture(params=["sync", "async"])
def connect(request):
    """Makes clients of either kind."""
    if request.param == "sync":
        made = []

        def make(url, **options):
            made.append(Client(url, **options))
            return made[-1]
        yield make
        for client in made:
            client.close()
    else:
        with start_blocking_portal() as portal:
            made = []

            def make(url, **options):
                made.append(portal.call(lambda: anyio_made(url, options)))
                return Blocking(made[-1], portal)
            yield make
            for client in made:
                portal.call(client.aclose)


async def anyio_made(url, options):
    return AsyncClient(url, **options)


@pytest.fixture
def client(service, connect):
    """Signed in as the first administrator."""
    c = connect(service.url)
    c.auth.setup(service.setup_token, "root", PASSWORD)
    return c


@pytest.fixture
def shots(tmp_path):
    """Paths of pictures, by seed."""
    def make(*seeds, kind="jpg"):
        paths = [tmp_path / "shots" / f"s{seed}.{kind}" for seed in seeds]
        for path, seed in zip(paths, seeds):
            picture(path, seed)
        return paths
    return make


# ---- accounts ----


def test_accounts(service, connect, client):
    assert client.auth.me()["role"] == "admin"
    ada = connect(service.url)
    kept = ada.auth.register("ada", PASSWORD, email="ada@example.org")
    assert kept["user"]["username"] == "ada" and ada.access_token == kept["access_token"]
    again = connect(service.url)
    again.auth.login(email="ada@example.org", password=PASSWORD)
    rows = ada.auth.sessions()
    assert sorted(row["current"] for row in rows) == [False, True]
    ada.auth.end_session(next(row["id"] for row in rows if not row["current"]))
    with pytest.raises(Unauthorized):
        again.auth.me()
    ada.auth.change_password(PASSWORD, "another password")
    ada.auth.logout()
    assert ada.access_token is None and ada.refresh_token is None
    with pytest.raises(Unauthorized):
        ada.auth.me()
    with pytest.raises(Unauthorized):
        ada.auth.login("ada", PASSWORD)
    ada.auth.login("ada", "another password")
    with pytest.raises(Unavailable):  # there is no mail server here
        ada.auth.forgot_password("nobody@example.org")
    with pytest.raises(MagpieError):
        ada.auth.reset_password("0" * 32, "another password")
    with pytest.raises(Conflict):
        connect(service.url).auth.register("ADA", PASSWORD)


def test_api_keys(service, connect, client, shots):
    made = client.keys.create("reader", ["assets.read"], expires_in_s=3600)
    assert [key["name"] for key in client.keys.list()] == ["reader"]
    reader = connect(service.url, api_key=made["key"])
    assert reader.stats.get()["images"] == 0
    with pytest.raises(Forbidden):
        reader.images.upload(shots(1)[0])
    client.keys.delete(made["id"])
    with pytest.raises(Unauthorized) as refused:
        reader.stats.get()
    assert refused.value.status == 401 and refused.value.request_id


def test_tokens_are_renewed(service, connect, client):
    heard = []
    kept = connect(service.url, access_token="no token", refresh_token=client.refresh_token, on_tokens=heard.append)
    assert kept.auth.me()["username"] == "root"
    assert len(heard) == 1 and kept.access_token == heard[0]["access_token"]
    kept.auth.refresh()
    assert len(heard) == 2 and kept.auth.me()["username"] == "root"
    kept.access_token = kept.refresh_token = "nothing"
    with pytest.raises(Unauthorized):
        kept.auth.me()
    with pytest.raises(Unauthorized):
        kept.auth.refresh()
    stranger = connect(service.url)
    with pytest.raises(Unauthorized):
        stranger.images.page()


def test_one_renewal_for_all_threads(service):
    """A refresh token that is shown twice would end the session for all of them."""
    heard = []
    with Client(service.url, on_tokens=heard.append) as client:
        client.auth.setup(service.setup_token, "root", PASSWORD)
        for _ in range(3):
            client.access_token = "expired"
            heard.clear()
            names, begin = [], threading.Barrier(8)

            def ask():
                begin.wait()
                names.append(client.auth.me()["username"])
            threads = [threading.Thread(target=ask) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert names == ["root"] * 8 and len(heard) == 1


def test_one_renewal_for_all_tasks(service):
    heard, names = [], []

    async def main():
        async with AsyncClient(service.url, on_tokens=heard.append) as client:
            await client.auth.setup(service.setup_token, "root", PASSWORD)
            heard.clear()
            client.access_token = "expired"

            async def ask():
                names.append((await client.auth.me())["username"])
            await asyncio.gather(*(ask() for _ in range(8)))
    asyncio.run(main())
    assert names == ["root"] * 8 and len(heard) == 1


# ---- pictures ----


def test_twenty_pictures_and_one_that_is_none(client, shots, magpie, service, tmp_path):
    paths = shots(*range(20))
    (tmp_path / "no.jpg").write_text("words")
    sources = [str(paths[0]), paths[1], paths[2].read_bytes(), paths[3].open("rb"), ("mine.jpg", paths[4].read_bytes()),
               ("öhm \"x\".jpg", paths[5].open("rb")), *paths[6:], paths[0], tmp_path / "no.jpg"]
    answer = client.images.upload_many(sources, title="T", tags=["red", "blue"])
    assert (answer["added"], answer["known"], answer["refused"]) == (20, 1, 1) and answer["status"] == "ok"
    names = [row.get("file_name") for row in answer["images"]]
    assert names[:2] == ["s0.jpg", "s1.jpg"] and names[3] == "s3.jpg" and names[4] == "mine.jpg"
    assert answer["images"][-1]["code"] == 415
    want = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert [row["sha256"] for row in answer["images"][:20]] == want
    assert all(row["tags"] == ["blue", "red"] and row["title"] == "T" for row in answer["images"][:20])
    listed = client.images.list(page_size=7, sort="id")
    assert [row["sha256"] for row in listed] == [row["sha256"] for row in sorted(answer["images"][:20], key=lambda r: r["id"])]
    page = client.images.page(limit=5, tag="red", where="id<=12")
    assert page["total"] == 12 and len(page["images"]) == 5 and page["next_cursor"]
    refused = client.images.upload_many([tmp_path / "no.jpg"])
    assert (refused["status"], refused["refused"], refused["images"][0]["file_name"]) == ("refused", 1, "no.jpg")
    assert client.images.upload_many([])["images"] == []
    assert service.stop()[0] == 0
    assert magpie.sound() == 20


def test_uploads_in_several_requests(client, shots, monkeypatch):
    for module in ("_async", "_sync"):
        monkeypatch.setattr(sys.modules[f"magpie_client.{module}.images"], "MOST_FILES", 4)
    answer = client.images.upload_many(shots(*range(9)))
    assert answer["added"] == 9 and [row["file_name"] for row in answer["images"]] == [f"s{i}.jpg" for i in range(9)]


class Pipe(io.RawIOBase):
    """A stream that can be read once."""

    def __init__(self, data):
        self.inner = io.BytesIO(data)

    def readable(self):
        return True

    def read(self, size=-1):
        return self.inner.read(size)


def test_ways_in(client, shots, tmp_path):
    data = [path.read_bytes() for path in shots(1, 2, 3)]
    one = client.images.upload(data[0], name="one.jpg", title="One", description="D", tags=["a"])
    assert (one["name"], one["title"], one["description"], one["tags"], one["status"]) == ("one.jpg", "One", "D", ["a"], "added")
    assert client.images.upload(data[0])["status"] == "known"
    assert client.images.upload(("two.jpg", Pipe(data[1])))["sha256"] == hashlib.sha256(data[1]).hexdigest()
    three = client.images.upload_presigned(("three.jpg", data[2]), title="Three")
    assert (three["status"], three["title"], three["name"]) == ("added", "Three", "three.jpg")
    assert client.images.upload_presigned(shots(3)[0])["status"] == "known"
    with pytest.raises(ValueError):
        client.images.upload_presigned(("x.jpg", Pipe(b"x")))
    with pytest.raises(Invalid) as refused:
        client.images.upload(b"no picture", name="x.jpg")
    assert refused.value.status == 415
    with pytest.raises(FileNotFoundError):
        client.images.upload(tmp_path / "absent.jpg")
    with pytest.raises(NotFound):
        client.images.upload(data[0], project_id=99)
    with pytest.raises(NotFound):
        client.images.ingest("images/1/" + "0" * 32 + ".jpg")


def test_streams_that_can_be_read_once_are_refused_once(client, shots):
    """An upload that cannot be sent again is refused, and the next one has a good token."""
    data = shots(1)[0].read_bytes()
    client.access_token = "expired"
    with pytest.raises(Unauthorized):
        client.images.upload(("x.jpg", Pipe(data)))
    assert client.images.upload(("x.jpg", Pipe(data)))["status"] == "added"


def test_one_picture(client, shots, tmp_path):
    path, other = shots(5, 6)
    id = client.images.upload(path)["id"]
    other_id = client.images.upload(other)["id"]
    assert client.images.get(id)["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert client.images.content(id) == path.read_bytes()
    assert client.images.download(id, tmp_path / "down.jpg").read_bytes() == path.read_bytes()
    assert client.images.thumbnail(id)[8:12] == b"WEBP" and client.images.thumbnail(id, 1024) != client.images.thumbnail(id)
    row = client.images.update(id, title="T", add_tags=["x", "y"])
    assert (row["title"], row["tags"]) == ("T", ["x", "y"])
    assert client.images.update(id, remove_tags=["x"])["tags"] == ["y"]
    assert client.images.make_thumbnail(id)["status"] == "thumbnails made"
    assert client.images.reindex(id)["status"] == "reindexed"
    why = client.images.explain(id, other_id)
    assert why["with"] == other_id and not why["same_picture"]
    assert client.images.explain_picture(id, other_id).startswith(b"\x89PNG")
    assert client.fetch(client.images.get(id)["content_url"]) == path.read_bytes()  # a signed link
    client.images.delete(id)
    with pytest.raises(NotFound) as gone:
        client.images.get(id)
    assert gone.value.status == 404 and gone.value.detail and gone.value.title == "Not Found" and gone.value.request_id
    (tmp_path / "down.jpg").write_text("what was there")
    with pytest.raises(NotFound):
        client.images.download(id, tmp_path / "down.jpg")
    assert (tmp_path / "down.jpg").read_text() == "what was there"
    assert not list(tmp_path.glob(".down*"))


# ---- questions ----


@pytest.fixture
def pictures(client, shots):
    """Twelve, and a copy of the first as PNG."""
    paths = shots(*range(12))
    copy = paths[0].with_suffix(".png")
    from PIL import Image
    Image.open(paths[0]).save(copy)
    client.paths = paths + [copy]
    return [row["id"] for row in client.images.upload_many(client.paths)["images"]]


def test_search(client, pictures, shots):
    found = client.search.similar(pictures[0], limit=3)
    assert found["results"][0]["id"] == pictures[12] and len(found["results"]) == 3 and found["next_cursor"]
    rest = client.search.similar(str(pictures[0]), limit=3, cursor=found["next_cursor"], exact=True, where="id>0")
    assert not {hit["id"] for hit in rest["results"]} & {hit["id"] for hit in found["results"]}
    assert client.search.text("s3.jpg")["results"][0]["id"] == pictures[3]
    paths = shots(0, 1)
    mixed = client.search.mixed(images=[paths[0], paths[0].read_bytes()], limit=2)
    assert {hit["id"] for hit in mixed["results"]} == {pictures[0], pictures[12]}
    mixed = client.search.mixed(images=[Weighted(paths[0], 2.0), paths[0]], ids=[Weighted(pictures[1], 0.01)], limit=2)
    assert {hit["id"] for hit in mixed["results"]} == {pictures[0], pictures[12]}
    away = client.search.mixed(ids=[pictures[1]], negative_images=[paths[0].open("rb")], limit=12, threshold=-9)
    order = [hit["id"] for hit in away["results"]]
    with_it = client.search.mixed(ids=[pictures[1]], limit=12, threshold=-9)
    before = [hit["id"] for hit in with_it["results"]]
    assert order and before and pictures[0] in before and pictures[0] not in order[:len(before) // 2]
    with pytest.raises(Invalid):
        client.search.mixed()
    with pytest.raises(Invalid):
        client.search.mixed(vectors=[[1.0, 2.0]])
    with pytest.raises(Invalid):
        client.search.mixed(ids=[pictures[0]], negative_texts=["x"], limit=0)


def test_near_duplicates_are_refused_where_that_is_asked_for(client, pictures, shots):
    from PIL import Image
    small = io.BytesIO()
    Image.open(shots(0)[0]).resize((200, 150)).save(small, "PNG")
    with pytest.raises(Conflict) as refused:
        client.images.upload(("small.png", small.getvalue()), near_duplicates="refuse")
    assert refused.value.match["id"] in (pictures[0], pictures[12]) and refused.value.match["score"] > 0.8
    answer = client.images.upload_many([("small.png", small.getvalue())], near_duplicates="refuse")
    assert answer["refused"] == 1 and answer["images"][0]["match"]["id"] == refused.value.match["id"]


def test_copies_and_plans(client, pictures, shots):
    [copy] = client.search.copies(pictures[0])["results"]
    assert copy["id"] == pictures[12] and copy["relation"]
    sent = client.search.copies(image=shots(0)[0], where=f"id:{pictures[12]}")["results"]
    assert [row["id"] for row in sent] == [pictures[12]]
    with pytest.raises(Invalid):
        client.search.copies(pictures[0], image=shots(0)[0])
    clusters = [*client.dedup.clusters(page_size=1)]
    assert len(clusters) == 1 and {row["id"] for row in clusters[0]} == {pictures[0], pictures[12]}
    page = client.dedup.page(kind="similar", threshold=0.2, limit=1)
    assert page["kind"] == "similar" and page["total"] >= 1
    keep, copy = clusters[0]
    draft = client.dedup.plans.create([{"keep": keep["id"], "remove": [copy["id"]]}])
    assert draft["pictures"] == 1 and draft["status"] == "draft"
    detail = client.dedup.plans.get(draft["plan_id"])
    assert detail["clusters"][0]["remove"][0]["id"] == copy["id"]
    assert client.dedup.plans.apply(draft["plan_id"])["pictures"] == 1
    assert client.stats.get()["images"] == 12
    assert client.dedup.plans.undo(draft["plan_id"])["pictures"] == 1
    assert client.stats.get()["images"] == 13
    other = client.dedup.plans.create()
    assert [plan["plan_id"] for plan in client.dedup.plans.list(page_size=1)] in (
        [draft["plan_id"], other["plan_id"]], [other["plan_id"], draft["plan_id"]])
    client.dedup.plans.delete(other["plan_id"])
    job = client.dedup.start(kind="same")
    assert [[m["id"] for m in c] for c in client.dedup.clusters_of(job["job_id"], page_size=1)] == [
        [m["id"] for m in c] for c in clusters]
    found = client.dedup.job_page(job["job_id"], limit=1)
    assert found["status"] == "done" and found["total"] == 1 and found["job_id"] == job["job_id"]
    drafted = client.dedup.plans.create(job_id=job["job_id"])
    assert drafted["pictures"] == 1
    client.dedup.plans.delete(drafted["plan_id"])
    with pytest.raises(NotFound):
        client.dedup.plans.get(other["plan_id"])


def test_quality_and_words_of_people(client, pictures, shots, tmp_path):
    from PIL import Image
    Image.open(shots(50)[0]).point(lambda x: x // 6).save(tmp_path / "dark.png")
    dark = client.images.upload(tmp_path / "dark.png")["id"]
    assert [row["id"] for row in client.qa.quality(issue="too_dark", page_size=1)] == [dark]
    assert client.qa.quality_page(limit=1)["counts"]["too_dark"] == 1
    odd = [*client.qa.anomalies(alpha=0.2, page_size=5)]
    assert {row["id"] for row in odd} == {*pictures, dark}
    page = client.qa.anomalies_page(alpha=0.2, limit=3, where="id>2")
    assert len(page["histogram"]["counts"]) == 20 and page["total"] == len(pictures) + 1 - 2
    assert client.verdicts.give("different", pictures[0], pictures[12], note="mine")["other_id"] == pictures[12]
    assert [row["note"] for row in client.verdicts.list()] == ["mine"]
    assert [*client.dedup.clusters()] == []
    client.verdicts.take_back(pictures[0], pictures[12])
    assert client.verdicts.list() == [] and len([*client.dedup.clusters()]) == 1
    assert client.feedback.give(pictures[1], "like", note="n")["status"] == "noted"
    assert [row["action"] for row in client.feedback.list(pictures[1])] == ["like"]


def test_the_map(client, pictures):
    points = client.map.get(dims=3, method="pca", seed=1)
    compact = client.map.compact(dims=3, method="pca", seed=1)
    assert points["total"] == len(compact) == 13 and [p["id"] for p in points["points"]] == [*compact.ids]
    assert compact.positions.typecode == "f"
    for i, point in enumerate(points["points"]):
        assert compact.position(i) == pytest.approx(point["position"], abs=1e-6)
    ids, positions = compact.numpy()
    assert positions.shape == (13, 3) and ids.tolist() == [*compact.ids]
    assert client.map.compact(where="id<1").numpy()[1].shape == (0, 2)


def test_health_and_figures(client, pictures):
    assert client.health.get()["status"] == "healthy" and client.health.live()["status"] == "alive"
    assert client.health.ready()["status"] == "ready"
    assert client.health.dependencies()["dependencies"]
    assert client.stats.get(project_id=1)["images"] == 13


# ---- projects and assets ----


def test_projects_and_assets(service, connect, client, shots, tmp_path):
    connect(service.url).auth.register("bob", PASSWORD)
    project = client.projects.create("Birds ☀", description="d", config={"a": [1]})
    id = project["id"]
    assert client.projects.get(id)["config"] == {"a": [1]}
    assert client.projects.update(id, name="Fish")["name"] == "Fish"
    assert id in [p["id"] for p in client.projects.list(page_size=1)]
    member = client.projects.set_member(id, "bob", "viewer")
    assert client.projects.set_member(id, member["user_id"], "editor")["role"] == "editor"
    assert [m["username"] for m in client.projects.members(id)] == ["bob"]
    client.projects.remove_member(id, member["user_id"])
    answer = client.assets.upload(id, [("notes.txt", b"first"), shots(1)[0]], type="document", metadata={"a": 1})
    assert answer["added"] >= 1, answer
    text = next(row["id"] for row in answer["assets"] if row["file_name"] == "notes.txt")
    assert client.assets.get(text)["metadata"] == {"a": 1}
    assert text in [row["id"] for row in client.assets.list(id, page_size=1)]
    assert client.assets.update(text, title="T")["title"] == "T"
    changed = client.assets.versions.add(text, ("notes.txt", b"second!"))
    assert (changed["version"], changed["status"]) == (2, "added")
    assert client.assets.content(text) == b"second!" and client.assets.versions.content(text, 1) == b"first"
    assert [v["number"] for v in client.assets.versions.list(text, page_size=1)] == [1, 2]
    assert client.assets.diff(text, from_=1, to=2)["changes"]
    assert client.assets.versions.restore(text, 1)["version"] == 3
    assert client.assets.download(text, tmp_path / "n.txt").read_bytes() == b"first"
    client.assets.delete(text)
    with pytest.raises(Conflict):
        client.projects.delete(id)
    client.projects.delete(id, force=True)
    with pytest.raises(NotFound):
        client.projects.get(id)


# ---- jobs, exports, events ----


def test_jobs(client, pictures):
    job = client.jobs.create("processing", {"operation": "reindex"}, idempotency_key="k")
    assert client.jobs.create("processing", {"operation": "reindex"}, idempotency_key="k")["id"] == job["id"]
    told = [*client.jobs.follow(job["id"])]
    assert told[-1]["status"] == "completed" and any("reindex" in line.get("text", "") for line in told)
    done = client.jobs.wait(job["id"], timeout=30)
    assert done["status"] == "completed" and done["result"]["done"] == 13
    assert client.jobs.logs(job["id"])["status"] == "completed"
    assert [j["id"] for j in client.jobs.list(type="processing", page_size=1)] == [job["id"]]
    later = client.jobs.create("processing", {"operation": "thumbnails"}, run_at=int(time.time()) + 3600)
    assert later["id"] != job["id"]
    with pytest.raises(WaitTimeout):
        client.jobs.wait(later["id"], timeout=0.2)
    client.jobs.cancel(later["id"])
    assert client.jobs.wait(later["id"], timeout=10)["status"] == "cancelled"
    assert client.jobs.retry(later["id"])["status"] in ("queued", "processing", "completed")
    with pytest.raises(Invalid):
        client.jobs.create("processing", {"operation": "dance"})
    with pytest.raises(NotFound):
        [*client.jobs.follow(4711)]


def test_exports(client, pictures, tmp_path):
    job = client.exports.create(manifests=["json", "csv"], where="id<=5", vectors=True)
    done = client.exports.wait(job["id"], timeout=30)
    assert done["result"]["images"] == 5 and done["download_url"]
    archive = zipfile.ZipFile(client.exports.download(job["id"], tmp_path / "all.zip"))
    assert archive.testzip() is None and "manifest.csv" in archive.namelist()
    assert client.fetch(done["download_url"])[:4] == b"PK\x03\x04"


class Proxy:
    """Stands between a client and the service, and can be cut."""

    def __init__(self, port):
        self.port, self.pairs, self.taken = port, [], 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.socket.accept()
                far = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                return
            self.taken += 1
            self.pairs.append((near, far))
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    @staticmethod
    def pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for end in (a, b):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was the other's turn already

    def cut(self):
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it is gone
        self.pairs.clear()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)  # wakes whoever accepts
        self.socket.close()
        self.cut()


def test_events_go_on_where_they_were_cut(service, connect, client, shots):
    proxy = Proxy(service.port)
    listener = connect(proxy.url, access_token=client.access_token, refresh_token=None)
    ids = [client.images.upload(path)["id"] for path in shots(1, 2)]
    stream = listener.events.stream(after=0, type="image.added")
    heard = [next(stream), next(stream)]
    proxy.cut()
    ids += [client.images.upload(path)["id"] for path in shots(3)]  # while nobody listens
    heard += [next(stream)]
    proxy.cut()
    ids += [client.images.upload(path)["id"] for path in shots(4)]
    heard += [next(stream)]
    stream.close()
    assert [int(event["subject"]) for event in heard] == ids and proxy.taken >= 3
    assert all(event["type"] == "image.added" and event["data"] is not None for event in heard)
    page = client.events.page(type="image.")
    assert [event["id"] for event in page["events"] if event["type"] == "image.added"] == [event["id"] for event in heard]
    assert client.events.page(after=page["last_id"], type="image.")["events"] == []
    proxy.close()
    with pytest.raises(Unreachable):
        listener.stats.get()


def test_a_stream_outlives_its_token(service, connect, client, shots):
    """Cut, and the token is no good any more: it is renewed on the way back."""
    proxy = Proxy(service.port)
    client.images.upload(shots(1)[0])
    listener = connect(proxy.url, access_token=client.access_token, refresh_token=client.refresh_token)
    stream = listener.events.stream(after=0, type="image.added")
    next(stream)
    listener.access_token = "expired"
    proxy.cut()
    listener.images.upload(shots(2)[0])
    assert next(stream)["type"] == "image.added"
    stream.close()
    proxy.close()


# ---- products ----


def test_products(client, shots):
    csv = "external_id,name,price,currency,category\n" + "".join(
        f"sku-{i},{title},{10 + i}.50,EUR,{'shoes' if i % 2 else 'bags'}\n"
        for i, title in enumerate(["Red leather boots", "Blue cotton shirt", "Green wool hat"]))
    report = client.products.import_file(("shop.csv", csv.encode()), mapping={"name": "title"})
    assert (report["created"], report["refused"], report["errors"]) == (3, 0, [])
    lines = json.dumps({"external_id": "sku-0", "title": "Red leather boots", "price": "12.00"}) + "\n"
    assert client.products.import_file(lines.encode(), name="x", format="jsonl")["updated"] == 1
    page = client.products.page(limit=1, facets=True, sort="price", order="desc")
    assert page["total"] == 3 and {f["value"] for f in page["facets"]["categories"]} == {"shoes", "bags"}
    all_of = {p["external_id"]: p for p in client.products.list(page_size=1)}
    assert len(all_of) == 3 and all_of["sku-0"]["price"] == "12.00"
    assert [p["external_id"] for p in client.products.list(category=["shoes"], price_max=20, has_picture=False)] == ["sku-1"]
    lamp = client.products.create("Lamp", price=12.5, currency="EUR", metadata={"colour": "gold"}, category="lamps")
    assert client.products.get(lamp["id"])["price"] == "12.50" and lamp["index_state"] == "none"
    assert client.products.update(lamp["id"], price="9")["metadata"] == {"colour": "gold"}
    path = shots(7)[0]
    assert client.products.set_image(lamp["id"], path)["index_state"] == "indexed"
    found = client.products.search_text("leather", weights={"picture": 0}, limit=5)
    assert [p["external_id"] for p in found["results"]] == ["sku-0"] and found["query_type"] == "text"
    for shown in ({"source": path}, {"source": path.read_bytes(), "query": "lamp", "category": "lamps"}):
        found = client.products.search_image(**shown)
        assert found["results"][0]["id"] == lamp["id"] and found["results"][0]["picture_score"] > 0.99
    with pytest.raises(NotFound):
        client.products.search_image(product_id=4711)
    job = client.products.index([lamp["id"]])
    assert client.jobs.wait(job["id"], 30)["status"] == "completed"
    assert client.jobs.wait(client.products.reindex()["id"], 30)["status"] == "completed"
    bare = client.products.replace(lamp["id"], "Bare")
    assert bare["price"] is None and bare["category"] == ""
    client.products.delete(lamp["id"])
    with pytest.raises(NotFound):
        client.products.get(lamp["id"])


# ---- when things fail ----


def scripted(connect_kind, *answers):
    """A client whose service says these, one after the other; and what it was asked."""
    asked, script = [], [*answers]

    def answer(request):
        asked.append(request)
        said = script.pop(0)
        if isinstance(said, Exception):
            raise said
        status, headers, body = said
        return httpx.Response(status, headers=headers, json=body)
    return answer, asked


STATS = {"images": 1, "something": "new"}
BUSY = (503, {"Retry-After": "0"}, {"title": "Service Unavailable", "detail": "busy", "request_id": "r1"})


@pytest.fixture
def quick(monkeypatch):
    waits = []
    monkeypatch.setattr(_core, "FIRST_WAIT_S", 0.001)
    real = _core.wait_before

    def wait_before(attempt, retry_after=None):
        waits.append(real(attempt, retry_after))
        return 0.001
    monkeypatch.setattr(_core, "wait_before", wait_before)
    return waits


def test_passing_troubles_are_waited_out(connect, quick):
    answer, asked = scripted(connect, BUSY, (429, {"Retry-After": "7"}, {"detail": "slower"}),
                             httpx.ReadError("torn"), (200, {}, STATS))
    client = connect("http://x", transport=httpx.MockTransport(answer))
    assert client.stats.get() == STATS  # with the field that nobody knows yet
    assert len(asked) == 4 and quick[1] >= 7
    answer, asked = scripted(connect, *[BUSY] * 5)
    with pytest.raises(Unavailable) as busy:
        connect("http://x", retries=2, transport=httpx.MockTransport(answer)).stats.get()
    assert len(asked) == 3 and (busy.value.status, busy.value.detail, busy.value.request_id) == (503, "busy", "r1")
    answer, asked = scripted(connect, (429, {"Retry-After": "3600"}, {"detail": "slower"}))
    with pytest.raises(RateLimited) as limited:
        connect("http://x", transport=httpx.MockTransport(answer)).stats.get()
    assert limited.value.retry_after == 3600 and len(asked) == 1


def test_what_might_happen_twice_is_not_repeated(connect, quick):
    for trouble, kind in ((BUSY, Unavailable), (httpx.ReadError("torn"), Unreachable)):
        answer, asked = scripted(connect, trouble)
        with pytest.raises(kind):
            connect("http://x", transport=httpx.MockTransport(answer)).projects.create("p")
        assert len(asked) == 1
    answer, asked = scripted(connect, httpx.ConnectError("refused"), (201, {}, {"id": 1}))  # nothing was sent
    assert connect("http://x", transport=httpx.MockTransport(answer)).projects.create("p")["id"] == 1
    answer, asked = scripted(connect, BUSY, httpx.ReadError("torn"), (202, {}, {"id": 1}))
    client = connect("http://x", transport=httpx.MockTransport(answer))
    client.jobs.create("processing", {"operation": "reindex"})
    keys = {request.headers["Idempotency-Key"] for request in asked}
    assert len(asked) == 3 and len(keys) == 1 and len(keys.pop()) == 32


def test_a_download_that_breaks_leaves_nothing(connect, tmp_path):
    class Torn(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self):
            yield b"half"
            raise httpx.ReadError("torn")

        async def __aiter__(self):
            yield b"half"
            raise httpx.ReadError("torn")
    client = connect("http://x", transport=httpx.MockTransport(lambda request: httpx.Response(200, stream=Torn())))
    with pytest.raises(Unreachable):
        client.exports.download(1, tmp_path / "x.zip")
    assert list(tmp_path.iterdir()) == []


def test_secrets_go_to_the_service_alone(connect):
    asked = []

    def answer(request):
        asked.append(request)
        return httpx.Response(200, json={"upload_url": "https://elsewhere/put?sig=1", "key": "k", "headers": {
            "Content-Type": "image/jpeg"}, "status": "added"})
    client = connect("http://x", access_token="secret", transport=httpx.MockTransport(answer))
    client.images.upload_presigned(b"data", name="a.jpg")
    client.fetch("https://elsewhere/picture")
    assert [request.url.host for request in asked] == ["x", "elsewhere", "x", "elsewhere"]
    for request in asked:
        assert ("Authorization" in request.headers) == (request.url.host == "x")


def test_what_is_no_magpie(connect):
    for body in (b"<html>", b"[1]", b"\xff"):
        client = connect("http://x", transport=httpx.MockTransport(lambda request: httpx.Response(200, content=body)))
        with pytest.raises(MagpieError):
            client.stats.get()
    client = connect("http://x", transport=httpx.MockTransport(lambda request: httpx.Response(502, content=b"<html>bad")))
    with pytest.raises(MagpieError) as error:
        client.stats.get()
    assert error.value.status == 502 and "<html>" in error.value.detail


def test_a_refusal_is_heard_although_the_connection_breaks(connect, quick):
    """By the head alone a long upload is refused, and the connection closed before the answer could be read."""
    asked = []

    def answer(request):
        shown = request.headers.get("Authorization")
        asked.append((shown, request.url.path))
        if request.url.path == "/api/auth/refresh":
            return httpx.Response(200, json={"access_token": "new", "refresh_token": "r2"})
        if shown == "Bearer old" and request.headers["Content-Length"] != "0":
            raise httpx.WriteError("reset")
        if shown == "Bearer old":
            return httpx.Response(401, json={"detail": "expired"})
        return httpx.Response(201, json={"status": "ok", "images": [{"status": "added", "id": 1}]})
    client = connect("http://x", access_token="old", refresh_token="r1", transport=httpx.MockTransport(answer))
    assert client.images.upload(b"data", name="a.jpg")["id"] == 1
    assert client.access_token == "new" and [one[0] for one in asked] == ["Bearer old", "Bearer old", None, "Bearer new"]
    assert quick == []


# ---- the parts without input and output ----


def test_events_in_any_pieces():
    text = ('retry: 1500\n\n: silence\n\nid: 7\nevent: log\ndata: {"a": "\u2028ü"}\n\n'
            'event: status\r\ndata: one\r\ndata: two\r\n\r\ndata:bare\n\nid: 9\n\ndata: lost').encode()
    want = [_sse.ServerSent("7", "log", '{"a": "\u2028ü"}'), _sse.ServerSent("", "status", "one\ntwo"),
            _sse.ServerSent("", "message", "bare")]
    for size in (1, 2, 3, 7, len(text)):
        parser = _sse.Parser()
        assert [e for i in range(0, len(text), size) for e in parser.feed(text[i:i + size])] == want
        assert parser.retry_s == 1.5 and parser.last_id == "9"  # also where nothing is told but the place


def test_forms_say_their_length():
    for sources in ([b""], [b"x" * 100, ("a\r\n\".jpg", io.BytesIO(b"y" * 300000))]):
        files = [("files", _body.file_of(source)) for source in sources]
        body = _body.form_of({"title": "ü", "q": "1"}, files)
        for _ in range(2):  # it can be sent again
            data = b"".join(body.pieces())
            assert len(data) == body.length
        assert data.count(b'name="files"') == len(sources) and b"\r\n\"" not in data
    assert _body.form_of({}, [("f", _body.file_of(("x", Pipe(b"z"))))]).length is None
    stream = io.BytesIO(b"0123456789")
    stream.seek(4)
    file = _body.file_of(stream)  # from where it stands
    assert (file.read(), file.read(), file.length) == (b"456789", b"456789", 6)


@pytest.mark.parametrize("data", [b"", b"MPM1", b"MPM2" + bytes(12), b"MPM1\x04" + bytes(11), b"MPM1\x02\0\0\0\x01" + bytes(7),
                                  b"MPM1\x02\0\0\0" + b"\xff" * 8])
def test_torn_maps(data):
    with pytest.raises(MagpieError):
        _map.map_of(data)


def test_times_to_wait():
    assert _core.seconds_of("7") == 7 and _core.seconds_of(None) is None and _core.seconds_of("soon") is None
    assert _core.seconds_of("Thu, 01 Jan 1970 00:01:40 GMT", now=40) == 60
    assert _core.seconds_of("Thu, 01 Jan 1970 00:01:40 GMT", now=400) == 0
    assert all(0.1 <= _core.wait_before(0) <= 0.25 and _core.wait_before(50) <= 8 and _core.wait_before(0, 9) == 9
               for _ in range(100))
    assert _core.path_of("/a/{}/b", "x/../y?z") == "/a/x%2F..%2Fy%3Fz/b"


# ---- what is promised beside the code ----


def test_both_clients_are_the_same():
    subprocess.run([sys.executable, SDK / "tools" / "make_sync.py", "--check"], check=True)


def test_types_are_those_of_the_interface():
    schemas = json.loads((ROOT / "api" / "openapi.json").read_text())["components"]["schemas"]
    seen = 0

    def merged(schema):
        parts = [schema] + [merged(part) for part in schema.get("allOf", [])]
        if "$ref" in schema:
            parts.append(merged(schemas[schema["$ref"].rpartition("/")[2]]))
        return {
            "properties": {name for part in parts for name in part.get("properties", [])},
            "required": {name for part in parts for name in part.get("required", [])},
        }

    for name, schema in schemas.items():
        kind = getattr(types, name, None)
        schema = merged(schema)
        if kind is None or not schema["properties"]:
            continue
        assert set(kind.__annotations__) == set(schema["properties"]), name
        assert set(schema["required"]) == kind.__required_keys__, name
        seen += 1
    assert seen > 30


def test_the_types_are_strict(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "use.py").write_text("""
from typing import Iterator
from magpie_client import AsyncClient, Client

def use(client: Client) -> Iterator[int]:
    number: int = client.images.get(1)["id"]
    yield number
    wrong: str = client.images.get(1)["id"]  # type: ignore[assignment]
    client.images.get(1)["nothing"]  # type: ignore[typeddict-item]
    client.images.upload(5)  # type: ignore[arg-type]
    for image in client.images.list(sort="name"):
        yield image["bytes"] + len(wrong)
    client.images.list(sort="colour")  # type: ignore[arg-type]

async def use_async(client: AsyncClient) -> str:
    async for event in client.events.stream():
        return event["type"]
    return (await client.jobs.wait(1))["status"]
""")
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--config-file", SDK / "pyproject.toml", "--cache-dir",
                           tmp_path / "cache", SDK / "src" / "magpie_client", tmp_path / "use.py"],
                          capture_output=True, text=True, env={"MYPYPATH": str(SDK / "src"), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_of_the_readme(service, shots, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, name, quality in ((1, "beach", 90), (1, "boat", 60), (2, "dog", 90)):  # one is a copy of another
        picture(pathlib.Path("holiday") / f"{name}.jpg", seed, quality=quality)
    service.register("ada")
    blocks = re.findall(r"^```python\n(.*?)^```$", (SDK / "README.md").read_text(), re.M | re.S)
    assert len(blocks) >= 7
    names = {}
    for block in blocks:
        exec(block.replace("http://127.0.0.1:8080", service.url), names)
    assert (tmp_path / "copy-of-beach.jpg").read_bytes() == (tmp_path / "holiday" / "beach.jpg").read_bytes()
    assert len(names["choices"]) == 1 and names["plan"]["pictures"] == 1
    assert zipfile.ZipFile("pictures.zip").testzip() is None
    names["client"].close()
