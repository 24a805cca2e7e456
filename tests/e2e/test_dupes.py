"""Copies: found, planned, moved to the trash, and brought back byte for byte."""
import hashlib
import json
import os

from conftest import picture
from PIL import Image, ImageOps


def make_copies(folder):
    im = picture(folder / "original.png", 1, size=(400, 300))
    im.save(folder / "small.jpg", quality=60)
    im.resize((200, 150), Image.BICUBIC).save(folder / "half.jpg")
    ImageOps.mirror(im).save(folder / "mirror.jpg")
    im.crop((30, 20, 370, 280)).save(folder / "crop.jpg")
    for i in range(10, 20):
        picture(folder / f"other{i}.jpg", i)


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("*.*")}


def test_groups_plan_apply_undo(magpie, tmp_path):
    folder = tmp_path / "copies"
    make_copies(folder)
    magpie.run("add", folder)
    found = magpie.json("dupes")[-1]
    assert len(found["groups"]) == 1
    members = {m["name"]: m for m in found["groups"][0]["members"]}
    assert set(members) == {"original.png", "small.jpg", "half.jpg", "mirror.jpg", "crop.jpg"}
    assert members["original.png"]["keep"]
    magpie.run("tag", members["half.jpg"]["id"], "+holiday")
    plan, before = tmp_path / "plan.json", digests(folder)
    magpie.run("dupes", "plan", plan)
    assert len(json.loads(plan.read_text())["groups"]) == 1
    magpie.run("dupes", "apply", plan)
    assert digests(folder) == before, "a dry run moves nothing"
    done = magpie.json("dupes", "apply", plan, "--yes")[-1]
    assert done["trashed"] == 4 and done["skipped"] == 0
    assert set(digests(folder)) == set(before) - {"small.jpg", "half.jpg", "mirror.jpg", "crop.jpg"}
    kept = magpie.json("show", members["original.png"]["id"])[-1]["items"][0]
    assert kept["tags"] == ["holiday"]
    assert magpie.sound() == 11
    assert magpie.json("dupes")[-1]["groups"] == []
    magpie.json("dupes", "undo")
    assert digests(folder) == before
    kept = magpie.json("show", members["original.png"]["id"])[-1]["items"][0]
    assert kept["tags"] == []
    assert magpie.sound("--deep") == 15
    magpie.run("dupes", "undo", code=3)


def test_a_picture_that_cannot_be_read_is_told(magpie, tmp_path):
    """Its copies would be missing from the answer without a word."""
    folder = tmp_path / "copies"
    make_copies(folder)
    magpie.run("add", folder)
    assert magpie.json("dupes")[-1]["not_compared"] == 0
    (folder / "half.jpg").unlink()
    thumbnails = list(magpie.library.rglob("*.webp"))
    assert thumbnails
    for thumbnail in thumbnails:
        thumbnail.unlink()
    found = magpie.json("dupes")[-1]
    assert found["not_compared"] == 1
    assert len(found["groups"][0]["members"]) == 4
    assert "1 picture could not be read and was compared with no other" in str(magpie.run("dupes").stdout)


def test_a_changed_file_is_left_alone(magpie, tmp_path):
    folder = tmp_path / "copies"
    make_copies(folder)
    magpie.run("add", folder)
    plan = tmp_path / "plan.json"
    magpie.run("dupes", "plan", plan)
    picture(folder / "small.jpg", 77)
    done = magpie.json("dupes", "apply", plan, "--yes", code=4)[-1]
    assert done["skipped"] == 1 and done["trashed"] == 3
    assert (folder / "small.jpg").exists()


def test_a_verdict_splits_a_group(magpie, tmp_path):
    folder = tmp_path / "pair"
    im = picture(folder / "a.png", 1)
    im.save(folder / "b.jpg")
    magpie.run("add", folder)
    assert len(magpie.json("dupes")[-1]["groups"]) == 1
    magpie.run("dupes", "verdict", 1, 2, "different")
    assert magpie.json("dupes")[-1]["groups"] == []
    magpie.run("dupes", "verdict", 1, 2, "same")
    assert len(magpie.json("dupes")[-1]["groups"]) == 1


def test_nonsense_is_no_plan(magpie, photos, tmp_path):
    magpie.add(photos)
    bad = tmp_path / "bad.json"
    bad.write_text("{\"groups\": 3}")
    magpie.run("dupes", "apply", bad, code=5)
    magpie.run("dupes", "apply", tmp_path / "none.json", code=3)


def test_files_with_the_same_bytes(magpie, tmp_path):
    folder = tmp_path / "twins"
    im = picture(folder / "a.jpg", 1)
    for name in ("b.jpg", "sub/c.jpg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((folder / "a.jpg").read_bytes())
    im.save(folder / "z.png")
    (folder / "zz.png").write_bytes((folder / "z.png").read_bytes())
    picture(folder / "alone.jpg", 2)
    (folder / "alone2.jpg").write_bytes((folder / "alone.jpg").read_bytes())
    os.link(folder / "alone.jpg", folder / "linked.jpg")
    summary, _ = magpie.add(folder)
    assert summary["added"] == 3
    groups = magpie.json("dupes")[-1]["groups"]
    names = [[m["name"] for m in g["members"]] for g in groups]
    assert sorted(map(sorted, names)) == [["a.jpg", "b.jpg", "c.jpg", "z.png", "zz.png"],
                                          ["alone.jpg", "alone2.jpg"]]
    large = next(g for g in groups if len(g["members"]) == 5)
    assert [m["keep"] for m in large["members"]] == [True] + [False] * 4
    assert large["members"][0]["name"] == "z.png"  # lossless, of the same size
    plan, before = tmp_path / "plan.json", digests(folder) | digests(folder / "sub")
    magpie.run("dupes", "plan", plan)
    # A link is no copy; and were it in a plan, the very file that is kept must not go with it.
    edited = json.loads(plan.read_text())
    row = next(g["trash"] for g in edited["groups"] if len(g["trash"]) == 1)
    row.append(dict(row[0], path=str(folder / "linked.jpg")))
    plan.write_text(json.dumps(edited))
    done = magpie.json("dupes", "apply", plan, "--yes", code=4)[-1]
    assert done["trashed"] == 5 and done["skipped"] == 1
    left = {str(p.relative_to(folder)) for p in folder.rglob("*.*g")}
    assert left == {"z.png", "alone.jpg", "linked.jpg"}
    assert magpie.sound("--deep") == 2
    magpie.json("dupes", "undo")
    assert digests(folder) | digests(folder / "sub") == before
    assert magpie.sound("--deep") == 3
    again = magpie.json("dupes")[-1]["groups"]
    assert sorted(len(g["members"]) for g in again) == [2, 5]
    magpie.add(folder)
    assert magpie.sound("--deep") == 3


def test_a_plan_may_keep_another_of_the_same_files(magpie, tmp_path):
    folder = tmp_path / "twins"
    picture(folder / "a.jpg", 1)
    (folder / "b.jpg").write_bytes((folder / "a.jpg").read_bytes())
    magpie.add(folder)
    plan = tmp_path / "plan.json"
    magpie.run("dupes", "plan", plan)
    edited = json.loads(plan.read_text())
    group = edited["groups"][0]
    group["keep"], group["trash"] = group["trash"][0], [group["keep"]]
    plan.write_text(json.dumps(edited))
    magpie.run("dupes", "apply", plan, "--yes")
    assert [p.name for p in folder.iterdir()] == ["b.jpg"]
    assert magpie.json("show", 1)[-1]["items"][0]["path"].endswith("b.jpg")
    assert magpie.sound("--deep") == 1
    magpie.run("dupes", "undo")
    assert sorted(p.name for p in folder.iterdir()) == ["a.jpg", "b.jpg"]
    assert magpie.sound("--deep") == 1
