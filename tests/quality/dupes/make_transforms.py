#!/usr/bin/env python3
"""Makes the copies that the duplicates' quality gate looks for.

    make_transforms.py DATA_DIR OUT_DIR [--originals 200] [--seed 7]

DATA_DIR holds clothing/ and grocery/natural/ (see its README). From each half of the originals
comes from either, spread over the classes; every original is changed in each of the ways of
TRANSFORMS and written below OUT_DIR. OUT_DIR/truth.csv then lists every picture of the
gate, one per line: path,origin,transform. `origin` is a number that a picture shares with its
copies; `transform` is "original" for those that were copied, "distractor" for all other pictures,
else the name of the change. Needs Pillow alone. The same seed gives the same files (for one
version of Pillow). A finished folder made with the same arguments is left as it is.
"""
import argparse
import csv
import io
import os
import random
import sys

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps, __version__

QUALITY = 90  # of a copy that is saved anew and is not about JPEG quality


def jpeg(im, quality=QUALITY):
    out = io.BytesIO()
    im.save(out, "JPEG", quality=quality)
    return out.getvalue(), "jpg"


def scaled(im, fx, fy, rng):
    size = (max(1, round(im.width * fx)), max(1, round(im.height * fy)))
    return im.resize(size, Image.Resampling.BICUBIC)


def crop(im, share, rng):
    """Takes `share` off each side's length, at a random place."""
    w, h = round(im.width * (1 - share)), round(im.height * (1 - share))
    x, y = rng.randint(0, im.width - w), rng.randint(0, im.height - h)
    return im.crop((x, y, x + w, y + h))


def noise(im, rng):
    """Gaussian, sigma 20 of 255, each channel on its own."""
    table = [rng.gauss(0, 20) for _ in range(65521)]
    data = bytearray(im.tobytes())
    at = rng.randrange(len(table))
    for i, v in enumerate(data):
        at = (at + 40503) % 65521
        data[i] = max(0, min(255, int(v + table[at] + 0.5)))
    return Image.frombytes("RGB", im.size, bytes(data))


def caption(im, rng):
    """A white bar with two words, 14 % of the height, below or above."""
    bar = round(im.height * 0.14)
    out = Image.new("RGB", (im.width, im.height + bar), "white")
    below = rng.random() < 0.5
    out.paste(im, (0, 0 if below else bar))
    word = rng.choice(["when you see it", "monday again", "best price today", "summer sale"])
    font = ImageFont.load_default(size=max(8, bar * 0.6))
    ImageDraw.Draw(out).text((im.width * 0.08, (im.height if below else 0) + bar * 0.12), word,
                             fill="black", font=font)
    return out


def border(im, rng):
    colour = rng.choice(["white", "black", (180, 30, 40), (230, 220, 190)])
    return ImageOps.expand(im, round(min(im.size) * 0.08), colour)


def watermark(im, rng):
    """Half-transparent words over the middle, and a logo in a corner."""
    layer = Image.new("RGBA", im.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    font = ImageFont.load_default(size=im.width * 0.13)
    draw.text((im.width * 0.08, im.height * 0.42), "SAMPLE.NET", fill=(255, 255, 255, 140), font=font)
    s = min(im.size) * 0.16
    draw.ellipse((im.width - s * 1.2, s * 0.2, im.width - s * 0.2, s * 1.2), fill=(200, 40, 40, 200))
    return Image.alpha_composite(im.convert("RGBA"), layer).convert("RGB")


def rotated(im, degrees, rng):
    return im.rotate(degrees * rng.choice([-1, 1]), Image.Resampling.BICUBIC)


def webp_or_png(im, rng):
    out, kind = io.BytesIO(), rng.choice(["PNG", "WEBP"])
    im.save(out, kind, **({"quality": 75} if kind == "WEBP" else {}))
    return out.getvalue(), kind.lower()


TRANSFORMS = {
    "resize_25": lambda im, r: jpeg(scaled(im, 0.25, 0.25, r)),
    "resize_50": lambda im, r: jpeg(scaled(im, 0.5, 0.5, r)),
    "aspect": lambda im, r: jpeg(scaled(im, *r.choice([(1.25, 1), (1, 1.25), (0.8, 1)]), r)),
    "jpeg_q10": lambda im, r: jpeg(im, 10),
    "jpeg_q30": lambda im, r: jpeg(im, 30),
    "crop_10": lambda im, r: jpeg(crop(im, 0.10, r)),
    "crop_20": lambda im, r: jpeg(crop(im, 0.20, r)),
    "crop_40": lambda im, r: jpeg(crop(im, 0.40, r)),
    "grey": lambda im, r: jpeg(im.convert("L")),
    "brightness": lambda im, r: jpeg(ImageEnhance.Brightness(im).enhance(r.choice([0.6, 1.4]))),
    "contrast": lambda im, r: jpeg(ImageEnhance.Contrast(im).enhance(r.choice([0.5, 1.6]))),
    "blur": lambda im, r: jpeg(im.filter(ImageFilter.GaussianBlur(min(im.size) / 150))),
    "noise": lambda im, r: jpeg(noise(im, r)),
    "rotate_3": lambda im, r: jpeg(rotated(im, 3, r)),
    "rotate_10": lambda im, r: jpeg(rotated(im, 10, r)),
    "rotate_90": lambda im, r: jpeg(im.transpose(r.choice([Image.Transpose.ROTATE_90,
                                                           Image.Transpose.ROTATE_270]))),
    "rotate_180": lambda im, r: jpeg(im.transpose(Image.Transpose.ROTATE_180)),
    "mirror": lambda im, r: jpeg(im.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    "caption": lambda im, r: jpeg(caption(im, r)),
    "border": lambda im, r: jpeg(border(im, r)),
    "watermark": lambda im, r: jpeg(watermark(im, r)),
    "format": webp_or_png,
}


def pictures(folder, depth):
    found = []
    for root, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".jpg"):
                path = os.path.join(root, name)
                kind = os.path.basename(root) if depth else name.rsplit("_", 1)[0]
                found.append((kind, path))
    return sorted(found)


def choose(found, n, rng):
    """n pictures, class after class in turn."""
    by_class = {}
    for kind, path in found:
        by_class.setdefault(kind, []).append(path)
    for paths in by_class.values():
        rng.shuffle(paths)
    chosen, kinds = [], sorted(by_class)
    while len(chosen) < n and any(by_class.values()):
        for kind in kinds:
            if by_class[kind] and len(chosen) < n:
                chosen.append(by_class[kind].pop())
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--originals", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    clothing = pictures(os.path.join(args.data, "clothing"), True)
    grocery = pictures(os.path.join(args.data, "grocery", "natural"), False)
    if not clothing or not grocery:
        sys.exit(f"no pictures under {args.data}")
    stamp = f"seed {args.seed} originals {args.originals} pillow {__version__} {len(TRANSFORMS)}\n"
    stamp_path = os.path.join(args.out, "stamp.txt")
    if os.path.exists(stamp_path) and open(stamp_path).read() == stamp:
        return
    os.makedirs(args.out, exist_ok=True)
    rng = random.Random(args.seed)
    half = args.originals // 2
    originals = choose(clothing, half, rng) + choose(grocery, args.originals - half, rng)
    rows = [(os.path.abspath(p), i, "original") for i, p in enumerate(originals)]
    taken = set(originals)
    others = [p for _, p in clothing + grocery if p not in taken]
    rows += [(os.path.abspath(p), len(originals) + i, "distractor") for i, p in enumerate(others)]
    for number, path in enumerate(originals):
        with Image.open(path) as opened:
            im = ImageOps.exif_transpose(opened).convert("RGB")
        for name, change in TRANSFORMS.items():
            data, kind = change(im, random.Random(f"{args.seed} {number} {name}"))
            target = os.path.abspath(os.path.join(args.out, f"{number:04}_{name}.{kind}"))
            with open(target, "wb") as f:
                f.write(data)
            rows.append((target, number, name))
    with open(os.path.join(args.out, "truth.csv"), "w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(("path", "origin", "transform"))
        writer.writerows(rows)
    with open(stamp_path, "w") as f:
        f.write(stamp)


if __name__ == "__main__":
    main()
