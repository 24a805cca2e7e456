#!/usr/bin/env python3
"""Makes samples/: real CC0 photographs, crafted copies of some, and a few drawn strangers.

    make_samples.py --clothing DIR --to samples

DIR is the public small clothing data set (labels.csv and a folder per class). Deterministic; needs
Pillow. Names say nothing of what is shown, so that a text search cannot cheat; provenance.csv does.
"""
import argparse
import csv
import os
import random

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

PER_CLASS = 13
SIDE = 360
COPIES = [
    ("half size", "jpg", lambda im: im.resize((im.width // 2, im.height // 2), Image.BICUBIC)),
    ("quality 20", "jpg", lambda im: im),
    ("cropped by a tenth", "jpg", lambda im: im.crop((im.width // 10, im.height // 10,
                                                      im.width * 9 // 10, im.height * 9 // 10))),
    ("mirrored", "jpg", ImageOps.mirror),
    ("turned by 90 degrees", "jpg", lambda im: im.transpose(Image.ROTATE_90)),
    ("grey", "jpg", lambda im: ImageOps.grayscale(im).convert("RGB")),
    ("caption bar", "jpg", lambda im: captioned(im)),
    ("WebP", "webp", lambda im: im),
    ("PNG at half size", "png", lambda im: im.resize((im.width // 2, im.height // 2), Image.BICUBIC)),
    ("brighter", "jpg", lambda im: ImageEnhance.Brightness(im).enhance(1.3)),
    ("blurred a little", "jpg", lambda im: im.filter(ImageFilter.GaussianBlur(1.2))),
    ("border", "jpg", lambda im: ImageOps.expand(im, im.width // 20, "white")),
]


def captioned(im):
    out = Image.new("RGB", (im.width, im.height + im.height // 9), "black")
    out.paste(im, (0, 0))
    draw = ImageDraw.Draw(out)
    for i in range(14):  # strokes that look like a line of text at this size
        x = im.width // 10 + i * im.width // 20
        draw.rectangle((x, im.height + im.height // 36, x + im.width // 32,
                        im.height + im.height // 14), fill="white")
    return out


def stranger(kind, rng):
    im = Image.new("RGB", (SIDE, SIDE))
    draw = ImageDraw.Draw(im)
    if kind == "colour bars":
        for i, c in enumerate(["white", "yellow", "cyan", "lime", "magenta", "red", "blue", "black"]):
            draw.rectangle((i * SIDE // 8, 0, (i + 1) * SIDE // 8, SIDE), fill=c)
    elif kind == "chequers":
        for y in range(12):
            for x in range(12):
                if (x + y) % 2:
                    draw.rectangle((x * 30, y * 30, x * 30 + 29, y * 30 + 29), fill="white")
    elif kind == "noise":
        im.putdata([tuple(rng.randrange(256) for _ in range(3)) for _ in range(SIDE * SIDE)])
    elif kind == "gradient":
        im.putdata([(x * 255 // SIDE, y * 255 // SIDE, 128) for y in range(SIDE) for x in range(SIDE)])
    elif kind == "circles":
        draw.rectangle((0, 0, SIDE, SIDE), fill="navy")
        for r in range(170, 10, -20):
            draw.ellipse((180 - r, 180 - r, 180 + r, 180 + r), outline="orange", width=6)
    elif kind == "almost black":
        im.putdata([(rng.randrange(9),) * 3 for _ in range(SIDE * SIDE)])
    return im


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clothing", required=True)
    parser.add_argument("--to", required=True)
    args = parser.parse_args()
    rng = random.Random(20240501)
    classes = {}
    with open(os.path.join(args.clothing, "labels.csv"), newline="") as f:
        for row in csv.DictReader(f):
            classes.setdefault(row["label"], []).append(row["file"])
    os.makedirs(args.to, exist_ok=True)
    rows, pictures = [], []
    chosen = [(label, f) for label in sorted(classes)
              for f in rng.sample(sorted(classes[label]), PER_CLASS)]
    rng.shuffle(chosen)
    number = 0

    def keep(im, suffix, what, source, licence, quality=80):
        nonlocal number
        number += 1
        name = f"photo-{number:04d}.{suffix}"
        options = {"jpg": {"quality": quality}, "webp": {"quality": 80}, "png": {}}[suffix]
        im.save(os.path.join(args.to, name), **options)
        rows.append((name, what, source, licence))
        return name

    for label, source in chosen:
        im = Image.open(os.path.join(args.clothing, source)).convert("RGB")
        im.thumbnail((SIDE, SIDE), Image.BICUBIC)
        pictures.append((keep(im, "jpg", label, source, "CC0-1.0"), im))
    for i, (what, suffix, change) in enumerate(COPIES):
        name, im = pictures[i * 9]
        keep(change(im), suffix, f"copy: {what}", name, "CC0-1.0", 20 if "quality" in what else 80)
    for kind in ("colour bars", "chequers", "noise", "gradient", "circles", "almost black"):
        im = stranger(kind, rng)
        if kind == "noise":
            im = im.resize((180, 180), Image.BICUBIC)
        keep(im, "jpg", f"stranger: {kind}", "drawn by tools/make_samples.py", "CC0-1.0")
    with open(os.path.join(args.to, "provenance.csv"), "w", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(("file", "what", "source", "licence"))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
