"""What makes no sense, wherever it can be said: vectors without a direction, too few or too many results, texts without
words or without end, other models, damaged weights. Each is refused in words that tell what is wrong and what is
allowed, with the exit code or status that it has; nothing of it stops a service."""
import json
import os
import re
import struct
import time

import pytest
from conftest import Magpie, picture
from hub import Hub, sha256
from service import Service
from test_embed import Alone

TEXT_LIMIT = 8192
LONG = "word " * 20_000  # 100 kB


# ---- the command line ----

@pytest.mark.parametrize("words, says", [
    ([""], "empty or blank"), ([" \t"], "empty or blank"), (["\u3000"], "empty or blank"), (["", ""], "empty or blank"),
    (["\u200b"], "empty or blank"), ([b"\xff\xfe"], "not UTF-8"), (["cat", "--not", ""], "empty or blank"),
    ([LONG], "100000 bytes; at most 8192"), (["x" * 5000, "x" * 5000], "10001 bytes; at most 8192"),
    (["--like", "1", "--not-like", "1"], "cancel each other out"), (["--not", "cat"], "say what to look for"),
    (["cat", "-k", "0"], "1 to 10000"), (["cat", "-k", "-1"], "1 to 10000"), (["cat", "-k", "10001"], "1 to 10000"),
    (["cat", "-k", "many"], "1 to 10000"), (["cat", "-k", "99999999999999999999"], "1 to 10000"),
    (["cat", "--min-score", "nan"], "-100 to 100"), (["cat", "--weight", "0"], "0.001 to 1000"),
    (["cat", "--weight", "inf"], "0.001 to 1000"),
    (["cat", "--model", "lite"], "uses the model builtin, not lite"),
    (["cat", "--model", "no-such"], "uses the model builtin, not no-such"),
])
def test_words_of_a_command(magpie, tmp_path, words, says):
    """The same with a model that knows no words as with one that does: what is wrong lies in the question."""
    picture(tmp_path / "p.jpg", 1)
    magpie.add(tmp_path / "p.jpg")
    words = [w if isinstance(w, bytes) else w.encode() for w in words]
    done = magpie.run("search", "--all", *map(os.fsdecode, words), code=2)
    assert says in done.stderr.decode(errors="replace") and not done.stdout
    assert len(done.stderr) < 1000  # a long text is not said back


def test_the_longest_text(magpie, tmp_path):
    picture(tmp_path / "p.jpg", 1)
    magpie.add(tmp_path / "p.jpg")
    assert magpie.json("search", "x" * TEXT_LIMIT, code=1)[-1]["hits"] == []


@pytest.mark.parametrize("args", [["dupes", "--threshold", "0"], ["dupes", "--threshold", "nan"], ["dupes", "--threshold", "1.1"],
                                  ["odd", "--alpha", "0"], ["odd", "--alpha", "nan"], ["map", "--dims", "4"],
                                  ["list", "--limit", "-1"], ["list", "--limit", "x"]])
def test_numbers_of_other_commands(magpie, args):
    done = magpie.run(*args, code=2)
    assert re.search(args[1] + r".*allowed: \S+ to \S+", done.stderr.decode())


# ---- models that are not there ----

def said(done):
    return done.stderr.decode()


@pytest.mark.parametrize("name", ["no-such", "../x", "", "clip-vit-b32", "a/b", "."])
def test_a_model_that_nobody_has(magpie, tmp_path, name):
    """Names of the catalogue are told apart from names that are none."""
    magpie.env["MAGPIE_MODELS"] = str(tmp_path / "no-models")
    next_step = "magpie model pull clip-vit-b32" if name == "clip-vit-b32" else "magpie model list"
    for words in (("model", "use", name), ("init", tmp_path / "other", "--model", name), ("model", "bench", name),
                  ("model", "quantize", name), ("embed", "--port", 0, "--model", name)):
        done = magpie.run(*words, code=3)
        assert next_step in said(done), (words, done)
    assert not (tmp_path / "other").exists()
    for action in ("verify", "remove"):
        if re.fullmatch(r"[a-z][a-z0-9-]*", name):
            assert f"{name} is not installed in" in said(magpie.run("model", action, name, code=3))
        else:
            assert f"'{name}' is no name of a model" in said(magpie.run("model", action, name, code=2))
    if name != "clip-vit-b32":
        assert "there are: lite, clip-vit-b16" in said(magpie.run("model", "pull", name, code=3))
    assert magpie.json("stats")[-1]["model"] == "builtin"


def test_a_wish_for_another_model_changes_nothing(magpie, photos):
    magpie.add(photos)
    for words in (("init",), ("add", photos), ("stats",), ("search", "x"), ("reindex",)):
        text = said(magpie.run(*words, "--model", "lite", code=2))
        assert "uses the model builtin, not lite" in text and "magpie model use lite" in text
    magpie.run("stats", "--model", "builtin")
    magpie.env["MODEL_NAME"] = "lite"  # which a deployment says for ever, also after a switch
    s = Service(magpie)
    assert s.send("/api/stats", token=s.set_up())[1]["model"] == "builtin"
    assert s.stop()[0] == 0


# ---- HTTP ----

@pytest.fixture(scope="module")
def service(tmp_path_factory):
    home = tmp_path_factory.mktemp("service")
    m = Magpie(home)
    m.run("init", "--model", "builtin")
    for i in range(3):
        picture(home / "photos" / f"p{i}.jpg", i)
    m.add(home / "photos")
    s = Service(m)
    s.root = s.set_up()
    yield s
    assert s.stop()[0] == 0


def refused(service, path, body, status=None):
    """The detail of a problem, of 4xx; the service is well after it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = service.ask("POST", path, raw, Content_Type="application/json", Authorization=f"Bearer {service.root}")
    assert answer.status == (status or 422), (answer.status, answer.text)
    assert answer.getheader("Content-Type") == "application/problem+json"
    problem = answer.json
    assert problem["status"] == answer.status and problem["detail"] == problem["error"]
    assert service.ask("GET", "/health").status == 200
    return problem["detail"]


WORDS_OF = {"/api/search/text": "query", "/search/text": "query", "/embed/text": "text"}


@pytest.mark.parametrize("path", WORDS_OF)
@pytest.mark.parametrize("text, says", [
    ("", "1 to 8192 bytes"), (LONG, "1 to 8192 bytes, none of them NUL, not 100000"), ("x" * (TEXT_LIMIT + 1), "not 8193"),
    ("x" * 1_000_000, "not 1000000"), ("é" * 5000, "not 10000"), (5, "a string"), (None, "a string"), (["cat"], "a string"),
])
def test_texts(service, path, text, says):
    assert says in refused(service, path, {WORDS_OF[path]: text})


@pytest.mark.parametrize("path", ["/api/search/text", "/search/text"])
@pytest.mark.parametrize("text", [" ", "\t\r\n", "\u3000", "\u200b \ufeff"])
def test_blank_texts(service, path, text):
    assert "empty or blank" in refused(service, path, {"query": text})
    assert "empty or blank" in refused(service, "/api/search", {"texts": [text]})
    assert "empty or blank" in refused(service, "/api/search", {"ids": [1], "negatives": {"texts": [text]}})


@pytest.mark.parametrize("part, says", [("", "1 to 8192"), (LONG, "1 to 8192 bytes; this one has 100000"), (7, "a string of"),
                                        ({"text": LONG, "weight": 2}, "this one has 100000")])
def test_texts_as_parts(service, part, says):
    assert says in refused(service, "/api/search", {"texts": [part]})


@pytest.mark.parametrize("path", WORDS_OF)
def test_a_text_over_the_cap_of_a_body(service, path):
    """Refused by its head, before it is read."""
    body = json.dumps({WORDS_OF[path]: "x" * (1 << 20)}).encode()
    head = (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.root}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    answer = service.raw(head)
    assert answer.startswith(b"HTTP/1.1 413 ") and b"application/problem+json" in answer
    assert b"the body is over the limit of 1048576 bytes" in answer
    assert service.ask("GET", "/health").status == 200


@pytest.mark.parametrize("path, most, rest", [("/api/search/text", 1000, {"query": "cat"}), ("/api/search/similar", 1000, {"id": 1}),
                                              ("/api/search", 1000, {"ids": [1]}), ("/search/text", 200, {"query": "cat"})])
def test_limits(service, path, most, rest):
    for limit in (0, -1, most + 1, 10**12):
        assert f"limit must be from 1 to {most}" == refused(service, path, {**rest, "limit": limit})
    for limit in ("5", 2.5, None, True, [1]):
        assert "limit must be a whole number" == refused(service, path, {**rest, "limit": limit})
    assert "too big integer" in refused(service, path, json.dumps({**rest, "limit": 10**30}).encode(), 400)
    assert "numbers are finite" in refused(service, path, json.dumps({**rest, "limit": float("nan")}).encode(), 400)


def filled(x, n=512):
    return [x] * n


@pytest.mark.parametrize("vector, says", [
    (filled(0), "all zeros"), (filled(0.0), "all zeros"), (filled(-0.0), "all zeros"), (filled(1e-60), "all zeros"),
    ([0.1, 1e39, *filled(0.1, 510)], "number 2 of a vector is not finite"),
    (filled(0.1, 511), "a vector of the model builtin has 512 numbers, not 511"),
    (filled(0.1, 513), "not 513"), (filled(0.1, 384), "another model's"), ([0.1], "not 1:"),
    ([], "1 to 8192 numbers"), (filled(0.1, 8193), "1 to 8192 numbers"), (filled(None), "1 to 8192 numbers"),
    (filled("NaN"), "1 to 8192 numbers"), (filled(True), "1 to 8192 numbers"), ("AAAA", "1 to 8192 numbers"),
    ([filled(0.1)], "1 to 8192 numbers"),
])
def test_vectors(service, vector, says):
    good = filled(0.1)
    for body in ({"vectors": [vector]}, {"vectors": [good, vector]}, {"vectors": [good], "negatives": {"vectors": [vector]}},
                 {"vectors": [{"vector": vector, "weight": 2}], "texts": ["p0"]}):
        assert says in refused(service, "/api/search", body)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_vectors_that_json_does_not_know(service, word):
    body = b'{"vectors":[[' + b",".join([word.encode()] * 512) + b"]]}"
    assert "numbers are finite" in refused(service, "/api/search", body, 400)
    assert "real number overflow" in refused(service, "/api/search", b'{"vectors":[[1e999]]}', 400)


def test_parts_that_cancel_each_other_out(service):
    for body in ({"vectors": [filled(0.1)], "negatives": {"vectors": [filled(0.2)]}},
                 {"ids": [{"id": 1, "weight": 3}], "negatives": {"ids": [{"id": 1, "weight": 3}]}}):
        assert "cancel each other out" in refused(service, "/api/search", body)


def test_what_a_parser_quotes_is_not_said_back(service):
    for body in (b'{"query":"hunter2", hunter2}', b'{"query":"hunter2\x01"}', b'{"query":"hunter2\\u0000"}', b'{"query":"\xff"}'):
        detail = refused(service, "/api/search/text", body, 400)
        assert "hunter2" not in detail and "JSON_" not in detail and re.match(r"malformed JSON at line 1, column \d+: \S", detail)


@pytest.mark.parametrize("path", ["/api/search/text", "/embed/text"])
def test_a_model_in_a_question(service, path):
    """The service has one model; a question cannot choose another."""
    assert "model is not known here" in refused(service, path, {WORDS_OF[path]: "cat", "model": "lite"})


@pytest.mark.parametrize("action", ["use", "fetch"])
def test_a_model_that_the_service_does_not_know(service, action):
    assert "no such model" in refused(service, f"/api/models/no-such/{action}", {}, 404)


# ---- models that are damaged ----

class Small(Magpie):
    """A library of a small CLIP model, whose files a test may damage."""

    def __init__(self, tmp_path):
        super().__init__(tmp_path)
        self.maker = pytest.importorskip("clip_folder", reason="numpy, onnx and onnxruntime of tests/requirements.txt make the "
                                                               "small model")
        self.models = tmp_path / "models"
        self.maker.install(self.models)
        self.folder = self.models / "clip-small"
        self.env["MAGPIE_MODELS"] = str(self.models)
        self.run("init", "--model", "clip-small")
        for i in range(3):
            picture(tmp_path / "photos" / f"p{i}.jpg", i)
        self.add(tmp_path / "photos")

    def flip(self, name, at=-10):
        """One byte is another; the size stays."""
        data = bytearray((self.folder / name).read_bytes())
        data[at] ^= 0x55
        (self.folder / name).write_bytes(data)
        return sha256(bytes(data))

    def hash_of(self, name):
        return sha256((self.folder / name).read_bytes())


@pytest.fixture
def small(tmp_path):
    return Small(tmp_path)


def starts_not(magpie, *words, code):
    """A service that says why and ends, and writes nothing else."""
    done = magpie.run(*words, "--port", 0, code=code)
    return said(done)


DAMAGES = {
    "weights": (lambda m: m.flip("model.safetensors"), ("model.safetensors", "is damaged: its SHA-256 is")),
    "merges": (lambda m: m.flip("merges.txt"), ("merges.txt", "is damaged: its SHA-256 is")),
    "cut": (lambda m: os.truncate(m.folder / "model.safetensors", 1000), ("model.safetensors", "1000 bytes instead of")),
    "no vocabulary": (lambda m: (m.folder / "vocab.json").unlink(), ("vocab.json", "is missing")),
    "no weights": (lambda m: (m.folder / "model.safetensors").unlink(), ("model.safetensors", "is missing")),
    "manifest": (lambda m: (m.folder / "manifest.json").write_text('{"magpie_model": 1,'), ("manifest.json is damaged", "no JSON")),
    "empty manifest": (lambda m: (m.folder / "manifest.json").write_text(""), ("manifest.json is damaged", "no JSON")),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_model_is_not_used(small, tmp_path, what):
    """Whoever needs it says which file is wrong and what to do; the library stays as it is."""
    damage, says = DAMAGES[what]
    damage(small)
    for words in (("search", "cat", "--all"), ("search", "--image", tmp_path / "photos" / "p0.jpg"), ("dupes", "--similar"),
                  ("add", picture_of(tmp_path, 9)), ("reindex",), ("model", "use", "clip-small"), ("model", "bench", "clip-small"),
                  ("model", "quantize", "clip-small"), ("init", tmp_path / "second", "--model", "clip-small"),
                  ("embed", "--port", 0, "--model", "clip-small")):
        if words[0] == "init" and what in ("weights", "merges"):
            continue  # which looks at sizes alone: nothing of the model is needed yet
        done = small.run(*words, code=5)
        assert all(s in said(done) for s in (*says, "magpie model pull clip-small")), (words, done)
    assert "magpie model pull clip-small" in said(small.run("model", "verify", "clip-small", code=5))
    assert b"fail" in small.run("doctor", code=1).stdout
    rows = {r["id"]: r for r in small.json("model")[-1]["models"]}
    assert rows["clip-small"]["current"] and rows["clip-small"]["installed"] == (what in ("weights", "merges"))
    small.maker.write_files(tmp_path / "again")
    for name in ("model.safetensors", "vocab.json", "merges.txt"):
        (small.folder / name).write_bytes((tmp_path / "again" / name).read_bytes())
    small.maker.write_manifest(small.folder, "clip-small")
    assert len(small.json("search", "cat", "--all")[-1]["hits"]) == 3 and small.sound() == 3


def picture_of(tmp_path, seed):
    picture(tmp_path / f"new{seed}.jpg", seed)
    return tmp_path / f"new{seed}.jpg"


def test_weights_of_another_hash_are_told_with_both(small):
    right = small.hash_of("model.safetensors")
    wrong = small.flip("model.safetensors")
    for words in (("search", "cat"), ("serve", "--port", 0), ("embed", "--port", 0, "--model", "clip-small")):
        text = said(small.run(*words, code=5))
        assert right in text and wrong in text


def test_a_service_whose_model_breaks_while_it_is_not_open(small):
    """It starts, so that a model can be fetched. What needs one is 503, without paths; the log has them."""
    (small.folder / "vocab.json").unlink()
    s = Service(small)
    s.root = s.set_up()
    for path, body in (("/api/search/text", {"query": "cat"}), ("/api/search/similar", {"id": 1}), ("/api/search", {"ids": [1]}),
                       ("/api/search/copies", {"image_id": 1}), ("/embed/text", {"text": "cat"})):
        detail = refused(s, path, body, 503)
        assert "the model clip-small of this service cannot be used" in detail and "magpie model verify clip-small" in detail
        assert str(small.models) not in detail
    assert s.send("/api/images/99", token=s.root)[0] == 404
    refused(s, "/api/search/text", {"query": " "})  # the question's own fault comes first
    code, log = s.stop()
    assert code == 0 and b"vocab.json" in log


def test_what_was_read_is_not_read_again_until_it_changes(small):
    time.sleep(2.2)  # a file that changed just now is looked at again
    small.run("search", "cat")
    kept = small.folder / ".checked.json"
    rows = {r["name"]: r for r in json.loads(kept.read_text())["files"]}
    assert {n: r["sha256"] for n, r in rows.items()} == {n: small.hash_of(n) for n in ("model.safetensors", "vocab.json",
                                                                                      "merges.txt")}
    before = kept.stat().st_mtime_ns
    small.run("search", "cat")
    assert kept.stat().st_mtime_ns == before
    weights = small.folder / "model.safetensors"
    old = weights.stat()
    wrong = small.flip("model.safetensors")
    os.utime(weights, ns=(old.st_atime_ns, old.st_mtime_ns))  # the inode's own time tells
    assert wrong in said(small.run("search", "cat", code=5))
    kept.write_text("{ damaged")
    assert wrong in said(small.run("search", "cat", code=5))


def test_pulling_mends_a_model_of_the_right_size(small, tmp_path):
    """The way that the error names."""
    hub = Hub()
    manifest = json.loads((small.folder / "manifest.json").read_text())
    del manifest["sha256"]
    for row in manifest["files"]:
        row["path"] = "small/" + row["name"]
        hub.files["/small/" + row["name"]] = (small.folder / row["name"]).read_bytes()
    (tmp_path / "clip.json").write_text(json.dumps(manifest))
    pull = ("model", "pull", "--manifest", tmp_path / "clip.json", "--hub", hub.url)
    assert "installed already" in said(small.run(*pull)) and not hub.asked
    small.flip("model.safetensors")
    small.run("search", "cat", code=5)
    small.run(*pull)
    assert [one[1] for one in hub.gets()] != []
    small.run("model", "verify", "clip-small")
    assert len(small.json("search", "cat", "--all")[-1]["hits"]) == 3
    hub.close()


@pytest.mark.parametrize("value, at_once", [("nan", True), ("inf", False)])
def test_weights_that_are_no_numbers(small, value, at_once):
    """As their manifest says they are, and yet of no use. Some models carry masks of infinite numbers, so that these are
    noticed by what is computed with them."""
    data = bytearray((small.folder / "model.safetensors").read_bytes())
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    for name in ("visual_projection.weight", "text_projection.weight"):
        at = 8 + size + header[name]["data_offsets"][0]
        data[at:at + 4] = struct.pack("<f", float(value))
    (small.folder / "model.safetensors").write_bytes(data)
    small.maker.write_manifest(small.folder, "clip-small")
    for words in (("search", "cat"), ("search", "--image", small.library.parent / "photos" / "p0.jpg"), ("reindex",),
                  ("add", picture_of(small.library.parent, 9))):
        text = said(small.run(*words, code=5))
        assert "weights are damaged" in text and ("projection.weight holds values that are no numbers" in text) == at_once
    assert small.json("list")[-1]["count"] == 3
    if at_once:
        assert "no numbers" in said(small.run("embed", "--port", 0, "--model", "clip-small", code=5))
        return
    s = Alone(small, MAGPIE_MODEL="clip-small")
    answer = s.ask("POST", "/embed/text", b'{"text":"cat"}', Content_Type="application/json")
    assert answer.status == 422 and "its weights are damaged" in answer.json["detail"]
    assert s.stop()[0] == 0


def test_other_weights_of_the_same_name(small):
    """Vectors of both are never compared; that some pictures have none of the new ones is said."""
    import shutil
    shutil.rmtree(small.folder)
    small.maker.install(small.models, seed=2)
    found = small.json("search", "cat", "--all", code=1)[-1]
    assert found["hits"] == [] and "3 pictures have vectors of other weights of the model clip-small" in found["note"]
    assert b"magpie reindex" in small.run("search", "cat", "--all", code=1).stdout
    assert "run reindex" in said(small.run("search", "--like", 1, code=3))
    small.add(picture_of(small.library.parent, 9))
    found = small.json("search", "cat", "--all")[-1]
    assert [h["name"] for h in found["hits"]] == ["new9.jpg"] and "3 pictures" in found["note"]
    small.run("reindex")
    found = small.json("search", "cat", "--all")[-1]
    assert len(found["hits"]) == 4 and "other weights" not in found["note"]


# ---- the lite model ----

def own_lite(lite, tmp_path, name, change):
    """The model by links, but for one file, of which `change` makes another. Its bytes, and the folder."""
    source = os.path.join(lite.env["MAGPIE_MODELS"], "lite")
    folder = tmp_path / "models" / "lite"
    folder.mkdir(parents=True)
    for entry in os.listdir(source):
        if not entry.startswith("."):
            os.symlink(os.path.join(source, entry), folder / entry)
    with open(os.path.join(source, name), "rb") as f:
        data = bytearray(f.read())
    change(data)
    (folder / name).unlink()
    (folder / name).write_bytes(data)
    lite.env["MAGPIE_MODELS"] = str(tmp_path / "models")
    return bytes(data), folder


@pytest.mark.parametrize("name", ["image.safetensors", "vocab.txt"])
def test_damage_of_lite(lite, tmp_path, name):
    def flip(data):
        data[-9] ^= 0x55
    data, folder = own_lite(lite, tmp_path, name, flip)
    text = said(lite.run("search", "a cat", code=5))
    assert name in text and sha256(data) in text and "magpie model pull lite" in text
    (folder / name).unlink()
    assert f"{name} of the model in {folder} is missing" in said(lite.run("search", "a cat", code=5))
    (folder / "manifest.json").unlink()
    assert "magpie model pull lite" in said(lite.run("search", "a cat", code=3))


@pytest.mark.parametrize("name, tensor", [("image.safetensors", "_conv_stem.weight"), ("text.safetensors", "embeddings.LayerNorm.weight")])
def test_numbers_of_lite_that_are_none(lite, tmp_path, photos, name, tensor):
    """By a manifest that says so: nothing of it comes into a library."""
    def spoil(data):
        size = struct.unpack("<Q", data[:8])[0]
        begin, end = json.loads(data[8:8 + size])[tensor]["data_offsets"]
        data[8 + size + begin:8 + size + end] = struct.pack("<f", float("nan")) * ((end - begin) // 4)
    data, folder = own_lite(lite, tmp_path, name, spoil)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"] = sha256(data)
    for row in manifest["files"]:
        if row["name"] == name:
            row["sha256"] = sha256(data)
    for path in ("manifest.json", "derived.bin"):
        (folder / path).unlink(missing_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for words in (("add", photos), ("search", "a cat")):
        assert f"{name}: {tensor} holds values that are no numbers" in said(lite.run(*words, code=5))


# ---- a service that a command asks ----

def test_a_command_says_what_the_service_said(service, tmp_path):
    m = Magpie(tmp_path)
    m.env.update(MAGPIE_SERVER=f"http://127.0.0.1:{service.port}", MAGPIE_TOKEN=service.root)
    for words, says in (([" "], "empty or blank"), ([LONG], "this one has 100000"), (["--not", "cat"], "say what to look for"),
                        (["--like", "1", "--not-like", "1"], "cancel each other out")):
        assert says in said(m.run("search", *words, code=2))
    assert "1 to 10000" in said(m.run("search", "cat", "-k", 0, code=2))
