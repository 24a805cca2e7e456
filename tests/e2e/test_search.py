"""Finding: look-alikes, words, mixtures, and the honest nothing."""
import shutil

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


# ---- vectors of indexes in f16 ----

def answers(magpie, queries, *more):
    return [magpie.json("search", *query, "--all", "-k", 10, *more)[-1]["hits"] for query in queries]


def agree(ours, theirs, slack=1e-3):
    """The same pictures with the same scores in the same order, but for what lies closer together than `slack`."""
    for a, b in zip(ours, theirs, strict=True):
        assert len(a) == len(b)
        known = {h["id"]: h["score"] for h in b}
        for one, other in zip(a, b):
            assert abs(one["score"] - other["score"]) < slack
        for i, one in enumerate(a):
            assert one["id"] in known or one["score"] - a[-1]["score"] < slack, (one, b)
            if one["id"] in known:
                assert abs(one["score"] - known[one["id"]]) < slack
                assert all(known[one["id"]] > known[h["id"]] for h in a[i + 1:]
                           if h["id"] in known and one["score"] - h["score"] > slack)


def nearly(exact, by_graph, slack=1e-3):
    """What the graph finds are the same pictures but for a few, with the same scores."""
    found = 0
    for a, b in zip(exact, by_graph, strict=True):
        known = {h["id"]: h["score"] for h in a}
        assert b[0]["id"] in known and len(b) == len(a)
        assert all(abs(h["score"] - known[h["id"]]) < slack for h in b if h["id"] in known)
        found += sum(h["id"] in known for h in b)
    assert found >= 0.95 * sum(len(a) for a in exact), found


def test_vectors_in_f16(magpie, photos):
    """A setting of who opens the library: by the variable or by the file, and f32 again without either."""
    magpie.add(photos)
    queries = [("--like", 1), ("--image", photos / "p03.jpg"), ("--like", 5, "--not-like", 8), ("--like", 2, "--where", "id>6")]
    exact, groups = answers(magpie, queries), magpie.json("dupes")[-1]["groups"]
    magpie.env["MAGPIE_INDEX_VECTORS"] = "f16"
    rounded = answers(magpie, queries)
    agree(exact, rounded)
    assert [[h["id"] for h in hits] for hits in rounded] == [[h["id"] for h in hits] for hits in exact]
    assert rounded != exact  # so they are in f16
    assert magpie.json("dupes")[-1]["groups"] == groups
    del magpie.env["MAGPIE_INDEX_VECTORS"]
    assert answers(magpie, queries) == exact
    file = magpie.library.parent / "config" / "magpie" / "magpie.toml"
    file.parent.mkdir(parents=True)
    file.write_text('index-vectors = "f16"\n')
    assert answers(magpie, queries) == rounded
    assert answers(magpie, queries, "--index-vectors", "f32") == exact
    magpie.run("search", "--like", 1, "--index-vectors", "f8", code=2)


def test_a_graph_in_f16_and_back(magpie, tmp_path):
    """So many pictures that there is a graph, and a snapshot of it, which is of one kind of numbers."""
    for i in range(4050):
        picture(tmp_path / "many" / f"p{i:04}.png", i, size=(48, 36))
    magpie.env["MAGPIE_THREADS"] = "1"  # the same graph each time
    done, files = magpie.add(tmp_path / "many")
    assert done["added"] == 4050
    snapshot = magpie.library / "index" / "builtin-look.idx"
    queries = [("--like", 1 + i * 1000) for i in range(4)] + [("--image", tmp_path / "many" / "p1234.png")]

    def opened(kind, *more):
        """The exact answers, those of the graph, whether its snapshot was made anew, and its size."""
        magpie.env["MAGPIE_INDEX_VECTORS"] = kind
        said = magpie.run("search", "--like", 1, "--all").stderr.decode()
        assert ("built anew" in said) == bool(said), said
        exact, by_graph = answers(magpie, queries, "--exact"), answers(magpie, queries)
        nearly(exact, by_graph)
        return exact, by_graph, bool(said), snapshot.stat().st_size

    exact, _, anew, whole = opened("f32")
    assert not anew
    rounded, by_graph, anew, half = opened("f16")
    assert anew and 0.4 * whole < half < 0.6 * whole
    agree(exact, rounded)
    assert rounded != exact
    assert opened("f16") == (rounded, by_graph, False, half)  # it is as it was left
    assert magpie.sound() == 4050
    # What comes and goes under the one kind is right under the other.
    gone = files["p0600.png"]["id"]
    shutil.copy(tmp_path / "many" / "p0600.png", tmp_path / "gone.png")
    magpie.run("rm", gone)
    picture(tmp_path / "new.png", 9000)
    new = magpie.add(tmp_path / "new.png")[1]["new.png"]["id"]
    queries += [("--image", tmp_path / "new.png"), ("--image", tmp_path / "gone.png")]
    seen = opened("f16")[0]
    for kind, again in (("f32", True), ("f32", False), ("f16", True)):
        hits, by_graph, anew, _ = opened(kind)
        assert anew == again
        agree(seen, hits)
        for one in (hits, by_graph):
            assert one[-2][0]["id"] == new and one[-2][0]["score"] > 0.999
            assert all(h["id"] != gone for row in one for h in row)
    assert magpie.sound() == 4050
