"""Every place where a disk can fail does: one clear line, nothing reported is lost, a rerun completes.

Of the many calls of adding FAIL_PLACES are tried, spread over the run; of a plan all."""
import errno
import os
import pathlib
import shutil

import pytest
from conftest import picture

PRELOAD = os.environ.get("FAIL_IO", "")
PLACES = int(os.environ.get("FAIL_PLACES", "14"))

pytestmark = pytest.mark.skipif(not os.path.exists(PRELOAD), reason="fail_io is not built")


def failing(magpie, at, error=errno.EIO, on=False, count=None):
    magpie.env.update(LD_PRELOAD=PRELOAD, FAIL_AT=str(at), FAIL_ERRNO=str(error))
    if on:
        magpie.env["FAIL_ON"] = "1"
    if count:
        magpie.env["FAIL_COUNT"] = str(count)


def whole_again(magpie):
    for name in ("LD_PRELOAD", "FAIL_AT", "FAIL_ERRNO", "FAIL_ON", "FAIL_COUNT"):
        magpie.env.pop(name, None)


def places(magpie, tmp_path, *args):
    """How many calls a run makes, and which of them are to fail."""
    keep = tmp_path / "keep"
    shutil.copytree(magpie.library, keep)
    failing(magpie, 0, count=tmp_path / "count")
    magpie.run(*args)
    whole_again(magpie)
    reset(magpie, keep)
    total = int((tmp_path / "count").read_text())
    return keep, sorted({1 + i * (total - 1) // (PLACES - 1) for i in range(PLACES)})


def reset(magpie, keep):
    shutil.rmtree(magpie.library)
    shutil.copytree(keep, magpie.library)


def said_once(done):
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("magpie: ")]
    assert done.returncode >= 0, f"killed by signal {-done.returncode}"
    assert len(lines) <= 1, done.stderr


@pytest.mark.parametrize("error,on", [(errno.EIO, False), (errno.ENOSPC, True)])
def test_adding(magpie, photos, tmp_path, error, on):
    keep, numbers = places(magpie, tmp_path, "add", "--copy", photos)
    for at in numbers:
        failing(magpie, at, error, on)
        done = magpie.run("add", "--copy", photos, "--json", code=None)
        whole_again(magpie)
        said_once(done)
        added = done.stdout.count(b'"outcome":"added"')
        assert done.returncode != 0 or added == 12, at
        assert magpie.sound("--deep") >= added, at
        magpie.run("add", "--copy", photos)
        assert magpie.sound("--deep") == 12, at
        reset(magpie, keep)


def test_applying_a_plan(magpie, tmp_path):
    folder, plan = tmp_path / "copies", tmp_path / "plan.json"
    for i in range(2):
        im = picture(folder / f"{i}.png", i)
        im.save(folder / f"{i}.jpg")
        shutil.copy(folder / f"{i}.jpg", folder / f"{i}-again.jpg")
    magpie.add(folder)
    magpie.run("dupes", "plan", plan)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    files = tmp_path / "files"
    shutil.copytree(folder, files)
    keep, _ = places(magpie, tmp_path, "stats")
    failing(magpie, 0, count=tmp_path / "count")
    magpie.run("dupes", "apply", plan, "--yes")
    whole_again(magpie)
    total = int((tmp_path / "count").read_text())
    assert total < 200
    for at in range(1, total + 1):  # every one: a file between two places is a file at risk
        reset(magpie, keep)
        shutil.rmtree(folder)
        shutil.copytree(files, folder)
        failing(magpie, at)
        said = magpie.run("dupes", "apply", plan, "--yes", code=None)
        whole_again(magpie)
        assert said.returncode >= 0
        magpie.sound()  # opening finishes what was begun
        there = {p.name: p.read_bytes() for p in folder.iterdir()}
        trashed = [p.read_bytes() for p in (magpie.library / "trash").rglob("*") if p.is_file()]
        assert sorted(list(there.values()) + trashed) == sorted(before.values()), at
        assert all(f"{i}.png" in there for i in range(2)), at
        magpie.run("dupes", "undo", code=None)
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == before, at
        assert magpie.sound("--deep") == 4, at


def test_the_preload_works(magpie, photos):
    failing(magpie, 1, on=True)
    assert magpie.run("add", photos, code=None).returncode not in (0, -11)
    whole_again(magpie)
    assert pathlib.Path(PRELOAD).name.startswith("libfail_io")
