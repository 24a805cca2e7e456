"""Odd ones: the stranger comes first, verdicts are not asked about again, heat maps are pictures."""
from conftest import ROOT, picture
from PIL import Image


def test_the_stranger_is_found(magpie, tmp_path):
    folder = tmp_path / "parts"
    for i in range(24):
        im = Image.new("RGB", (200, 200), (90 + i % 5, 120, 60))
        im.paste((200, 190, 180 - i % 7), (60 + i % 6, 60, 140 + i % 4, 140))
        (folder / "normal").mkdir(parents=True, exist_ok=True)
        im.save(folder / "normal" / f"n{i}.png")
    picture(folder / "stranger.png", 5)
    magpie.run("add", folder)
    found = magpie.json("odd")[-1]
    assert found["items"][0]["name"] == "stranger.png" and found["method"] == "knn"
    stranger = found["items"][0]["id"]
    judged = magpie.json("odd", "--normals", "folder:normal")[-1]
    assert judged["items"][0]["id"] == stranger and judged["items"][0]["flagged"]
    heat = tmp_path / "heat.png"
    magpie.run("odd", "--normals", "folder:normal", "--heatmap", stranger, heat)
    assert Image.open(heat).size[0] >= 200
    magpie.run("odd", "verdict", stranger, "normal")
    assert all(i["id"] != stranger for i in magpie.json("odd")[-1]["items"])


def test_too_few_are_refused_in_words(magpie, tmp_path):
    picture(tmp_path / "one" / "a.jpg", 1)
    magpie.run("add", tmp_path / "one")
    done = magpie.run("odd", code=2)
    assert b"too few" in done.stderr


def test_samples_with_the_lite_model(lite):
    lite.add(ROOT / "samples")
    found = lite.json("odd", "--limit", 8)[-1]
    names = {i["name"] for i in found["items"]}
    strangers = {f"photo-{i:04}.jpg" for i in range(143, 149)}
    assert len(names & strangers) >= 3
