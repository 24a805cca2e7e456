"""Finding: look-alikes, words, mixtures, and the honest nothing."""
import pytest
from conftest import ROOT, SHARED, picture
from PIL import Image


def test_look_alikes_and_filters(magpie, photos):
    magpie.add(photos)
    hits = magpie.json("search", "--like", 1, "--all", "-k", 5)[-1]["hits"]
    assert len(hits) == 5 and all(h["id"] != 1 for h in hits)
    assert [h["score"] for h in hits] == sorted((h["score"] for h in hits), reverse=True)
    hits = magpie.json("search", "--image", photos / "p03.jpg", "--all")[-1]["hits"]
    assert hits[0]["name"] == "p03.jpg" and hits[0]["score"] > 0.999
    hits = magpie.json("search", "--like", 1, "--all", "--where", "id>6")[-1]["hits"]
    assert {h["id"] for h in hits} <= set(range(7, 13)) and len(hits) == 6
    magpie.run("search", "--like", 99, code=3)
    magpie.run("search", code=2)


def test_copies_of_one_picture(magpie, photos, tmp_path):
    magpie.add(photos)
    im = Image.open(photos / "p04.jpg")
    im.resize((im.width // 2, im.height // 2)).save(tmp_path / "small.png")
    [hit] = magpie.json("search", "--copies", "--image", tmp_path / "small.png")[-1]["hits"]
    assert hit["name"] == "p04.jpg" and hit["reason"] == "exact" and hit["score"] > 0.9
    assert b"p04.jpg" in magpie.run("search", "--copies", "-i", tmp_path / "small.png").stdout
    assert magpie.json("search", "--copies", "--like", 1, code=1)[-1]["hits"] == []
    magpie.add(tmp_path / "small.png")
    [hit] = magpie.json("search", "--copies", "--like", 13)[-1]["hits"]
    assert hit["name"] == "p04.jpg"
    assert magpie.json("search", "--copies", "--like", 13, "--where", "id>6", code=1)[-1]["hits"] == []
    for bad in (["words"], ["--like", 1, "--like", 2], ["--not-like", 1], []):
        magpie.run("search", "--copies", *bad, code=2)


def test_words_in_names_and_titles(magpie, photos):
    picture(photos / "redShoes_2041.jpg", 50)
    magpie.add(photos)
    found = magpie.json("search", "shoe")[-1]
    assert found["hits"][0]["name"] == "redShoes_2041.jpg" and found["measure"] == "text"
    magpie.run("tag", 3, "--title", "Sunset over the harbour")
    assert magpie.json("search", "harbours")[-1]["hits"][0]["id"] == 3
    nothing = magpie.json("search", "zeppelin", code=1)[-1]
    assert nothing["hits"] == [] and not nothing["convincing"]
    assert b"no good match" in magpie.run("search", "zeppelin", code=1).stdout


def test_concepts_of_the_lite_model(lite):
    lite.add(ROOT / "samples")
    shoes = lite.json("search", "running", "shoes")[-1]
    assert shoes["convincing"] and shoes["measure"] == "concept"
    assert "shoe" in shoes["hits"][0]["reason"]
    absent = lite.json("search", "an airplane", code=1)[-1]
    assert not absent["convincing"]
    mixed = lite.json("search", "shoes", "--like", shoes["hits"][0]["id"], "--all")[-1]
    assert mixed["measure"] == "mixed" and mixed["hits"]
    page = lite.library.parent / "page.html"
    lite.run("search", "shoes", "--html", page)
    assert "data:image/webp;base64," in page.read_text()


def test_switching_the_model_and_back(lite, photos):
    lite.add(photos)
    lite.run("model", "use", "builtin")
    assert lite.json("stats")[-1]["model"] == "builtin"
    assert lite.json("search", "--like", 1, "--all")[-1]["model"] == "builtin"
    lite.run("model", "use", "lite")
    assert lite.json("stats")[-1]["vectors"] == 12
    lite.sound()


def test_map_is_deterministic(magpie, photos):
    magpie.add(photos)
    first = magpie.json("map", "--seed", 7)[-1]["points"]
    assert len(first) == 12 and all(-1.001 <= p["x"] <= 1.001 for p in first)
    assert magpie.json("map", "--seed", 7)[-1]["points"] == first


def test_export_loads_in_numpy(magpie, photos, tmp_path):
    numpy = pytest.importorskip("numpy")
    magpie.add(photos)
    magpie.run("export", "--format", "npy", tmp_path / "out")
    (path,) = (p for p in tmp_path.rglob("*.npy") if "vectors" in p.name)
    vectors = numpy.load(path)
    assert vectors.shape == (12, 512)
    assert numpy.allclose((vectors ** 2).sum(axis=1), 1, atol=1e-4)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared corpora are not here")
def test_hostile_and_conforming_pictures(magpie):
    magpie.run("add", SHARED / "corpora/hostile-images", "-q", code=None)
    summary, files = magpie.add(SHARED / "corpora/pngsuite", code=4)
    for name, file in files.items():
        if name.endswith(".png"):
            broken = name.startswith("x")
            assert (file["outcome"] in ("refused", "skipped")) == broken, file
    magpie.sound()
