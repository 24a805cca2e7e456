"""Resize, views, luma, orientation and pHash against Pillow (and NumPy's cosines), byte for byte.

    test_pillow.py RESIZE_TOOL

Which of the two passes of a resize comes first decides how the 8-bit rounding between them falls.
Ours is always horizontal, then vertical. So was Pillow's up to 12.1, and there one call of
Image.resize must give our bytes. Since 12.2 (height over 100 times the width) and 13.0 (height
shrunk much more than width) Pillow turns the order round for some shapes. With those versions
Pillow is asked for the passes one by one in our order: the same arithmetic, byte for byte; how many
single calls differ from that is counted and printed, so that the difference stays visible.

Exit code 77 (skipped) when Pillow or NumPy is missing.
"""
import math
import os
import random
import subprocess
import sys

try:
    import numpy as np
    import PIL
    from PIL import Image, ImageOps
except ImportError as missing:
    print(f"skipped: {missing}; pip install pillow numpy, and set MAGPIE_PYTHON")
    sys.exit(77)

FILTERS = {0: Image.Resampling.BILINEAR, 1: Image.Resampling.BICUBIC}
ONE_ORDER = tuple(map(int, PIL.__version__.split(".")[:2])) < (12, 2)
single_calls = {"made": 0, "in another order": 0}


def resize(picture, size, filter_):
    """Pillow's bytes, horizontal pass first."""
    at_once = picture.resize(size, FILTERS[filter_])
    single_calls["made"] += 1
    if ONE_ORDER:
        return at_once
    passes = picture.resize((size[0], picture.height), FILTERS[filter_])
    passes = passes.resize(size, FILTERS[filter_])
    single_calls["in another order"] += passes.tobytes() != at_once.tobytes()
    return passes


class Tool:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, op, picture, *numbers):
        pixels = np.asarray(picture)
        channels = 1 if pixels.ndim == 2 else 3
        numbers = list(numbers) + [0] * (4 - len(numbers))
        head = " ".join(map(str, [op, picture.width, picture.height, channels, *numbers]))
        self.process.stdin.write(head.encode() + b"\n" + pixels.tobytes())
        self.process.stdin.flush()
        width, height, channels = map(int, self.process.stdout.readline().split())
        data = self.process.stdout.read(width * height * channels)
        shape = (height, width) if channels == 1 else (height, width, channels)
        return np.frombuffer(data, np.uint8).reshape(shape)


def random_picture(rng, width, height, mode):
    """Noise, hard edges (which make the cubic over- and undershoot), or a smooth ramp."""
    shape = (height, width) if mode == "L" else (height, width, 3)
    kind = rng.randrange(3)
    noise = np.random.default_rng(rng.randrange(1 << 30))
    if kind == 0:
        pixels = noise.integers(0, 256, shape)
    elif kind == 1:
        pixels = noise.integers(0, 2, shape) * 255
    else:
        ramp = np.add.outer(np.arange(height) * 5, np.arange(width) * 3) % 256
        pixels = ramp if mode == "L" else np.stack([ramp, ramp[::-1], 255 - ramp], 2)
    return Image.fromarray(np.ascontiguousarray(pixels.astype(np.uint8)))


def differing(ours, theirs):
    theirs = np.asarray(theirs)
    if ours.shape != theirs.shape:
        return max(ours.size, 1)
    return int((ours != theirs).sum())


def side(rng, most):
    return max(1, int(math.exp(rng.uniform(0, math.log(most)))))


def check_resize(tool, rng):
    """Sizes 1..1200, scales 1/1000 to 1000, RGB and L, both filters."""
    cases = bytes_compared = wrong = 0
    for _ in range(400):
        mode, filter_ = rng.choice(["RGB", "L"]), rng.randrange(2)
        picture = random_picture(rng, side(rng, 1200), side(rng, 1200), mode)
        width, height = side(rng, 1000), side(rng, 1000)
        ours = tool("resize", picture, width, height, filter_)
        wrong += differing(ours, resize(picture, (width, height), filter_))
        bytes_compared += ours.size
        cases += 1
    return cases, bytes_compared, wrong


def torchvision_view(picture, crop, short, filter_):
    """Resize(short) and CenterCrop(crop) as torchvision does them on PIL pictures."""
    width, height = picture.size
    if width <= height:
        size = (short, int(short * height / width))
    else:
        size = (int(short * width / height), short)
    picture = resize(picture, size, filter_)
    left = int(round((size[0] - crop[0]) / 2.0))
    top = int(round((size[1] - crop[1]) / 2.0))
    return picture.crop((left, top, left + crop[0], top + crop[1]))


def check_views(tool, rng):
    cases = bytes_compared = wrong = 0
    for _ in range(150):
        filter_, short = rng.randrange(2), rng.choice([8, 32, 224, 256, 300])
        crop = (rng.randint(1, short), rng.randint(1, short))
        picture = random_picture(rng, side(rng, 900), side(rng, 900), "RGB")
        if max(picture.size) / min(picture.size) > 60:  # Pillow would make the whole strip
            continue
        ours = tool("crop", picture, *crop, short, filter_)
        wrong += differing(ours, torchvision_view(picture, crop, short, filter_))
        bytes_compared += ours.size
        cases += 1
    return cases, bytes_compared, wrong


def check_grey(tool, rng):
    every = np.zeros((256 * 16, 256, 3), np.uint8)  # every red and green, 16 blues
    every[..., 0] = np.arange(256)[None, :]
    every[..., 1] = np.repeat(np.arange(256), 16)[:, None]
    every[..., 2] = (np.arange(256 * 16) % 16 * 17)[:, None]
    picture = Image.fromarray(every)
    ours = tool("grey", picture)
    return 1, ours.size, differing(ours, picture.convert("L"))


def check_orientation(tool, rng):
    cases = bytes_compared = wrong = 0
    for orientation in range(1, 9):
        for mode in ("RGB", "L"):
            picture = random_picture(rng, 37, 23, mode)
            exif = picture.getexif()
            exif[0x0112] = orientation
            picture.info["exif"] = exif.tobytes()
            ours = tool("orient", picture, orientation)
            wrong += differing(ours, ImageOps.exif_transpose(picture))
            bytes_compared += ours.size
            cases += 1
    return cases, bytes_compared, wrong


def reference_phash(picture):
    """The definition, in floating point: 32 x 32 luma, DCT-II, 8 x 8, above the median."""
    small = resize(picture, (32, 32), 0).convert("L")
    x = np.arange(32)
    basis = np.cos(np.pi * np.arange(8)[:, None] * (2 * x + 1) / 64)
    low = basis @ np.asarray(small, float) @ basis.T
    return (low > np.median(low)).ravel(), np.abs(low - np.median(low)).ravel()


def check_phash(tool, rng):
    """Bits whose coefficient lies within rounding of the median (0.5) may differ."""
    cases = bits = wrong = 0
    for _ in range(100):
        picture = random_picture(rng, rng.randint(20, 400), rng.randint(20, 400), "RGB")
        ours = np.unpackbits(tool("phash", picture)[0])[:64].astype(bool)
        theirs, distance = reference_phash(picture)
        wrong += int(((ours != theirs) & (distance > 0.5)).sum())
        bits += 64
        cases += 1
    return cases, bits, wrong


def main():
    tool, rng = Tool(sys.argv[1]), random.Random(20240501)
    checks = {"resize": check_resize, "crop views": check_views, "luma": check_grey,
              "orientation": check_orientation, "pHash": check_phash}
    failed = False
    print(f"Pillow {PIL.__version__}, MAGPIE_SIMD={os.environ.get('MAGPIE_SIMD', 'best')}")
    for name, check in checks.items():
        cases, compared, wrong = check(tool, rng)
        print(f"{name}: {cases} cases, {compared} values compared, {wrong} differ")
        failed |= wrong != 0
    print(f"Image.resize: {single_calls['made']} calls, "
          f"{single_calls['in another order']} of them with the passes in another order than ours")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
