"""Full disks, read-only libraries, damage and two processes: one clear line, and nothing lost."""
import os
import sqlite3
import subprocess

import pytest
from conftest import BINARY, picture


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


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_library(magpie, photos):
    magpie.add(photos)
    os.chmod(magpie.library, 0o555)
    try:
        one_line(magpie.run("tag", 1, "+x", code=6))
    finally:
        os.chmod(magpie.library, 0o755)


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
