"""SIGKILL at random moments: what was reported is there, the library is sound, a rerun completes.

KILLS=200 for the long form (make kill200)."""
import json
import os
import random
import signal
import time

from conftest import picture

KILLS = int(os.environ.get("KILLS", "12"))


def reported(output):
    ids = {}
    for line in output.decode(errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # cut off in the middle of a line
        if event.get("outcome") == "added":
            ids[event["path"]] = event["id"]
    return ids


def test_killed_at_random_moments(magpie, tmp_path):
    rng = random.Random(1)
    folder = tmp_path / "many"
    for i in range(60):
        picture(folder / f"{i:03}.jpg", i)
    promised = {}
    for kill in range(KILLS):
        process = magpie.start("add", folder, "--json", "--copy")
        time.sleep(rng.uniform(0.02, 0.6))
        process.send_signal(signal.SIGKILL)
        out, _ = process.communicate(timeout=30)
        promised.update(reported(out))
        magpie.sound("--deep")
        items = {i["path"]: i["id"] for i in magpie.json("list")[-1]["items"]}
        for path, number in promised.items():
            assert items.get(path) == number, path
        if kill % 10 == 9:  # begin again, so that there is always something to add
            for number in list(items.values())[::2]:
                magpie.run("rm", number)
                promised = {p: n for p, n in promised.items() if n != number}
    summary, _ = magpie.add("--copy", folder)
    assert magpie.sound("--deep") == 60
