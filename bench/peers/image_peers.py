"""Decode, resize and pHash beside Pillow (and NumPy), on the same files, in turns.

    image_peers.py FOLDER_WITH_BENCHES [ROUNDS]

FOLDER_WITH_BENCHES holds bench_decode, bench_resize, bench_phash and bench_to224 (which compares with
libvips' thumbnail by itself). Prints one JSON object: medians of both in milliseconds, and Pillow's over
ours (above 1: ours is faster). Both run on one thread. `view_crop_normalised` adds what a model needs of
Pillow's view, floats by channel with mean and deviation taken out; our encoders have both in the weights of
their first product, so that a view of ours is ready as it is.
"""
import glob
import io
import json
import os
import statistics
import subprocess
import sys
import time

try:
    import numpy as np
    import PIL
    from PIL import Image
except ImportError as missing:
    print(json.dumps({"bench": "image_peers", "skipped": f"{missing}: pip install pillow numpy"}))
    sys.exit(0)

BICUBIC, BILINEAR = Image.Resampling.BICUBIC, Image.Resampling.BILINEAR
MEAN = np.float32([0.48145466, 0.4578275, 0.40821073])  # CLIP's
DEVIATION = np.float32([0.26862954, 0.26130258, 0.27577711])
BASIS = np.cos(np.pi * np.arange(8)[:, None] * (2 * np.arange(32) + 1) / 64)


def ours(folder, name, *arguments):
    out = subprocess.run([os.path.join(folder, name), *map(str, arguments)], check=True,
                         capture_output=True, text=True).stdout
    return json.loads(out)


def timed(work, *arguments):
    start = time.perf_counter()
    result = work(*arguments)
    return (time.perf_counter() - start) * 1e3, result


def crop_view(picture):
    width, height = picture.size
    scale = 224 / min(width, height)
    size = (224, int(height * scale)) if width <= height else (int(width * scale), 224)
    picture = picture.resize(size, BICUBIC)
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    return picture.crop((left, top, left + 224, top + 224))


def normalised_view(picture):
    scaled = (np.asarray(crop_view(picture), np.float32) / 255 - MEAN) / DEVIATION
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def thumbnail(picture):
    scale = 256 / max(picture.size)
    return picture.resize((int(picture.width * scale), int(picture.height * scale)), BICUBIC)


def webp(picture):
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=80, method=1)
    return out.getvalue()


def phash(picture):
    low = BASIS @ np.asarray(picture.resize((32, 32), BILINEAR).convert("L"), float) @ BASIS.T
    return np.packbits((low > np.median(low)).ravel())


def pillow_parts(data, samples):
    took, picture = timed(lambda: Image.open(io.BytesIO(data)).convert("RGB"))
    samples["load"].append(took)
    samples["view_crop"].append(timed(crop_view, picture)[0])
    samples["view_crop_normalised"].append(timed(normalised_view, picture)[0])
    samples["view_squash"].append(timed(picture.resize, (224, 224), BICUBIC)[0])
    took, small = timed(thumbnail, picture)
    samples["thumbnail_resize"].append(took)
    samples["thumbnail_webp"].append(timed(webp, small)[0])
    samples["phash"].append(timed(phash, picture)[0])


def pillow_resizes(rounds):
    noise = np.random.default_rng(1)
    shapes = {"rgb_400x530_to_224x296_bicubic": ((530, 400, 3), (224, 296), BICUBIC),
              "rgb_400x530_to_32x32_bilinear": ((530, 400, 3), (32, 32), BILINEAR),
              "rgb_2000x1500_to_224x224_bicubic": ((1500, 2000, 3), (224, 224), BICUBIC),
              "rgb_224x224_to_448x448_bicubic": ((224, 224, 3), (448, 448), BICUBIC),
              "grey_1000x1000_to_256x256_bicubic": ((1000, 1000), (256, 256), BICUBIC)}
    result = {}
    for name, (shape, size, kernel) in shapes.items():
        picture = Image.fromarray(noise.integers(0, 256, shape).astype(np.uint8))
        result[name] = statistics.median(
            timed(picture.resize, size, kernel)[0] for _ in range(rounds))
    return result


def compare(report, name, mine, theirs):
    report[name] = {"magpie_ms": round(mine, 4), "pillow_ms": round(theirs, 4),
                    "ratio": round(theirs / mine, 2)}


def main():
    folder, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    here = os.path.dirname(os.path.abspath(__file__))
    files = sorted(glob.glob(f"{here}/../../../shared/data/clothing/*/*.jpg"))[:50]
    if not files:
        print(json.dumps({"bench": "image_peers",
                          "skipped": "../shared/data/clothing is missing"}))
        return
    pictures = [open(path, "rb").read() for path in files]
    samples = {part: [] for part in ("load", "view_crop", "view_crop_normalised", "view_squash", "thumbnail_resize",
                                     "thumbnail_webp", "phash")}
    mine = {part: [] for part in samples}
    resize_mine, resize_theirs = {}, {}
    for _ in range(rounds):  # in turns, so that a busy moment falls on both
        decode = ours(folder, "bench_decode", 3, *files)
        for part in mine:
            key = {"phash": "phash8", "view_crop_normalised": "view_crop"}.get(part, part)
            mine[part].append(decode[key]["median_ms"])
        for data in pictures * 3:
            pillow_parts(data, samples)
        resize = ours(folder, "bench_resize", 12)
        for name, ms in pillow_resizes(12).items():
            resize_theirs.setdefault(name, []).append(ms)
            best = resize["machine"]["isa"]
            resize_mine.setdefault(name, []).append(resize[f"{name}_{best}"]["median_ms"])
    report = {"bench": "image_peers", "pillow": PIL.__version__, "rounds": rounds,
              "machine": decode["machine"]}
    for part in samples:
        compare(report, part, statistics.median(mine[part]), statistics.median(samples[part]))
    report["jpeg_to_224_beside_libvips"] = ours(folder, "bench_to224", 2 * rounds)
    for name in resize_mine:
        compare(report, f"resize_{name}", statistics.median(resize_mine[name]),
                statistics.median(resize_theirs[name]))
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
