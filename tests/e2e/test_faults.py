"""Full disks, read-only libraries, damage and two processes: one clear line, and nothing lost."""
import os
import random
import sqlite3
import subprocess

import pytest
from conftest import BINARY, picture
from PIL import Image


def one_line(done):
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("magpie:")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system needs root to mount")
def test_a_full_file_system(magpie, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small],
                      capture_output=True).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        for i in range(150):
            picture(tmp_path / "many" / f"{i}.jpg", i)
        magpie.env["MAGPIE_LIBRARY"] = str(small / "lib")
        magpie.run("init", "--model", "builtin")
        done = magpie.run("add", tmp_path / "many", code=6)
        assert "full" in one_line(done) or "space" in one_line(done)
        subprocess.run(["mount", "-o", "remount,size=100m", small], check=True)
        have = magpie.sound("--deep")
        assert have < 150
        magpie.add(tmp_path / "many")
        assert magpie.sound("--deep") == 150
    finally:
        subprocess.run(["umount", small])


def test_a_damaged_database_is_told(magpie, photos):
    magpie.add(photos)
    path = magpie.library / "magpie.db"
    whole = path.read_bytes()
    path.write_bytes(b"garbage" + whole[7:])
    done = magpie.run("stats", code=5)
    assert "database" in one_line(done)
    path.write_bytes(whole)
    magpie.sound()
    middle = bytearray(whole)
    for at in range(3 * 4096, min(len(middle), 12 * 4096), 1000):
        middle[at] ^= 0xFF
    path.write_bytes(middle)
    for extra in magpie.library.glob("magpie.db-*"):
        extra.unlink()
    assert magpie.run("verify", code=None).returncode in (1, 5)


def test_a_newer_schema_is_refused(magpie, photos):
    magpie.add(photos)
    db = sqlite3.connect(magpie.library / "magpie.db")
    db.execute("PRAGMA user_version = 999")
    db.close()
    done = magpie.run("stats", code=5)
    assert "newer" in one_line(done)


def test_damaged_thumbnails_are_made_anew(magpie, photos):
    magpie.add(photos)
    thumbs = list((magpie.library / "blobs" / "thumbs").rglob("*.webp"))
    assert len(thumbs) == 12
    thumbs[0].write_bytes(b"torn")
    assert magpie.json("verify", code=1)[-1]["problems"] == 1
    magpie.run("reindex")
    magpie.sound()


@pytest.fixture
def read_only(magpie, photos):
    """A library that cannot be written: its mode bits, or, as root, a read-only mount of it."""
    magpie.add(photos)
    if os.geteuid() != 0:
        for folder in (magpie.library / "index", magpie.library):
            folder.chmod(0o555)
        yield magpie
        for folder in (magpie.library, magpie.library / "index"):
            folder.chmod(0o755)
        return
    mounts = [["mount", "--bind", magpie.library, magpie.library],
              ["mount", "-o", "remount,bind,ro", magpie.library]]
    if any(subprocess.run(m, capture_output=True).returncode for m in mounts):
        subprocess.run(["umount", magpie.library], capture_output=True)
        pytest.skip("no read-only mount can be made here")
    yield magpie
    subprocess.run(["umount", magpie.library], check=True)


def test_a_read_only_library_answers_and_refuses_changes(read_only, photos):
    assert read_only.json("list")[-1]["items"]
    assert read_only.json("search", "--like", 1, "--min-score", -1)[-1]["hits"]
    read_only.run("verify")
    for words in (["tag", 1, "+x"], ["rm", 1], ["add", photos]):
        one_line(read_only.run(*words, code=6))


def hits(magpie):
    return [(h["id"], h["score"]) for h in
            magpie.json("search", "--like", 1, "--min-score", -1)[-1]["hits"]]


def test_damaged_snapshots_are_built_anew(magpie, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(4050):  # below 4,000 there is no graph, and nothing worth keeping
        noise = Image.frombytes("RGB", (6, 5), random.Random(i).randbytes(90))
        noise.resize((40, 30)).save(folder / f"{i}.png", compress_level=1)
    magpie.add(folder)
    before = hits(magpie)
    snapshots = list((magpie.library / "index").glob("*.idx"))
    assert before and snapshots
    for spoil in (lambda b: b[:len(b) // 2], lambda b: b"", lambda b: os.urandom(len(b)),
                  lambda b: b[:-20] + b"x" + b[-19:]):
        for path in snapshots:
            path.write_bytes(spoil(path.read_bytes() or b"x" * 100))
        assert magpie.json("verify", code=1)[-1]["problems"] >= 1
        assert hits(magpie) == before
    magpie.sound("--deep")
    for path in snapshots:
        path.unlink()
    assert hits(magpie) == before


def test_two_processes_on_one_library(magpie, tmp_path):
    for half in ("a", "b"):
        for i in range(40):
            picture(tmp_path / half / f"{i}.jpg", hash((half, i)) % 100000)
    first = magpie.start("add", tmp_path / "a", "-q")
    second = magpie.start("add", tmp_path / "b", "-q")
    codes = [p.wait(timeout=60) for p in (first, second)]
    assert 0 in codes and set(codes) <= {0, 7}
    for p in (first, second):
        p.communicate()
    magpie.sound("--deep")
    magpie.add(tmp_path / "a")
    magpie.add(tmp_path / "b")
    assert magpie.sound("--deep") == 80


def test_usage_errors_have_their_code(magpie):
    for words in (["serch"], ["list", "--wat"], ["add"], ["search", "-k", "many", "x"]):
        assert magpie.run(*words, code=2).stderr
    assert subprocess.run([BINARY, "help"], capture_output=True).returncode == 0
