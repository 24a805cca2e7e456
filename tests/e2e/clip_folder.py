"""A CLIP model with random weights, small unless a shape is given, as an installed model's folder."""
import hashlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden" / "clip"))
import reference  # noqa: E402

MERGES = ["c a", "ca t</w>", "d o", "do g</w>", "t h", "th e</w>"]


def alphabet():
    """The 256 bytes as GPT-2 writes them."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in shown]
    return [chr(b) for b in shown] + [chr(256 + i) for i in range(len(rest))]


def vocabulary():
    letters = alphabet()
    return [*letters, *(c + "</w>" for c in letters), *(m.replace(" ", "") for m in MERGES),
            "<|startoftext|>", "<|endoftext|>"]


SHAPE = dict(side=64, patch=16, image=(96, 2, 3, 200), text=(64, 2, 2, 130), vocabulary=len(vocabulary()), dims=48)


def architecture(shape=SHAPE):
    def tower(sizes):
        return dict(zip(("width", "layers", "heads", "hidden"), sizes))
    return {"side": shape["side"], "patch": shape["patch"], "vocabulary": shape["vocabulary"], "dims": shape["dims"],
            "image": tower(shape["image"]), "text": tower(shape["text"]), "activation": "quick_gelu",
            "mean": reference.MEAN, "deviation": reference.DEVIATION}


def with_outliers(weights, tower, channels=4, times=1024):
    """The same tower in f32, and one that 8 bits cannot hold: a few channels between each norm and the
    products after it are made large, and what the products take of them small."""
    out = {name: value.copy() for name, value in weights.items()}
    for name in out:
        if name.startswith(tower) and ".layer_norm" in name:
            out[name][:channels] *= times
        elif name.startswith(tower) and name.endswith(("q_proj.weight", "k_proj.weight", "v_proj.weight", "fc1.weight")):
            out[name][:, :channels] /= times
    return out


def write_files(folder, shape=SHAPE, school="transformers", seed=1, outliers=()):
    folder.mkdir(parents=True)
    weights = reference.random_weights(shape, seed)
    for tower in outliers:
        weights = with_outliers(weights, tower)
    reference.write_safetensors(folder / "model.safetensors", reference.as_open_clip(weights) if school == "open_clip" else weights)
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(vocabulary())}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")
    return weights


def write_manifest(folder, name, shape=SHAPE):
    files = []
    for path in ("model.safetensors", "vocab.json", "merges.txt"):
        data = (folder / path).read_bytes()
        files.append({"name": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    whole = hashlib.sha256("".join(f["sha256"] for f in files).encode()).hexdigest()
    manifest = {"magpie_model": 1, "id": name, "family": "clip", "about": "a CLIP with random weights",
                "licence": "CC0-1.0", "sha256": whole, "files": files, "architecture": architecture(shape),
                "weights": "model.safetensors", "tokenizer": {"vocabulary": "vocab.json", "merges": "merges.txt"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return manifest


def install(models, name="clip-small", shape=SHAPE, **options):
    weights = write_files(models / name, shape, **options)
    write_manifest(models / name, name, shape)
    return weights
