"""Memory stays flat while many pictures are added: the process and its decode workers are watched.

PICTURES=10000 for the long form (make memory10000). The pictures are the 1,000 clothing photographs,
again and again with other pixels, or made-up ones where those are not there."""
import os
import pathlib
import random
import subprocess
import time

from conftest import BINARY, SHARED, picture
from PIL import Image

PICTURES = int(os.environ.get("PICTURES", "600"))
# What may come on top after the first quarter: the allocator's slack. Adding keeps no picture, vector or
# path that is stored already.
SLACK_MB = 8


def photographs():
    return sorted((SHARED / "data/clothing").glob("*/*.jpg"))


def make(folder, n):
    """Each differs from all others in a stripe of noise, so that none is a repeat."""
    rng, originals = random.Random(3), photographs()
    for i in range(n):
        path = folder / f"{i // 500:03}" / f"{i:05}.jpg"
        if not originals:
            picture(path, i, size=(500, 400))
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        im = Image.open(originals[i % len(originals)]).convert("RGB")
        noise = Image.frombytes("RGB", (16, 4), rng.randbytes(16 * 4 * 3))
        im.paste(noise.resize((im.width, 12)), (0, rng.randrange(max(im.height - 12, 1))))
        im.save(path, quality=85)


def own_kb(pid):
    """Resident memory of its own and shared with its workers. Mapped files (the database) are the page
    cache's, and the kernel's to give back."""
    kb = 0
    try:
        for line in open(f"/proc/{pid}/status"):
            if line.startswith(("RssAnon", "RssShmem")):
                kb += int(line.split()[1])
    except OSError:
        pass  # it has ended
    return kb


def family(pid):
    """The process and its children; the kernel lists these by the thread that started them."""
    below = []
    for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below += map(int, children.read_text().split())
        except OSError:
            pass  # the thread ended meanwhile
    return [pid] + below


def watch(process, output):
    """(pictures done, MB of the process, MB of its workers), ten times a second."""
    seen = []
    while process.poll() is None:
        pids = family(process.pid)
        done = output.read_bytes().count(b'"outcome":"added"')
        seen.append((done, own_kb(pids[0]) / 1024, sum(map(own_kb, pids[1:])) / 1024))
        time.sleep(0.1)
    return seen


def most(samples, column):
    return max(s[column] for s in samples)


def test_memory_stays_flat(magpie, tmp_path):
    make(tmp_path / "many", PICTURES)
    if (pathlib.Path(magpie.env["MAGPIE_MODELS"]) / "lite/manifest.json").exists():
        magpie.run("model", "use", "lite")
    output = tmp_path / "output"
    with open(output, "wb") as out:
        process = subprocess.Popen([BINARY, "add", str(tmp_path / "many"), "--json"],
                                   env=magpie.env, stdout=out, stdin=subprocess.DEVNULL)
        seen = watch(process, output)
    assert process.returncode == 0
    early = [s for s in seen if PICTURES // 8 <= s[0] <= PICTURES // 4]
    late = [s for s in seen if s[0] > PICTURES * 3 // 4]
    assert early and late, "too quick to watch: raise PICTURES"
    for what, column in (("process", 1), ("workers", 2)):
        before, after = most(early, column), most(late, column)
        print(f"{what}: {before:.0f} MB after a quarter of {PICTURES}, {after:.0f} MB at the end")
        assert after <= before + SLACK_MB, what
