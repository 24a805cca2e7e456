"""CLIP's towers in C against onnxruntime, with the same random weights.

    test_clip.py PROBE FOLDER [SHAPE ...]

Prints the worst cosine and, layer by layer, the largest difference and the largest value; at the end, in short, the
largest difference over all layers of a tower and how far its vectors are from a cosine of 1. All of it stays in
FOLDER/clip.json. Exit code 77 (skipped) when a Python package is missing.
"""
import json
import os
import sys

try:
    import numpy as np
    import onnx  # noqa: F401
    import onnxruntime  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}; pip install numpy onnx onnxruntime")
    sys.exit(77)

import reference
from ask import Probe, cosine

FLOOR, FLOOR_INT8 = 0.99999, 0.99
# What runs without names: of B/16 and L/14, which would take minutes, smaller ones.
RUNS = [("tiny", True, "transformers", "F32"), ("tiny", False, "open_clip", "F32"), ("tiny", True, "transformers", "F16"),
        ("tiny", False, "open_clip", "BF16"), ("b32", True, "transformers", "F32"),
        ("b16-shallow", True, "transformers", "F32"), ("b16-shallow", False, "open_clip", "F32"),
        ("l14-narrow", True, "transformers", "F32"), ("l14-narrow", False, "open_clip", "F32")]
failed = []


def check(what, ours, theirs, floor=FLOOR):
    """The worst cosine."""
    worst = float(cosine(ours.astype(np.float64), theirs.astype(np.float64)).min())
    length = np.abs(np.linalg.norm(ours, axis=-1) - 1).max()
    print(f"{what}: worst cosine {worst:.9f}, length off by {length:.1e}")
    if not (worst >= floor and length < 1e-5):
        failed.append(what)
    return worst


def check_layers(what, ours, session, feed, layers, first):
    """The largest difference of each layer."""
    names, differences = [f"layer{i}" for i in range(first, layers + 1)], {}
    for name, theirs in zip(names, session.run(names, feed)):
        mine, theirs = ours[int(name[5:])], theirs[0]
        off, most = np.abs(mine - theirs).max(), np.abs(theirs).max()
        worst = float(cosine(mine, theirs).min())
        print(f"  {what} {name}: largest difference {off:.2e} of values up to {most:.1f}, worst cosine {worst:.7f}")
        differences[name] = float(off)
        if not worst >= FLOOR:
            failed.append(f"{what} {name}")
    return differences


def pictures(side, n, rng):
    """Noise, flat black, and soft gradients."""
    y, x = np.mgrid[0:side, 0:side] * 255 // (side - 1)
    soft = [np.stack([x, y, (x * (i + 1) + y) // (i + 2)], 2) for i in range(n - 2)]
    return np.stack([rng.integers(0, 256, (side, side, 3)), np.zeros((side, side, 3), np.int64), *soft]).astype(np.uint8)


def run(program, folder, name, quick, school, dtype="F32"):
    """What was measured, tower by tower."""
    shape, rng = reference.SHAPES[name], np.random.default_rng(5)
    weights = reference.rounded(reference.random_weights(shape), dtype)
    path = os.path.join(folder, f"{name}.safetensors")
    names = reference.as_open_clip(weights) if school == "open_clip" else weights
    reference.write_safetensors(path, names, dtype)
    title = f"{name}, {'quick ' if quick else ''}GELU, names of {school}, {dtype}"
    px = pictures(shape["side"], 5, rng)
    see = reference.session(reference.image_model(weights, shape, quick))
    vectors = np.concatenate([see.run(["vectors"], {"pixels": reference.scaled(px[i:i + 1])})[0] for i in range(len(px))])
    ids = rng.integers(0, shape["vocabulary"], (3, 12))
    read = reference.session(reference.text_model(weights, shape, 12, quick))
    words = read.run(["vectors"], {"ids": ids})[0]
    whole = rng.integers(0, shape["vocabulary"], (1, reference.CONTEXT))
    longest = reference.session(reference.text_model(weights, shape, reference.CONTEXT, quick)).run(["vectors"], {"ids": whole})[0]
    picture, text = {"f32": 1}, {"f32": 1}
    for threads in (1, 2):
        probe = Probe(program, path, shape, folder, quick, threads=threads)
        picture["f32"] = min(picture["f32"], check(f"{title}: pictures, {threads} threads", probe.images(px), vectors),
                             check(f"{title}: one picture, {threads} threads", probe.images(px[:1]), vectors[:1]))
        text["f32"] = min(text["f32"], check(f"{title}: texts, {threads} threads", probe.texts(ids), words),
                          check(f"{title}: the longest text, {threads} threads", probe.texts(whole), longest))
        if threads == 1:
            layers = shape["image"][1]
            picture["layers"] = check_layers("picture", probe.image_layers(px[0]), see, {"pixels": reference.scaled(px[:1])},
                                             layers, 0)
            text["layers"] = check_layers("text", probe.text_layers(ids[0]), read, {"ids": ids[:1]}, shape["text"][1], 1)
        probe.close()
    probe = Probe(program, path, shape, folder, quick, precision="int8", threads=2)
    picture["int8"] = check(f"{title}: pictures, 8-bit products", probe.images(px), vectors, FLOOR_INT8)
    text["int8"] = check(f"{title}: texts, 8-bit products", probe.texts(ids), words, FLOOR_INT8)
    probe.close()
    os.remove(path)
    return {"weights": title, "picture": picture, "text": text}


def in_short(one):
    for tower in ("picture", "text"):
        seen = one[tower]
        print(f"{one['weights']}: {tower}: largest difference of {len(seen['layers'])} layers {max(seen['layers'].values()):.1e}, "
              f"1 - cosine {max(0, 1 - seen['f32']):.0e}, cosine of 8-bit products {seen['int8']:.4f}")


def main():
    program, folder, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    seen = [run(program, folder, *one) for one in ([(name, True, "transformers") for name in names] or RUNS)]
    with open(os.path.join(folder, "clip.json"), "w") as out:
        json.dump(seen, out, indent=1)
    for one in seen:
        in_short(one)
    if failed:
        sys.exit("differs: " + "; ".join(failed))


if __name__ == "__main__":
    main()
